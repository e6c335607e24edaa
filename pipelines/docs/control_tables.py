"""The page of the control store's tables, from sql/control/schema.sql and the comments behind its columns."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import cache

from pipelines.docs.markdown import code, page, table
from pipelines.resources import sql_folder

HEADINGS = ("Column", "Type", "May be empty", "What it is")
NOTE = "What the models read of it is copied into the warehouse by each batch: see [Staging tables](staging.md)."
_TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS (?P<name>\w+) \((?P<body>.*?)\n\)", re.DOTALL)
_COLUMN = re.compile(r"^ +(?P<name>[a-z_]+) [A-Z].*?--\s*(?P<words>.*)$", re.MULTILINE)
_ONE_OF = re.compile(r"CHECK \((?P<name>\w+) IN \((?P<values>[^)]*)\)\)")

# What PRAGMA table_info gives of a column: place, name, type, whether it is required, default, place in the key.
Described = tuple[int, str, str, int, object, int]


def control_tables_page() -> str:
    """Return docs/reference/control-tables.md."""
    introduction = " ".join(line.removeprefix("-- ") for line in _schema().split("\n\n", 1)[0].splitlines())
    return page("Control tables", introduction, NOTE, *_tables())


@cache
def control_comments() -> Mapping[tuple[str, str], str]:
    """Return what stands behind the columns, by table and column."""
    return {
        (found["name"], column["name"]): column["words"]
        for found in _TABLE.finditer(_schema())
        for column in _COLUMN.finditer(found["body"])
    }


def _schema() -> str:
    return (sql_folder() / "control" / "schema.sql").read_text(encoding="utf-8")


def _tables() -> Iterator[str]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_schema())
        for found in _TABLE.finditer(_schema()):
            described = connection.execute(f"PRAGMA table_info({found['name']})").fetchall()
            values = {check["name"]: check["values"].replace("'", "`") for check in _ONE_OF.finditer(found["body"])}
            yield f"## {found['name']}"
            yield table(HEADINGS, (_row(found["name"], column, values) for column in described))


def _row(table_name: str, column: Described, values: Mapping[str, str]) -> tuple[str, str, str, str]:
    _, name, data_type, is_required, _, key_position = column
    words = (
        control_comments().get((table_name, name), ""),
        f"one of {values[name]}" if name in values else "",
        "key" if key_position else "",
    )
    return code(name), data_type, "" if is_required or key_position else "yes", "; ".join(filter(None, words))
