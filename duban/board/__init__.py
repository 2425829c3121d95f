"""The daily boards: pure tables in Markdown from what the ledger was asked. One count, one list."""

from duban.board.summary import by_clause, columns, counts, headline

__all__ = ["by_clause", "columns", "counts", "headline"]
