"""Spark for a test: a session in a process of its own, and models as it reads them, each table a view of one name."""

# ruff: noqa: S608 - names are quoted, and the rows are the tests' own

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlglot import exp, parse_one

from pipelines.core.table_ref import TableRef
from tests.support.engines import column_type

if TYPE_CHECKING:
    from pipelines.models.model import Columns

WORKER = Path(__file__).with_name("worker.py")
VERSIONS = Path(__file__).with_name("spark.txt")
NUMBERS = ("tinyint", "smallint", "int", "bigint", "decimal")
BINARY = ("float", "double")


class SparkError(Exception):
    """What Spark could not do, in its own words."""


@dataclass(frozen=True, slots=True)
class Spark:
    """One session."""

    process: subprocess.Popen[str]

    def view(self, ref: TableRef, select: str) -> None:
        """Make what a query gives a table of this name."""
        self._ask(view=_name(ref), select=select)

    def table(
        self, ref: TableRef, columns: Columns, names: Sequence[str], rows: Sequence[Sequence[str | None]]
    ) -> None:
        """Make a table of rows, given as text for the columns ``names``; the others are null."""
        given = {*names} if rows else set()
        listed = ", ".join(
            f"CAST({f'given.{name}' if name in given else 'NULL'} AS {column_type(kind, 'spark')}) AS `{name}`"
            for name, kind in columns.items()
        )
        values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
        source = f"VALUES {values} AS given({', '.join(names)})" if given else f"RANGE({len(rows)})"
        self.view(ref, f"SELECT {listed} FROM {source}")

    def rows(self, select: str) -> list[list[object]]:
        """Give the rows of a query, numbers as such and all else as text; AssertionError where a column is binary."""
        found = self._ask(rows=select)
        assert not [kind for kind in found["types"] if kind in BINARY], found["types"]
        kinds = [kind.partition("(")[0] for kind in found["types"]]
        return [[_value(text, kind) for text, kind in zip(row, kinds, strict=True)] for row in found["rows"]]

    def _ask(self, **order: str) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise SparkError(answer["error"][:2_000])
        return answer


@contextmanager
def running_spark(python: Path, settings: Mapping[str, str], *, folder: Path) -> Iterator[Spark]:
    """Start a session with these settings, which keeps what it writes in ``folder``."""
    process = subprocess.Popen(  # noqa: S603 our own program
        [str(python), str(WORKER), json.dumps({**settings, "spark.sql.warehouse.dir": str(folder)})],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Spark(process)
    finally:
        process.communicate()


def on_views(sql: str) -> str:
    """Write a query of Spark's on views, whose names have no schema."""
    tree = parse_one(sql, dialect="spark")
    for table in list(tree.find_all(exp.Table)):
        if table.db:
            view = exp.table_(_name(TableRef(table.db, table.name)), alias=table.alias or table.name)
            table.replace(view)
    return tree.sql("spark")


def _name(ref: TableRef) -> str:
    return f"{ref.schema}__{ref.name}"


def _literal(text: str | None) -> str:
    return "NULL" if text is None else exp.Literal.string(text).sql("spark")


def _value(text: str, kind: str) -> object:
    return Decimal(text) if kind in NUMBERS and text != "None" else text
