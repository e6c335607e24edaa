"""Whatever answers get lost and wherever it crashes, each voucher is in the ledger once, and each move on record."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.core.errors import Terminal
from pipelines.load.ledger.vouchers import deliver_vouchers
from pipelines.outbox.chain import verify_chain
from pipelines.outbox.intent import Kind, sha256
from pipelines.stores.control import Control
from pipelines.stores.control_types import ControlConnection
from pipelines.stores.postgres.control import PostgresControl
from pipelines.wire.query import Reading
from pipelines.wire.upload import Upload
from tests.support.control_stores import new_schema
from tests.support.delivery_world import (
    EVERY_KEY,
    Clock,
    FakeLedger,
    FakeVms,
    Node,
    World,
    make_settings,
    make_warehouse,
    unanswered,
    voucher,
)

MISSING = ("project", "nowhere")
LATE = 50.0
SETTINGS = {
    has_files: make_settings(ledger={"nodes_per_mutation": 8}, posting={"attachments": has_files})
    for has_files in (False, True)
}
# Delivery only reads it, so one does for all examples.
WAREHOUSE = make_warehouse()


class Crash(BaseException):
    """The process is killed here."""


class Fragile(Control):
    """A control store that a kill can hit before or after any of its transactions."""

    crash_in = -1
    is_after = False

    @contextmanager
    def write(self, within: ControlConnection | None = None) -> Iterator[ControlConnection]:
        self.crash_in -= 1
        if self.crash_in == 0 and not self.is_after:
            raise Crash
        with super().write(within) as connection:
            yield connection
        if self.crash_in == 0 and self.is_after:
            raise Crash


class FragileFile(Fragile):
    """In a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        # What a power cut would lose is not the question here, and a thousand flushes take their time.
        self._connection.execute("PRAGMA synchronous = OFF")


class FragileSchema(Fragile, PostgresControl):
    """In PostgreSQL."""


@contextmanager
def fragile(kind: str) -> Iterator[Fragile]:
    """Yield a new store of a kind."""
    with tempfile.TemporaryDirectory() as folder:
        opened = FragileFile(Path(folder) / "ctl.sqlite") if kind == "sqlite" else FragileSchema(new_schema())
        with closing(opened):
            yield opened


@dataclass(slots=True)
class FateLedger(FakeLedger):
    """Deals out what happens to each call, and notes what was asked and what may have been carried out."""

    clock: Clock = field(default_factory=Clock)
    fates: list[str] = field(default_factory=list)
    due: list[tuple[datetime, str, list[Node]]] = field(default_factory=list)
    story: list[tuple[str, frozenset[int]]] = field(default_factory=list)

    def read(self, readings: Sequence[Reading]) -> list[Iterator[bytes]]:
        self.catch_up()
        for reading in readings:
            if reading.connection == "glImportItems":
                keys = cast("list[int]", (reading.filter or {})["trRegNumber_in"])
                self.story.append(("asked", frozenset(keys)))
        return FakeLedger.read(self, readings)

    def catch_up(self) -> None:
        """Carry out the calls that were late and are due by now."""
        for call in [call for call in self.due if call[0] <= self.clock.at]:
            self.due.remove(call)
            _, name, nodes = call
            for node in () if any(self.complaint(node) for node in nodes) else nodes:
                self.add(name, node)

    def mutate(self, name: str, inputs: Sequence[Mapping[str, object]], uploads: Sequence[Upload] = ()) -> list[Node]:
        fate = self.fates.pop(0) if self.fates else "answered"
        nodes = [cast("Node", item["node"]) for item in inputs]
        keys = frozenset(node["trRegNumber"] for node in nodes)
        if fate == "limit":
            raise unanswered(sent=False)
        if fate in {"lost", "unreadable", "killed before", "late", "killed late"}:
            self.story.append(("sent", keys))
        if fate in {"late", "killed late"}:
            self.due.append((self.clock.at + timedelta(seconds=LATE), name, nodes))
        if fate in {"lost", "late"}:
            raise unanswered()
        if fate in {"killed before", "killed late"}:
            raise Crash
        edges = FakeLedger.mutate(self, name, inputs, uploads)
        if fate != "unreadable":
            self.story.append(("sent", keys))
        if fate == "answer lost":
            raise unanswered()
        if fate == "unreadable":
            raise Terminal("The ledger's answer is no GraphQL.")
        if fate == "killed after":
            raise Crash
        return edges[:-1] if fate == "id lost" else edges


