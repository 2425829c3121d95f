"""Brings the stage to what the ledger says: sends only differences, and mends what was changed."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from duban.batches import batches
from duban.ledger import Ledger
from duban.ledger.database import reading
from duban.ledger.label import label_of
from duban.ledger.questions import Event, duties, latest_evidence, unmirrored_events
from duban.ledger.tables import MirrorRun
from duban.mirror import DUTY_TAG, STATES, Face, card, face
from duban.words import event_words, words
from tasks.stage import LogLine, NewRun, Stage, StateSpec

DUTY_QUEUE = "duties"
CHUNK = 100
_LEVELS = {"spoke": 30, "returned": 30}  # logging levels; the rest is information
_INFO = 20

Progress = Callable[[int, int], None]
"""Called with (done, of how many) while runs are made."""


@dataclass
class Synced:
    """What one sync sent."""

    made: int = 0
    states: int = 0
    renamed: int = 0
    removed: int = 0
    lines: int = 0
    cards: int = 0
    mended: int = 0

    @property
    def writes(self) -> int:
        """How many things were sent; 0 when nothing had changed."""
        return self.made + self.states + self.renamed + self.removed + self.lines + self.cards

    def __str__(self) -> str:
        return (
            f"{self.made} runs made, {self.states} states set, {self.removed} runs removed, "
            f"{self.lines} lines, {self.cards} cards"
        )


@dataclass
class _Known:
    """What the stage was last told of a duty."""

    run_id: str
    revision: str
    state: str
    face: str = ""
    card: str = ""
    logged_seq: int = 0


def sync(
    ledger: Ledger,
    stage: Stage,
    deployments: Mapping[str, str],
    now: datetime,
    *,
    full: bool = False,
    progress: Progress = lambda done, of: None,
    portal: str = "",
) -> Synced:
    """One sync.

    Args:
        deployments: clause key → deployment id on the stage.
        full: read every run, also when the counts agree.
        portal: the portal's address, to which cards lead; without one they lead nowhere.

    Raises:
        StageError: the stage did not answer; what was sent is remembered, the rest comes next time.
    """
    return _Sync(ledger, stage, deployments, now, progress, portal).run(full)


def forget(ledger: Ledger) -> None:
    """Forgets what the stage was told, so that the next sync makes everything anew."""
    with ledger.engine.begin() as connection:
        connection.execute(delete(MirrorRun))


class _Sync:
    def __init__(
        self,
        ledger: Ledger,
        stage: Stage,
        deployments: Mapping[str, str],
        now: datetime,
        progress: Progress,
        portal: str,
    ) -> None:
        self.ledger = ledger
        self.portal = portal
        self.stage = stage
        self.deployments = deployments
        self.progress = progress
        self.views = {view.id: view for view in duties(ledger)}
        self.label = label_of(ledger)
        self.faces = {view.id: face(view, now, self.label) for view in self.views.values()}
        self.known = _read_known(ledger)
        self.touched: set[int] = set()
        self.done = Synced()

    def run(self, full: bool) -> Synced:
        if full or not self._counts_agree():
            self._mend()
        if full:
            self.touched |= self.known.keys()
        self._remove_stale()
        self._make()
        self._set_states()
        self._rename()
        self._log()
        self._put_cards()
        return self.done

    # Is the stage as it was left?

    def _counts_agree(self) -> bool:
        """Compares counts by state: a few questions, however many duties there are."""
        expected = Counter(known.state for known in self.known.values())
        total = self.stage.count_runs([DUTY_TAG])
        if total != len(self.known):
            return False
        names = STATES if total else ()
        return all(self.stage.count_runs([DUTY_TAG], state) == expected[state] for state in names)

    def _mend(self) -> None:
        """Reads every duty run: forgets the lost ones, removes strangers, notes changed states."""
        found = {run.id: run for run in list(self.stage.read_runs([DUTY_TAG]))}
        ours = {known.run_id for known in self.known.values()}
        for run_id in found.keys() - ours:
            self.stage.delete_run(run_id)
            self.done.removed += 1
        for duty_id, known in list(self.known.items()):
            run = found.get(known.run_id)
            if run is None:
                self._forget([duty_id])
                self.done.mended += 1
            elif run.state_name != known.state or run.state_type != STATES[known.state]:
                known.state = f"{run.state_type}/{run.state_name}"
                self.done.mended += 1

    # Differences, in the order in which a person would want to see them.

    def _remove_stale(self) -> None:
        stale = [
            duty_id
            for duty_id, known in self.known.items()
            if duty_id in self.faces and known.revision != self._revision(self.faces[duty_id])
        ]
        for duty_id in stale:
            self.stage.delete_run(self.known[duty_id].run_id)
            self._forget([duty_id])
            self.done.removed += 1

    def _revision(self, wanted: Face) -> str:
        """A run belongs to its deployment: when that is another one, the run is made anew."""
        return f"{wanted.revision}-{self.deployments.get(wanted.clause_key, '')[:8]}"

    def _make(self) -> None:
        missing = [
            wanted
            for wanted in self.faces.values()
            if wanted.duty_id not in self.known and wanted.clause_key in self.deployments
        ]
        missing.sort(key=lambda one: (one.state != "Overdue", one.clause_key, one.duty_id))
        for chunk in batches(missing, CHUNK):
            ids = self.stage.create_runs([self._new_run(one) for one in chunk])
            made = {
                one.duty_id: _Known(ids[one.key], self._revision(one), one.state, one.digest)
                for one in chunk
            }
            self.known |= made
            self._remember(list(made))
            self.done.made += len(chunk)
            self.progress(self.done.made, len(missing))

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
        changed = [one for one in self._mirrored() if self.known[one.duty_id].state != one.state]
        for chunk in batches(changed, CHUNK):
            runs = {self.known[one.duty_id].run_id: one for one in chunk}
            lost = set(self.stage.set_states({run: _state(one) for run, one in runs.items()}))
            for run_id, one in runs.items():
                self.known[one.duty_id].state = one.state
                if run_id in lost:
                    self._forget([one.duty_id])
            self._remember([one.duty_id for one in chunk])
            self.done.states += len(chunk) - len(lost)

    def _rename(self) -> None:
        changed = [one for one in self._mirrored() if self.known[one.duty_id].face != one.digest]
        for chunk in batches(changed, CHUNK):
            for one in chunk:
                known = self.known[one.duty_id]
                self.stage.patch_run(known.run_id, name=one.name, tags=one.tags)
                known.face = one.digest
            self._remember([one.duty_id for one in chunk])
            self.done.renamed += len(chunk)

    def _log(self) -> None:
        by_duty: dict[int, list[Event]] = {}
        for event in unmirrored_events(self.ledger):
            if event.duty_id in self.views:
                by_duty.setdefault(event.duty_id, []).append(event)
        self.touched |= by_duty.keys()
        for chunk in batches(sorted(by_duty), CHUNK):
            lines = [self._line(event) for duty_id in chunk for event in by_duty[duty_id]]
            self.stage.write_logs(lines)
            for duty_id in chunk:
                self.known[duty_id].logged_seq = by_duty[duty_id][-1].seq
            self._remember(chunk)
            self.done.lines += len(lines)

    def _line(self, event: Event) -> LogLine:
        view = self.views[event.duty_id or 0]
        said = event_words(words(view.notice.language), event, view.notice.zone)
        actor = "" if event.actor == "duban" else f" — {event.actor}"
        level = _LEVELS.get(event.action, _INFO)
        return LogLine(self.known[view.id].run_id, event.at, level, f"{said}{actor}")

    def _put_cards(self) -> None:
        """Only of duties with news; a full sync looks at every card."""
        for chunk in batches(sorted(self.touched & self.known.keys() & self.views.keys()), CHUNK):
            received = latest_evidence(self.ledger, chunk)
            changed: list[int] = []
            for duty_id in chunk:
                text = card(self.views[duty_id], received.get(duty_id), self.label, self.portal)
                digest = hashlib.sha256(text.encode()).hexdigest()
                if self.known[duty_id].card != digest:
                    self._put_card(duty_id, text)
                    self.known[duty_id].card = digest
                    changed.append(duty_id)
            self._remember(changed)
            self.done.cards += len(changed)

    def _put_card(self, duty_id: int, text: str) -> None:
        run_id = self.known[duty_id].run_id
        self.stage.put_artifact(f"duty-{duty_id}", "markdown", text, run_id=run_id)

    # What was sent is remembered chunk by chunk, so that a crash repeats little.

    def _mirrored(self) -> Iterator[Face]:
        return (one for one in self.faces.values() if one.duty_id in self.known)

    def _forget(self, ids: Sequence[int]) -> None:
        for duty_id in ids:
            del self.known[duty_id]
        with self.ledger.engine.begin() as connection:
            connection.execute(delete(MirrorRun).where(MirrorRun.duty_id.in_(ids)))

    def _remember(self, ids: Sequence[int]) -> None:
        rows = [
            {"duty_id": duty_id, **vars(self.known[duty_id])}
            for duty_id in ids
            if duty_id in self.known
        ]
        if rows:
            with self.ledger.engine.begin() as connection:
                connection.execute(delete(MirrorRun).where(MirrorRun.duty_id.in_(ids)))
                connection.execute(insert(MirrorRun), rows)


def _read_known(ledger: Ledger) -> dict[int, _Known]:
    with reading(ledger.engine) as connection:
        rows = connection.execute(select(*MirrorRun.__table__.columns)).mappings()
        return {row["duty_id"]: _known(dict(row)) for row in rows}


def _known(row: dict[str, Any]) -> _Known:
    row.pop("duty_id")
    return _Known(**row)


def _state(wanted: Face) -> StateSpec:
    return StateSpec(STATES[wanted.state], wanted.state, wanted.message)
