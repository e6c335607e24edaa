"""The page of the control store's tables, from sql/control/schema.sql and the comments behind its columns."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator

from pipelines.docs.markdown import code, page, table
from pipelines.resources import sql_folder
from pipelines.warehouse import CONTROL_TABLES

HEADINGS = ("Column", "Type", "May be empty", "What it is")
_TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS (?P<name>\w+) \((?P<body>.*?)\n\)", re.DOTALL)
_COLUMN = re.compile(r"^ +(?P<name>[a-z_]+) [A-Z].*?--\s*(?P<words>.*)$", re.MULTILINE)
_ONE_OF = re.compile(r"CHECK \((?P<name>\w+) IN \((?P<values>[^)]*)\)\)")


def control_tables_page() -> str:
    """Return docs/reference/control-tables.md."""
    schema = (sql_folder() / "control" / "schema.sql").read_text(encoding="utf-8")
    copied = ", ".join(code(f"ctl.{name}") for name in CONTROL_TABLES)
    introduction = " ".join(line.removeprefix("-- ") for line in schema.split("\n\n", 1)[0].splitlines())
    note = f"Each batch copies some of it into the warehouse, where the models read {copied}."
    return page("Control tables", introduction, note, *_tables(schema))


def _tables(schema: str) -> Iterator[str]:
    with sqlite3.connect(":memory:") as connection:
        connection.executescript(schema)
        for found in _TABLE.finditer(schema):
            yield f"## {found['name']}"
            described = connection.execute(f"PRAGMA table_info({found['name']})").fetchall()
            yield table(HEADINGS, _rows(found["body"], described))
    connection.close()


def _rows(body: str, described: list[tuple[int, str, str, int, object, int]]) -> Iterator[tuple[str, str, str, str]]:
    comments = {column["name"]: column["words"] for column in _COLUMN.finditer(body)}
    values = {check["name"]: check["values"].replace("'", "`") for check in _ONE_OF.finditer(body)}
    for _, name, data_type, is_required, _, key_position in described:
        is_key = bool(key_position)
        words = [comments.get(name, ""), f"one of {values[name]}" if name in values else "", "key" if is_key else ""]
        yield code(name), data_type, "" if is_required or is_key else "yes", "; ".join(word for word in words if word)
