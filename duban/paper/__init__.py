"""Slips and letters as Word documents, by the measures of GB/T 9704-2012."""
