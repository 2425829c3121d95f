"""Duban 督办: who owes what under a notice, by when, and what came of it. Knows no Prefect."""
