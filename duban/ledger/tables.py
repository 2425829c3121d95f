"""The ledger's tables. All instants are UTC in the database and aware in Python."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

BigId = BigInteger().with_variant(Integer, "sqlite")


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept as UTC; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone; the ledger keeps instants")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Root of the ledger's tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Instant, dict[str, Any]: JSON, int: BigId}


class ClauseVersion(Base):
    """A clause as it read when duties were opened under it; never changed."""

    __tablename__ = "clause_version"

    clause: Mapped[str] = mapped_column(String(120), primary_key=True)
    version: Mapped[str] = mapped_column(String(12), primary_key=True)
    content: Mapped[dict[str, Any]]
    first_seen_at: Mapped[datetime]


class Duty(Base):
    """A duty: one clause, cycle, agency and period. Overdue is not here; it is derived.

    `due_at` is the date in force (moved by extension and return), `original_due_at` the first.
    `revision` counts the moves, `round` the chases begun; `opener` is the kind of letter that the
    present one begins with. `next_on` is the next civil day on which the chase has to look at it;
    `done` that accepted evidence showed the matter finished; `nil` that the latest version says
    there is nothing to report; `provisional` that the due day was counted in a year whose holidays
    nobody had announced. `acknowledged_at` is when the agency said that it had received it (签收).
    """

    __tablename__ = "duty"
    __table_args__ = (
        UniqueConstraint("clause", "cycle", "agency", "period"),
        Index("ix_duty_status_next_on", "status", "next_on"),
        Index("ix_duty_status_due_at", "status", "due_at"),
        Index("ix_duty_agency", "agency"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clause: Mapped[str] = mapped_column(String(120))
    version: Mapped[str] = mapped_column(String(12))
    cycle: Mapped[str] = mapped_column(String(20))
    agency: Mapped[str] = mapped_column(String(120))
    period: Mapped[str] = mapped_column(String(12))
    status: Mapped[str] = mapped_column(String(16))
    soft: Mapped[bool]
    opened_at: Mapped[datetime]
    opens_on: Mapped[date]
    due_at: Mapped[datetime]
    original_due_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    done: Mapped[bool] = mapped_column(default=False)
    nil: Mapped[bool] = mapped_column(default=False)
    round: Mapped[int] = mapped_column(default=1)
    opener: Mapped[str] = mapped_column(String(16), default="assign")
    revision: Mapped[int] = mapped_column(default=1)
    provisional: Mapped[bool] = mapped_column(default=False)
    next_on: Mapped[date | None]


class Submission(Base):
    """One version of an agency's evidence; every version is kept.

    `nil` marks a nil return (零报告) with its `statement`; `dated` is the civil day that the
    evidence speaks of. `person` and `telephone` are whom to ask about it, erased once the duty
    needs them no more. `suspect` names kinds of personal data found in its text, by commas.
    """

    __tablename__ = "submission"
    __table_args__ = (UniqueConstraint("duty_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"))
    number: Mapped[int]
    fields: Mapped[dict[str, Any]]
    submitted_at: Mapped[datetime]
    submitted_by: Mapped[str] = mapped_column(String(120))
    receipt: Mapped[str] = mapped_column(String(32), unique=True)
    nil: Mapped[bool] = mapped_column(default=False)
    statement: Mapped[str | None] = mapped_column(Text)
    dated: Mapped[date | None]
    person: Mapped[str | None] = mapped_column(String(60))
    telephone: Mapped[str | None] = mapped_column(String(40))
    suspect: Mapped[str] = mapped_column(String(80), default="")
    link_id: Mapped[int | None] = mapped_column(ForeignKey("link.id"))


class EvidenceFile(Base):
    """A file that an agency sent for a duty; its bytes lie in the files folder as `stored_as`.

    Without a submission it is still a draft. `sha256` and `size` are those of the bytes received,
    `kept_sha256` and `kept_size` of those that inspection left (a picture loses its EXIF). States:
    waiting (for inspection), fine, refused, erased (its hashes stay). `picture_hash` finds pictures
    that look alike; `pages` counts the previews; `suspect` names kinds of personal data found in
    it, by commas.
    """

    __tablename__ = "evidence_file"
    __table_args__ = (
        Index("ix_evidence_file_sha256", "sha256"),
        Index("ix_evidence_file_duty_id", "duty_id"),
        Index("ix_evidence_file_state", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"))
    submission_id: Mapped[int | None] = mapped_column(ForeignKey("submission.id"), index=True)
    agency: Mapped[str] = mapped_column(String(120))
    field: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(255))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    stored_as: Mapped[str] = mapped_column(String(80), unique=True)
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    refusal: Mapped[str] = mapped_column(String(20), default="")
    kind: Mapped[str] = mapped_column(String(8), default="")
    kept_sha256: Mapped[str | None] = mapped_column(String(64))
    kept_size: Mapped[int | None]
    picture_hash: Mapped[str] = mapped_column(String(64), default="")
    pages: Mapped[int] = mapped_column(default=0)
    suspect: Mapped[str] = mapped_column(String(80), default="")


class Draft(Base):
    """What an agency has typed for a duty and not handed in yet, as raw text by field key."""

    __tablename__ = "draft"
    __table_args__ = (UniqueConstraint("duty_id", "agency"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"))
    agency: Mapped[str] = mapped_column(String(120))
    fields: Mapped[dict[str, Any]]
    saved_at: Mapped[datetime]


class Petition(Base):
    """What an agency asks for (申请): an extension, or that a duty is not applicable to it.

    States: asked, granted, refused, withdrawn. `until` is the day asked for, `leader` who agreed.
    """

    __tablename__ = "petition"
    __table_args__ = (
        Index("ix_petition_state", "state"),
        Index("ix_petition_duty_id", "duty_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"))
    kind: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    until: Mapped[date | None]
    leader: Mapped[str] = mapped_column(String(60), default="")
    asked_at: Mapped[datetime]
    asked_by: Mapped[str] = mapped_column(String(120))
    link_id: Mapped[int | None] = mapped_column(ForeignKey("link.id"))
    state: Mapped[str] = mapped_column(String(10))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(120))
    answer: Mapped[str] = mapped_column(Text, default="")


class Link(Base):
    """A signed link by which an agency comes in without an account.

    The token is made from `nonce` and the key in the data folder, and stands nowhere; only its
    hash does, and that of the token of its calendar feed. One that was handed on has a `parent`,
    says to whom (`holder`), and reaches only its duties in LinkDuty; one without reaches all of
    its agency's. `person` and `telephone` are what was last typed through it.
    """

    __tablename__ = "link"
    __table_args__ = (Index("ix_link_agency", "agency"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(String(120))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("link.id"))
    holder: Mapped[str] = mapped_column(String(60), default="")
    nonce: Mapped[str] = mapped_column(String(32))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    feed_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    issued_at: Mapped[datetime]
    issued_by: Mapped[str] = mapped_column(String(120))
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    person: Mapped[str | None] = mapped_column(String(60))
    telephone: Mapped[str | None] = mapped_column(String(40))


class LinkDuty(Base):
    """A duty that a handed-on link reaches."""

    __tablename__ = "link_duty"

    link_id: Mapped[int] = mapped_column(ForeignKey("link.id"), primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"), primary_key=True)


class Account(Base):
    """A person who coordinates or reads: administrator, provincial, city (of `region`), reader.

    `password` is an Argon2id hash, None for one who comes in through the identity provider only,
    known there as `subject`. `failures` counts wrong passwords in a row; none is looked at before
    `wait_until`.
    """

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    role: Mapped[str] = mapped_column(String(16))
    region: Mapped[str | None] = mapped_column(String(60))
    password: Mapped[str | None] = mapped_column(String(200))
    must_change: Mapped[bool] = mapped_column(default=False)
    totp: Mapped[str | None] = mapped_column(String(64))
    totp_step: Mapped[int] = mapped_column(default=0)
    subject: Mapped[str | None] = mapped_column(String(200), unique=True)
    failures: Mapped[int] = mapped_column(default=0)
    wait_until: Mapped[datetime | None]
    made_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Session(Base):
    """A person's stay in the portal; the cookie's token stands here as its hash only."""

    __tablename__ = "session"
    __table_args__ = (Index("ix_session_account_id", "account_id"),)

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    begun_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class History(Base):
    """What happened, append-only; each row's hash covers the row before it."""

    __tablename__ = "history"
    __table_args__ = (Index("ix_history_duty_id", "duty_id"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(40))
    duty_id: Mapped[int | None] = mapped_column(ForeignKey("duty.id"))
    data: Mapped[dict[str, Any]]
    text_sha256: Mapped[str | None] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class HistoryText(Base):
    """Free text of a history row, outside the chain so that it can be erased."""

    __tablename__ = "history_text"

    seq: Mapped[int] = mapped_column(ForeignKey("history.seq"), primary_key=True)
    text: Mapped[str | None] = mapped_column(Text)


class ChainHead(Base):
    """The last link of the history; locked as the last statement before a commit."""

    __tablename__ = "chain_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


class Letter(Base):
    """A letter in the outbox: one recipient, channel, civil day, kind and part.

    `payload`, in the `form` of its channel, is frozen at the first attempt, so that a repeat after
    a crash is the same letter. States: pending; sent; suppressed (nothing left to say);
    unreachable (no address that works; a task of the coordinator); dead (given up; likewise).
    """

    __tablename__ = "letter"
    __table_args__ = (
        UniqueConstraint("recipient", "channel", "day", "kind", "part"),
        Index("ix_letter_state_not_before", "state", "not_before"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    recipient: Mapped[str] = mapped_column(String(120))
    channel: Mapped[str] = mapped_column(String(20))
    day: Mapped[date]
    kind: Mapped[str] = mapped_column(String(16))
    part: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(16))
    not_before: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    form: Mapped[str | None] = mapped_column(String(10))
    payload: Mapped[bytes | None] = mapped_column(LargeBinary)
    sent_at: Mapped[datetime | None]
    sent_via: Mapped[str | None] = mapped_column(String(20))


class Mention(Base):
    """One duty spoken of once, to one recipient; `n` is the rung's nth time in the round.

    `day` is the civil day on which it was decided. Without a letter it was said by telephone.
    `said` turns false when the letter goes without it, answered or outdone meanwhile.
    """

    __tablename__ = "mention"
    __table_args__ = (
        UniqueConstraint("duty_id", "round", "rung", "n", "recipient"),
        Index("ix_mention_letter_id", "letter_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"))
    letter_id: Mapped[int | None] = mapped_column(ForeignKey("letter.id"))
    recipient: Mapped[str] = mapped_column(String(120))
    round: Mapped[int]
    rung: Mapped[str] = mapped_column(String(20))
    n: Mapped[int]
    day: Mapped[date]
    said: Mapped[bool] = mapped_column(default=True)


class Attempt(Base):
    """One try to deliver a letter. Written before the try as `begun`, settled once after it.

    What a crash leaves `begun` may have arrived. `address` is a digest of where it went, by which
    the limits of a robot are counted; `closed_until` is when that address may be used again.
    """

    __tablename__ = "attempt"
    __table_args__ = (Index("ix_attempt_address_at", "address", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    letter_id: Mapped[int] = mapped_column(ForeignKey("letter.id"), index=True)
    at: Mapped[datetime]
    via: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(16), default="")
    outcome: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str] = mapped_column(Text)
    closed_until: Mapped[datetime | None]


class Decision(Base):
    """What the chase decided when a duty's day had come, and why; each thing once a round."""

    __tablename__ = "decision"
    __table_args__ = (UniqueConstraint("duty_id", "round", "rung", "n", "reason"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"))
    round: Mapped[int]
    rung: Mapped[str] = mapped_column(String(20))
    n: Mapped[int]
    reason: Mapped[str] = mapped_column(String(40))
    day: Mapped[date]


class Proposal(Base):
    """A rung that goes out after a coordinator's approval: proposed, approved, declined, lapsed."""

    __tablename__ = "proposal"
    __table_args__ = (
        UniqueConstraint("duty_id", "round", "rung", "n"),
        Index("ix_proposal_state", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"))
    round: Mapped[int]
    rung: Mapped[str] = mapped_column(String(20))
    n: Mapped[int]
    day: Mapped[date]
    state: Mapped[str] = mapped_column(String(10))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(120))


class Hold(Base):
    """Silence for an agency or a clause, from a day through another, with its reason."""

    __tablename__ = "hold"

    id: Mapped[int] = mapped_column(primary_key=True)
    agency: Mapped[str | None] = mapped_column(String(120))
    clause: Mapped[str | None] = mapped_column(String(120))
    begins_on: Mapped[date]
    until: Mapped[date]
    reason: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(String(120))
    released_at: Mapped[datetime | None]


class Suspension(Base):
    """An address that refused for good; nothing is sent there until it is lifted or changed."""

    __tablename__ = "suspension"
    __table_args__ = (UniqueConstraint("agency", "address", "since"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime]
    detail: Mapped[str] = mapped_column(Text)
    lifted_at: Mapped[datetime | None]


class Task(Base):
    """Something only a coordinator can do; one open task for each kind and subject."""

    __tablename__ = "task"
    __table_args__ = (UniqueConstraint("kind", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(120))
    data: Mapped[dict[str, Any]]
    opened_at: Mapped[datetime]
    told_on: Mapped[date | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(String(120))


class Tick(Base):
    """One look at what should be open: expected N, opened M."""

    __tablename__ = "tick"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    scope: Mapped[str] = mapped_column(String(120))
    expected: Mapped[int]
    opened: Mapped[int]


class Setting(Base):
    """A switch that belongs to the ledger and not to a machine, such as armed sending."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class Applied(Base):
    """The files that were put in force: agencies.yaml, policy, notices; the newest row holds.

    `files` are their texts by name, with `${NAME}`s as written and never what they stand for;
    `digest` is the SHA-256 of them all, `counts` what putting them in force did.
    """

    __tablename__ = "applied"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))
    files: Mapped[dict[str, Any]]
    counts: Mapped[dict[str, Any]]


class PaperSeries(Base):
    """The last document number (发文字号) given out in a series and year.

    Numbers are taken in the change that makes the paper, so that a failed one leaves no gap.
    """

    __tablename__ = "paper_series"

    series: Mapped[str] = mapped_column(String(60), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


class Paper(Base):
    """An official document as it was made; never altered, and its number never given again.

    `series` is what stands before the year in its number, `day` the civil day it is dated, `facts`
    a digest of all it says, `content` its bytes in Word's format, whose hash is `sha256`. It goes
    with a letter, or with none when it was asked for. One that was made anew before it left is
    void; its number stays used.
    """

    __tablename__ = "paper"
    __table_args__ = (
        UniqueConstraint("series", "year", "number"),
        Index("ix_paper_letter_id", "letter_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    series: Mapped[str] = mapped_column(String(60))
    year: Mapped[int]
    number: Mapped[int]
    language: Mapped[str] = mapped_column(String(2))
    recipient: Mapped[str] = mapped_column(String(120))
    letter_id: Mapped[int | None] = mapped_column(ForeignKey("letter.id"))
    day: Mapped[date]
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(String(120))
    facts: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    void_at: Mapped[datetime | None]


class PaperDuty(Base):
    """A duty that a paper speaks of."""

    __tablename__ = "paper_duty"
    __table_args__ = (Index("ix_paper_duty_duty_id", "duty_id"),)

    paper_id: Mapped[int] = mapped_column(ForeignKey("paper.id"), primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"), primary_key=True)


class Frozen(Base):
    """A snapshot: the facts of every duty as of `at`, packed; see `duban.ledger.snapshots`.

    `seq` and `chain` are number and hash of the last row of history by then, `sha256` is that of
    the facts.
    """

    __tablename__ = "frozen"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    seq: Mapped[int]
    chain: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class Bulletin(Base):
    """A bulletin (通报) of a period, cut from a snapshot. States: draft, issued, withdrawn.

    `every` is the kind of its period; objections are taken through `objections_until`, a civil day.
    """

    __tablename__ = "bulletin"
    __table_args__ = (Index("ix_bulletin_period", "period"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    every: Mapped[str] = mapped_column(String(12))
    period: Mapped[str] = mapped_column(String(12))
    frozen_id: Mapped[int] = mapped_column(ForeignKey("frozen.id"))
    state: Mapped[str] = mapped_column(String(10))
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(String(120))
    objections_until: Mapped[date]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(120))
    paper_id: Mapped[int | None] = mapped_column(ForeignKey("paper.id"))


class Objection(Base):
    """What a coordinator says against a draft, and what was answered."""

    __tablename__ = "objection"
    __table_args__ = (Index("ix_objection_bulletin_id", "bulletin_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    bulletin_id: Mapped[int] = mapped_column(ForeignKey("bulletin.id"))
    text: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(String(120))
    answer: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None] = mapped_column(String(120))


class MirrorRun(Base):
    """What the stage was last told of a duty, so that only differences are sent.

    `message` goes with `state`; `face` and `card` are digests of name and tags, and of the card's
    facts; `card_id` is its artifact. On `refresh_on`, a civil day, the card has grown too old.
    """

    __tablename__ = "mirror_run"
    __table_args__ = (
        Index("ix_mirror_run_state", "state"),
        Index("ix_mirror_run_refresh_on", "refresh_on"),
    )

    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id"), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(36))
    revision: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(40))
    message: Mapped[str] = mapped_column(String(200), default="")
    face: Mapped[str] = mapped_column(String(64))
    card: Mapped[str] = mapped_column(String(64))
    card_id: Mapped[str | None] = mapped_column(String(36))
    refresh_on: Mapped[date | None]
    logged_seq: Mapped[int] = mapped_column(default=0)
