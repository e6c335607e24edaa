"""Carries intents to the VMS: looked up first, begun on disk, written in parallel, settled by what each answer proves.

Objects go in chunks, so that the store costs two writes to disk for 200 of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from pipelines.core.errors import Refused, WireError
from pipelines.load.delivery import Delivery, DeliveryResult, LookUp
from pipelines.load.look_up import Node, chunks
from pipelines.outbox.entry import Entry, Move
from pipelines.outbox.intent import Json
from pipelines.outbox.states import State

if TYPE_CHECKING:
    from pipelines.wire.vms import VmsClient

# What a killed process may leave in flight, to be looked up by the next run: at most so many objects.
CHUNK = 200
REFUSED = "refused"


class Outcome(NamedTuple):
    """What one write came to: the move that follows, and whether the VMS answered at all."""

    move: Move
    is_answered: bool


@dataclass(slots=True)
class VmsCourier:
    """Sends a delivery to the VMS; an entry whose look-up has a ``key`` changes that object, any other creates one."""

    delivery: Delivery
    vms: VmsClient
    entity: str
    pool: ThreadPoolExecutor
    look_up: LookUp
    # How one object is written, where it is not as above: gives the answer, raises WireError.
    write: Callable[[Entry, Node], Node] | None = None

    def deliver(self, *, is_due: Callable[[Entry], bool] = lambda _: True) -> DeliveryResult:
        """Deliver what is `todo` or `unknown` and due; one object that is refused never stops another."""
        return self.delivery.in_rounds([State.TODO, State.UNKNOWN], self._send_wanted, is_due=is_due)

    def _send_wanted(self, entries: Sequence[Entry]) -> None:
        self._send_all(self.delivery.looked_up(self.delivery.without_unwanted(entries), self.look_up))

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
        key = entry.look_up.get("key")
        try:
            answer = (self.write or self._write)(entry, body)
        except Refused as refusal:
            message = f"{entry.label}: {refusal} Next: correct what the VMS names; the next run tries again."
            return Outcome(Move(entry.id, State.FAILED, message, error_code=REFUSED), is_answered=True)
        except WireError as error:
            self.delivery.problems.append(str(error))
            # Only what certainly never left may go again without a look-up.
            return Outcome(Move(entry.id, State.UNKNOWN if error.sent else State.TODO, str(error)), is_answered=False)
        written = answer.get("key", key)
        ids: Json = None if written is None else {"key": written}
        return Outcome(Move(entry.id, State.SENT, remote_ids=ids), is_answered=True)

    def _write(self, entry: Entry, body: Node) -> Node:
        key = entry.look_up.get("key")
        return self.vms.put(self.entity, key, body) if isinstance(key, int) else self.vms.post(self.entity, body)
