"""Carries intents to the VMS: looked up first, begun on disk, written in parallel, settled by what each answer proves.

Objects go in chunks, so that the store costs two writes to disk for 200 of them. A call without a reliable answer
leaves its intent `unknown` until a look-up has found the object, or has proved that it is not there, which it cannot
before the call must be over on the other side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, Protocol, cast

from pipelines.core.errors import Refused, WireError
from pipelines.load.delivered import Delivered
from pipelines.load.delivery import VMS, Cargo, Delivery
from pipelines.load.finding import Finding
from pipelines.load.names import title
from pipelines.load.ports import Node, Vms, chunks
from pipelines.outbox.intent import Json, Kind
from pipelines.outbox.states import State
from pipelines.outbox.store import Entry, Move

CHUNK = 200
REFUSED = "refused"


class VmsWriter(Vms, Protocol):
    """What a delivery of new objects needs of the VMS besides."""

    def post(self, entity: str, body: Mapping[str, object]) -> Node:
        """Create an object and return it."""
        ...


def vms_cargo(
    kind: Kind,
    look_up: Callable[[Sequence[Entry]], Mapping[str, Finding]],
    is_wanted: Callable[[Entry], bool],
    breaks: Mapping[str, str],
) -> Cargo:
    """Declare one kind of intent that goes to the VMS."""
    return Cargo(kind, VMS, look_up, is_wanted, lambda entry: entry.natural_key, _withdrawn, breaks=breaks)


class _Outcome(NamedTuple):
    move: Move
    is_answered: bool


@dataclass(slots=True)
class VmsCourier:
    """Sends a delivery to the VMS; an entry whose look-up has a ``key`` changes that object, any other creates one."""

    delivery: Delivery
    vms: VmsWriter
    entity: str
    pool: ThreadPoolExecutor

    def deliver(self, *, is_due: Callable[[Entry], bool] = lambda _: True) -> Delivered:
        """Deliver what is `todo` or `unknown` and due; one object that is refused never stops another."""
        return self.delivery.in_rounds([State.TODO, State.UNKNOWN], self._send_wanted, is_due=is_due)

    def _send_wanted(self, entries: Sequence[Entry]) -> None:
        self._send_all(self.delivery.looked_up(self.delivery.without_unwanted(entries)))

    def _send_all(self, entries: Sequence[Entry]) -> None:
        done = 0
        for chunk in chunks(entries, size=CHUNK):
            self.delivery.outbox.begin([entry.id for entry in chunk])
            payloads = self.delivery.outbox.payloads([entry.id for entry in chunk])
            outcomes = list(self.pool.map(self._write, chunk, [cast("Node", payloads[entry.id]) for entry in chunk]))
            self.delivery.apply([outcome.move for outcome in outcomes])
            done += len(chunk)
            self.delivery.report(f"{self.delivery.cargo.kind}s to the VMS", done, len(entries))
            if not any(outcome.is_answered for outcome in outcomes):
                return

    def _write(self, entry: Entry, body: Node) -> _Outcome:
        """Write one object; runs in a thread of the pool, and touches nothing but the VMS."""
        key = entry.look_up.get("key")
        try:
            answer = self.vms.put(self.entity, key, body) if isinstance(key, int) else self.vms.post(self.entity, body)
        except Refused as refusal:
            told = f"{title(entry)}: {refusal} Next: correct what the VMS names; the next run tries again."
            return _Outcome(Move(entry.id, State.FAILED, told, error_code=REFUSED), is_answered=True)
        except WireError as error:
            self.delivery.problems.append(str(error))
            return _Outcome(Move(entry.id, State.UNKNOWN if error.sent else State.TODO, str(error)), is_answered=False)
        written = answer.get("key", key)
        ids: Json = None if written is None else {"key": written}
        return _Outcome(Move(entry.id, State.SENT, remote_ids=ids), is_answered=True)


def _withdrawn(entry: Entry) -> str:
    return f"{title(entry)} is not wanted any more: what it was made from has changed. Nothing of it is in the VMS."
