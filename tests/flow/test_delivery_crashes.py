"""Killed at any call between the first voucher and the last acknowledgement, and started again: each arrives once."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipelines.core.control_place import Place
from pipelines.outbox.chain import verify_chain
from pipelines.outbox.intent import Kind
from pipelines.stores.opening import open_store
from tests.support.control_stores import new_place
from tests.support.delivery_flow import (
    Batch,
    Clients,
    booked,
    imported,
    puts,
    read_entities,
    settings_for,
    states,
    statuses,
)
from tests.support.delivery_seed import NO_LIMITS, seed
from tests.support.delivery_world import voucher
from tests.support.sandbox_server import Sandbox, sandbox_process

VOUCHERS = 6
LINES = 2
NODES_PER_MUTATION = 4


class Point(NamedTuple):
    """A kill before or after the n-th call to one side."""

    side: str
    call: int
    is_after: bool


# One look-up and three mutations; one look at the statuses and six writes: every call there is, before and after.
POINTS = [
    Point(side, call, is_after)
    for side, calls in (("ledger", 4), ("vms", 7))
    for call in range(1, calls + 1)
    for is_after in (False, True)
]


@dataclass(slots=True)
class Deadly:
    """A client in whose n-th call the process is killed, before it is passed on or after it was answered."""

    client: Any
    call: int
    is_after: bool
    lock: Any
    calls: int = 0

    def _passed_on(self, name: str, *arguments: object, **named: object) -> object:
        with self.lock:
            self.calls += 1
            is_last = self.calls == self.call
        if is_last and not self.is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = getattr(self.client, name)(*arguments, **named)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    def read(self, readings: Sequence[object]) -> object:
        return self._passed_on("read", readings)

    def mutate(self, name: str, inputs: Sequence[object], uploads: Sequence[object] = ()) -> object:
        return self._passed_on("mutate", name, inputs, uploads)

    def find(self, entity: str, **named: object) -> object:
        return self._passed_on("find", entity, **named)

    def put(self, entity: str, key: int, body: object) -> object:
        return self._passed_on("put", entity, key, body)


def keys_of(place: int) -> range:
    return range(100 * (place + 1), 100 * (place + 1) + VOUCHERS)


@pytest.fixture
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("sandbox")
    keys = [key for place in range(len(POINTS)) for key in keys_of(place)]
    with sandbox_process(folder, seed(folder / "seed", keys=keys)) as sandbox:
        sandbox.control("POST", "ledger/settings", NO_LIMITS)
        yield sandbox


def in_a_fork(work: Callable[[], None]) -> int:
    """Run in a child with everything imported already; give its exit status, negative for a signal."""
    with warnings.catch_warnings():
        # Later Pythons warn of forks beside threads; the test runner's own threads hold nothing the child needs.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 whatever it was, the child must not go on as a second test runner
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def deliver(clients: Clients, entities: Mapping[int, int], control: Place, keys: range, point: Point | None) -> None:
    batch = Batch(clients, control, entities)
    if point is not None:
        deadly = Deadly(getattr(batch, point.side), point.call, point.is_after, threading.Lock())
        setattr(batch, point.side, deadly)
    batch.store(voucher(key, lines=LINES) for key in keys)
    batch.deliver()
    batch.close()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.system)])
def test_a_kill_at_any_call_loses_and_doubles_nothing(sandbox: Sandbox, tmp_path: Path, kind: str) -> None:
    assert len(POINTS) >= 20
    settings = settings_for(
        sandbox, SPRINGLINE_LEDGER__NODES_PER_MUTATION=str(NODES_PER_MUTATION), SPRINGLINE_VMS__WORKERS="1"
    )
    # Connections are made in the children: a fork must not share one.
    opened, clients = Clients(settings), Clients(settings)
    entities = read_entities(opened.ledger)
    everything = [key for place in range(len(POINTS)) for key in keys_of(place)]
    for place, point in enumerate(POINTS):
        control, keys = new_place(kind, tmp_path), keys_of(place)
        assert in_a_fork(partial(deliver, clients, entities, control, keys, point)) == -signal.SIGKILL, point
        assert in_a_fork(partial(deliver, clients, entities, control, keys, None)) == 0, point
        after = open_store(control)
        assert states(after, Kind.VOUCHER) == dict.fromkeys(keys, "sent"), point
        assert states(after, Kind.ACKNOWLEDGEMENT) == dict.fromkeys(keys, "sent"), point
        assert verify_chain(after) == []
        after.close()
    opened.close()
    clients.close()
    assert imported(sandbox) == {key: list(range(1, LINES + 1)) for key in everything}
    assert booked(sandbox) == everything
    assert set(statuses(sandbox, everything).values()) == {"POS"}
    assert puts(sandbox) == len(everything)
