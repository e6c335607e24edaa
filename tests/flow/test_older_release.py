"""The stores of release 0.1.0 go on in this release: nothing is lost, nothing is sent twice, decisions stand."""

from __future__ import annotations

import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.batch.run import BatchResult
from pipelines.outbox.chain import verify_chain
from tests.flow.world import Row, World
from tests.support.sandbox_server import SAMPLE, sandbox_process

pytestmark = pytest.mark.system

OLD = Path(__file__).parents[1] / "data" / "release_0_1_0" / "stores.tar.xz"
SENT, CHANGED, UNKNOWN = ("2706035", "2706036", "2706037"), "2706036", "2706040"
HELD = {("2708004", "external_document_no_missing"), ("2706038", "held_by_person")}
DECIDED = ("holds", "ignored", "decisions", "breaks", "break_decisions", "outbox", "outbox_events")


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What the present release said and did, with the stores as they were before beside it."""

    world: World
    before: dict[str, list[tuple[Any, ...]]]
    status: Row
    rewritten: dict[str, list[tuple[Any, ...]]]
    batch: BatchResult
    requests: dict[str, int]


def content(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(path)) as store:
        return {table: store.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in DECIDED}  # noqa: S608


@pytest.fixture(scope="module")
def upgrade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgrade]:
    folder = tmp_path_factory.mktemp("upgrade")
    with tarfile.open(OLD) as archive:
        archive.extractall(folder, filter="data")
    control = folder / "stores" / "springline.ctl.sqlite"
    before = content(control)
    with sandbox_process(folder, SAMPLE) as sandbox:
        own = {"SPRINGLINE_WAREHOUSE": str(folder / "stores" / "springline.duckdb"), "SPRINGLINE_OPERATOR": "kari"}
        own |= {"SPRINGLINE_PUBLISHED": str(folder / "stores" / "published")}
        own |= {"SPRINGLINE_LEDGER__BURST_REQUESTS": "10000"}
        world = World(folder / "stores", sandbox, {**sandbox.env, **own})
        status = world.command("status", "--json").json()
        rewritten = content(control)
        world.requests()
        batch = world.run("master-data", "documents", "reconcile")
        yield Upgrade(world, before, status, rewritten, batch, world.requests()["ledger"])


def test_the_first_command_migrates_and_keeps_a_copy(upgrade: Upgrade) -> None:
    [copy] = upgrade.world.folder.glob("springline.ctl.sqlite.version-1.*")
    assert content(copy) == upgrade.before
    with closing(sqlite3.connect(copy)) as store:
        assert store.execute("PRAGMA user_version").fetchall() == [(0,)]


def test_migrating_leaves_every_row(upgrade: Upgrade) -> None:
    for table, rows in upgrade.before.items():
        assert [row[: len(rows[0])] for row in upgrade.rewritten[table]] == rows, table
    assert {(row["document_no"], row["rule"]) for row in upgrade.status["held"]} == HELD
    assert [row["document_no"] for row in upgrade.status["ignored"]] == ["2706039"]
    assert [row["document_no"] for row in upgrade.status["undelivered"]] == [UNKNOWN]


def test_nothing_is_sent_twice(upgrade: Upgrade) -> None:
    assert upgrade.batch.exit_code == 14
    assert not [name for name in upgrade.requests if name.startswith("POST add")]
    vouchers = upgrade.world.rows("SELECT document_no, state FROM outbox WHERE kind = 'voucher' ORDER BY 1")
    assert vouchers == [(number, "sent") for number in (*SENT, UNKNOWN)]
    assert set(upgrade.world.booked().values()) == {1}
    assert {number: status for number, status in upgrade.world.statuses().items() if status == "POS"} == dict.fromkeys(
        (*SENT, UNKNOWN), "POS"
    )


def test_what_people_decided_stands(upgrade: Upgrade) -> None:
    held = "SELECT document_no, rule FROM holds WHERE until IS NULL"
    assert set(upgrade.world.rows(held)) == HELD
    accepted = "SELECT document_no, accepted_by, until FROM breaks WHERE accepted_hash = figures_hash"
    assert upgrade.world.rows(accepted) == [(CHANGED, "kari", None)]


def test_the_chain_goes_on(upgrade: Upgrade) -> None:
    with closing(upgrade.world.control()) as control:
        assert verify_chain(control) == []
        assert control.one("SELECT count(*) FROM outbox_events") > len(upgrade.before["outbox_events"])


def test_without_its_warehouse_it_goes_on_as_well(upgrade: Upgrade) -> None:
    (upgrade.world.folder / "springline.duckdb").unlink()
    upgrade.world.requests()
    assert upgrade.world.run("master-data", "documents", "reconcile").exit_code == 14
    assert not [name for name in upgrade.world.requests()["ledger"] if name.startswith("POST add")]
    assert set(upgrade.world.booked().values()) == {1}