FATES = st.sampled_from([
    "answered", "lost", "late", "answer lost", "unreadable", "limit", "id lost",
    "killed before", "killed late", "killed after",
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the batch: what happens to its calls, where it is killed, and how long until the next."""

    fates: list[str]
    crash_in: int
    is_after: bool
    pause: float


RUNS = st.lists(
    st.builds(
        Run, st.lists(FATES, max_size=4), st.integers(-1, 8), st.booleans(), st.sampled_from([0.0, 1.0, 45.0, 3600.0])
    ),
    min_size=1,
    max_size=4,
)


def run(world: World, ledger: FateLedger, control: Fragile, plan: Run) -> None:
    ledger.fates = list(plan.fates)
    control.crash_in, control.is_after = plan.crash_in, plan.is_after
    try:
        deliver_vouchers(world.context(), ready=EVERY_KEY, sleep=world.clock.sleep)
    except Crash:
        pass
    finally:
        control.crash_in = -1
        world.clock.sleep(plan.pause)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.system)])
@settings(max_examples=100)
@given(
    sizes=st.lists(st.integers(2, 6), min_size=1, max_size=6),
    bad=st.sets(st.integers(1, 6), max_size=2),
    files=st.sets(st.integers(1, 6)),
    owners=st.lists(st.sampled_from([28601, 28602]), min_size=6, max_size=6),
    runs=RUNS,
)
def test_each_voucher_arrives_once(
    *, kind: str, sizes: list[int], bad: set[int], files: set[int], owners: list[int], runs: list[Run]
) -> None:
    with fragile(kind) as control:
        clock = Clock()
        ledger = FateLedger(clock=clock, missing={MISSING})
        vms, chosen = FakeVms(files=files), SETTINGS[bool(files)]
        world = World(control.place, ledger, vms, clock, chosen, WAREHOUSE, open_control=lambda _: control)
        vouchers = [
            voucher(key, lines=size, owner=owners[key - 1], references=dict([MISSING]) if key in bad else None)
            for key, size in enumerate(sizes, start=1)
        ]
        world.outbox().store_intents(vouchers)
        for plan in (*runs, Run([], -1, is_after=False, pause=0.0)):
            run(world, ledger, control, plan)

        world.clock.sleep(LATE)
        ledger.catch_up()
        good = {key: size for key, size in enumerate(sizes, start=1) if key not in bad}
        assert ledger.vouchers() == {key: list(range(1, size + 1)) for key, size in good.items()}
        assert world.states() == {str(key): "sent" if key in good else "failed" for key in range(1, len(sizes) + 1)}
        assert set(world.states(Kind.ACKNOWLEDGEMENT)) == {str(key) for key in good}
        assert verify_chain(control) == []
        assert_never_sent_blindly(ledger.story)
        assert_files_are_on_record(world, ledger, files)


def assert_files_are_on_record(world: World, ledger: FateLedger, files: set[int]) -> None:
    """The outbox says of each voucher in the ledger which file went with it, and none has the file of another."""
    for node in ledger.rows.get("glImportItems", []):
        key = node["trRegNumber"]
        payload = cast("list[Node]", world.outbox().payloads([voucher(key).id])[voucher(key).id])
        kept = payload[node["trItemNumber"] - 1].get("file")
        assert node.get("invoiceFile") == (kept["name"] if kept else None)
        assert kept is None or (key in files and kept["sha256"] == sha256(f"%PDF-1.7 of {key}"))
        # Only after two calls without an answer does it go without its file.
        is_control = node["trItemNumber"] == 1
        attempts = world.control.one("SELECT attempts FROM outbox WHERE id = ?", (voucher(key).id,)) or 0
        assert kept is not None or not is_control or key not in files or attempts > 1


def assert_never_sent_blindly(story: Sequence[tuple[str, frozenset[int]]]) -> None:
    """Between two sends of a voucher that may both have been carried out stands a look-up."""
    open_keys: set[int] = set()
    for what, keys in story:
        if what == "asked":
            open_keys -= keys
        else:
            assert not open_keys & keys
            open_keys |= keys
