"""Acknowledges in the VMS what the ledger has taken: RFP becomes POS, and a status that has moved is never overwritten.

mapping.md 1.7 and dataloy.md 3.3. Documents go in chunks: their status is read, the chunk is begun in one transaction,
written in parallel and settled in one transaction, so that the store costs two writes to disk for 200 documents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from pipelines.core.errors import Refused, WireError
from pipelines.load.acknowledgement import BODY, POSTED
from pipelines.load.booked import booked
from pipelines.load.delivered import Delivered
from pipelines.load.names import subject
from pipelines.load.ports import LOOK_UP_ERRORS, Node, Vms, chunks
from pipelines.outbox.intent import Kind
from pipelines.outbox.states import State
from pipelines.outbox.store import Entry, Move, Outbox
from pipelines.reconcile.record import Break

if TYPE_CHECKING:
    from pipelines.step.context import Context

READY = "RFP"
CHUNK = 200
# Keys in one filter: the address of a request stays short of what proxies cut.
KEYS = 50
MOVED = "status_moved"
BREAK = "status moved"


def deliver_acknowledgements(context: Context, *, retry_failed: bool = True) -> Delivered:
    """Deliver every acknowledgement that is not settled, those that failed before too when ``retry_failed``.

    With `posting.acknowledge = "posted"` a document waits until the ledger's books as landed have its voucher.
    """
    outbox = Outbox(context.control, batch_id=context.batch_id, now=context.now)
    outbox.recover([Kind.ACKNOWLEDGEMENT])
    states = [State.TODO, State.UNKNOWN] + [State.FAILED] * retry_failed
    due = outbox.entries(Kind.ACKNOWLEDGEMENT, states)
    if due and context.settings.posting.acknowledge == "posted":
        due = booked(due, warehouse=context.warehouse)
    if not due:
        return Delivered()
    with ThreadPoolExecutor(context.settings.vms.workers, thread_name_prefix="acknowledge") as pool:
        delivery = _Delivery(outbox, context.vms, pool, context.report)
        delivery.deliver(due)
        # Calls without an answer are looked up once more, when all others are done.
        left_open = outbox.entries(Kind.ACKNOWLEDGEMENT, [State.UNKNOWN])
        delivery.deliver([entry for entry in left_open if delivery.states.get(entry.id) is State.UNKNOWN])
    return delivery.result()


class _Outcome(NamedTuple):
    move: Move
    is_answered: bool


@dataclass(slots=True)
class _Delivery:
    outbox: Outbox
    vms: Vms
    pool: ThreadPoolExecutor
    report: Callable[[str, int, int], None]
    states: dict[str, State] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    is_stopped: bool = False

    def deliver(self, entries: Sequence[Entry]) -> None:
        self.states |= {entry.id: entry.state for entry in entries}
        done = 0
        for chunk in chunks(entries, size=CHUNK):
            if self.is_stopped:
                return
            self._deliver_chunk(chunk)
            done += len(chunk)
            self.report("acknowledgements to the VMS", done, len(entries))

    def result(self) -> Delivered:
        counts = Counter(self.states.values())
        return Delivered(
            sent=counts[State.SENT],
            failed=counts[State.FAILED],
            unknown=counts[State.UNKNOWN],
            waiting=counts[State.TODO],
            problems=tuple(dict.fromkeys(self.problems)),
        )

    def _deliver_chunk(self, entries: Sequence[Entry]) -> None:
        try:
            statuses = self._read_statuses([entry.document_key for entry in entries])
        except LOOK_UP_ERRORS as error:
            self.is_stopped = True
            self.problems.append(str(error))
            return
        plans = [(entry, _plan(entry, statuses.get(entry.document_key))) for entry in entries]
        moved = [entry for entry, moves in plans if moves and moves[-1].error_code == MOVED]
        breaks = [_break(entry, statuses.get(entry.document_key)) for entry in moved]
        self._apply([move for _, moves in plans for move in moves], opens=breaks)
        calls = [entry for entry, moves in plans if moves and moves[-1].to is State.SENDING]
        outcomes = list(self.pool.map(self._acknowledge, calls))
        closes = [(BREAK, entry.natural_key) for entry in calls if entry.error_code == MOVED]
        self._apply([outcome.move for outcome in outcomes], closes=closes)
        if outcomes and not any(outcome.is_answered for outcome in outcomes):
            self.is_stopped = True

    def _read_statuses(self, keys: Sequence[int | None]) -> dict[int | None, str | None]:
        pages = self.pool.map(self._find, chunks(keys, size=KEYS))
        return {document["key"]: _status(document) for document in chain.from_iterable(pages)}

    def _find(self, keys: Sequence[int | None]) -> Sequence[Node]:
        wanted = f"key(IN)({','.join(str(key) for key in keys)})"
        return self.vms.find("Document", filters=[wanted], fields=["key", "invoicingStatus.statusTypeCode"])

    def _acknowledge(self, entry: Entry) -> _Outcome:
        """Write one status; runs in a thread of the pool, and touches nothing but the VMS."""
        try:
            document = self.vms.put("Document", int(entry.natural_key), BODY)
        except Refused as refusal:
            told = f"{subject(entry)}: the VMS refused to set it to posted: {refusal}"
            return _Outcome(Move(entry.id, State.FAILED, told, error_code="refused"), is_answered=True)
        except WireError as error:
            told = f"{subject(entry)}: {error}"
            self.problems.append(told)
            return _Outcome(Move(entry.id, State.UNKNOWN if error.sent else State.TODO, told), is_answered=False)
        # The answer may show the status as a stub without its code (dataloy.md 1.3): then the 200 has to do.
        status = _status(document)
        if status not in {POSTED, None}:
            told = f"{subject(entry)}: the VMS answered that its status is {status}"
            return _Outcome(Move(entry.id, State.UNKNOWN, told), is_answered=True)
        return _Outcome(Move(entry.id, State.SENT), is_answered=True)

    def _apply(
        self, moves: Sequence[Move], *, opens: Sequence[Break] = (), closes: Sequence[tuple[str, str]] = ()
    ) -> None:
        self.outbox.apply(moves, opens=opens, closes=closes)
        self.states |= {move.intent: move.to for move in moves}


def _plan(entry: Entry, status: str | None) -> list[Move]:
    """Decide by the status the VMS has now: begin the call, take an earlier call of ours as done, or fail."""
    if status == POSTED and entry.state is State.UNKNOWN:
        return [Move(entry.id, State.SENT, "posted already: our earlier call has done it")]
    has_moved = status != READY
    if has_moved and entry.error_code == MOVED:
        return []
    reason = {State.UNKNOWN: f"looked up in the VMS: still {READY}", State.FAILED: "tried again"}.get(entry.state)
    start = [Move(entry.id, State.TODO, reason)] if reason and (entry.state is State.FAILED or not has_moved) else []
    if has_moved:
        return [*start, Move(entry.id, State.FAILED, _moved_message(entry, status), error_code=MOVED)]
    return [*start, Move(entry.id, State.SENDING)]


def _moved_message(entry: Entry, status: str | None) -> str:
    now = f"has status {status}" if status else "is gone, or not readable for us,"
    return f"{subject(entry)} {now} in the VMS, though it was {READY} when its voucher was sent."


def _break(entry: Entry, status: str | None) -> Break:
    return Break(
        BREAK,
        entry.natural_key,
        _moved_message(entry, status),
        "find out in the VMS who moved it; the voucher is in the ledger and stays there.",
        company=entry.company_code,
        document_key=entry.document_key,
        document_no=entry.document_no,
        figures={"status": status},
    )


def _status(document: Node) -> str | None:
    status = document.get("invoicingStatus")
    return status.get("statusTypeCode") if isinstance(status, dict) else status
