"""Batches of one tenant in turn on two machines that share a lake: each goes on where the other has ended."""

# ruff: noqa: S608 - the tables' own names

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from pipelines.batch.run import BatchResult, chosen_jobs, run_batch
from pipelines.core.errors import BusyError, SettingsError
from pipelines.core.literals import literal
from pipelines.core.settings import load_settings
from pipelines.core.table_ref import quote
from pipelines.outbox.chain import verify_chain
from pipelines.publish.edition.parts import tables_of as published_tables
from pipelines.stores.lake.attach import LAKE, READERS, WORKING, lake_of
from pipelines.stores.lake.fill import tables_of
from pipelines.stores.opening import open_store
from tests.flow.world import TODAY, World, copies, world
from tests.support.lake import lake_open, own_folder, three_addresses
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.lake

JOBS = ("master-data", "documents", "rates", "payments", "actuals", "reconcile", "publish")
# Ready from the beginning, and made ready one after the other as tests say so.
READY, WAITING = range(6_000_001, 6_000_004), range(6_000_011, 6_000_020)
SMALL_JOBS = ("master-data", "documents")


class Port(NamedTuple):
    """A world whose tenant has three addresses; ``there`` are the variables of another machine."""

    world: World
    there: dict[str, str]

    def run(self, *jobs: str, where: dict[str, str] | None = None) -> BatchResult:
        """Run jobs here or there."""
        return self.world.run(*(jobs or JOBS), **(where or {}))

    def make_ready(self) -> set[int]:
        """Let the next document that waits be ready for posting; give the keys of all that are."""
        statuses = self.world.statuses()
        waiting = [key for key in WAITING if statuses[f"N{key}"] == "INV"]
        self.world.change("Document", waiting[0], invoicingStatus="RFP")
        return {*READY, *WAITING}.difference(waiting[1:])

    def snapshots(self, name: str = WORKING) -> list[tuple[int, str]]:
        """Give the snapshots of a lake that batches have made, with the batch of each."""
        with lake_open(self.world.environ, name=name) as lake:
            return lake.execute(
                f"SELECT snapshot_id, commit_extra_info FROM {LAKE}.snapshots() WHERE author = 'springline' ORDER BY 1"
            ).fetchall()

    def differing(self, where: dict[str, str] | None = None) -> list[str]:
        """Name the tables of which lake and scratch hold other rows, or another shape."""
        file = {**self.world.environ, **(where or {})}["SPRINGLINE_SCRATCH"]
        with lake_open(self.world.environ) as lake:
            lake.execute(f"ATTACH {literal(file)} AS here (READ_ONLY)")
            return different(lake, "here")


def different(connection: duckdb.DuckDBPyConnection, database: str) -> list[str]:
    """Name the tables in which a database and the attached lake differ."""
    ours, theirs = (tables_of(connection, database=name) for name in (database, LAKE))
    assert len(theirs) > 150
    found = [str(ref) for ref in ours.keys() ^ theirs.keys() if ref.name != "reached"]
    for ref in sorted(ours.keys() & theirs.keys()):
        one, other = (f"SELECT * FROM {name}.{quote(ref.schema)}.{quote(ref.name)}" for name in (database, LAKE))
        rows = f"({one} EXCEPT ALL {other}) UNION ALL ({other} EXCEPT ALL {one})"
        if ours[ref].columns != theirs[ref].columns or connection.execute(f"{rows} LIMIT 1").fetchall():
            found.append(str(ref))
    return found


def sent_once(port: Port, keys: set[int]) -> None:
    """Fail unless the ledger's books have each of these once, and the chain of what was sent holds."""
    assert port.world.booked() == dict.fromkeys(sorted(keys), 1)
    assert {number: len(nodes) for number, nodes in port.world.sent().items()} == {f"N{key}": 5 for key in keys}
    control = port.world.control()
    with closing(control):
        assert verify_chain(control) == []
        assert {row["state"] for row in control.read("SELECT DISTINCT state FROM outbox WHERE kind = 'voucher'")} == {
            "sent"
        }


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """The sample world after two days."""
    folder = tmp_path_factory.mktemp("sample")
    with world(folder, {}, is_first_day=True, **three_addresses(folder)) as harbour:
        port = Port(harbour, own_folder(folder / "there"))
        port.run()
        harbour.booked()
        port.run()
        yield port


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """A small world that has had its first batch; each test goes on from where the one before has left it."""
    documents = [
        *copies(len(READY), first_key=READY[0]),
        *copies(len(WAITING), first_key=WAITING[0], invoicingStatus="INV"),
    ]
    folder = tmp_path_factory.mktemp("small")
    with world(folder, {"vms/Document": documents}, is_first_day=True, **three_addresses(folder)) as harbour:
        port = Port(harbour, own_folder(folder / "there"))
        port.run(*SMALL_JOBS)
        yield port


