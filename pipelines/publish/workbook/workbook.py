"""The workbook for accountants: one sheet for each question, and a first one that says what to look at."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core.words import moment
from pipelines.publish.facts import part_holds, read_times, share_facts
from pipelines.publish.workbook.book import FIRST_TAB, Book
from pipelines.publish.workbook.charts import write_accrual_charts, write_ageing
from pipelines.publish.workbook.overview import HOW_TO_READ, write_overview
from pipelines.publish.workbook.sheet import MOST_ROWS, Sheet
from pipelines.publish.workbook.sheets import SHEETS
from pipelines.publish.workbook.table_sheet import SheetLayout, write_sheet

if TYPE_CHECKING:
    import duckdb

# After these sheets comes one with charts of them.
CHARTS = {"Unpaid": write_ageing, "AccrualsActuals": write_accrual_charts}


def write_workbook(connection: duckdb.DuckDBPyConnection, path: Path, *, today: date, most: int = MOST_ROWS) -> None:
    """Write the workbook of everything open to ``path``, which is whole or as it was.

    ``connection`` is the published file, ``today`` the accounting day, ``most`` the rows of a sheet.
    The same content gives the same bytes.
    """
    share_facts(connection)
    part_holds(connection)
    title = f"Springline on {today.day} {today:%B %Y}: what to look at"
    write_sheets(connection, path, SHEETS, title=title, day=today, most=most)


def write_sheets(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    sheets: Sequence[Sheet],
    *,
    title: str,
    day: date,
    most: int = MOST_ROWS,
    parameters: Mapping[str, object] | None = None,
    read_at: str = "",
    nothing: str = "Nothing needs anybody: both sides agree.",
    standing: str = "",
    how_to_read: Sequence[str] = HOW_TO_READ,
) -> None:
    """Write a workbook of some sheets, their charts and a first sheet; ``parameters`` are those of their queries.

    ``read_at`` says when both sides were read (as the compared tables have it unless given), ``nothing`` what the first
    sheet says when no row needs anybody, ``standing`` what else it says of where things stand, ``how_to_read`` what
    stands below its lines.
    """
    with whole_file(path) as unfinished:
        book = Book(unfinished, title=title, day=day)
        # The first sheet is added first and written last: it says what the others hold.
        first = book.add_page(FIRST_TAB)
        layouts: list[SheetLayout] = []
        for sheet in sheets:
            rows, in_all = sheet.read(connection, most=most, parameters=parameters or {})
            layouts.append(write_sheet(book, sheet, rows, in_all=in_all))
            if sheet.table in CHARTS:
                CHARTS[sheet.table](book, layouts[-1])
        read_at = read_at or _read_at(connection)
        told = {"read_at": read_at, "verdict": _verdict(layouts) or nothing, "standing": standing}
        write_overview(book, first, layouts, title=title, how_to_read=how_to_read, **told)
        book.close()


def _read_at(connection: duckdb.DuckDBPyConnection) -> str:
    """Say when both sides were last read."""
    times = [
        f"{side} read at {moment(at)}" if at else f"{side} not read yet"
        for side, at in zip(("VMS", "ledger"), read_times(connection), strict=True)
    ]
    return ", ".join(times) + "."


def _verdict(layouts: Sequence[SheetLayout]) -> str:
    """Say what somebody must look at; an empty text when nothing."""
    calls = [
        f"{layout.sheet.call}: {len(layout.alarming):,}" for layout in layouts if layout.sheet.call and layout.alarming
    ]
    verdict = "; ".join(calls)
    return f"{verdict[0].upper()}{verdict[1:]}." if calls else ""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; move it there at the end; after an error ``path`` is as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, and so on the same disk: only there one move does it.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
