"""The registry in force: the files that were applied."""

from alembic import op

from duban.ledger.tables import Applied

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    Applied.__table__.create(op.get_bind())  # pyright: ignore[reportAttributeAccessIssue]
