"""The workbook for accountants: one sheet for each question, and a first one that says what to look at."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core.words import moment
from pipelines.publish.workbook.book import Book
from pipelines.publish.workbook.charts import write_accrual_charts, write_ageing
from pipelines.publish.workbook.overview import write_overview
from pipelines.publish.workbook.sheet import MOST_ROWS, Sheet
from pipelines.publish.workbook.sheets import ACCRUALS, SHEETS, UNPAID
from pipelines.publish.workbook.table_sheet import FIRST_TAB, Placed, write_sheet

if TYPE_CHECKING:
    import duckdb

READ_AT = """
SELECT max(as_of_vms), max(as_of_ledger)
FROM (
    SELECT as_of_vms, as_of_ledger FROM rec.documents
    UNION ALL SELECT as_of_vms, as_of_ledger FROM rec.payments
    UNION ALL SELECT as_of_vms, as_of_ledger FROM rec.control_accounts
) AS read_at
"""
# After these sheets comes one with charts of them.
CHARTS = {UNPAID.table: write_ageing, ACCRUALS.table: write_accrual_charts}


def write_workbook(connection: duckdb.DuckDBPyConnection, path: Path, *, today: date, most: int = MOST_ROWS) -> None:
    """Write the workbook of everything open to ``path``, which is whole or as it was.

    ``connection`` is the published file or the warehouse, ``today`` the accounting day, ``most`` the rows of a sheet.
    The same content gives the same bytes.
    """
    title = f"Springline on {today.day} {today:%B %Y}: what to look at"
    _write(connection, path, SHEETS, title=title, day=today, most=most, parameters={})


def _write(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    sheets: Sequence[Sheet],
    *,
    title: str,
    day: date,
    most: int,
    parameters: Mapping[str, object],
) -> None:
    with whole_file(path) as unfinished:
        book = Book(unfinished, title=title, day=day)
        first = book.file.add_worksheet(FIRST_TAB)
        placed: list[Placed] = []
        for sheet in sheets:
            rows, in_all = sheet.read(connection, most=most, parameters=parameters)
            placed.append(write_sheet(book, sheet, rows, in_all=in_all))
            if sheet.table in CHARTS:
                CHARTS[sheet.table](book, placed[-1])
        write_overview(book, first, placed, title=title, told=_told(connection, placed))
        book.close()


def _told(connection: duckdb.DuckDBPyConnection, placed: Sequence[Placed]) -> list[str]:
    """Say what needs somebody, and how new it all is."""
    calls = [f"{one.sheet.call}: {count:,}" for one in placed if one.sheet.call and (count := len(one.alarming))]
    verdict = "; ".join(calls) + "." if calls else "Nothing needs anybody: both sides agree."
    times = connection.execute(READ_AT).fetchone() or (None, None)
    read_at = [
        f"{side} read at {moment(at)}" if at else f"{side} not read yet"
        for side, at in zip(("VMS", "ledger"), times, strict=True)
    ]
    return [", ".join(read_at) + ".", verdict[0].upper() + verdict[1:]]


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path beside ``path`` to write to, and put what was written in its place when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
