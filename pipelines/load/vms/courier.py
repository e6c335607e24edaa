"""Carries intents to the VMS: looked up first, begun on disk, written in parallel, settled by what each answer proves.

Objects go in chunks, so that the store costs two writes to disk for 200 of them. A call without a reliable answer
leaves its intent `unknown` until a look-up has found the object, or has proved that it is not there, which it cannot
before the call must be over on the other side.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, cast

from pipelines.core.errors import Refused, WireError
from pipelines.load.delivered import Delivered
from pipelines.load.finding import Finding, Verdict, by_finding
from pipelines.load.names import title
from pipelines.load.ports import LOOK_UP_ERRORS, Node, Vms, chunks
from pipelines.outbox.intent import Json, Kind
from pipelines.outbox.states import State
from pipelines.outbox.store import Entry, Move, Outbox
from pipelines.reconcile.record import Break

ROUNDS = 3
CHUNK = 200
CLOCK_MARGIN = 0.05
WITHDRAWN = "withdrawn"
REFUSED = "refused"


class VmsWriter(Vms, Protocol):
    """What a delivery of new objects needs of the VMS besides."""

    def post(self, entity: str, body: Mapping[str, object]) -> Node:
        """Create an object and return it."""
        ...


@dataclass(frozen=True, slots=True)
class VmsChannel:
    """What is particular to one kind of intent.

    ``look_up`` gives a finding for each entry; ``is_wanted`` tells whether one that has not gone may still go;
    ``breaks`` are the error codes that a person must decide on, with the kind of break each opens until then.
    An entry whose look-up has a ``key`` changes that object, any other creates one.
    """

    kind: Kind
    entity: str
    look_up: Callable[[Sequence[Entry]], Mapping[str, Finding]]
    is_wanted: Callable[[Entry], bool]
    breaks: Mapping[str, str] = field(default_factory=dict)


class _Outcome(NamedTuple):
    move: Move
    is_answered: bool


@dataclass(slots=True)
class VmsCourier:
    """One delivery of one kind; ``call_seconds`` is how long the VMS may still be at work on a call."""

    outbox: Outbox
    vms: VmsWriter
    channel: VmsChannel
    pool: ThreadPoolExecutor
    call_seconds: float
    now: Callable[[], datetime]
    report: Callable[[str, int, int], None]
    sleep: Callable[[float], None] = time.sleep
    _entries: dict[str, Entry] = field(default_factory=dict)
    _states: dict[str, State] = field(default_factory=dict)
    _problems: list[str] = field(default_factory=list)
    _is_stopped: bool = False

    def deliver(self, *, is_due: Callable[[Entry], bool] = lambda _: True) -> Delivered:
        """Deliver what is `todo` or `unknown` and due; one object that is refused never stops another."""
        self.outbox.recover([self.channel.kind])
        for _ in range(ROUNDS):
            entries = [entry for entry in self._open([State.TODO, State.UNKNOWN]) if is_due(entry)]
            self._entries |= {entry.id: entry for entry in entries}
            self._states |= {entry.id: entry.state for entry in entries}
            self._send_all(self._looked_up(self._without_withdrawn(entries)))
            if self._is_stopped or not self._wait_for_calls_to_end():
                break
        return self._result()

    def _open(self, states: Sequence[State]) -> list[Entry]:
        return self.outbox.entries(self.channel.kind, states)

    def _without_withdrawn(self, entries: Sequence[Entry]) -> list[Entry]:
        """Take back what has not gone and is not wanted any more; what may have gone is looked up all the same."""
        gone = [e for e in entries if e.state is State.TODO and not self.channel.is_wanted(e)]
        self._withdraw(gone)
        return [entry for entry in entries if entry.id in self._states]

    def _withdraw(self, entries: Sequence[Entry]) -> None:
        told = "is not wanted any more: what it was made from has changed. Nothing of it is in the VMS."
        self._apply([Move(e.id, State.FAILED, f"{title(e)} {told}", error_code=WITHDRAWN) for e in entries])
        # What nobody wants any more is no failed delivery.
        for entry in entries:
            del self._states[entry.id]

    def _looked_up(self, entries: Sequence[Entry]) -> list[Entry]:
        """Settle what the VMS has already and return what it certainly has not."""
        try:
            findings = self.channel.look_up(entries) if entries else {}
        except LOOK_UP_ERRORS as error:
            self._is_stopped = True
            self._problems.append(f"What the VMS has already could not be looked up, so nothing was sent: {error}")
            return []
        ready: list[Entry] = []
        moves: list[Move] = []
        for entry in entries:
            finding = findings[entry.id]
            if finding.verdict is not Verdict.COMPLETE and self._seconds_left(entry) > 0:
                continue
            moves += by_finding(entry, finding)
            if finding.verdict is Verdict.ABSENT:
                ready.append(entry)
                if entry.state is State.UNKNOWN:
                    moves.append(Move(entry.id, State.TODO, "looked up in the VMS: not there"))
        self._apply(moves)
        self._withdraw([entry for entry in ready if not self.channel.is_wanted(entry)])
        return [entry for entry in ready if entry.id in self._states]

    def _send_all(self, entries: Sequence[Entry]) -> None:
        done = 0
        for chunk in chunks(entries, size=CHUNK):
            self.outbox.begin([entry.id for entry in chunk])
            payloads = self.outbox.payloads([entry.id for entry in chunk])
            outcomes = list(self.pool.map(self._write, chunk, [cast("Node", payloads[entry.id]) for entry in chunk]))
            self._apply([outcome.move for outcome in outcomes])
            done += len(chunk)
            self.report(f"{self.channel.kind}s to the VMS", done, len(entries))
            if not any(outcome.is_answered for outcome in outcomes):
                return

    def _write(self, entry: Entry, body: Node) -> _Outcome:
        """Write one object; runs in a thread of the pool, and touches nothing but the VMS."""
        key = entry.look_up.get("key")
        try:
            if isinstance(key, int):
                answer = self.vms.put(self.channel.entity, key, body)
            else:
                answer = self.vms.post(self.channel.entity, body)
        except Refused as refusal:
            told = f"{title(entry)}: {refusal} Next: correct what the VMS names; the next run tries again."
            return _Outcome(Move(entry.id, State.FAILED, told, error_code=REFUSED), is_answered=True)
        except WireError as error:
            self._problems.append(str(error))
            return _Outcome(Move(entry.id, State.UNKNOWN if error.sent else State.TODO, str(error)), is_answered=False)
        written = answer.get("key", key)
        ids: Json = None if written is None else {"key": written}
        return _Outcome(Move(entry.id, State.SENT, remote_ids=ids), is_answered=True)

    def _wait_for_calls_to_end(self) -> bool:
        """Wait until a look-up can prove something about what is unknown; say whether there is anything."""
        unknown = [entry for entry in self._open([State.UNKNOWN]) if self._states.get(entry.id) is State.UNKNOWN]
        wait = max((self._seconds_left(entry) for entry in unknown), default=0)
        if wait > 0:
            self.report("waiting until calls without an answer are over", 0, len(unknown))
            self.sleep(wait + CLOCK_MARGIN)
        return bool(unknown)

    def _seconds_left(self, entry: Entry) -> float:
        if entry.state is not State.UNKNOWN or entry.attempted_at is None:
            return 0
        over_at = entry.attempted_at + timedelta(seconds=self.call_seconds)
        return min((over_at - self.now()).total_seconds(), self.call_seconds)

    def _apply(self, moves: Sequence[Move]) -> None:
        sent = [self._entries[move.intent] for move in moves if move.to is State.SENT]
        self.outbox.apply(
            moves,
            opens=[self._break(move, kind) for move in moves if (kind := self._kind_of_break(move.error_code))],
            closes=[(kind, entry.natural_key) for entry in sent if (kind := self._kind_of_break(entry.error_code))],
        )
        self._states |= {move.intent: move.to for move in moves}

    def _kind_of_break(self, error_code: str | None) -> str | None:
        return self.channel.breaks.get(error_code or "")

    def _break(self, move: Move, kind: str) -> Break:
        entry = self._entries[move.intent]
        message, _, next_step = (move.detail or "").partition(" Next: ")
        return Break(
            kind,
            entry.natural_key,
            message,
            next_step,
            company=entry.company_code,
            document_key=entry.document_key,
            document_no=entry.document_no,
        )

    def _result(self) -> Delivered:
        counts = Counter(self._states.values())
        return Delivered(
            sent=counts[State.SENT],
            failed=counts[State.FAILED],
            unknown=counts[State.UNKNOWN],
            waiting=counts[State.TODO],
            problems=tuple(dict.fromkeys(self._problems)),
        )
