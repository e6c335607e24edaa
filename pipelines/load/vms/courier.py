"""Carries intents to the VMS: looked up first, begun on disk, written in parallel, settled by what each answer proves.

A write is done when its answer names the object and what was just written. Any other answer proves nothing, and the
object is looked up. Objects go in chunks, so that the store costs two writes to disk for 200 of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from pipelines.core.errors import Refused, Unclear, WireError
from pipelines.load.delivery import Delivery, DeliveryResult, LookUp
from pipelines.load.look_up import Node, chunks
from pipelines.outbox.entry import Entry, Move
from pipelines.outbox.states import State
from pipelines.wire.written import written_key

if TYPE_CHECKING:
    from pipelines.wire.vms import VmsClient

# What a killed process may leave in flight, to be looked up by the next run: at most so many objects.
CHUNK = 200
REFUSED = "refused"


class Outcome(NamedTuple):
    """What one write came to: the move that follows, and whether the VMS answered at all."""

    move: Move
    is_answered: bool


class Written(NamedTuple):
    """The answer to one write, and the key of the object that it was to change, None for a new one."""

    answer: Node
    key: int | None = None


@dataclass(slots=True)
class VmsCourier:
    """Sends a delivery to the VMS; an entry whose look-up has a ``key`` changes that object, any other creates one.

    ``shows`` tells whether an answer (second) shows what a body (first) has just written.
    """

    delivery: Delivery
    vms: VmsClient
    entity: str
    pool: ThreadPoolExecutor
    look_up: LookUp
    shows: Callable[[Node, Node], bool]
    # How one object is written, where it is not as above: gives the answer, raises WireError.
    write: Callable[[Entry, Node], Written] | None = None

    def deliver(self, *, is_due: Callable[[Entry], bool] = lambda _: True) -> DeliveryResult:
        """Deliver what is `todo` or `unknown` and due; one object that is refused never stops another."""
        return self.delivery.in_rounds([State.TODO, State.UNKNOWN], self._send_wanted, is_due=is_due)

    def _send_wanted(self, entries: Sequence[Entry]) -> None:
        self._send_all(self.delivery.looked_up(self.delivery.without_unwanted(entries), self.look_up))
        # At once: an answer has come, so what was done of it is mostly there by now. What is not found is looked up
        # once more when the call must be over.
        self.delivery.looked_up(self.delivery.unclear(), self.look_up)

    def _send_all(self, entries: Sequence[Entry]) -> None:
        done = 0
        for chunk in chunks(entries, size=CHUNK):
            # The order protects "nothing twice": on disk as begun, then written, then settled.
            self.delivery.outbox.begin([entry.id for entry in chunk])
            payloads = self.delivery.outbox.payloads([entry.id for entry in chunk])
            outcomes = list(self.pool.map(self._call, chunk, [cast("Node", payloads[entry.id]) for entry in chunk]))
            self.delivery.apply([outcome.move for outcome in outcomes])
            done += len(chunk)
            self.delivery.report(f"{self.delivery.cargo.kind}s to the VMS", done, len(entries))
            # The VMS is down: the rest stays `todo` and has not been begun.
            if not any(outcome.is_answered for outcome in outcomes):
                return

    def _call(self, entry: Entry, body: Node) -> Outcome:
        """Write one object; runs in a thread of the pool, and touches nothing but the VMS."""
        try:
            key = self._proved_key((self.write or self._write)(entry, body), body)
        except Refused as refusal:
            message = f"{entry.label}: {refusal} Next: correct what the VMS names; the next run tries again."
            return Outcome(Move(entry.id, State.FAILED, message, error_code=REFUSED), is_answered=True)
        except Unclear as error:
            return Outcome(self.delivery.unclear_move(entry, error), is_answered=True)
        except WireError as error:
            self.delivery.problems.append(str(error))
            # Only what certainly never left may go again without a look-up.
            return Outcome(Move(entry.id, State.UNKNOWN if error.sent else State.TODO, str(error)), is_answered=False)
        return Outcome(Move(entry.id, State.SENT, remote_ids={"key": key}), is_answered=True)

    def _proved_key(self, written: Written, body: Node) -> int:
        key = written_key(written.answer, key=written.key)
        if not self.shows(body, written.answer):
            raise Unclear(f"The VMS's answer names the object {key}, and does not show what was written.")
        return key

    def _write(self, entry: Entry, body: Node) -> Written:
        key = entry.look_up.get("key")
        if isinstance(key, int):
            return Written(self.vms.put(self.entity, key, body), key)
        return Written(self.vms.post(self.entity, body))
