"""The portal: links, accounts, drafts, petitions; what inspection says of a file."""

import sqlalchemy as sa
from alembic import op

from duban.ledger.tables import (
    Account,
    BigId,
    Draft,
    Instant,
    Link,
    LinkDuty,
    Petition,
    Session,
)

revision = "0003"
down_revision = "0002"

_NEW = (Link, LinkDuty, Draft, Petition, Account, Session)


def upgrade() -> None:
    for table in _NEW:
        table.__table__.create(op.get_bind())  # pyright: ignore[reportAttributeAccessIssue]
    with op.batch_alter_table("duty") as duty:
        duty.add_column(sa.Column("acknowledged_at", Instant(), nullable=True))
        duty.add_column(_filled("nil", sa.Boolean(), "0"))
        duty.alter_column("nil", server_default=None)
    with op.batch_alter_table("submission") as submission:
        submission.add_column(_filled("nil", sa.Boolean(), "0"))
        submission.alter_column("nil", server_default=None)
        submission.add_column(sa.Column("statement", sa.Text(), nullable=True))
        submission.add_column(sa.Column("dated", sa.Date(), nullable=True))
        submission.add_column(sa.Column("person", sa.String(length=60), nullable=True))
        submission.add_column(sa.Column("telephone", sa.String(length=40), nullable=True))
        submission.add_column(_filled("suspect", sa.String(length=80), ""))
        submission.alter_column("suspect", server_default=None)
        submission.add_column(sa.Column("link_id", BigId, nullable=True))
        submission.create_foreign_key("fk_submission_link_id_link", "link", ["link_id"], ["id"])
    _files()


def _files() -> None:
    strings = {"agency": 120, "state": 10, "refusal": 20, "kind": 8, "picture_hash": 64}
    with op.batch_alter_table("evidence_file") as file:
        file.add_column(sa.Column("duty_id", BigId, nullable=True))
        file.add_column(sa.Column("received_at", Instant(), nullable=True))
        for name, length in {**strings, "suspect": 80}.items():
            default = "waiting" if name == "state" else ""
            file.add_column(_filled(name, sa.String(length=length), default))
        file.add_column(sa.Column("kept_sha256", sa.String(length=64), nullable=True))
        file.add_column(sa.Column("kept_size", BigId, nullable=True))
        file.add_column(_filled("pages", BigId, "0"))
    op.execute(
        "UPDATE evidence_file SET (duty_id, agency, received_at) = (SELECT duty_id, submitted_by, "
        "submitted_at FROM submission WHERE submission.id = evidence_file.submission_id)"
    )
    with op.batch_alter_table("evidence_file") as file:
        file.alter_column("submission_id", existing_type=BigId, nullable=True)
        file.alter_column("duty_id", existing_type=BigId, nullable=False)
        file.alter_column("received_at", existing_type=Instant(), nullable=False)
        for name in (*strings, "suspect", "pages"):
            file.alter_column(name, server_default=None)
        file.create_foreign_key("fk_evidence_file_duty_id_duty", "duty", ["duty_id"], ["id"])
        file.create_index("ix_evidence_file_duty_id", ["duty_id"])
        file.create_index("ix_evidence_file_state", ["state"])


def _filled(name: str, kind: sa.types.TypeEngine[object], default: str) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False, server_default=default)
