"""Names of tables and columns as values, and how names and values are written into SQL text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from pipelines.core.errors import UsageError


@dataclass(frozen=True, slots=True, order=True)
class TableRef:
    """A table or view: the schema says who writes it, the name what one row is about."""

    schema: str
    name: str

    def __str__(self) -> str:
        """``schema.name``, as people write it."""
        return f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> str:
        """The name for a statement."""
        return f"{quote(self.schema)}.{quote(self.name)}"

    @classmethod
    def parse(cls, text: str) -> TableRef:
        """Read ``schema.name``; UsageError for anything else."""
        schema, dot, name = text.strip().partition(".")
        if not (schema and dot and name) or "." in name:
            raise UsageError(f"{text!r} is no table name.", next_step="write schema and name, as in post.vouchers.")
        return cls(schema, name)


@dataclass(frozen=True, slots=True, order=True)
class ColumnRef:
    """A column of a table."""

    table: TableRef
    name: str

    def __str__(self) -> str:
        """``schema.table.column``."""
        return f"{self.table}.{self.name}"


def quote(identifier: str) -> str:
    """Quote an identifier for DuckDB and PostgreSQL."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(value: int | str | date | datetime | None) -> str:
    """Return a value as a DuckDB literal; a time must be naive.

    Values are written into the text because DuckDB imports pandas to bind a parameter, half a second of every idle run.

    >>> literal("O'Hara"), literal(5), literal(date(2026, 11, 2)), literal(None)
    ("'O''Hara'", '5', "DATE '2026-11-02'", 'NULL')
    """
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"DATE '{value:%Y-%m-%d}'"
    # A doubled quote is the only escape inside a DuckDB string, but no string may hold a zero byte.
    return "'" + value.replace("\0", "").replace("'", "''") + "'"


def among(column: str, values: Iterable[int] | Iterable[str]) -> str:
    """Return the condition that a column has one of the values, of which there may be none.

    >>> among("status_code", ["RFP", "INV"]), among("key", [])
    ("status_code IN ('RFP', 'INV')", 'false')
    """
    listed = ", ".join(literal(value) for value in values)
    return f"{column} IN ({listed})" if listed else "false"
