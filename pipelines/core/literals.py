"""Writes values into SQL text, for DuckDB and SQLite.

Values are written and not bound: to bind a parameter DuckDB imports pandas, half a second an idle run can do without,
and DDL, COPY and ATTACH take no parameters at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path


def literal(value: int | str | date | datetime | Path | None) -> str:
    """Return a value as a literal; a time must be naive.

    >>> literal("O'Hara"), literal(5), literal(date(2026, 11, 2)), literal(None)
    ("'O''Hara'", '5', "DATE '2026-11-02'", 'NULL')
    """
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(int(value))
    # Before date, which a datetime is as well.
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    # A doubled quote is the only escape inside a string, but no string may hold a zero byte.
    return "'" + str(value).replace("\0", "").replace("'", "''") + "'"


def among(column: str, values: Iterable[int] | Iterable[str] | Iterable[date]) -> str:
    """Return the condition that a column has one of the values, of which there may be none.

    >>> among("status_code", ["RFP", "INV"]), among("key", [])
    ("status_code IN ('RFP', 'INV')", 'false')
    """
    listed = ", ".join(literal(value) for value in values)
    return f"{column} IN ({listed})" if listed else "false"
