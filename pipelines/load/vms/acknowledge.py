"""Acknowledges in the VMS what the ledger has taken: RFP becomes POS, and a status that has moved is never overwritten.

docs/mapping.md#1-7 and docs/systems/vms.md#3-3. Documents go in chunks: their status is read, the chunk is begun in one
transaction, written in parallel and settled in one transaction, so that the store costs two writes to disk for 200
documents. In a large batch the first chunks go while the ledger's limit holds up the vouchers behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, cast

from pipelines.core.errors import Refused, Unclear, WireError
from pipelines.load.acknowledgement import BODY, POSTED, REVERSES
from pipelines.load.delivery import VMS, Cargo, Delivery, DeliveryResult
from pipelines.load.look_up import LOOK_UP_ERRORS, Node, chunks
from pipelines.load.vms.booked import booked
from pipelines.load.vms.courier import CHUNK, REFUSED, Outcome
from pipelines.outbox.entry import Entry, Move
from pipelines.outbox.intent import Kind
from pipelines.outbox.states import State
from pipelines.stores.breaks import Break
from pipelines.stores.lost import refuse_lost_control
from pipelines.wire.filters import one_of
from pipelines.wire.written import written_key

if TYPE_CHECKING:
    from pipelines.step.context import Context
    from pipelines.wire.vms import VmsClient

READY = "RFP"
MOVED = "status_moved"
BREAK = "status moved"


def deliver_acknowledgements(context: Context) -> DeliveryResult:
    """Deliver every acknowledgement that is not settled, those that failed before too.

    With `posting.acknowledge = "posted"` a document waits until the ledger's books as landed have its voucher.
    """
    delivery = Delivery.of(context, Cargo(Kind.ACKNOWLEDGEMENT, VMS))
    due = delivery.outbox.entries(Kind.ACKNOWLEDGEMENT, [State.TODO, State.UNKNOWN, State.FAILED])
    if due and context.settings.posting.acknowledge == "posted":
        due = booked(due, warehouse=context.warehouse)
    delivery.take(due)
    with ThreadPoolExecutor(context.settings.vms.workers, thread_name_prefix="acknowledge") as pool:
        work = _Acknowledging(delivery, context.vms, pool)
        first, reversals = _in_order(due)
        work.deliver(first)
        work.deliver(_due_reversals(delivery, reversals))
        # Looked up once more, when all others are done. No wait until the calls must be over, unlike for what the
        # couriers send: setting a document to posted twice does the same as once.
        work.deliver(delivery.still_unknown())
    return delivery.result()


@contextmanager
def acknowledging_beside(context: Context) -> Iterator[Callable[[int], None]]:
    """Acknowledge beside the delivery of vouchers, a chunk or more at a time; yield what hears how many were taken.

    It does what is plain: documents that are still ready. All else is left as it is, for ``deliver_acknowledgements``
    to do and to tell. With `posting.acknowledge = "posted"` there is nothing to do yet.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="beside") as thread:
        waiting = 0
        at_work: Future[None] | None = None

        def heard(taken: int) -> None:
            nonlocal waiting, at_work
            waiting += taken
            if waiting < CHUNK or (at_work and not at_work.done()):
                return
            if at_work:
                at_work.result()
            waiting = 0
            at_work = thread.submit(_acknowledge_plain, context)

        yield heard if context.settings.posting.acknowledge == "accepted" else lambda _: None
        if at_work:
            at_work.result()


def _acknowledge_plain(context: Context) -> None:
    """Acknowledge what is to do and still ready, on a connection of this thread's own; nothing is told of it."""
    # A file that has gone meanwhile would be begun anew.
    refuse_lost_control(context.settings)
    with (
        closing(context.control.beside()) as control,
        ThreadPoolExecutor(context.settings.vms.workers, thread_name_prefix="acknowledge") as pool,
    ):
        # Progress is that of the vouchers; and what hears of it may end the batch, which is for their thread to do.
        delivery = Delivery.of(replace(context, control=control, report=_unheard), Cargo(Kind.ACKNOWLEDGEMENT, VMS))
        first, _ = _in_order(delivery.outbox.entries(Kind.ACKNOWLEDGEMENT, [State.TODO]))
        delivery.take(first)
        _Acknowledging(delivery, context.vms, pool, is_plain_alone=True).deliver(first)


