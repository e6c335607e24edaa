"""Seals in the control store: drawn up once, sealed once, copied into the warehouse, and never changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
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
from pipelines.stores.seals import (
    SEALED_ENTRIES,
    Close,
    Preparer,
    Run,
    Seal,
    open_close,
    pack_hashes,
    preparers,
    read_close,
    record_run,
    reopen_period,
    reopenings,
    seal_period,
)
from pipelines.stores.versions import control_folder, migrations

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-11-03T09:00:00.000000+00:00"
LATER = "2026-11-04T09:00:00.000000+00:00"
RUN = Run("2026-10", 1, "b1", "kari", AT, 0, 2)


def entries(*amounts: str, pack_hash: str = "hash") -> Seal:
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
    return Seal(pack_hash, '{"closing": "1.00"}', written.getvalue().to_pybytes(), len(amounts))


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
    with pytest.raises(sqlite3.IntegrityError):
        seal_period(control, RUN, entries("20.00"))
    assert sealed_rows(control) == [("ledger:0", Decimal("10.0000"))]
    assert control.one("SELECT count(*) FROM close_events") == 1


def test_a_reopened_period_keeps_its_seal_and_takes_another(control: Control) -> None:
    open_close(control, "2026-10", at=AT)
    seal_period(control, RUN, entries("10.00", pack_hash="first"))
    before = reopen_period(control, "2026-10", reason="a late invoice", operator="per", at=LATER)
    now = read_close(control, "2026-10")
    assert before is not None
    assert now is not None
    assert (before.is_sealed, now.state, now.version, now.pack_version) == (True, "reopened", 1, 2)
    # Until it is sealed anew, what comes is told beside the last seal.
    assert sealed_rows(control) == [("ledger:0", Decimal("10.0000"))]
    seal_period(control, replace(RUN, version=2, at=LATER), entries("20.00", pack_hash="second"))
    assert pack_hashes(control, "2026-10") == {1: "first", 2: "second"}
    assert sealed_rows(control) == [("ledger:0", Decimal("20.0000"))]
    assert control.one("SELECT count(*) FROM sealed_packs") == 2
    [told] = reopenings(control, "2026-10")
    assert told == {"version": 2, "operator": "per", "at": LATER, "reason": "a late invoice"}


def test_what_is_not_sealed_is_not_reopened(control: Control) -> None:
    assert reopen_period(control, "2026-10", reason="x", operator="per", at=AT) is None
    open_close(control, "2026-10", at=AT)
    reopen_period(control, "2026-10", reason="x", operator="per", at=AT)
    seal_period(control, RUN, entries("10.00"))
    for _ in range(2):
        reopen_period(control, "2026-10", reason="x", operator="per", at=AT)
    assert len(reopenings(control, "2026-10")) == 1


def test_who_drew_a_version_up_is_told_last_first(control: Control) -> None:
    open_close(control, "2026-10", at=AT)
    with control.write() as connection:
        for operator, at in (("kari", AT), ("per", AT), ("kari", LATER)):
            record_run(connection, replace(RUN, operator=operator, at=at), action="drawn up", pack_hash="h")
    assert preparers(control, "2026-10", 1) == [Preparer("kari", LATER), Preparer("per", AT)]
    assert preparers(control, "2026-10", 2) == []


@pytest.mark.parametrize("statement", ["UPDATE seals SET pack_hash = 'x'", "DELETE FROM seals", "DELETE FROM closes"])
def test_a_seal_is_never_changed(control: Control, statement: str) -> None:
    open_close(control, "2026-10", at=AT)
    seal_period(control, RUN, entries("10.00"))
    reopen_period(control, "2026-10", reason="x", operator="per", at=AT)
    with pytest.raises(sqlite3.IntegrityError, match="stays as it is"), control.write() as connection:
        connection.execute(statement)


def test_a_store_of_an_older_release_keeps_its_seal_and_reasons(tmp_path: Path) -> None:
    path = tmp_path / "ctl.sqlite"
    with closing(sqlite3.connect(path)) as older:
        for file in migrations(control_folder())[:2]:
            older.executescript(file.read_text("utf-8"))
        older.execute("PRAGMA user_version = 2")
        sealed = ("2026-10", "sealed", AT, AT, "kari", "h", "{}", "b1", AT)
        draft = ("2026-11", "draft", AT, None, None, None, None, None, AT)
        older.executemany("INSERT INTO closes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [sealed, draft])
        event = (7, "2026-10", AT, "b1", "kari", "sealed", 0, 2, "h")
        older.execute("INSERT INTO close_events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", event)
        older.execute("INSERT INTO sealed_packs VALUES ('2026-10', ?, 'e', 1)", (entries("10.00").entries,))
        for number, comment in ((1, "agreed"), (2, "asked again")):
            older.execute(
                "INSERT INTO breaks (break_id, kind, subject, message, next_step, figures_hash, since, accepted_by, "
                "accepted_hash, comment, batch_id) VALUES (?, 'k', ?, 'm', 'n', 'f', ?, 'kari', 'f', ?, 'b1')",
                (number, str(number), AT, comment),
            )
            for action, words in (("accept", "agreed"), ("comment", comment)):
                older.execute(
                    "INSERT INTO break_decisions (break_id, action, words, figures_hash, operator, at) "
                    "VALUES (?, ?, ?, 'f', 'kari', ?)",
                    (number, action, words, AT),
                )
        older.commit()
    with closing(Control(path)) as control:
        assert read_close(control, "2026-10") == Close("2026-10", "sealed", 1, AT, "kari", "h")
        assert read_close(control, "2026-11") == Close("2026-11", "draft", 0, None, None, None)
        assert control.one("SELECT event_no || action || version FROM close_events") == "7sealed1"
        assert sealed_rows(control) == [("ledger:0", Decimal("10.0000"))]
        rows = control.read("SELECT accepted_reason, comment FROM breaks ORDER BY break_id")
        assert [tuple(row) for row in rows] == [("agreed", "agreed"), ("agreed", "asked again")]
        assert control.read("PRAGMA foreign_key_check") == []
        reopen_period(control, "2026-10", reason="x", operator="per", at=LATER)
        seal_period(control, replace(RUN, version=2, at=LATER), entries("20.00"))
        assert control.one("SELECT max(event_no) FROM close_events") == 9


@pytest.mark.parametrize("statement", ["UPDATE close_events SET operator = 'x'", "DELETE FROM close_events"])
def test_the_history_of_closes_is_append_only(control: Control, statement: str) -> None:
    open_close(control, "2026-10", at=AT)
    seal_period(control, RUN, entries("10.00"))
    with pytest.raises(sqlite3.IntegrityError, match="append-only"), control.write() as connection:
        connection.execute(statement)
