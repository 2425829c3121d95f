"""The ledger: duties, evidence, history, outbox; and the guards of the history."""

import sqlalchemy as sa
from alembic import op

from duban.ledger.change import GENESIS
from duban.ledger.tables import BigId, ChainHead, Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "chain_head",
        sa.Column("id", BigId, nullable=False),
        sa.Column("seq", BigId, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chain_head"),
    )
    op.create_table(
        "clause_version",
        sa.Column("clause", sa.String(length=120), nullable=False),
        sa.Column("version", sa.String(length=12), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("first_seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("clause", "version", name="pk_clause_version"),
    )
    op.create_table(
        "duty",
        sa.Column("id", BigId, nullable=False),
        sa.Column("clause", sa.String(length=120), nullable=False),
        sa.Column("version", sa.String(length=12), nullable=False),
        sa.Column("cycle", sa.String(length=20), nullable=False),
        sa.Column("agency", sa.String(length=120), nullable=False),
        sa.Column("period", sa.String(length=12), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("soft", sa.Boolean(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("original_due_at", Instant(), nullable=False),
        sa.Column("submitted_at", Instant(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("round", BigId, nullable=False),
        sa.Column("revision", BigId, nullable=False),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_duty"),
        sa.UniqueConstraint(
            "clause", "cycle", "agency", "period", name="uq_duty_clause_cycle_agency_period"
        ),
    )
    op.create_index("ix_duty_agency", "duty", ["agency"], unique=False)
    op.create_index("ix_duty_next_on_waiting", "duty", ["next_on", "status"], unique=False)
    op.create_index("ix_duty_status_due_at", "duty", ["status", "due_at"], unique=False)

    op.create_table(
        "letter",
        sa.Column("id", BigId, nullable=False),
        sa.Column("recipient", sa.String(length=120), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("part", BigId, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("not_before", Instant(), nullable=False),
        sa.Column("attempts", BigId, nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("fence", BigId, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("sent_via", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_letter"),
        sa.UniqueConstraint(
            "recipient",
            "channel",
            "day",
            "kind",
            "part",
            name="uq_letter_recipient_channel_day_kind_part",
        ),
    )
    op.create_index("ix_letter_state_not_before", "letter", ["state", "not_before"], unique=False)

    op.create_table(
        "setting",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_setting"),
    )
    op.create_table(
        "tick",
        sa.Column("id", BigId, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("scope", sa.String(length=120), nullable=False),
        sa.Column("expected", BigId, nullable=False),
        sa.Column("opened", BigId, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tick"),
    )
    op.create_table(
        "attempt",
        sa.Column("id", BigId, nullable=False),
        sa.Column("letter_id", BigId, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("via", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name="fk_attempt_letter_id_letter"),
        sa.PrimaryKeyConstraint("id", name="pk_attempt"),
    )
    op.create_index("ix_attempt_letter_id", "attempt", ["letter_id"], unique=False)

    op.create_table(
        "history",
        sa.Column("seq", BigId, autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("duty_id", BigId, nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name="fk_history_duty_id_duty"),
        sa.PrimaryKeyConstraint("seq", name="pk_history"),
    )
    op.create_index("ix_history_duty_id", "history", ["duty_id"], unique=False)

    op.create_table(
        "mention",
        sa.Column("id", BigId, nullable=False),
        sa.Column("duty_id", BigId, nullable=False),
        sa.Column("letter_id", BigId, nullable=False),
        sa.Column("recipient", sa.String(length=120), nullable=False),
        sa.Column("round", BigId, nullable=False),
        sa.Column("rung", sa.String(length=20), nullable=False),
        sa.Column("n", BigId, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name="fk_mention_duty_id_duty"),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name="fk_mention_letter_id_letter"),
        sa.PrimaryKeyConstraint("id", name="pk_mention"),
        sa.UniqueConstraint(
            "duty_id",
            "round",
            "rung",
            "n",
            "recipient",
            name="uq_mention_duty_id_round_rung_n_recipient",
        ),
    )
    op.create_index("ix_mention_letter_id", "mention", ["letter_id"], unique=False)

    op.create_table(
        "mirror_run",
        sa.Column("duty_id", BigId, nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("revision", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("face", sa.String(length=64), nullable=False),
        sa.Column("card", sa.String(length=64), nullable=False),
        sa.Column("logged_seq", BigId, nullable=False),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name="fk_mirror_run_duty_id_duty"),
        sa.PrimaryKeyConstraint("duty_id", name="pk_mirror_run"),
    )
    op.create_table(
        "submission",
        sa.Column("id", BigId, nullable=False),
        sa.Column("duty_id", BigId, nullable=False),
        sa.Column("number", BigId, nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("submitted_at", Instant(), nullable=False),
        sa.Column("submitted_by", sa.String(length=120), nullable=False),
        sa.Column("receipt", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name="fk_submission_duty_id_duty"),
        sa.PrimaryKeyConstraint("id", name="pk_submission"),
        sa.UniqueConstraint("duty_id", "number", name="uq_submission_duty_id_number"),
        sa.UniqueConstraint("receipt", name="uq_submission_receipt"),
    )
    op.create_table(
        "evidence_file",
        sa.Column("id", BigId, nullable=False),
        sa.Column("submission_id", BigId, nullable=False),
        sa.Column("field", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size", BigId, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("stored_as", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name="fk_evidence_file_submission_id_submission"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_evidence_file"),
        sa.UniqueConstraint("stored_as", name="uq_evidence_file_stored_as"),
    )
    op.create_index("ix_evidence_file_sha256", "evidence_file", ["sha256"], unique=False)
    op.create_index(
        "ix_evidence_file_submission_id", "evidence_file", ["submission_id"], unique=False
    )

    op.create_table(
        "history_text",
        sa.Column("seq", BigId, nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["seq"], ["history.seq"], name="fk_history_text_seq_history"),
        sa.PrimaryKeyConstraint("seq", name="pk_history_text"),
    )
    op.bulk_insert(ChainHead.__table__, [{"id": 1, "seq": 0, "hash": GENESIS}])  # pyright: ignore[reportArgumentType]
    _guard_history()


def _guard_history() -> None:
    """History is append-only: the database itself refuses to change or delete a row of it."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER history_no_{verb.lower()} BEFORE {verb} ON history "
                "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'history is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER history_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON history "
        "FOR EACH STATEMENT EXECUTE FUNCTION history_is_append_only()"
    )
