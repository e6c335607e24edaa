"""One delivery of one kind of intent, to either side: looked up first, sent, and settled by what a look-up proves.

A call without a reliable answer leaves its intents `unknown` until a look-up has found them or has proved their
absence, which it cannot before the call must be over on the other side.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.load.delivered import Delivered
from pipelines.load.finding import Finding, Verdict, by_finding
from pipelines.load.ports import LOOK_UP_ERRORS
from pipelines.outbox.intent import Intent, Kind
from pipelines.outbox.states import State
from pipelines.outbox.store import Entry, Move, Outbox
from pipelines.reconcile.record import Break

if TYPE_CHECKING:
    from pipelines.step.context import Context

LEDGER, VMS = "ledger", "VMS"
ROUNDS = 3
CLOCK_MARGIN = 0.05
WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Cargo:
    """What is particular to one kind of intent, whichever side it goes to.

    ``side`` is the other side as people call it; ``look_up`` gives a finding for each entry, ``is_wanted`` tells
    whether one that has not gone may still go, and ``withdrawn`` says why not. ``follow_up`` are the intents that come
    into being when one is sent. ``breaks`` are the error codes that a person must decide on, with the kind of break
    each opens until then, about what ``subject`` names.
    """

    kind: Kind
    side: str
    look_up: Callable[[Sequence[Entry]], Mapping[str, Finding]]
    is_wanted: Callable[[Entry], bool]
    subject: Callable[[Entry], str]
    withdrawn: Callable[[Entry], str]
    follow_up: Callable[[Entry], Sequence[Intent]] = lambda _: ()
    breaks: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Delivery:
    """Where each entry of a delivery stands; ``call_seconds`` is how long the other side may still work on a call."""

    outbox: Outbox
    cargo: Cargo
    call_seconds: float
    now: Callable[[], datetime]
    report: Callable[[str, int, int], None]
    sleep: Callable[[float], None] = time.sleep
    is_stopped: bool = False
    states: dict[str, State] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _entries: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def of(cls, ctx: Context, cargo: Cargo, *, sleep: Callable[[float], None] = time.sleep) -> Delivery:
        """Start a delivery in this batch; its calls may take as long as the settings of its side say."""
        outbox = Outbox(ctx.control, batch_id=ctx.batch_id, now=ctx.now)
        side = ctx.settings.ledger if cargo.side == LEDGER else ctx.settings.vms
        return cls(outbox, cargo, side.timeout, ctx.now, ctx.report, sleep)

    def in_rounds(
        self,
        states: Collection[State],
        work: Callable[[Sequence[Entry]], object],
        *,
        is_due: Callable[[Entry], bool] = lambda _: True,
    ) -> Delivered:
        """Do the work on what stands in these states, again after each round of calls without an answer."""
        self.outbox.recover([self.cargo.kind])
        for _ in range(ROUNDS):
            entries = [entry for entry in self.outbox.entries(self.cargo.kind, states) if is_due(entry)]
            self._entries |= {entry.id: entry for entry in entries}
            self.states |= {entry.id: entry.state for entry in entries}
            work(entries)
            if self.is_stopped or not self._wait_for_calls_to_end():
                break
        counts = Counter(self.states.values())
        return Delivered(
            sent=counts[State.SENT],
            failed=counts[State.FAILED],
            unknown=counts[State.UNKNOWN],
            waiting=counts[State.TODO],
            problems=tuple(dict.fromkeys(self.problems)),
        )

    def without_unwanted(self, entries: Sequence[Entry]) -> list[Entry]:
        """Take back what has not gone and is not wanted any more; what may have gone is looked up all the same."""
        gone = [e for e in entries if e.state is State.TODO and not self.cargo.is_wanted(e)]
        self._withdraw(gone)
        return [entry for entry in entries if entry.id in self.states]

    def looked_up(self, entries: Sequence[Entry]) -> list[Entry]:
        """Settle what the other side has already and return what it certainly has not."""
        try:
            findings = self.cargo.look_up(entries) if entries else {}
        except LOOK_UP_ERRORS as error:
            self.is_stopped = True
            side = self.cargo.side
            self.problems.append(f"What the {side} has already could not be looked up, so nothing was sent: {error}")
            return []
        ready: list[Entry] = []
        moves: list[Move] = []
        for entry in entries:
            finding = findings[entry.id]
            if finding.verdict is not Verdict.COMPLETE and self._seconds_left(entry) > 0:
                continue
            moves += by_finding(entry, finding)
            if finding.verdict is Verdict.UNDECIDED:
                self.problems.append(finding.detail)
            if finding.verdict is Verdict.ABSENT:
                ready.append(entry)
                if entry.state is State.UNKNOWN:
                    moves.append(Move(entry.id, State.TODO, f"looked up in the {self.cargo.side}: not there"))
        self.apply(moves)
        self._withdraw([entry for entry in ready if not self.cargo.is_wanted(entry)])
        return [entry for entry in ready if entry.id in self.states]

    def apply(self, moves: Sequence[Move]) -> None:
        """Move entries on disk, with the breaks that these moves open and close and the intents that follow."""
        sent = [self._entries[move.intent] for move in moves if move.to is State.SENT]
        breaks = self.cargo.breaks
        self.outbox.apply(
            moves,
            follow_up=[intent for entry in sent for intent in self.cargo.follow_up(entry)],
            opens=[self._break(move, kind) for move in moves if (kind := breaks.get(move.error_code or ""))],
            closes=[(kind, self.cargo.subject(e)) for e in sent if (kind := breaks.get(e.error_code or ""))],
        )
        self.states |= {move.intent: move.to for move in moves}

    def _withdraw(self, entries: Sequence[Entry]) -> None:
        told = self.cargo.withdrawn
        self.apply([Move(entry.id, State.FAILED, told(entry), error_code=WITHDRAWN) for entry in entries])
        # What nobody wants any more is no failed delivery.
        for entry in entries:
            del self.states[entry.id]

    def _wait_for_calls_to_end(self) -> bool:
        """Wait until a look-up can prove something about what is unknown; say whether there is anything."""
        unknown = [
            entry
            for entry in self.outbox.entries(self.cargo.kind, [State.UNKNOWN])
            if self.states.get(entry.id) is State.UNKNOWN
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

    def _break(self, move: Move, kind: str) -> Break:
        entry = self._entries[move.intent]
        message, _, next_step = (move.detail or "").partition(" Next: ")
        return Break(
            kind,
            self.cargo.subject(entry),
            message,
            next_step,
            company=entry.company_code,
            document_key=entry.document_key,
            document_no=entry.document_no,
        )
