"""The chase: decisions, proposals, holds, suspended addresses, the coordinator's tasks."""

import sqlalchemy as sa
from alembic import op

from duban.ledger.tables import BigId, Decision, Hold, Instant, Proposal, Suspension, Task

revision = "0002"
down_revision = "0001"

_NEW = (Decision, Proposal, Hold, Suspension, Task)


def upgrade() -> None:
    for table in _NEW:
        table.__table__.create(op.get_bind())  # pyright: ignore[reportAttributeAccessIssue]
    with op.batch_alter_table("duty") as duty:
        duty.add_column(sa.Column("provisional", sa.Boolean(), nullable=False, server_default="0"))
        duty.alter_column("provisional", server_default=None)
        duty.add_column(
            sa.Column("opener", sa.String(length=16), nullable=False, server_default="assign")
        )
        duty.alter_column("opener", server_default=None)
        # The chase asks for two statuses and a range of days; this order answers with two seeks.
        duty.drop_index("ix_duty_next_on_waiting")
        duty.create_index("ix_duty_status_next_on", ["status", "next_on"])
    with op.batch_alter_table("letter") as letter:
        letter.add_column(sa.Column("form", sa.String(length=10), nullable=True))
    with op.batch_alter_table("mention") as mention:
        mention.alter_column("letter_id", existing_type=BigId, nullable=True)
        mention.add_column(sa.Column("said", sa.Boolean(), nullable=False, server_default="1"))
        mention.alter_column("said", server_default=None)
    with op.batch_alter_table("attempt") as attempt:
        attempt.add_column(
            sa.Column("address", sa.String(length=16), nullable=False, server_default="")
        )
        attempt.alter_column("address", server_default=None)
        attempt.add_column(sa.Column("closed_until", Instant(), nullable=True))
        attempt.create_index("ix_attempt_address_at", ["address", "at"])
