"""Carries intents to the ledger: looked up first, begun on disk, sent in mutations, settled by what the answer proves.

A refused mutation is sent again without those that carry what it names, or in halves when it names nothing. A call
without a reliable answer leaves its intents `unknown` until a look-up has found them or has proved their absence, which
it cannot before the call must be over on the other side; then they go in tenths, since one of them may be what the
other side breaks at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple, cast

import structlog

from pipelines.core.errors import Refused, SpringlineError, WireError
from pipelines.load.delivered import Delivered
from pipelines.load.delivery import LEDGER, ROUNDS, Cargo, Delivery
from pipelines.load.finding import Finding, Verdict
from pipelines.load.ledger.parcels import Sized, pack
from pipelines.load.ledger.refusals import Gap, gaps
from pipelines.load.ledger.settlement import Parcel, by_answer, by_refusal, carriers, set_aside
from pipelines.load.names import subject
from pipelines.load.ports import LOOK_UP_ERRORS, Ledger, Node
from pipelines.outbox.intent import Intent, Kind
from pipelines.outbox.states import State
from pipelines.outbox.store import Entry, Move

log = structlog.get_logger(__name__)

# A mutation cut in halves down to one voucher is refused ten times in a row at most; thrice that is no bad voucher.
REFUSALS_IN_A_ROW = 30
SILENCES_IN_A_ROW = 3
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


def ledger_cargo(
    kind: Kind,
    look_up: Callable[[Sequence[Entry]], Mapping[str, Finding]],
    is_wanted: Callable[[Entry], bool],
    breaks: Mapping[str, str],
    follow_up: Callable[[Entry], Sequence[Intent]] = lambda _: (),
) -> Cargo:
    """Declare one kind of intent that goes to the ledger; ``look_up`` searches everywhere."""
    return Cargo(kind, LEDGER, look_up, is_wanted, _subject, _withdrawn, follow_up, breaks)


@dataclass(slots=True)
class Courier:
    """Sends a delivery to the ledger; ``read_back`` looks up where a call just refused could have left something."""

    delivery: Delivery
    ledger: Ledger
    read_back: Callable[[Sequence[Entry]], Mapping[str, Finding]]
    mutation: Callable[[Entry], str]
    nodes_per_mutation: int
    size: Callable[[Entry], int] = lambda _: 1
    _gaps: dict[tuple[int, str | None], set[Gap]] = field(default_factory=dict)
    _given_up: set[Group] = field(default_factory=set)
    # All nodes or none is an assumption (xledger.md A1): until it was seen to hold, a refused mutation is read back.
    _is_atomic: bool = False
    _refusals: int = 0
    _silences: int = 0

    def deliver(self) -> Delivered:
        """Deliver what is `todo` or `unknown`; neither a refused document nor a refused entity stops another."""
        return self.delivery.in_rounds([State.TODO, State.UNKNOWN], self._send_wanted)

    def settle(self) -> Delivered:
        """Find out what became of calls without an answer: their intents are `sent`, `failed`, or `todo` again."""
        return self.delivery.in_rounds([State.UNKNOWN], self._looked_up)

    def _send_wanted(self, entries: Sequence[Entry]) -> None:
        self._send_all(self._looked_up(self.delivery.without_unwanted(entries)))

    def _looked_up(self, entries: Sequence[Entry]) -> list[Entry]:
        return self.delivery.looked_up([entry for entry in entries if self._group(entry) not in self._given_up])

    def _send_all(self, entries: Iterable[Entry]) -> None:
        for group, members in groupby(sorted(entries, key=self._group), key=self._group):
            sized = [Sized(entry, self.size(entry)) for entry in members]
            most = self.nodes_per_mutation
            if group.unanswered:
                most = min(most, sum(item.size for item in sized)) // PARTS**group.unanswered
            self._send_group(group, deque(Batch(batch) for batch in pack(sized, limit=max(1, most))))

    def _group(self, entry: Entry) -> Group:
        was_tried_before = entry.error_code is not None or entry.attempts > 0
        unanswered = entry.attempts if entry.state is State.UNKNOWN else 0
        return Group(entry.owner_code or 0, self.mutation(entry), was_tried_before, min(unanswered, ROUNDS))

    def _send_group(self, group: Group, queue: deque[Batch]) -> None:
        self._refusals = 0
        while queue and not self.delivery.is_stopped and group not in self._given_up:
            batch = queue.popleft()
            if parcels := self._without_known_gaps(group, batch.entries):
                again = self._send(group, parcels, is_proved_absent=batch.is_proved_absent)
                queue.extendleft(reversed(again))
            done = sum(state is not State.TODO for state in self.delivery.states.values())
            self.delivery.report(f"{self.delivery.cargo.kind} to the ledger", done, len(self.delivery.states))

    def _without_known_gaps(self, group: Group, entries: Sequence[Entry]) -> list[Parcel]:
        """Open the payloads; set aside what carries a code that the ledger is known by now not to have."""
        payloads = self.delivery.outbox.payloads([entry.id for entry in entries])
        parcels = [Parcel(entry, cast("list[Node]", payloads[entry.id])) for entry in entries]
        bad = carriers(parcels, lambda parcel: self._gaps.get((group.owner_code, parcel.source), ()))
        self.delivery.apply(set_aside(bad))
        return [parcel for parcel in parcels if parcel.entry.id not in bad]

    def _send(self, group: Group, parcels: Sequence[Parcel], *, is_proved_absent: bool) -> list[Batch]:
        """Make one call and settle it; return what is to be sent again."""
        self.delivery.outbox.begin([parcel.entry.id for parcel in parcels])
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
        self.delivery.apply(by_answer(parcels, edges))
        return []

    def _unanswered(self, parcels: Sequence[Parcel], error: SpringlineError, state: State) -> None:
        told = error.message.rstrip(".")
        self.delivery.apply([Move(p.entry.id, state, f"{subject(p.entry)}: {told}. {UNANSWERED}") for p in parcels])
        self._silences += 1
        self.delivery.problems.append(str(error))
        # What could not even be asked will not be answered next time either.
        self.delivery.is_stopped |= state is State.TODO or self._silences >= SILENCES_IN_A_ROW

    def _refused(self, group: Group, parcels: Sequence[Parcel], refusal: Refused) -> list[Batch]:
        self._refusals += 1
        self._silences = 0
        log.warning("mutation_refused", mutation=group.mutation, owner=group.owner_code, intents=len(parcels))
        try:
            findings = {} if self._is_atomic else self.read_back([parcel.entry for parcel in parcels])
        except LOOK_UP_ERRORS as error:
            self._unanswered(parcels, error, State.UNKNOWN)
            return []
        settlement = by_refusal(parcels, refusal, named=gaps(refusal.problems), findings=findings)
        self.delivery.apply(settlement.moves)
        for source, gap in settlement.missing:
            self._gaps.setdefault((group.owner_code, source), set()).add(gap)
        if self._refusals >= REFUSALS_IN_A_ROW:
            self._given_up.add(group)
            told = f"Entity {group.owner_code}: {self._refusals} refusals in a row, the rest waits: {refusal}"
            self.delivery.problems.append(told)
            return []
        left_nothing = bool(findings) and all(finding.verdict is Verdict.ABSENT for finding in findings.values())
        return [Batch([parcel.entry for parcel in part], left_nothing) for part in settlement.again]


def _subject(entry: Entry) -> str:
    """Name what a break is about: a document by its key, master data by kind, owner and code."""
    return (
        entry.natural_key if entry.document_key is not None else f"{entry.kind}:{entry.natural_key.rpartition('#')[0]}"
    )


def _withdrawn(entry: Entry) -> str:
    return f"{subject(entry)} is not ready to be sent any more; nothing of it is in the ledger."