def test_the_lake_holds_what_the_scratch_holds(sample: Port) -> None:
    assert sample.differing() == []


def test_a_batch_is_one_snapshot_that_names_it(sample: Port) -> None:
    batches = [batch for (batch,) in sample.world.rows("SELECT batch_id FROM batches ORDER BY started_at")]
    assert [batch for _, batch in sample.snapshots()] == batches[:2]
    assert [batch for _, batch in sample.snapshots(READERS)] == batches[:2]


def test_readers_find_the_published_tables_with_their_comments(sample: Port) -> None:
    file = Path(sample.world.environ["SPRINGLINE_PUBLISHED"]) / "springline.duckdb"
    with lake_open(sample.world.environ, name=READERS) as lake:
        lake.execute(f"ATTACH {literal(file)} AS edition (READ_ONLY)")
        ours, theirs = (
            [table for table in published_tables(lake, name) if table.ref.schema != "main"]
            for name in ("edition", LAKE)
        )
        assert ours == theirs
        for table in ours:
            one, other = (f"SELECT * FROM {name}.{table.ref.quoted}" for name in ("edition", LAKE))
            assert lake.execute(f"({one} EXCEPT ALL {other}) UNION ALL ({other} EXCEPT ALL {one})").fetchall() == []
        views = lake.execute(
            "SELECT schema_name || '.' || view_name FROM duckdb_views() "
            "WHERE database_name = 'edition' AND NOT internal"
        ).fetchall()
        assert len(views) > 5
        lake.execute(f"USE {LAKE}")
        for (view,) in views:
            assert lake.execute(f"SELECT count(*) FROM {view}").fetchone() is not None
        lake.execute("USE memory")


def test_no_bank_account_is_in_what_readers_get(sample: Port) -> None:
    with lake_open(sample.world.environ) as lake:
        rows = lake.execute(f"SELECT DISTINCT iban FROM {LAKE}.stg_vms.partners WHERE length(iban) > 10").fetchall()
    accounts = {account for (account,) in rows}
    assert accounts
    with lake_open(sample.world.environ, name=READERS) as lake:
        for table in published_tables(lake, LAKE):
            texts = lake.execute(f"SELECT CAST(one AS VARCHAR) FROM {LAKE}.{table.ref.quoted} AS one").fetchall()
            assert not [account for account in accounts for (text,) in texts if account in text], table.ref
        place = lake_of(load_settings(None, environ=sample.world.environ))
        assert place is not None
        schema = place.readers.schema
        kept = lake.execute(
            f"SELECT min_value, max_value FROM __ducklake_metadata_lake.{schema}.ducklake_file_column_stats"
        ).fetchall()
    assert len(kept) > 100
    assert not accounts & {value for values in kept for value in values}


def test_an_idle_batch_leaves_the_lake_as_it_is(sample: Port) -> None:
    sample.run()
    before = sample.snapshots()
    sample.world.requests()
    sample.run("documents")
    assert sample.snapshots() == before
    assert sample.differing() == []


def test_a_batch_elsewhere_goes_on_and_reads_no_more(sample: Port) -> None:
    sample.run("documents")
    sample.world.requests()
    here = sample.run("documents")
    idle = sample.world.requests()
    sent = sample.world.sent()
    there = sample.run("documents", where=sample.there)
    assert sample.world.requests() == idle
    assert (there.exit_code, there.jobs) == (here.exit_code, here.jobs)
    assert sample.world.sent() == sent
    assert sample.differing(sample.there) == []
    # What is published there is of this tenant as well, and so is what is published here afterwards.
    for where in (sample.there, {}):
        assert sample.run(where=where).exit_code == here.exit_code
        assert sample.differing(where) == []
        file = Path({**sample.world.environ, **where}["SPRINGLINE_PUBLISHED"]) / "springline.duckdb"
        with duckdb.connect(str(file), read_only=True) as edition:
            newest = "SELECT max(batch_id) FROM ctl.batches"
            assert edition.execute("SELECT count(*) > 100 FROM rec.documents").fetchall() == [(True,)]
            assert edition.execute(newest).fetchall() == sample.world.rows("SELECT max(batch_id) FROM batches")
    assert sample.world.sent() == sent


