"""The bulletins: frozen facts, drafts, and what was said against them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "frozen",
        sa.Column("id", whole, nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("seq", whole, nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_frozen"),
        sa.UniqueConstraint("sha256", name="uq_frozen_sha256"),
    )
    op.create_table(
        "bulletin",
        sa.Column("id", whole, nullable=False),
        sa.Column("every", sa.String(length=12), nullable=False),
        sa.Column("period", sa.String(length=12), nullable=False),
        sa.Column("frozen_id", whole, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("made_at", instant, nullable=False),
        sa.Column("made_by", sa.String(length=120), nullable=False),
        sa.Column("objections_until", sa.Date(), nullable=False),
        sa.Column("ended_at", instant, nullable=True),
        sa.Column("ended_by", sa.String(length=120), nullable=True),
        sa.Column("paper_id", whole, nullable=True),
        sa.ForeignKeyConstraint(["frozen_id"], ["frozen.id"], name="fk_bulletin_frozen_id_frozen"),
        sa.ForeignKeyConstraint(["paper_id"], ["paper.id"], name="fk_bulletin_paper_id_paper"),
        sa.PrimaryKeyConstraint("id", name="pk_bulletin"),
    )
    op.create_index("ix_bulletin_period", "bulletin", ["period"])
    op.create_table(
        "objection",
        sa.Column("id", whole, nullable=False),
        sa.Column("bulletin_id", whole, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_at", instant, nullable=False),
        sa.Column("made_by", sa.String(length=120), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", instant, nullable=True),
        sa.Column("answered_by", sa.String(length=120), nullable=True),
        sa.ForeignKeyConstraint(
            ["bulletin_id"], ["bulletin.id"], name="fk_objection_bulletin_id_bulletin"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_objection"),
    )
    op.create_index("ix_objection_bulletin_id", "objection", ["bulletin_id"])
