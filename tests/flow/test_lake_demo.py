"""The demonstration on three addresses, its data in a bucket: readers find what they find on files."""

# ruff: noqa: S608 - the tables' own names

from __future__ import annotations

import os
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.core.literals import literal
from pipelines.core.table_ref import quote
from pipelines.demo.play import DemoResult, run_demo
from pipelines.publish.edition.parts import PublishedTable, tables_of
from pipelines.stores.lake.attach import LAKE, READERS
from tests.flow.test_control_postgres import plain
from tests.support.lake import lake_open, running_s3, three_addresses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import duckdb

pytestmark = pytest.mark.lake

# Of the moment, beside all columns that are times: ids, and what is made of either. The VMS gives keys away in the
# order in which a pool of threads writes.
OF_THE_MOMENT = re.compile(
    r"at|.*_at|since|until|batch_id|hash|previous_hash|.*_hash|summary|remote_ids|event_no|break_id|hold_id|"
    r"rejected_id|fetch_id|.*db_id|.*_id|.*_key|writer|duration.*|seconds"
)


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("addresses")
    with running_s3(folder) as bucket:
        chosen = three_addresses(folder) | bucket
        yield {name: value for name, value in chosen.items() if name != "SPRINGLINE_PUBLISHED"}


def demonstrated(folder: Path, stores: Mapping[str, str]) -> DemoResult:
    return run_demo(folder, environ=os.environ, now=lambda: datetime.now(UTC), stores=stores)


@pytest.fixture(scope="module")
def both(addresses: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[DemoResult, DemoResult]:
    """The demonstration on files, and on three addresses."""
    folder = tmp_path_factory.mktemp("demo")
    there = addresses | {"SPRINGLINE_SCRATCH": str(folder / "lake" / "springline.duckdb")}
    return demonstrated(folder / "files", {}), demonstrated(folder / "lake", there)


def test_it_ends_alike(both: tuple[DemoResult, DemoResult]) -> None:
    files, lake = both
    assert (files.exit_code, files.differences) == (lake.exit_code, lake.differences) == (0, ())
    assert [run["exit_code"] for run in files.runs] == [run["exit_code"] for run in lake.runs]
    assert [run["jobs"] for run in files.runs] == [run["jobs"] for run in lake.runs]
    assert [run["problems"] for run in lake.runs] == [run["problems"] for run in files.runs]


def rows(connection: duckdb.DuckDBPyConnection, table: PublishedTable, database: str) -> Counter[tuple[object, ...]]:
    kept = (name for name, kind in table.columns.items() if not (kind == "TIMESTAMP" or OF_THE_MOMENT.fullmatch(name)))
    columns = ", ".join(map(quote, kept))
    if not columns:
        return Counter(connection.execute(f"SELECT count(*) FROM {database}.{table.ref.quoted}").fetchall())
    found = connection.execute(f"SELECT {columns} FROM {database}.{table.ref.quoted}").fetchall()
    return Counter(tuple(plain(value) if isinstance(value, str) else value for value in row) for row in found)


def test_readers_find_the_same_rows(both: tuple[DemoResult, DemoResult], addresses: dict[str, str]) -> None:
    file = both[0].folder / "published" / "springline.duckdb"
    with lake_open(addresses, name=READERS) as lake:
        lake.execute(f"ATTACH {literal(file)} AS files (READ_ONLY)")
        ours, theirs = ([t for t in tables_of(lake, name) if t.ref.schema != "main"] for name in ("files", LAKE))
        assert ours == theirs
        assert sum(rows(lake, table, LAKE).total() for table in theirs) > 10_000
        different = {
            str(table.ref): [*(one - other).items(), *(other - one).items()][:4]
            for table in ours
            if (one := rows(lake, table, "files")) != (other := rows(lake, table, LAKE))
        }
        assert different == {}


def test_the_key_of_the_bucket_stands_nowhere(both: tuple[DemoResult, DemoResult], addresses: dict[str, str]) -> None:
    secret = addresses["SPRINGLINE_LAKE__SECRET_KEY"].encode()
    folder = both[1].folder
    # The commands that a demonstration leaves sign in by themselves: its systems are its own.
    with_it = {path.name for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()}
    assert with_it == {"springline"}
