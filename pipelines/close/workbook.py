"""The workbook of one period's close."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.close.sheets import close_sheets
from pipelines.publish.workbook.sheet import MOST_ROWS

if TYPE_CHECKING:
    import duckdb

from pipelines.publish.workbook.workbook import _write


def write_close_workbook(
    connection: duckdb.DuckDBPyConnection, path: Path, period: date, *, most: int = MOST_ROWS
) -> None:
    """Write the workbook of one period's close to ``path``; ``period`` is the first day of its month."""
    title = f"Springline close of {period:%B %Y}: what to look at"
    sheets = close_sheets(connection)
    _write(connection, path, sheets, title=title, day=period, most=most, parameters={"period": period})
