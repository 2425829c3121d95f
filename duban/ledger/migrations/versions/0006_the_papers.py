"""The papers: official documents with their numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "paper_series",
        sa.Column("series", sa.String(length=60), nullable=False),
        sa.Column("year", whole, nullable=False),
        sa.Column("last", whole, nullable=False),
        sa.PrimaryKeyConstraint("series", "year", name="pk_paper_series"),
    )
    op.create_table(
        "paper",
        sa.Column("id", whole, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("series", sa.String(length=60), nullable=False),
        sa.Column("year", whole, nullable=False),
        sa.Column("number", whole, nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("recipient", sa.String(length=120), nullable=False),
        sa.Column("letter_id", whole, nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made_at", instant, nullable=False),
        sa.Column("made_by", sa.String(length=120), nullable=False),
        sa.Column("facts", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("void_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name="fk_paper_letter_id_letter"),
        sa.PrimaryKeyConstraint("id", name="pk_paper"),
        sa.UniqueConstraint("series", "year", "number", name="uq_paper_series_year_number"),
    )
    op.create_index("ix_paper_letter_id", "paper", ["letter_id"])
    op.create_table(
        "paper_duty",
        sa.Column("paper_id", whole, nullable=False),
        sa.Column("duty_id", whole, nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["paper.id"], name="fk_paper_duty_paper_id_paper"),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name="fk_paper_duty_duty_id_duty"),
        sa.PrimaryKeyConstraint("paper_id", "duty_id", name="pk_paper_duty"),
    )
    op.create_index("ix_paper_duty_duty_id", "paper_duty", ["duty_id"])
