"""The published tables as Parquet: a file a month where they grow, only what changed written, never half of one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.core.errors import ModelError
from pipelines.publish.edition import swap, tables
from pipelines.publish.edition.contents import PERIODS, YEARS_AND_MONTHS, control_type
from pipelines.publish.edition.tables import write_tables
from tests.support.patience import PATIENCE
from tests.support.published import Stores, make_stores, start
from tests.support.verified import verified_models

if TYPE_CHECKING:
    from collections.abc import Callable

MONTHS = ["2026-09", "2026-10", "2026-11"]
# Reads the table over and over until told to stop; prints every different answer, and how often there was none.
READER = """
import glob, sys, threading, duckdb
folder = sys.argv[1]
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
answers, missing = set(), 0
print("reading", flush=True)
while not stop.is_set():
    with duckdb.connect() as connection:
        try:
            answers.add(connection.execute(
                f"SELECT count(*), count(DISTINCT edition), min(edition) FROM read_parquet('{folder}/*.parquet')"
            ).fetchone())
        except duckdb.IOException:
            missing += 1
print(repr(sorted(answers)))
"""


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    stores = make_stores(tmp_path)
    yield stores
    stores.warehouse.close()
    stores.control.close()


def publish(stores: Stores) -> list[str]:
    """Publish the file, then the tables that it makes stale."""
    stores.publish()
    return rewrite(stores)


def rewrite(stores: Stores) -> list[str]:
    with duckdb.connect(str(stores.file), read_only=True) as connection:
        return write_tables(connection, stores.published)


def seen(stores: Stores) -> dict[str, tuple[int, int]]:
    """Give every file with what tells whether it was written: its inode and the time of its change."""
    root = stores.published / "tables"
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def rows(stores: Stores, table: str) -> list[tuple[object, ...]]:
    place = stores.published / "tables" / table
    return duckdb.sql(f"FROM read_parquet('{place}/*.parquet')").fetchall()


def months(stores: Stores, table: str) -> list[str]:
    """Give the months of which a table has a file."""
    names = [path.name for path in (stores.published / "tables" / table).iterdir()]
    return sorted(name.split("-", 1)[1][: -len("-0123456789abcdef.parquet")] for name in names)


def test_a_growing_table_has_a_file_a_month(stores: Stores) -> None:
    publish(stores)
    assert months(stores, "rec/documents") == MONTHS
    assert months(stores, "close/breaks") == ["all"]


def test_parquet_holds_what_the_file_holds(stores: Stores) -> None:
    publish(stores)
    told = sorted(rows(stores, "rec/documents"))
    assert told == stores.read("FROM rec.documents ORDER BY document_key")
    assert told[0][1:3] == (Decimal("0.1000"), date(2026, 9, 1))


def test_pandas_reads_decimals_and_months_as_such(stores: Stores) -> None:
    publish(stores)
    frame = pd.read_parquet(stores.published / "tables" / "rec" / "documents", dtype_backend="pyarrow")
    assert frame["amount_vms"].dtype == pd.ArrowDtype(pa.decimal128(38, 4))
    assert frame["period_month"].dtype == pd.ArrowDtype(pa.date32())
    assert frame["amount_vms"].sum() == Decimal("44880.0000")


def test_files_are_zstd_and_say_what_they_hold(stores: Stores) -> None:
    publish(stores)
    file = next((stores.published / "tables" / "rec" / "documents").rglob("*.parquet"))
    metadata = pq.read_metadata(file)
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    told = json.loads(metadata.metadata[b"springline"])
    assert (told["about"], told["columns"]["amount_vms"]) == ("One document.", "its amount_vms")


def test_rows_without_a_month_are_there_too(stores: Stores) -> None:
    publish(stores)
    assert len(rows(stores, "post/voucher_lines")) == 300
    stores.warehouse.execute("UPDATE rec.documents SET period_month = NULL WHERE document_key = 1")
    publish(stores)
    found = [row for row in rows(stores, "rec/documents") if row[0] == 1]
    assert [row[2] for row in found] == [None]
    assert months(stores, "rec/documents") == [*MONTHS, "unknown"]


# A typing error in one document is a month like any other: nothing else may stay unpublished for it.
@pytest.mark.parametrize("day", [date(1, 1, 1), date(206, 11, 2), date(999, 12, 31), date(1899, 1, 1), date.max])
def test_a_month_of_any_year_has_its_file(stores: Stores, day: date) -> None:
    stores.warehouse.execute("UPDATE rec.documents SET period_month = ? WHERE document_key = 1", [day])
    publish(stores)
    assert months(stores, "rec/documents") == sorted([*MONTHS, day.isoformat()[:7]])
    stores.warehouse.execute("UPDATE rec.documents SET amount_vms = 7 WHERE document_key = 1")
    assert publish(stores) == ["rec.documents"]
    assert [row[1] for row in rows(stores, "rec/documents") if row[0] == 1] == [7]
    assert rewrite(stores) == []


def test_an_empty_table_can_be_read(stores: Stores) -> None:
    stores.warehouse.execute("DELETE FROM rec.documents")
    publish(stores)
    assert rows(stores, "rec/documents") == []
    assert rows(stores, "close/breaks") == []


def test_nothing_changed_writes_nothing(stores: Stores) -> None:
    publish(stores)
    before = seen(stores)
    assert rewrite(stores) == []
    assert seen(stores) == before


def test_only_the_month_that_changed_is_written(stores: Stores) -> None:
    publish(stores)
    before = seen(stores)
    stores.warehouse.execute("UPDATE rec.documents SET amount_vms = amount_vms + 0.0001 WHERE document_key = 2")
    assert publish(stores) == ["rec.documents"]
    after = seen(stores)
    written = [path for path, file in after.items() if before.get(path) != file]
    assert [path.rpartition("-")[0] for path in written] == ["rec/documents/documents-2026-11"]
    assert (Decimal("2.1001"),) in {row[1:2] for row in rows(stores, "rec/documents")}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE rec.documents SET next_step = NULL WHERE document_key = 3",
        "DELETE FROM rec.documents WHERE document_key = 3",
        "INSERT INTO rec.documents VALUES (999, 1, DATE '2026-09-01', 'look')",
        "UPDATE rec.documents SET period_month = DATE '2026-08-01' WHERE document_key = 3",
    ],
)
def test_every_kind_of_change_is_noticed(change: str, stores: Stores) -> None:
    publish(stores)
    stores.warehouse.execute(change)
    assert "rec.documents" in publish(stores)
    assert sorted(map(repr, rows(stores, "rec/documents"))) == sorted(map(repr, stores.read("FROM rec.documents")))


def test_the_order_of_rows_is_no_change(stores: Stores) -> None:
    publish(stores)
    stores.warehouse.execute("CREATE TABLE kept AS SELECT * FROM rec.documents ORDER BY document_key DESC")
    stores.warehouse.execute("DELETE FROM rec.documents")
    stores.warehouse.execute("INSERT INTO rec.documents SELECT * FROM kept")
    assert publish(stores) == []


def test_a_month_without_rows_loses_its_file(stores: Stores) -> None:
    publish(stores)
    stores.warehouse.execute("DELETE FROM rec.documents WHERE period_month = DATE '2026-11-01'")
    publish(stores)
    assert months(stores, "rec/documents") == MONTHS[:2]


def test_a_table_that_is_published_no_more_goes(stores: Stores) -> None:
    publish(stores)
    old = stores.published / "tables" / "rec" / "of_before"
    old.mkdir()
    (old / "of_before-0123456789abcdef.parquet").touch()
    assert rewrite(stores) == []
    assert not old.exists()


def test_a_file_that_was_removed_by_hand_comes_back(stores: Stores) -> None:
    publish(stores)
    next((stores.published / "tables" / "rec" / "documents").rglob("*.parquet")).unlink()
    assert rewrite(stores) == ["rec.documents"]
    assert len(rows(stores, "rec/documents")) == 300


def test_a_failure_leaves_tables_as_they_were(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(stores)
    before = seen(stores)
    stores.warehouse.execute("DELETE FROM rec.documents WHERE document_key = 1")
    stores.publish()
    monkeypatch.setattr(tables, "put_folder", _refuse)
    with pytest.raises(ModelError, match="read-only"):
        rewrite(stores)
    assert seen(stores) == before
    assert sorted(path.name for path in stores.published.iterdir()) == ["springline.duckdb", "tables"]


def _refuse(*_: object, **__: object) -> None:
    raise OSError(30, "read-only file system")


@pytest.mark.parametrize("way", ["exchange", "two renames"])
def test_a_reader_never_sees_half_a_table(
    way: str,
    stores: Stores,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if way == "two renames":
        monkeypatch.setattr(swap, "_exchanged", lambda _one, _other: False)
    stores.warehouse.execute("ALTER TABLE rec.documents ADD COLUMN edition INTEGER DEFAULT 0")
    types = {"document_key": "BIGINT", "amount_vms": "DECIMAL(38,4)", "period_month": "DATE", "edition": "INTEGER"}
    stores.warehouse.execute("ALTER TABLE rec.documents DROP COLUMN next_step")
    write = _writer(stores, types)
    write(0)
    reader = start(READER, [str(stores.published / "tables" / "rec" / "documents")])
    assert reader.stdout is not None
    assert reader.stdout.readline() == "reading\n"
    for edition in range(1, 25):
        write(edition)
    told, _ = reader.communicate("stop\n", timeout=PATIENCE)
    answers = eval(told)  # noqa: S307 our own reader's
    assert answers
    assert {(count, editions) for count, editions, _ in answers} == {(300, 1)}


def _writer(stores: Stores, types: dict[str, str]) -> Callable[[int], None]:
    """Return what rewrites the table with another edition in every row, without the published file in between."""
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA rec")
    connection.execute(f"CREATE TABLE rec.documents ({', '.join(f'{name} {kind}' for name, kind in types.items())})")
    lock = threading.Lock()

    def write(edition: int) -> None:
        with lock:
            connection.execute("DELETE FROM rec.documents")
            connection.execute(
                "INSERT INTO rec.documents SELECT range, 1, DATE '2026-09-01' + CAST(range % 3 * 31 AS INTEGER), ? "
                "FROM range(300)",
                [edition],
            )
            assert write_tables(connection, stores.published) == ["rec.documents"]

    return write


def test_every_growing_table_has_the_column_of_its_month() -> None:
    catalog = verified_models()
    for name, column in PERIODS.items():
        schema, _, table = name.partition(".")
        if schema == "ctl":
            assert control_type(column, "TEXT") == "TIMESTAMP"
        else:
            assert catalog.model(name).column(column).type in {"DATE", "TIMESTAMP"}, table
    for name, columns in YEARS_AND_MONTHS.items():
        assert [catalog.model(name).column(column).type for column in columns] == ["INTEGER", "INTEGER"]
