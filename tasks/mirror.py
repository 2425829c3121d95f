"""Brings the stage to what the ledger says: sends only differences, and mends what was changed."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert

from duban.batches import batches
from duban.forms import form_words
from duban.ledger import Ledger
from duban.ledger.change import DUTIES_PER_CHANGE, change
from duban.ledger.label import label_of
from duban.ledger.lease import turn_of
from duban.ledger.questions import DutyView, duties, latest_evidence
from duban.ledger.staging import (
    Look,
    Seen,
    look,
    mirrored,
    remember_seen,
    staged,
    told_states,
)
from duban.ledger.tables import MirrorRun
from duban.ledger.timeline import Line, Told, last_letters, prospects, unlogged
from duban.mirror import (
    DUTY_TAG,
    FORM,
    STATES,
    Background,
    Door,
    Face,
    card,
    card_digest,
    face,
    face_digest,
    kept_since,
    line,
    refresh_on,
)
from duban.words import words
from tasks.stage import LogLine, NewRun, RunRef, Stage, StateSpec
from tasks.turn import TurnLost, Work, turn

DUTY_QUEUE = "duties"
CHUNK = 100
LIMIT = 5_000
"""The most open duties of which each has a run, unless a setting says otherwise."""

WORK = "mirror-turn"
LAG = 10_000  # rows of history after which a quiet run is noted as written up to now
PATIENCE = 5.0  # seconds for which a sync waits for another
MANY_CHANGED = 100  # so many at once is a stage that was lost or restored, not a person's doing
_INFO, _WARNING = 20, 30  # levels of logging
_WARNED = {"spoke", "returned", "interfered"}

Progress = Callable[[int, int], None]
"""Called with (done, of how many) while runs are made."""


@dataclass
class Synced:
    """What one sync sent; `elsewhere`: another was at work, and this one did not finish."""

    made: int = 0
    states: int = 0
    renamed: int = 0
    removed: int = 0
    lines: int = 0
    cards: int = 0
    mended: int = 0
    elsewhere: bool = False

    @property
    def writes(self) -> int:
        """How many things were sent; 0 when nothing had changed."""
        return self.made + self.states + self.renamed + self.removed + self.lines + self.cards

    def __str__(self) -> str:
        told = (
            f"{self.made} runs made, {self.states} states set, {self.removed} runs removed, "
            f"{self.lines} lines, {self.cards} cards"
        )
        return f"{told}; another sync is at work" if self.elsewhere else told


@dataclass
class _Known:
    """What the stage was last told of a duty."""

    run_id: str
    revision: str
    state: str
    message: str = ""
    face: str = ""
    card: str = ""
    card_id: str | None = None
    refresh_on: date | None = None
    logged_seq: int = 0


def sync(
    ledger: Ledger,
    stage: Stage,
    deployments: Mapping[str, str],
    now: datetime,
    *,
    forms: Mapping[str, str] | None = None,
    full: bool = False,
    progress: Progress = lambda done, of: None,
    portal: str = "",
    limit: int = LIMIT,
    patience: float = PATIENCE,
) -> Synced:
    """One sync. Only one is at work at a time, however many are called and wherever they run.

    Without news it asks for the counts of runs by state and does nothing more; where these differ
    from what the stage was told, and once a civil day, it reads all of them.

    Args:
        deployments: clause key → deployment id on the stage.
        forms: act → deployment id of its form, to which cards lead.
        full: read every run, also when the counts agree.
        portal: the portal's address, to which cards lead; without one they lead nowhere.
        limit: the most open duties of which each has a run; beyond it only what needs eyes has one.
        patience: seconds to wait for another sync that is at work.

    Raises:
        StageError: the stage did not answer; what was sent is remembered, the rest comes next time.
    """
    doors = _doors(ledger, forms or {})
    scene = _scene(ledger, deployments, doors, portal, limit)
    seen = look(ledger, now, scene, limit)
    if not full and seen.idle and not turn_of(ledger, WORK).begun and _counts_agree(ledger, stage):
        return Synced()
    with turn(ledger, WORK, patience) as work:
        if work is None:
            return Synced(elsewhere=True)
        seen = look(ledger, now, scene, limit)
        one = _Sync(ledger, stage, deployments, doors, now, progress, portal, work)
        try:
            one.run(seen, read=full or seen.read or work.unsure)
        except TurnLost:
            one.done.elsewhere = True
        return one.done


def forget(ledger: Ledger) -> None:
    """Forgets what the stage was told, so that the next sync makes everything anew."""
    with ledger.engine.begin() as connection:
        connection.execute(delete(MirrorRun))
    remember_seen(ledger, Seen())


def _doors(ledger: Ledger, forms: Mapping[str, str]) -> dict[str, Door]:
    titles = form_words(ledger.registry.language).forms
    return {act: Door(titles[act].title, forms[act]) for act in sorted(forms)}


def _scene(
    ledger: Ledger,
    deployments: Mapping[str, str],
    doors: Mapping[str, Door],
    portal: str,
    limit: int,
) -> str:
    """A digest of what every run depends on beside its duty."""
    registry = ledger.registry
    agencies = [
        (one.id, one.name, one.region_name, one.department, one.contact.telephone)
        for one in registry.agencies.values()
    ]
    notices = [(key, one.file.notice.model_dump_json()) for key, one in registry.notices.items()]
    places = (sorted(deployments.items()), doors, portal)
    parts = (FORM, places, limit, label_of(ledger), agencies, notices)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _counts_agree(ledger: Ledger, stage: Stage) -> bool:
    """Compares counts by state: a few questions, however many duties there are."""
    told = told_states(ledger)
    total = stage.count_runs([DUTY_TAG])
    if total != sum(told.values()):
        return False
    names = STATES if total else ()
    return all(stage.count_runs([DUTY_TAG], state) == told.get(state, 0) for state in names)


class _Sync:
    """One sync that has its turn."""

    def __init__(
        self,
        ledger: Ledger,
        stage: Stage,
        deployments: Mapping[str, str],
        doors: Mapping[str, Door],
        now: datetime,
        progress: Progress,
        portal: str,
        work: Work,
    ) -> None:
        self.ledger = ledger
        self.stage = stage
        self.deployments = deployments
        self.doors = doors
        self.now = now
        self.progress = progress
        self.portal = portal
        self.work = work
        self.label = label_of(ledger)
        self.views: dict[int, DutyView] = {}
        self.faces: dict[int, Face] = {}
        self.known: dict[int, _Known] = {}
        self.done = Synced()

    def run(self, seen: Look, *, read: bool) -> None:
        read = read or not _counts_agree(self.ledger, self.stage)
        self._gather(seen, None if read else seen.ids)
        if read:
            self._read_stage()
        self._remove_stale()
        self._make()
        self._set_states()
        self._rename()
        self._log(seen.to.seq)
        self._put_cards()
        remember_seen(self.ledger, seen.to)

    def _gather(self, seen: Look, ids: frozenset[int] | None) -> None:
        """The faces of these duties, or of all, that have a run; and what the stage was told."""
        zone = self.ledger.registry.first_notice.zone
        since = kept_since(self.now, zone, crowded=seen.to.crowded)
        shown = staged(self.ledger, self.now, since, crowded=seen.to.crowded, ids=ids)
        for some in batches(sorted(shown), DUTIES_PER_CHANGE):
            for view in duties(self.ledger, ids=some):
                self.views[view.id] = view
                self.faces[view.id] = face(view, self.now, self.label)
        for row in mirrored(self.ledger, ids):
            duty_id = row.pop("duty_id")
            self.known[duty_id] = _Known(**row)

    # Is the stage as it was left?

    def _read_stage(self) -> None:
        """Reads every duty run: forgets the lost ones, removes strangers, notes what was changed.

        After a sync that broke off, what it did without having noted it is nobody's interference.
        """
        found = {run.id: run for run in list(self.stage.read_runs([DUTY_TAG]))}
        self._adopt(found)
        ours = {known.run_id for known in self.known.values()}
        for run_id in found.keys() - ours:
            self._before_change()
            self.stage.delete_run(run_id)
            self.done.removed += 1
        changed = {
            duty_id: what
            for duty_id, known in self.known.items()
            if (what := self._changes(duty_id, known, found.get(known.run_id)))
        }
        if changed and not self.work.unsure:
            self._record(changed, found)
        for duty_id in changed:
            self._take_as_found(duty_id, found.get(self.known[duty_id].run_id))
        self.done.mended += len(changed)

    def _adopt(self, found: Mapping[str, RunRef]) -> None:
        """A run that was made and not noted is known by its key."""
        by_key = {run.idempotency_key: run for run in found.values()}
        new = [one for one in self.faces.values() if one.duty_id not in self.known]
        adopted: list[int] = []
        for wanted in new:
            run = by_key.get(wanted.key)
            if run and run.deployment_id == self.deployments.get(wanted.clause_key):
                self.known[wanted.duty_id] = _Known(run.id, self._revision(wanted), "")
                self._take_as_found(wanted.duty_id, run)
                adopted.append(wanted.duty_id)
        self._remember(adopted)

    def _changes(self, duty_id: int, known: _Known, run: RunRef | None) -> tuple[str, ...]:
        """In what the run differs both from what it was told and from what it should be."""
        wanted = self.faces.get(duty_id)
        if run is None:
            return ("deleted",)
        what: list[str] = []
        state = (known.state, STATES.get(known.state))
        if (run.state_name, run.state_type) != state and not _is_in(run, wanted):
            what.append("state")
        if wanted and face_digest(run.name, run.tags) not in (known.face, wanted.digest):
            what += ["name"] if run.name != wanted.name else []
            what += ["tags"] if set(run.tags) != set(wanted.tags) else []
        differs = (run.state_name, run.message) != (known.state, known.message)
        return tuple(what) or (("",) if differs else ())

    def _record(self, changed: Mapping[int, tuple[str, ...]], found: Mapping[str, RunRef]) -> None:
        """Writes into the history what people changed on the stage."""
        meddled = {
            duty_id: what
            for duty_id, what in changed.items()
            if what != ("",) and duty_id in self.faces
        }
        if len(meddled) >= MANY_CHANGED or (meddled and not found):
            with change(self.ledger.engine, self.now, "Prefect") as made:
                made.record("restaged", None, runs=len(meddled))
            return
        with change(self.ledger.engine, self.now, "Prefect") as made:
            for duty_id, what in sorted(meddled.items()):
                run = found.get(self.known[duty_id].run_id)
                made.record(
                    "interfered",
                    duty_id,
                    what=list(what),
                    found=run.state_name if run else "absent",
                    put=self.faces[duty_id].state,
                )

    def _take_as_found(self, duty_id: int, run: RunRef | None) -> None:
        if run is None:
            self._forget([duty_id])
            return
        known = self.known[duty_id]
        right = run.state_type == STATES.get(run.state_name)
        known.state = run.state_name if right else f"{run.state_type}/{run.state_name}"[:40]
        known.message = run.message[:200]
        known.face = face_digest(run.name, run.tags)

    # Differences, in the order in which a person would want to see them.

    def _remove_stale(self) -> None:
        """Runs of a former due day or title, and those of duties that are shown no more."""
        for duty_id, known in list(self.known.items()):
            wanted = self.faces.get(duty_id)
            if wanted and known.revision == self._revision(wanted, known):
                continue
            self._before_change()
            self._forget([duty_id])
            self.stage.delete_run(known.run_id)
            if known.card_id:
                self.stage.delete_artifact(known.card_id)
            self.done.removed += 1

    def _revision(self, wanted: Face, known: _Known | None = None) -> str:
        """A run belongs to its deployment: when that is another one, the run is made anew.

        One whose clause has left with its deployment stays: it could not be made again.
        """
        deployment = self.deployments.get(wanted.clause_key, "")[:8]
        if not deployment and known:
            deployment = known.revision.rpartition("-")[2]
        return f"{wanted.revision}-{deployment}"

    def _make(self) -> None:
        missing = [
            wanted
            for wanted in self.faces.values()
            if wanted.duty_id not in self.known and wanted.clause_key in self.deployments
        ]
        missing.sort(key=lambda one: (one.state != "Overdue", one.clause_key, one.duty_id))
        for chunk in batches(missing, CHUNK):
            self._before_change()
            ids = self.stage.create_runs([self._new_run(one) for one in chunk])
            made = {one.duty_id: self._made(one, ids[one.key]) for one in chunk}
            self.known |= made
            self._remember(list(made))
            self.done.made += len(chunk)
            self.progress(self.done.made, len(missing))

    def _made(self, wanted: Face, run_id: str) -> _Known:
        return _Known(run_id, self._revision(wanted), wanted.state, wanted.message, wanted.digest)

    def _new_run(self, wanted: Face) -> NewRun:
        return NewRun(
            deployment_id=self.deployments[wanted.clause_key],
            idempotency_key=wanted.key,
            name=wanted.name,
            state=_state(wanted),
            queue=DUTY_QUEUE,
            tags=wanted.tags,
            parameters=wanted.parameters,
        )

    def _set_states(self) -> None:
        changed = [one for one in self._mirrored() if not self._stands(one)]
        for chunk in batches(changed, CHUNK):
            self._before_change()
            runs = {self.known[one.duty_id].run_id: one for one in chunk}
            lost = set(self.stage.set_states({run: _state(one) for run, one in runs.items()}))
            for run_id, one in runs.items():
                known = self.known[one.duty_id]
                known.state, known.message = one.state, one.message
                if run_id in lost:
                    self._forget([one.duty_id])
            self._remember([one.duty_id for one in chunk])
            self.done.states += len(chunk) - len(lost)

    def _stands(self, wanted: Face) -> bool:
        known = self.known[wanted.duty_id]
        return (known.state, known.message) == (wanted.state, wanted.message)

    def _rename(self) -> None:
        changed = [one for one in self._mirrored() if self.known[one.duty_id].face != one.digest]
        for chunk in batches(changed, CHUNK):
            for one in chunk:
                self._before_change()
                known = self.known[one.duty_id]
                self.stage.patch_run(known.run_id, name=one.name, tags=one.tags)
                known.face = one.digest
            self._remember([one.duty_id for one in chunk])
            self.done.renamed += len(chunk)

    def _log(self, head: int) -> None:
        """Writes what is new since each run was last written to, up to `head` or later."""
        for chunk in batches(sorted(self.known.keys() & self.views.keys()), CHUNK):
            news = unlogged(self.ledger, chunk)
            lines = [self._line(duty_id, one) for duty_id in news for one in news[duty_id]]
            if self.work.unsure and lines:
                lines = self._unwritten(lines, [self.known[duty_id].run_id for duty_id in news])
            if lines:
                self._before_change()
                self.stage.write_logs(lines)
            behind = [one for one in chunk if head - self.known[one].logged_seq > LAG]
            for duty_id in {*news, *behind}:
                last = news[duty_id][-1].seq if duty_id in news else 0
                self.known[duty_id].logged_seq = max(head, last)
            self._remember([*{*news, *behind}])
            self.done.lines += len(lines)

    def _unwritten(self, lines: Sequence[LogLine], runs: Sequence[str]) -> list[LogLine]:
        """A sync that broke off may have written some of them."""
        there = Counter((one.run_id, one.at, one.message) for one in self.stage.read_logs(runs))
        return [one for one in lines if not there[one.run_id, one.at, one.message]]

    def _line(self, duty_id: int, said: Line) -> LogLine:
        view = self.views[duty_id]
        w, name_of = words(view.notice.language), self.ledger.registry.name_of
        failed = isinstance(said, Told) and bool(said.why)
        warned = failed or (not isinstance(said, Told) and said.action in _WARNED)
        # What happened in one moment stands in the order in which it happened.
        at = said.at + timedelta(microseconds=said.seq % 100_000)
        text = line(said, w, view.notice.zone, name_of)
        return LogLine(self.known[duty_id].run_id, at, _WARNING if warned else _INFO, text)

    def _put_cards(self) -> None:
        today = self.ledger.registry.today(self.now)
        for chunk in batches(sorted(self.known.keys() & self.views.keys()), CHUNK):
            changed: list[int] = []
            for duty_id, beside in self._backgrounds(chunk):
                known, view = self.known[duty_id], self.views[duty_id]
                digest = card_digest(view, beside)
                worn = known.refresh_on is not None and known.refresh_on <= today
                if known.card != digest or worn:
                    known.card_id = self._put_card(duty_id, card(view, beside, self.now))
                    known.card = digest
                    known.refresh_on = refresh_on(view, beside.prospect, self.now)
                    changed.append(duty_id)
            self._remember(changed)
            self.done.cards += len(changed)

    def _backgrounds(self, ids: Sequence[int]) -> Iterable[tuple[int, Background]]:
        received = latest_evidence(self.ledger, ids)
        ahead = prospects(self.ledger, ids, self.now)
        said = last_letters(self.ledger, ids)
        for duty_id in ids:
            yield (
                duty_id,
                Background(
                    received.get(duty_id),
                    ahead.get(duty_id),
                    said.get(duty_id),
                    self.ledger.registry.name_of,
                    self.portal,
                    self.label,
                    self.doors,
                ),
            )

    def _put_card(self, duty_id: int, text: str) -> str:
        """One artifact a run, written over: a new version each week would bury the first look."""
        self._before_change()
        known, title = self.known[duty_id], self.faces[duty_id].name
        if known.card_id and self.stage.rewrite_artifact(known.card_id, text, title):
            return known.card_id
        key = f"duty-{duty_id}"
        return self.stage.put_artifact(key, "markdown", text, title, run_id=known.run_id)

    # What was sent is remembered chunk by chunk, so that a crash repeats little.

    def _before_change(self) -> None:
        self.work.begin()
        self.work.go_on()

    def _mirrored(self) -> Iterator[Face]:
        return (one for one in self.faces.values() if one.duty_id in self.known)

    def _forget(self, ids: Sequence[int]) -> None:
        for duty_id in ids:
            del self.known[duty_id]
        with self.ledger.engine.begin() as connection:
            connection.execute(delete(MirrorRun).where(MirrorRun.duty_id.in_(ids)))

    def _remember(self, ids: Sequence[int]) -> None:
        rows: list[dict[str, Any]] = [
            {"duty_id": duty_id, **vars(self.known[duty_id])}
            for duty_id in ids
            if duty_id in self.known
        ]
        if rows:
            with self.ledger.engine.begin() as connection:
                connection.execute(delete(MirrorRun).where(MirrorRun.duty_id.in_(ids)))
                connection.execute(insert(MirrorRun), rows)


def _is_in(run: RunRef, wanted: Face | None) -> bool:
    return wanted is not None and (run.state_name, run.state_type) == (
        wanted.state,
        STATES[wanted.state],
    )


def _state(wanted: Face) -> StateSpec:
    return StateSpec(STATES[wanted.state], wanted.state, wanted.message)
