"""Seals in the control store: drawn up once, sealed once, copied into the warehouse, and never changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pytest
from pyarrow import BufferOutputStream, parquet

from pipelines.stores.control import Control
from pipelines.stores.control_copy import copy_control
from pipelines.stores.control_schema import column_list, warehouse_columns
from pipelines.stores.seals import SEALED_ENTRIES, Run, Seal, open_close, read_close, seal_period

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-11-03T09:00:00.000000+00:00"
RUN = Run("2026-10", "b1", "kari", AT, 0, 2)


def entries(*amounts: str) -> Seal:
    """Give a seal over entries with these amounts."""
    with duckdb.connect() as connection:
        table, columns = SEALED_ENTRIES, column_list(warehouse_columns()[SEALED_ENTRIES])
        connection.execute(f"CREATE TABLE {table} ({columns})")
        for number, amount in enumerate(amounts):
            values = [date(2026, 10, 1), f"ledger:{number}", Decimal(amount)]
            connection.execute(
                f"INSERT INTO {table} (period_month, side, subject, company_amount) VALUES (?, 'ledger', ?, ?)",  # noqa: S608
                values,
            )
        found = connection.execute(f"FROM {table}").to_arrow_table()
    written = BufferOutputStream()
    parquet.write_table(pa.Table.from_batches(found.to_batches()), written)
    return Seal("hash", '{"closing": "1.00"}', written.getvalue().to_pybytes(), len(amounts))


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    control = Control(tmp_path / "ctl.sqlite")
    yield control
    control.close()


def sealed_rows(control: Control) -> list[tuple[object, ...]]:
    with duckdb.connect() as warehouse:
        warehouse.execute("CREATE SCHEMA ctl")
        copy_control(warehouse, control)
        copy_control(warehouse, control)
        return warehouse.execute("SELECT subject, company_amount FROM ctl.sealed_entries ORDER BY ALL").fetchall()


def test_a_period_is_drawn_up_once(control: Control) -> None:
    assert read_close(control, "2026-10") is None
    open_close(control, "2026-10", at=AT)
    open_close(control, "2026-10", at="2026-12-01")
    assert control.one("SELECT opened_at FROM closes") == AT
    found = read_close(control, "2026-10")
    assert found is not None
    assert not found.is_sealed


def test_a_seal_keeps_what_the_period_consisted_of(control: Control) -> None:
    open_close(control, "2026-10", at=AT)
    seal_period(control, RUN, entries("10.00", "-0.01"))
    found = read_close(control, "2026-10")
    assert found is not None
    assert (found.is_sealed, found.sealed_by, found.pack_hash) == (True, "kari", "hash")
    assert sealed_rows(control) == [("ledger:0", Decimal("10.0000")), ("ledger:1", Decimal("-0.0100"))]
    assert control.one("SELECT action FROM close_events") == "sealed"


def test_nothing_sealed_is_an_empty_table(control: Control) -> None:
    assert sealed_rows(control) == []


def test_a_period_is_sealed_once(control: Control) -> None:
    open_close(control, "2026-10", at=AT)
    seal_period(control, RUN, entries("10.00"))
    with pytest.raises(sqlite3.IntegrityError, match="stays as it is"):
        seal_period(control, RUN, entries("20.00"))
    assert sealed_rows(control) == [("ledger:0", Decimal("10.0000"))]
    assert control.one("SELECT count(*) FROM close_events") == 1


@pytest.mark.parametrize("statement", ["UPDATE close_events SET operator = 'x'", "DELETE FROM close_events"])
def test_the_history_of_closes_is_append_only(control: Control, statement: str) -> None:
    open_close(control, "2026-10", at=AT)
    seal_period(control, RUN, entries("10.00"))
    with pytest.raises(sqlite3.IntegrityError, match="append-only"), control.write() as connection:
        connection.execute(statement)