def test_a_scratch_that_is_lost_is_filled_again(sample: Port) -> None:
    sample.run("documents")
    sample.world.requests()
    sample.run("documents")
    idle = sample.world.requests()
    Path(sample.world.environ["SPRINGLINE_SCRATCH"]).unlink()
    sample.run("documents")
    assert sample.world.requests() == idle
    assert sample.differing() == []


def test_work_goes_on_in_turn_and_nothing_twice(small: Port) -> None:
    sent_once(small, {*READY})
    ready = small.make_ready()
    small.run(*SMALL_JOBS, where=small.there)
    sent_once(small, ready)
    for where in ({}, small.there):
        small.run(*SMALL_JOBS, where=where)
        assert small.differing(where) == []
    sent_once(small, ready)


# In the transaction; when it is there and nothing is noted of it; when that is noted too, and the batch has no end;
# and before anything of it was written.
MOMENTS = (
    "pipelines.stores.lake.write._make_views",
    "pipelines.stores.lake.write.note_tables",
    "pipelines.batch.run._finish",
    "pipelines.batch.run.hand_on",
)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "there"])
@pytest.mark.parametrize("moment", MOMENTS, ids=lambda name: name.rpartition(".")[2])
def test_a_kill_about_the_lake_loses_and_doubles_nothing(moment: str, elsewhere: bool, small: Port) -> None:  # noqa: FBT001 a parameter
    module, _, name = moment.rpartition(".")
    code = (
        f"import os, signal; import {module} as place; from pipelines.cli.app import main\n"
        f"place.{name} = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\nmain()"
    )
    ready = small.make_ready()
    killed = small.world.start("run", *SMALL_JOBS, code=code)
    killed.communicate(timeout=PATIENCE)
    assert killed.returncode == -signal.SIGKILL
    assert len(small.world.sent()) == len(ready)
    where = small.there if elsewhere else {}
    small.run(*SMALL_JOBS, where=where)
    sent_once(small, ready)
    assert small.differing(where) == []


def test_a_second_batch_from_another_folder_ends_before_it_begins(small: Port) -> None:
    before = small.snapshots()
    with closing(open_store(load_settings(None, environ=small.world.environ).control_place)) as running:
        running.hold_batch()
        small.world.requests()
        with pytest.raises(BusyError, match="Another batch is at work"):
            small.run(where=small.there)
        assert not any(small.world.requests().values())
    assert small.snapshots() == before


def test_a_control_store_that_is_lost_is_refused(small: Port, tmp_path: Path) -> None:
    empty = small.world.environ["SPRINGLINE_CONTROL"].replace("schema=", "schema=lost_")
    with pytest.raises(SettingsError, match=r"is empty, but the lake .* has seen batches"):
        small.run(where={**own_folder(tmp_path), "SPRINGLINE_CONTROL": empty})


def test_what_was_replaced_is_gone_after_its_time(small: Port) -> None:
    def accounts() -> set[str]:
        folder = Path(small.world.environ["SPRINGLINE_DATA"])
        [files] = folder.glob("*/stg_vms/partners")
        read = f"SELECT DISTINCT iban FROM read_parquet({literal(str(files / '*.parquet'))}, union_by_name = true)"
        with duckdb.connect() as connection:
            return {account for (account,) in connection.execute(read).fetchall() if account}

    with lake_open(small.world.environ) as lake:
        key, old = lake.execute(
            f"SELECT partner_key, iban FROM {LAKE}.stg_vms.partners WHERE length(iban) > 10 ORDER BY 1 LIMIT 1"
        ).fetchall()[0]
    new = "NO1520360582800"
    small.world.change("BusinessPartner", key, bankAccount={"iban": new})
    small.run(*SMALL_JOBS)
    assert {old, new} <= accounts()
    settings = load_settings(None, environ=small.world.environ)
    for days in (6, 9):
        run_batch(
            settings,
            jobs=chosen_jobs(["documents"]),
            operator="tester",
            now=lambda days=days: datetime.now(UTC) + timedelta(days=days),  # type: ignore[misc] # bound at once
            today=TODAY,
        )
        assert (old in accounts()) is (days < settings.lake.keep_days)
    assert new in accounts()
    assert small.differing() == []
