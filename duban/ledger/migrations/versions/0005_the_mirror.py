"""The mirror: what a run's state says, and when its card has to be written again."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    with op.batch_alter_table("mirror_run") as run:
        run.add_column(
            sa.Column("message", sa.String(length=200), nullable=False, server_default="")
        )
        run.alter_column("message", server_default=None)
        run.add_column(sa.Column("card_id", sa.String(length=36), nullable=True))
        run.add_column(sa.Column("refresh_on", sa.Date(), nullable=True))
        run.create_index("ix_mirror_run_state", ["state"])
        run.create_index("ix_mirror_run_refresh_on", ["refresh_on"])
