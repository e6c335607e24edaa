"""The control store's tables and their copies in the warehouse, read from the DDL: names, types, words on each column.

sql/control/schema.sql declares the control store; sql/control/warehouse.sql what the warehouse has beside copies of it,
sql/control/seeds.sql the business constants. In each of them a sentence stands before each table and a few words behind
each column.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pipelines.core.resources import sql_folder

# What the models read of the control store; the tables of warehouse.sql come in addition. In schema ctl of the
# warehouse they have the names that they have in the store.
COPIED = (
    "outbox",
    "decisions",
    "ignored",
    "ignored_subjects",
    "holds",
    "bank_changes",
    "supplier_accounts",
    "rejected",
    "breaks",
    "closes",
    "seals",
    "cursors",
)
# The large texts stay in the control store.
_NOT_COPIED = {
    "outbox": {"payload", "attempted_at"},
    "decisions": {"operator", "at"},
    "rejected": {"body", "body_hash"},
    "seals": {"figures"},
}
_TYPES = {"TEXT": "VARCHAR", "INTEGER": "BIGINT"}
# Whole numbers that the models compare with numbers of 32 bits.
_SMALL = {"owner_code", "attempts"}
# SQLite has no dates; the models compare this text with days.
_DAYS = {"period_month"}
# A view of the control store, so it has no columns in the DDL.
_FIRST_DAY = {"today": "DATE"}

_TABLE = re.compile(
    r"(?:^-- (?P<about>[^\n]*)\n)?CREATE TABLE (?:IF NOT EXISTS )?(?P<name>\w+) \((?P<body>.*?)\n\)",
    re.DOTALL | re.MULTILINE,
)
_COLUMN = re.compile(r"^ +(?P<name>[a-z_0-9]+) (?P<type>[A-Z]+(?:\([\d, ]+\))?).*?--\s*(?P<words>.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ControlTable:
    """One table: what one row is, the text of its columns, their types as the DDL has them, and what they are."""

    about: str
    body: str
    types: Mapping[str, str]
    words: Mapping[str, str]


@cache
def control_tables() -> Mapping[str, ControlTable]:
    """Return the control store's tables by name, in the order of their file; types are SQLite's."""
    return _tables("schema")


@cache
def made_tables() -> Mapping[str, ControlTable]:
    """Return the tables that the warehouse has of what was sent and sealed, by name; types are DuckDB's."""
    return _tables("warehouse")


@cache
def seed_tables() -> Mapping[str, ControlTable]:
    """Return the tables of business constants by name, which is that of their file; types are DuckDB's."""
    return _tables("seeds")


@cache
def warehouse_columns() -> Mapping[str, Mapping[str, str]]:
    """Return the columns of every table of schema ctl that models may read, with their DuckDB types, by table."""
    copied = {table: _copied_columns(table) for table in COPIED}
    return {**copied, "first_day": _FIRST_DAY, **{name: table.types for name, table in made_tables().items()}}


def column_list(columns: Mapping[str, str]) -> str:
    """Write columns as CREATE TABLE takes them.

    >>> column_list({"today": "DATE", "jobs": "VARCHAR"})
    'today DATE, jobs VARCHAR'
    """
    return ", ".join(f"{name} {data_type}" for name, data_type in columns.items())


def control_schema() -> str:
    """Return the DDL of the control store."""
    return _read("schema")


def _copied_columns(table: str) -> dict[str, str]:
    return {
        name: "DATE" if name in _DAYS else "INTEGER" if name in _SMALL else _TYPES[data_type]
        for name, data_type in control_tables()[table].types.items()
        if name not in _NOT_COPIED.get(table, set())
    }


def _tables(file: str) -> dict[str, ControlTable]:
    tables = {}
    for found in _TABLE.finditer(_read(file)):
        columns = list(_COLUMN.finditer(found["body"]))
        tables[found["name"]] = ControlTable(
            found["about"] or "",
            found["body"],
            {column["name"]: column["type"].replace(" ", "") for column in columns},
            {column["name"]: column["words"] for column in columns},
        )
    return tables


def _read(file: str) -> str:
    return (sql_folder() / "control" / f"{file}.sql").read_text(encoding="utf-8")