def _unheard(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def _in_order(entries: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Part what reverses other vouchers from the rest."""
    first = [entry for entry in entries if not entry.look_up.get(REVERSES)]
    return first, [entry for entry in entries if entry.look_up.get(REVERSES)]


def _due_reversals(delivery: Delivery, reversals: Sequence[Entry]) -> list[Entry]:
    """Give the reversals of which everything they take back is acknowledged, or needs no acknowledgement of ours."""
    if not reversals:
        return []
    open_states = [State.TODO, State.SENDING, State.UNKNOWN, State.FAILED]
    unsettled = {entry.document_key for entry in delivery.outbox.entries(Kind.ACKNOWLEDGEMENT, open_states)}
    return [e for e in reversals if unsettled.isdisjoint(cast("list[int]", e.look_up[REVERSES]))]


@dataclass(frozen=True, slots=True)
class _Acknowledging:
    delivery: Delivery
    vms: VmsClient
    pool: ThreadPoolExecutor
    # What is not ready any more is left as it is.
    is_plain_alone: bool = False

    def deliver(self, entries: Sequence[Entry]) -> None:
        done = 0
        for chunk in chunks(entries, size=CHUNK):
            if self.delivery.is_stopped:
                return
            self._deliver_chunk(chunk)
            done += len(chunk)
            self.delivery.report("acknowledgements to the VMS", done, len(entries))

    def _deliver_chunk(self, entries: Sequence[Entry]) -> None:
        # The VMS has no "change only if": the status is read as late as can be, a chunk before its own writes, because
        # a person who moves a document on between the read and the write would have that overwritten.
        try:
            statuses = self._read_statuses([entry.document_key for entry in entries])
        except LOOK_UP_ERRORS as error:
            self.delivery.is_stopped = True
            self.delivery.problems.append(str(error))
            return
        if self.is_plain_alone:
            entries = [entry for entry in entries if statuses.get(entry.document_key) == READY]
        plans = [(entry, _plan(entry, statuses.get(entry.document_key))) for entry in entries]
        moved = [entry for entry, moves in plans if moves and moves[-1].error_code == MOVED]
        # Back in RFP, or posted by a call of ours: the break of an earlier run is over, whatever the write comes to.
        back = [entry for entry, moves in plans if moves and entry.error_code == MOVED and entry not in moved]
        # On disk before the first write: a process killed from here on leaves `sending`, and the next run looks it up.
        self.delivery.apply(
            [move for _, moves in plans for move in moves],
            opens=[self._break(entry, statuses.get(entry.document_key)) for entry in moved],
            closes=[(BREAK, entry.natural_key) for entry in back],
        )
        # A break that is open already is no failure of this run: nobody could ever end that exit code. Nothing is added
        # to the history either.
        self.delivery.leave_out([entry for entry, moves in plans if not moves and _is_known(entry)])
        calls = [entry for entry, moves in plans if moves and moves[-1].to is State.SENDING]
        outcomes = list(self.pool.map(self._acknowledge, calls))
        self.delivery.apply([outcome.move for outcome in outcomes])
        # Not one answer of up to 200: the VMS is down, and the next chunk would only wait through as many time-outs.
        if outcomes and not any(outcome.is_answered for outcome in outcomes):
            self.delivery.is_stopped = True

    def _read_statuses(self, keys: Sequence[int | None]) -> dict[int | None, str | None]:
        pages = self.pool.map(self._find, one_of("key", [key for key in keys if key is not None]))
        return {document["key"]: _status(document) for document in chain.from_iterable(pages)}

    def _find(self, keys: str) -> Sequence[Node]:
        return self.vms.find("Document", filters=[keys], fields=["key", "invoicingStatus.statusTypeCode"])

    def _acknowledge(self, entry: Entry) -> Outcome:
        """Write one status; runs in a thread of the pool, and touches nothing but the VMS."""
        try:
            key = int(entry.natural_key)
            _prove(self.vms.put("Document", key, BODY), key)
        except Refused as refusal:
            message = f"{entry.label}: the VMS refused to set it to posted: {refusal}"
            return Outcome(Move(entry.id, State.FAILED, message, error_code=REFUSED), is_answered=True)
        except Unclear as error:
            return Outcome(self.delivery.unclear_move(entry, error), is_answered=True)
        except WireError as error:
            message = f"{entry.label}: {error}"
            self.delivery.problems.append(message)
            return Outcome(Move(entry.id, State.UNKNOWN if error.sent else State.TODO, message), is_answered=False)
        return Outcome(Move(entry.id, State.SENT), is_answered=True)

    def _break(self, entry: Entry, status: str | None) -> Break:
        next_step = "find out in the VMS who moved it; the voucher is in the ledger and stays there."
        message = _moved_message(entry, status)
        return self.delivery.break_of(entry, BREAK, message, next_step, status=status)


def _plan(entry: Entry, status: str | None) -> list[Move]:
    """Decide by the status the VMS has now: begin the call, take an earlier call of ours as done, or fail."""
    # Only after a call of ours without an answer: a document that somebody else has set to posted has moved.
    if status == POSTED and entry.state is State.UNKNOWN:
        return [Move(entry.id, State.SENT, "posted already: our earlier call has done it")]
    has_moved = status != READY
    if _is_known(entry) and has_moved:
        return []
    reason = {State.UNKNOWN: f"looked up in the VMS: still {READY}", State.FAILED: "tried again"}.get(entry.state)
    # The states allow no way from `failed` but over `todo`, and none from `unknown` to `sending` without a look-up.
    start = [Move(entry.id, State.TODO, reason)] if reason and (entry.state is State.FAILED or not has_moved) else []
    if has_moved:
        return [*start, Move(entry.id, State.FAILED, _moved_message(entry, status), error_code=MOVED)]
    return [*start, Move(entry.id, State.SENDING)]


def _is_known(entry: Entry) -> bool:
    """Tell whether an earlier run has reported that its status has moved, and opened the break."""
    return entry.state is State.FAILED and entry.error_code == MOVED


def _moved_message(entry: Entry, status: str | None) -> str:
    now = f"has status {status}" if status else "is gone, or not readable for us,"
    return f"{entry.label} {now} in the VMS, though it was {READY} when its voucher was sent."


def _prove(answer: Node, key: int) -> None:
    """Raise Unclear unless an answer shows that document as posted."""
    written_key(answer, key=key)
    # It may show the status as a stub without its code (docs/systems/vms.md#1-3): then it is looked up.
    if (status := _status(answer)) != POSTED:
        raise Unclear(f"The VMS's answer shows {f'the status {status}' if status else 'no status'}, not {POSTED}.")


def _status(document: Node) -> str | None:
    status = document.get("invoicingStatus")
    code = status.get("statusTypeCode") if isinstance(status, dict) else status
    # A number is no code: it is as good as none.
    return code if isinstance(code, str) else None
