"""The workbook of one period's close."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.close.sheets import close_sheets
from pipelines.publish.steps import write_sheets

if TYPE_CHECKING:
    import duckdb


def write_close_workbook(connection: duckdb.DuckDBPyConnection, path: Path, period: date) -> None:
    """Write the workbook of one period's close to ``path``; ``period`` is the first day of its month."""
    title = f"Springline close of {period:%B %Y}: what to look at"
    write_sheets(connection, path, close_sheets(connection), title=title, day=period, parameters={"period": period})
