"""Bulletins and reports: figures cut from a snapshot, and the documents that show them."""
