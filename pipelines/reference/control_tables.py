"""The page of the control store's tables, from sql/control/schema.sql and the comments behind its columns."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing

from pipelines.reference.markdown import code, page, table
from pipelines.stores.control_schema import ControlTable, control_schema, control_tables

HEADINGS = ("Column", "Type", "May be empty", "What it is")
NOTE = (
    "What the models read of it is copied into the warehouse by each batch: see [Staging tables](staging.md). The "
    "published file has all of it but `meta`, `cursors`, payloads and the text of rejected objects."
)
_ONE_OF = re.compile(r"CHECK \((?P<name>\w+) IN \((?P<values>[^)]*)\)\)")

# What PRAGMA table_info gives of a column: place, name, type, whether it is required, default, place in the key.
Described = tuple[int, str, str, int, object, int]


def control_tables_page() -> str:
    """Return docs/reference/control-tables.md."""
    introduction = " ".join(line.removeprefix("-- ") for line in control_schema().split("\n\n", 1)[0].splitlines())
    return page("Control tables", introduction, NOTE, *_tables())


def _tables() -> Iterator[str]:
    with closing(sqlite3.connect(":memory:")) as connection:
        # SQLite itself says which columns are required and which are keys; only the words are taken from the text.
        connection.executescript(control_schema())
        for name, about in control_tables().items():
            described = connection.execute(f"PRAGMA table_info({name})").fetchall()
            # What a CHECK allows is the list of states: a reader looks for it here first.
            values = {check["name"]: check["values"].replace("'", "`") for check in _ONE_OF.finditer(about.body)}
            yield f"## {name}"
            yield about.about
            yield table(HEADINGS, (_row(about, column, values) for column in described))


def _row(about: ControlTable, column: Described, values: Mapping[str, str]) -> tuple[str, str, str, str]:
    _, name, data_type, is_required, _, key_position = column
    words = (
        about.words.get(name, ""),
        f"one of {values[name]}" if name in values else "",
        "key" if key_position else "",
    )
    return code(name), data_type, "" if is_required or key_position else "yes", "; ".join(filter(None, words))
