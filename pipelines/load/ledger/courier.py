"""Carries intents to the ledger: looked up first, begun on disk, sent in mutations, settled by what the answer proves.

A refused mutation is sent again without those that carry what it names, or in halves when it names nothing. A call
without a reliable answer leaves its intents `unknown` until a look-up has found them or has proved their absence, which
it cannot before the call must be over on the other side; then they go in tenths, since one of them may be what the
other side breaks at.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple, cast

import structlog

from pipelines.core.errors import Refused, SpringlineError, WireError
from pipelines.load.delivered import Delivered
from pipelines.load.finding import Finding, Verdict, by_finding
from pipelines.load.ledger.parcels import Sized, pack
from pipelines.load.ledger.refusals import Gap, gaps
from pipelines.load.ledger.settlement import Parcel, by_answer, by_refusal, carriers, set_aside
from pipelines.load.names import subject
from pipelines.load.ports import LOOK_UP_ERRORS, Ledger, Node
from pipelines.outbox.intent import Intent, Kind
from pipelines.outbox.states import State
from pipelines.outbox.store import Entry, Move, Outbox
from pipelines.reconcile.record import Break

log = structlog.get_logger(__name__)

ROUNDS = 3
# A mutation cut in halves down to one voucher is refused ten times in a row at most; thrice that is no bad voucher.
REFUSALS_IN_A_ROW = 30
SILENCES_IN_A_ROW = 3
CLOCK_MARGIN = 0.05
WITHDRAWN = "withdrawn"
# Into so many parts a mutation goes after each call without an answer: three rounds cut 500 nodes down to vouchers.
PARTS = 10
UNANSWERED = "Next: nothing by hand; the next run looks it up in the ledger, and sends it where it is not there."


class Group(NamedTuple):
    """What may share a mutation: what was tried before only with its like; ``unanswered`` counts calls of it."""

    owner_code: int
    mutation: str
    was_tried_before: bool
    unanswered: int


class Batch(NamedTuple):
    """What one mutation carries; ``is_proved_absent`` when a refused mutation of the same has left nothing behind."""

    entries: Sequence[Entry]
    is_proved_absent: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """What is particular to one kind of intent.

    ``look_up`` searches everywhere, ``read_back`` where a call just refused could have left something; both give a
    finding for each entry. ``is_wanted`` tells whether an entry is still to be sent, ``follow_up`` are the intents that
    come into being when it is, and ``breaks`` the error codes that a person must decide on, with the kind of break each
    opens until then.
    """

    kind: Kind
    look_up: Callable[[Sequence[Entry]], Mapping[str, Finding]]
    read_back: Callable[[Sequence[Entry]], Mapping[str, Finding]]
    mutation: Callable[[Entry], str]
    size: Callable[[Entry], int] = lambda _: 1
    is_wanted: Callable[[Entry], bool] = lambda _: True
    follow_up: Callable[[Entry], Sequence[Intent]] = lambda _: ()
    breaks: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Courier:
    """One delivery of one kind; ``call_seconds`` is how long the other side may still be at work on a call."""

    outbox: Outbox
    ledger: Ledger
    channel: Channel
    nodes_per_mutation: int
    call_seconds: float
    now: Callable[[], datetime]
    report: Callable[[str, int, int], None]
    sleep: Callable[[float], None] = time.sleep
    _entries: dict[str, Entry] = field(default_factory=dict)
    _states: dict[str, State] = field(default_factory=dict)
    _problems: list[str] = field(default_factory=list)
    _gaps: dict[tuple[int, str | None], set[Gap]] = field(default_factory=dict)
    _given_up: set[Group] = field(default_factory=set)
    _is_stopped: bool = False
    # All nodes or none is an assumption (xledger.md A1): until it was seen to hold, a refused mutation is read back.
    _is_atomic: bool = False
    _refusals: int = 0
    _silences: int = 0

    def deliver(self) -> Delivered:
        """Deliver what is `todo` or `unknown`; neither a refused document nor a refused entity stops another."""
        return self._in_rounds([State.TODO, State.UNKNOWN], self._send_wanted)

    def settle(self) -> Delivered:
        """Find out what became of calls without an answer: their intents are `sent`, `failed`, or `todo` again."""
        return self._in_rounds([State.UNKNOWN], self._looked_up)

    def _in_rounds(self, states: Collection[State], work: Callable[[Sequence[Entry]], object]) -> Delivered:
        self.outbox.recover([self.channel.kind])
        for _ in range(ROUNDS):
            entries = self.outbox.entries(self.channel.kind, states)
            self._entries |= {entry.id: entry for entry in entries}
            self._states |= {entry.id: entry.state for entry in entries}
            work(entries)
            if self._is_stopped or not self._wait_for_calls_to_end():
                break
        return self._result()

    def _send_wanted(self, entries: Sequence[Entry]) -> None:
        """Send what the other side has not; take back what has not been sent and is not wanted any more."""
        is_open = {entry.id: entry.state is State.UNKNOWN or self.channel.is_wanted(entry) for entry in entries}
        self._withdraw([entry for entry in entries if not is_open[entry.id]])
        self._send_all(self._looked_up([entry for entry in entries if is_open[entry.id]]))

    def _withdraw(self, entries: Sequence[Entry]) -> None:
        told = "is not ready to be sent any more; nothing of it is in the ledger."
        self._apply([Move(e.id, State.FAILED, f"{subject(e)} {told}", error_code=WITHDRAWN) for e in entries])
        # What nobody wants any more is no failed delivery.
        for entry in entries:
            del self._states[entry.id]

    def _looked_up(self, entries: Sequence[Entry]) -> list[Entry]:
        """Settle what the other side has already and return what it certainly has not."""
        open_entries = [entry for entry in entries if self._group(entry) not in self._given_up]
        try:
            findings = self.channel.look_up(open_entries) if open_entries else {}
        except LOOK_UP_ERRORS as error:
            self._is_stopped = True
            self._problems.append(f"What the ledger has already could not be looked up, so nothing was sent: {error}")
            return []
        ready: list[Entry] = []
        moves: list[Move] = []
        for entry in open_entries:
            finding = findings[entry.id]
            if finding.verdict is not Verdict.COMPLETE and self._seconds_left(entry) > 0:
                continue
            moves += by_finding(entry, finding)
            if finding.verdict is Verdict.UNDECIDED:
                self._problems.append(finding.detail)
            if finding.verdict is Verdict.ABSENT:
                ready.append(entry)
                if entry.state is State.UNKNOWN:
                    moves.append(Move(entry.id, State.TODO, "looked up on the other side: not there"))
        self._apply(moves)
        self._withdraw([entry for entry in ready if not self.channel.is_wanted(entry)])
        return [entry for entry in ready if self.channel.is_wanted(entry)]

    def _send_all(self, entries: Iterable[Entry]) -> None:
        for group, members in groupby(sorted(entries, key=self._group), key=self._group):
            sized = [Sized(entry, self.channel.size(entry)) for entry in members]
            most = self.nodes_per_mutation
            if group.unanswered:
                most = min(most, sum(item.size for item in sized)) // PARTS**group.unanswered
            self._send_group(group, deque(Batch(batch) for batch in pack(sized, limit=max(1, most))))

    def _group(self, entry: Entry) -> Group:
        was_tried_before = entry.error_code is not None or entry.attempts > 0
        unanswered = entry.attempts if entry.state is State.UNKNOWN else 0
        return Group(entry.owner_code or 0, self.channel.mutation(entry), was_tried_before, min(unanswered, ROUNDS))

    def _send_group(self, group: Group, queue: deque[Batch]) -> None:
        self._refusals = 0
        while queue and not self._is_stopped and group not in self._given_up:
            batch = queue.popleft()
            if parcels := self._without_known_gaps(group, batch.entries):
                again = self._send(group, parcels, is_proved_absent=batch.is_proved_absent)
                queue.extendleft(reversed(again))
            done = sum(state is not State.TODO for state in self._states.values())
            self.report(f"{self.channel.kind} to the ledger", done, len(self._states))

    def _without_known_gaps(self, group: Group, entries: Sequence[Entry]) -> list[Parcel]:
        """Open the payloads; set aside what carries a code that the ledger is known by now not to have."""
        payloads = self.outbox.payloads([entry.id for entry in entries])
        parcels = [Parcel(entry, cast("list[Node]", payloads[entry.id])) for entry in entries]
        bad = carriers(parcels, lambda parcel: self._gaps.get((group.owner_code, parcel.source), ()))
        self._apply(set_aside(bad))
        return [parcel for parcel in parcels if parcel.entry.id not in bad]

    def _send(self, group: Group, parcels: Sequence[Parcel], *, is_proved_absent: bool) -> list[Batch]:
        """Make one call and settle it; return what is to be sent again."""
        self.outbox.begin([parcel.entry.id for parcel in parcels])
        inputs = [item for parcel in parcels for item in parcel.inputs]
        try:
            edges = self.ledger.mutate(group.mutation, inputs)
        except Refused as refusal:
            return self._refused(group, parcels, refusal)
        except WireError as error:
            self._unanswered(parcels, error, State.UNKNOWN if error.sent else State.TODO)
            return []
        self._refusals = self._silences = 0
        self._is_atomic |= is_proved_absent
        self._apply(by_answer(parcels, edges))
        return []

    def _unanswered(self, parcels: Sequence[Parcel], error: SpringlineError, state: State) -> None:
        told = error.message.rstrip(".")
        self._apply([Move(p.entry.id, state, f"{subject(p.entry)}: {told}. {UNANSWERED}") for p in parcels])
        self._silences += 1
        self._problems.append(str(error))
        # What could not even be asked will not be answered next time either.
        self._is_stopped |= state is State.TODO or self._silences >= SILENCES_IN_A_ROW

    def _refused(self, group: Group, parcels: Sequence[Parcel], refusal: Refused) -> list[Batch]:
        self._refusals += 1
        self._silences = 0
        log.warning("mutation_refused", mutation=group.mutation, owner=group.owner_code, intents=len(parcels))
        try:
            findings = {} if self._is_atomic else self.channel.read_back([parcel.entry for parcel in parcels])
        except LOOK_UP_ERRORS as error:
            self._unanswered(parcels, error, State.UNKNOWN)
            return []
        settlement = by_refusal(parcels, refusal, named=gaps(refusal.problems), findings=findings)
        self._apply(settlement.moves)
        for source, gap in settlement.missing:
            self._gaps.setdefault((group.owner_code, source), set()).add(gap)
        if self._refusals >= REFUSALS_IN_A_ROW:
            self._given_up.add(group)
            told = f"Entity {group.owner_code}: {self._refusals} refusals in a row, the rest waits: {refusal}"
            self._problems.append(told)
            return []
        left_nothing = bool(findings) and all(finding.verdict is Verdict.ABSENT for finding in findings.values())
        return [Batch([parcel.entry for parcel in part], left_nothing) for part in settlement.again]

    def _wait_for_calls_to_end(self) -> bool:
        """Wait until a look-up can prove something about what is unknown; say whether there is anything."""
        unknown = [
            entry
            for entry in self.outbox.entries(self.channel.kind, [State.UNKNOWN])
            if self._states.get(entry.id) is State.UNKNOWN
        ]
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
            follow_up=[intent for entry in sent for intent in self.channel.follow_up(entry)],
            opens=[self._break(move, kind) for move in moves if (kind := self._kind_of_break(move.error_code))],
            closes=[(kind, _subject(entry)) for entry in sent if (kind := self._kind_of_break(entry.error_code))],
        )
        self._states |= {move.intent: move.to for move in moves}

    def _kind_of_break(self, error_code: str | None) -> str | None:
        return self.channel.breaks.get(error_code or "")

    def _break(self, move: Move, kind: str) -> Break:
        entry = self._entries[move.intent]
        message, _, next_step = (move.detail or "").partition(" Next: ")
        return Break(
            kind,
            _subject(entry),
            message,
            next_step,
            company=entry.company_code,
            document_key=entry.document_key,
            document_no=entry.document_no,
        )

    def _result(self) -> Delivered:
        counts = {state: sum(found is state for found in self._states.values()) for state in State}
        return Delivered(
            sent=counts[State.SENT],
            failed=counts[State.FAILED],
            unknown=counts[State.UNKNOWN],
            waiting=counts[State.TODO],
            problems=tuple(dict.fromkeys(self._problems)),
        )


def _subject(entry: Entry) -> str:
    """Name what a break is about: a document by its key, master data by kind, owner and code."""
    return (
        entry.natural_key if entry.document_key is not None else f"{entry.kind}:{entry.natural_key.rpartition('#')[0]}"
    )
