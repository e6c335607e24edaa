"""Carries intents to the ledger: looked up first, begun on disk, sent in mutations, settled by what the answer proves.

A refused mutation is sent again without those that carry what it names, or in halves when it names nothing. After a
call without a reliable answer (delivery.py) the intents go in tenths, since one of them may be what the ledger breaks
at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, cast

import structlog

from pipelines.core.errors import Refused, SpringlineError, WireError
from pipelines.load.delivery import ROUNDS, Delivery, DeliveryResult, LookUp
from pipelines.load.ledger.invoice_files import InvoiceFiles, kept_inputs, sent_inputs
from pipelines.load.ledger.refusals import Gap, gaps
from pipelines.load.ledger.settlement import Parcel, by_answer, by_refusal, carriers, set_aside
from pipelines.load.look_up import LOOK_UP_ERRORS, Node, Presence
from pipelines.outbox.entry import Entry, Move
from pipelines.outbox.intent import Json
from pipelines.outbox.states import State

if TYPE_CHECKING:
    from pipelines.wire.ledger import LedgerClient
    from pipelines.wire.upload import Upload

log = structlog.get_logger(__name__)

# A mutation cut in halves down to one voucher is refused ten times in a row at most; thrice that is no bad voucher.
REFUSALS_IN_A_ROW = 30
SILENCES_IN_A_ROW = 3
# Into so many parts a mutation goes after each call without an answer: three rounds cut 500 nodes down to vouchers.
PARTS = 10
UNANSWERED = "Next: nothing by hand; the next run looks it up in the ledger, and sends it where it is not there."


class MutationGroup(NamedTuple):
    """What may share a mutation: what was tried before only with its like; ``unanswered`` counts calls of it."""

    owner_code: int
    mutation: str
    was_tried_before: bool
    unanswered: int


class Mutation(NamedTuple):
    """What one mutation carries; ``is_proved_absent`` when a refused mutation of the same has left nothing behind."""

    entries: Sequence[Entry]
    is_proved_absent: bool = False


@dataclass(slots=True)
class LedgerCourier:
    """Sends a delivery to the ledger.

    ``look_up`` searches everywhere, ``read_back`` only where a call just refused could have left something; ``size`` is
    the number of nodes that an entry takes; ``files`` are what goes along with vouchers, None where nothing does;
    ``taken`` hears of how many entries the ledger has just taken.
    """

    delivery: Delivery
    ledger: LedgerClient
    look_up: LookUp
    read_back: LookUp
    mutation: Callable[[Entry], str]
    nodes_per_mutation: int
    size: Callable[[Entry], int] = lambda _: 1
    files: InvoiceFiles | None = None
    taken: Callable[[int], None] = lambda _: None
    _gaps: dict[tuple[int, str | None], set[Gap]] = field(default_factory=dict)
    _given_up: set[MutationGroup] = field(default_factory=set)
    # All nodes or none is an assumption (docs/systems/ledger.md#a1): until it was seen to hold, a refused mutation is
    # read back.
    _is_atomic: bool = False
    _refusals: int = 0
    _silences: int = 0

    def deliver_first(self, is_first: Callable[[Entry], bool]) -> None:
        """Deliver some of what ``deliver`` does, once and without waiting; what it leaves is then met again."""
        self.delivery.once([State.TODO, State.UNKNOWN], self._send_wanted, is_due=is_first)

    def deliver(self) -> DeliveryResult:
        """Deliver what is `todo` or `unknown`; neither a refused document nor a refused entity stops another."""
        result = self.delivery.in_rounds([State.TODO, State.UNKNOWN], self._send_wanted)
        return result + DeliveryResult(problems=tuple(self.files.summary())) if self.files else result

    def settle(self) -> DeliveryResult:
        """Find out what became of calls without an answer: their intents are `sent`, `failed`, or `todo` again."""
        return self.delivery.in_rounds([State.UNKNOWN], self._looked_up)

    def _send_wanted(self, entries: Sequence[Entry]) -> None:
        wanted = self.delivery.without_unwanted(entries)
        # What was sent first may have met a ledger that answers no more: then the rest waits.
        if not self.delivery.is_stopped:
            self._send_all(self._looked_up(wanted))

    def _looked_up(self, entries: Sequence[Entry]) -> list[Entry]:
        open_entries = [entry for entry in entries if self._group(entry) not in self._given_up]
        return self.delivery.looked_up(open_entries, self.look_up)

    def _send_all(self, entries: Sequence[Entry]) -> None:
        if self.files:
            self.files.choose(entries)
        for group, members in groupby(sorted(entries, key=self._group), key=self._group):
            together, alone = self._parted(members)
            sized = [(entry, self.size(entry)) for entry in together]
            most = self.nodes_per_mutation
            if group.unanswered:
                # A part of this group and not of 500: three small vouchers must come apart as well.
                most = min(most, sum(size for _, size in sized)) // PARTS**group.unanswered
            packed = [*pack(sized, limit=max(1, most)), *([entry] for entry in alone)]
            self._send_group(group, deque(map(Mutation, packed)))

    def _parted(self, entries: Iterable[Entry]) -> tuple[list[Entry], list[Entry]]:
        """Part what may share a mutation from what has a file: that goes alone, so that a bad file costs no other."""
        together: list[Entry] = []
        alone: list[Entry] = []
        for entry in entries:
            (alone if self.files and self.files.has_file(entry) else together).append(entry)
        return together, alone

    def _group(self, entry: Entry) -> MutationGroup:
        # What was tried before goes apart from what is new, so that one bad voucher of yesterday costs today's nothing.
        was_tried_before = entry.error_code is not None or entry.attempts > 0
        unanswered = entry.attempts if entry.state is State.UNKNOWN else 0
        return MutationGroup(entry.owner_code or 0, self.mutation(entry), was_tried_before, min(unanswered, ROUNDS))

    def _send_group(self, group: MutationGroup, queue: deque[Mutation]) -> None:
        self._refusals = 0
        while queue and not self.delivery.is_stopped and group not in self._given_up:
            mutation = queue.popleft()
            if parcels := self._without_known_gaps(group, mutation.entries):
                again = self._send(group, parcels, is_proved_absent=mutation.is_proved_absent)
                # Before all others: the parts of a refused mutation name the next gap, which spares the rest a refusal.
                queue.extendleft(reversed(again))
            states = self.delivery.states.values()
            # Counted by the list itself: a mutation of a large batch would else look at all of it in Python.
            done = len(states) - [*states].count(State.TODO)
            self.delivery.report(f"{self.delivery.cargo.kind} to the ledger", done, len(states))

    def _without_known_gaps(self, group: MutationGroup, entries: Sequence[Entry]) -> list[Parcel]:
        """Open the payloads; set aside what carries a code that the ledger is known by now not to have."""
        payloads = self.delivery.outbox.payloads([entry.id for entry in entries])
        parcels = [Parcel(entry, cast("list[Node]", payloads[entry.id])) for entry in entries]
        bad = carriers(parcels, lambda parcel: self._gaps.get((group.owner_code, parcel.source), ()))
        self.delivery.apply(set_aside(bad))
        return [parcel for parcel in parcels if parcel.entry.id not in bad]

    def _send(self, group: MutationGroup, parcels: Sequence[Parcel], *, is_proved_absent: bool) -> list[Mutation]:
        """Make one call and settle it; return what is to be sent again."""
        parcels, uploads = self._begin(parcels)
        inputs = sent_inputs([item for parcel in parcels for item in parcel.inputs])
        try:
            edges = self.ledger.mutate(group.mutation, inputs, uploads)
        except Refused as refusal:
            return self._refused(group, parcels, refusal, has_file=bool(uploads))
        except WireError as error:
            self._unanswered(parcels, error, State.UNKNOWN if error.sent else State.TODO)
            return []
        self._warn(parcels)
        self._refusals = self._silences = 0
        # A refused mutation has left nothing, and the same nodes were then taken: from now on a refusal means nothing.
        self._is_atomic |= is_proved_absent
        moves = by_answer(parcels, edges)
        self.delivery.apply(moves)
        self.taken(sum(move.to is State.SENT for move in moves))
        return []

    def _begin(self, parcels: Sequence[Parcel]) -> tuple[list[Parcel], list[Upload]]:
        """Fetch what goes along, and note on disk that the call begins; return the parcels as they are then kept.

        A process killed from here on leaves `sending`, which the next run looks up: a voucher that is found has its
        file, for both are in one mutation.
        """
        begun: list[Parcel] = []
        uploads: list[Upload] = []
        notes: dict[str, str] = {}
        for parcel in parcels:
            enclosure = self.files.enclosure(parcel.entry) if self.files else None
            upload = enclosure.upload if enclosure else None
            uploads += [upload] if upload else []
            notes |= {parcel.entry.id: enclosure.note} if enclosure else {}
            # Also where nothing goes: an earlier try may have left the name of a file in what is kept.
            begun.append(Parcel(parcel.entry, kept_inputs(parcel.inputs, upload)))
        changed = {
            after.entry.id: cast("Json", after.inputs)
            for before, after in zip(parcels, begun, strict=True)
            if before.inputs != after.inputs
        }
        self.delivery.outbox.begin([parcel.entry.id for parcel in begun], notes=notes, payloads=changed)
        return begun, uploads

    def _warn(self, parcels: Sequence[Parcel]) -> None:
        if self.files:
            self.delivery.problems += self.files.warnings(parcel.entry for parcel in parcels)

    def _unanswered(self, parcels: Sequence[Parcel], error: SpringlineError, state: State) -> None:
        reason = error.message.rstrip(".")
        self.delivery.apply([Move(p.entry.id, state, f"{p.entry.label}: {reason}. {UNANSWERED}") for p in parcels])
        self._silences += 1
        self.delivery.problems.append(str(error))
        if state is State.UNKNOWN:
            # It may have arrived, and then nobody would hear why no file is with it.
            self._warn(parcels)
        # What could not even be asked will not be answered next time either.
        self.delivery.is_stopped |= state is State.TODO or self._silences >= SILENCES_IN_A_ROW

    def _refused(
        self, group: MutationGroup, parcels: Sequence[Parcel], refusal: Refused, *, has_file: bool
    ) -> list[Mutation]:
        """Settle a refused mutation; return what of it is to be sent again."""
        self._refusals += 1
        self._silences = 0
        log.warning("mutation_refused", mutation=group.mutation, owner=group.owner_code, intents=len(parcels))
        try:
            # "Refused" need not mean "nothing was written". What is sent again without a look could be there twice, and
            # the ledger would not say so (docs/systems/ledger.md#l2): so it is asked, until one mutation has proved
            # that all of it is refused.
            findings = {} if self._is_atomic else self.read_back([parcel.entry for parcel in parcels])
        except LOOK_UP_ERRORS as error:
            # Refused, but what it left behind is not known: as bad as no answer, and settled in the same way.
            self._unanswered(parcels, error, State.UNKNOWN)
            return []
        left_nothing = bool(findings) and all(finding.presence is Presence.ABSENT for finding in findings.values())
        named = gaps(refusal.problems)
        if self.files and has_file and not named and (self._is_atomic or left_nothing):
            # It may be the file that is refused, and a file never holds a voucher: once more, without it.
            return [self._without_file(self.files, parcel, refusal, left_nothing) for parcel in parcels]
        settlement = by_refusal(parcels, refusal, named=named, findings=findings)
        self.delivery.apply(settlement.moves)
        for source, gap in settlement.missing:
            self._gaps.setdefault((group.owner_code, source), set()).add(gap)
        if self._refusals >= REFUSALS_IN_A_ROW:
            # Not the vouchers but the entity (closed period, missing right): the others of it would be refused as well.
            self._given_up.add(group)
            message = f"Entity {group.owner_code}: {self._refusals} refusals in a row, the rest waits: {refusal}"
            self.delivery.problems.append(message)
            return []
        return [Mutation([parcel.entry for parcel in part], left_nothing) for part in settlement.again]

    def _without_file(self, files: InvoiceFiles, parcel: Parcel, refusal: Refused, left_nothing: bool) -> Mutation:  # noqa: FBT001
        files.refused(parcel.entry, refusal)
        self.delivery.apply([Move(parcel.entry.id, State.TODO, "refused together with its file")])
        return Mutation([parcel.entry], left_nothing)


def pack(sized: Iterable[tuple[Entry, int]], *, limit: int) -> list[list[Entry]]:
    """Put each entry into the first mutation that still has room for all its nodes, in the order given.

    What belongs together travels together: half a voucher would be out of balance. An entry over the limit goes alone:
    the setting may be lower than the 500 nodes that the ledger takes, and a check holds vouchers of more.
    """
    mutations: list[list[Entry]] = []
    # Only those with room left, so that packing thousands of vouchers does not look at every full mutation again.
    room: dict[int, int] = {}
    for entry, size in sized:
        place = next((place for place, left in room.items() if left >= size), len(mutations))
        if place == len(mutations):
            mutations.append([])
            room[place] = limit
        mutations[place].append(entry)
        room[place] -= size
        if room[place] <= 0:
            del room[place]
    return mutations
