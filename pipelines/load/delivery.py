"""One delivery of one kind of intent, to either side: looked up first, sent, and settled by what a look-up proves.

A call without a reliable answer leaves its intents `unknown`. They stay so until a look-up finds them, or proves that
they are not there; and it can prove that only when the call must be over on the other side.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.core.errors import SpringlineError
from pipelines.load.look_up import LOOK_UP_ERRORS, LookUpFinding, Presence, by_finding
from pipelines.outbox.entry import Entry, Move
from pipelines.outbox.intent import Intent, Kind
from pipelines.outbox.states import State
from pipelines.outbox.store import Outbox
from pipelines.stores.breaks import Break

if TYPE_CHECKING:
    from pipelines.step.context import Context

LEDGER, VMS = "ledger", "VMS"
# What got no answer is sent again in tenths (ledger/courier.py): three rounds cut 500 nodes down to single vouchers.
ROUNDS = 3
# Seconds: the two clocks may differ a little, and a wait that ends too early proves nothing.
CLOCK_MARGIN = 0.05
WITHDRAWN = "withdrawn"

LookUp = Callable[[Sequence[Entry]], Mapping[str, LookUpFinding]]


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """How many intents were sent, refused, are of unknown fate, or wait for the next run; what an operator must know.

    >>> DeliveryResult(sent=2) + DeliveryResult(waiting=1, problems=("The ledger did not answer.",))
    DeliveryResult(sent=2, failed=0, unknown=0, waiting=1, problems=('The ledger did not answer.',))
    """

    sent: int = 0
    failed: int = 0
    unknown: int = 0
    waiting: int = 0
    problems: tuple[str, ...] = ()

    def __add__(self, other: DeliveryResult) -> DeliveryResult:
        """Add up two deliveries; a problem that both have is listed once."""
        return DeliveryResult(
            sent=self.sent + other.sent,
            failed=self.failed + other.failed,
            unknown=self.unknown + other.unknown,
            waiting=self.waiting + other.waiting,
            problems=tuple(dict.fromkeys((*self.problems, *other.problems))),
        )


@dataclass(frozen=True, slots=True)
class Cargo:
    """What is particular to one kind of intent, whichever side it goes to.

    ``side`` is the other side as people call it; ``is_wanted`` tells whether one that has not gone may still go.
    ``follow_up`` are the intents that come into being when one is sent. ``breaks`` are the error codes that a person
    must decide on, with the kind of break each opens until then, about what ``subject`` names; ``period_month`` is the
    month in which such a break counts at a close, None where its document says that.
    """

    kind: Kind
    side: str
    is_wanted: Callable[[Entry], bool] = lambda _: True
    breaks: Mapping[str, str] = field(default_factory=dict)
    subject: Callable[[Entry], str] = lambda entry: entry.natural_key
    follow_up: Callable[[Entry], Sequence[Intent]] = lambda _: ()
    period_month: Callable[[Entry], date | None] = lambda _: None


@dataclass(slots=True)
class Delivery:
    """Where each entry of a delivery stands, and the one way to move it.

    ``call_seconds`` is how long the other side may still work on a call after we have stopped waiting for its answer.
    """

    outbox: Outbox
    cargo: Cargo
    call_seconds: float
    now: Callable[[], datetime]
    report: Callable[[str, int, int], None]
    # None: nothing is waited for, and what cannot be proved yet is left to the next run.
    sleep: Callable[[float], None] | None = time.sleep
    is_stopped: bool = False
    states: dict[str, State] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    # By id: calls whose answer does not say what became of them. Told only of what no look-up settles.
    _unclear: dict[str, str] = field(default_factory=dict)
    _entries: dict[str, Entry] = field(default_factory=dict)
    # Seconds waited in all, and how many of them when a call was first met here: by id and number of the call.
    _waited: float = 0
    _met: dict[tuple[str, int], float] = field(default_factory=dict)

    @classmethod
    def of(cls, ctx: Context, cargo: Cargo, *, sleep: Callable[[float], None] | None = time.sleep) -> Delivery:
        """Start a delivery in this batch: what an earlier process left in flight counts as `unknown` from here on."""
        outbox = Outbox.of(ctx)
        outbox.recover([cargo.kind])
        side = ctx.settings.ledger if cargo.side == LEDGER else ctx.settings.vms
        return cls(outbox, cargo, side.timeout, ctx.now, ctx.report, sleep)

    def in_rounds(
        self,
        states: Collection[State],
        work: Callable[[Sequence[Entry]], object],
        *,
        is_due: Callable[[Entry], bool] = lambda _: True,
    ) -> DeliveryResult:
        """Do the work on what stands in these states, again after each round of calls without an answer."""
        # Read anew in each round: what got no answer in the last one stands as `unknown` on disk.
        for _ in range(ROUNDS):
            self.once(states, work, is_due=is_due)
            if self.is_stopped or not self._wait_for_calls_to_end():
                break
        return self.result()

    def once(
        self,
        states: Collection[State],
        work: Callable[[Sequence[Entry]], object],
        *,
        is_due: Callable[[Entry], bool],
    ) -> None:
        """Do the work on what is due of what stands in these states now."""
        entries = [entry for entry in self.outbox.entries(self.cargo.kind, states) if is_due(entry)]
        self.take(entries)
        work(entries)

    def take(self, entries: Sequence[Entry]) -> None:
        """Count these entries as part of this delivery."""
        self._entries |= {entry.id: entry for entry in entries}
        self.states |= {entry.id: entry.state for entry in entries}
        for entry in entries:
            self._met.setdefault((entry.id, entry.attempts), self._waited)

    def still_unknown(self) -> list[Entry]:
        """Return the entries of this delivery of which it is not known whether their call arrived."""
        entries = self.outbox.entries(self.cargo.kind, [State.UNKNOWN])
        return [entry for entry in entries if self.states.get(entry.id) is State.UNKNOWN]

    def unclear_move(self, entry: Entry, error: SpringlineError) -> Move:
        """Make an intent `unknown` whose call was answered without saying what became of it."""
        self._unclear[entry.id] = f"{entry.label}: {error.message} Whether it was written is looked up."
        return Move(entry.id, State.UNKNOWN, self._unclear[entry.id])

    def unclear(self) -> list[Entry]:
        """Return the entries whose call was answered without saying what became of them, and that are not settled."""
        return [entry for entry in self.still_unknown() if entry.id in self._unclear] if self._unclear else []

    def leave_out(self, entries: Sequence[Entry]) -> None:
        """Count these no longer as part of this delivery."""
        for entry in entries:
            del self.states[entry.id]

    def result(self) -> DeliveryResult:
        """Count the entries by where they stand now, and tell of each whose answer says nothing to the end."""
        counts = Counter(self.states.values())
        unclear = [words for intent, words in self._unclear.items() if self.states.get(intent) is State.UNKNOWN]
        return DeliveryResult(
            sent=counts[State.SENT],
            failed=counts[State.FAILED],
            unknown=counts[State.UNKNOWN],
            waiting=counts[State.TODO],
            problems=tuple(dict.fromkeys((*self.problems, *unclear))),
        )

    def without_unwanted(self, entries: Sequence[Entry]) -> list[Entry]:
        """Withdraw what has not gone and is no longer wanted; what may have gone is looked up all the same."""
        self._withdraw([e for e in entries if e.state is State.TODO and not self.cargo.is_wanted(e)])
        return [entry for entry in entries if entry.id in self.states]

    def looked_up(self, entries: Sequence[Entry], look_up: LookUp) -> list[Entry]:
        """Settle what the other side has already and return what it certainly has not."""
        try:
            findings = look_up(entries) if entries else {}
        except LOOK_UP_ERRORS as error:
            # Without this answer nothing may go: the ledger takes a voucher a second time (docs/systems/ledger.md#a3).
            self.is_stopped = True
            side = self.cargo.side
            self.problems.append(
                f"What the {side} has already could not be looked up, so nothing more was sent: {error}"
            )
            return []
        ready: list[Entry] = []
        moves: list[Move] = []
        for entry in entries:
            finding = findings[entry.id]
            # A call that may still be at work can write after our question was answered: then "not there", and also
            # "only half of it is there", prove nothing yet. "All of it is there" does.
            if finding.presence is not Presence.COMPLETE and self._seconds_left(entry) > 0:
                continue
            moves += by_finding(entry, finding)
            if finding.presence is Presence.UNDECIDED:
                self.problems.append(finding.detail)
            if finding.presence is Presence.ABSENT:
                ready.append(entry)
                if entry.state is State.UNKNOWN:
                    moves.append(Move(entry.id, State.TODO, f"looked up in the {self.cargo.side}: not there"))
        self.apply(moves)
        # Only now, since what is not wanted may have been in flight: withdrawn is only what the look-up did not find.
        self._withdraw([entry for entry in ready if not self.cargo.is_wanted(entry)])
        return [entry for entry in ready if entry.id in self.states]

    def apply(
        self, moves: Sequence[Move], *, opens: Sequence[Break] = (), closes: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Move entries on disk, with the breaks that these moves open and close and the intents that follow."""
        sent = [self._entries[move.intent] for move in moves if move.to is State.SENT]
        kinds = self.cargo.breaks
        self.outbox.apply(
            moves,
            follow_up=[intent for entry in sent for intent in self.cargo.follow_up(entry)],
            opens=[*opens, *(self._break(move, kind) for move in moves if (kind := kinds.get(move.error_code or "")))],
            # The entry still carries the error of an earlier run; now that it is sent, its break is over.
            closes=[*closes, *((k, self.cargo.subject(e)) for e in sent if (k := kinds.get(e.error_code or "")))],
        )
        self.states |= {move.intent: move.to for move in moves}
        # What an earlier run has told, and a break has said since, is no failure of this one: else no run could end
        # otherwise until a person has decided. The break itself makes the exit code.
        self.leave_out([self._entries[move.intent] for move in moves if self._is_told(move)])

    def _is_told(self, move: Move) -> bool:
        code = self._entries[move.intent].error_code
        return move.to is State.FAILED and code == move.error_code and code in self.cargo.breaks

    def break_of(self, entry: Entry, kind: str, message: str, next_step: str, **figures: str | int | None) -> Break:
        """Make the break that a person must decide on before this entry can go."""
        return Break(
            kind,
            self.cargo.subject(entry),
            message,
            next_step,
            company=entry.company_code,
            document_key=entry.document_key,
            document_no=entry.document_no,
            period_month=self.cargo.period_month(entry),
            figures=figures,
        )

    def _break(self, move: Move, kind: str) -> Break:
        # The outbox keeps one text; a break shows what to do in a column of its own.
        message, _, next_step = (move.detail or "").partition(" Next: ")
        return self.break_of(self._entries[move.intent], kind, message, next_step)

    def _withdraw(self, entries: Sequence[Entry]) -> None:
        side = self.cargo.side
        why = f"is no longer to be sent: it is held, or its source has changed. Nothing of it is in the {side}."
        self.apply([Move(e.id, State.FAILED, f"{e.label} {why}", error_code=WITHDRAWN) for e in entries])
        # An operator would take it for a delivery that failed.
        self.leave_out(entries)

    def _wait_for_calls_to_end(self) -> bool:
        """Wait until a look-up can prove something about what is unknown; say whether there is anything."""
        unknown = self.still_unknown()
        wait = max((self._seconds_left(entry) for entry in unknown), default=0)
        if wait > 0 and self.sleep:
            self.report("waiting until calls without an answer are over", 0, len(unknown))
            self.sleep(wait + CLOCK_MARGIN)
            self._waited += wait
        return bool(unknown)

    def _seconds_left(self, entry: Entry) -> float:
        """Return how long the other side may still be working on the last call with this entry."""
        if entry.state is not State.UNKNOWN or entry.attempted_at is None:
            return 0
        over_at = entry.attempted_at + timedelta(seconds=self.call_seconds)
        left = (over_at - self.now()).total_seconds()
        # A clock that was set back since: the call lies in the future, and how long ago it was nobody knows. Then only
        # what was waited here counts, or the batch would wait for hours, and each run find the call still at work.
        if left > self.call_seconds:
            met = self._met.get((entry.id, entry.attempts), self._waited)
            left = self.call_seconds - (self._waited - met)
        return left
