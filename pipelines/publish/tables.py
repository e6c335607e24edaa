"""The published tables as Parquet: a folder a table, a folder a month where it grows; only what changed is written."""

# ruff: noqa: S608 - statements are made of our own names, never of data

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.errors import ModelError
from pipelines.publish.contents import PERIOD, PERIODS, TABLES, first_line, listed, literal, quote
from pipelines.publish.swap import put_folder, stage

if TYPE_CHECKING:
    from collections.abc import Collection

# Changes with how files are written, so that all are written anew.
FORMAT = 1
COMPRESSION = "zstd"
WHOLE = ""
UNKNOWN_MONTH = "__HIVE_DEFAULT_PARTITION__"
_NAME = re.compile(r"-(?P<print>[0-9a-f]{16})(?:-\d+)?\.parquet$")

# What is in a table: the fingerprint of its rows by month, or of all of them under WHOLE.
Prints = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """One published table: its columns with their types, and all that is said of it."""

    schema: str
    name: str
    columns: Mapping[str, str]
    texts: str

    def __str__(self) -> str:
        """``schema.name``, as people write it."""
        return f"{self.schema}.{self.name}"

    @property
    def place(self) -> str:
        """The name for a statement."""
        return f"{quote(self.schema)}.{quote(self.name)}"

    @property
    def month(self) -> str | None:
        """What gives the month of a row, as SQL; None when the table is kept in one piece."""
        column = PERIODS.get(str(self))
        return f"CAST(date_trunc('month', {quote(column)}) AS DATE)" if column else None


def write_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    """Bring ``folder``/tables to what the published file on this connection holds; return the tables written.

    A table is put in place with one move, so that no reader sees half of it. ModelError when one cannot be written.
    """
    root = folder / TABLES
    tables = list(_tables(connection))
    try:
        with stage(folder) as aside:
            written = [str(table) for table in tables if _update(connection, table, root, aside)]
        _remove_others(root, {(table.schema, table.name) for table in tables})
    except (duckdb.Error, OSError) as error:
        raise ModelError(
            f"The Parquet files in {root} could not be written: {first_line(error)}",
            next_step="see that their disk has room and that this user may write there; the others are as they were.",
        ) from error
    return written


def _update(connection: duckdb.DuckDBPyConnection, table: Table, root: Path, aside: Path) -> bool:
    """Write one table where it changed; tell whether it did."""
    place, made = (folder / table.schema / table.name for folder in (root, aside))
    wanted = _prints(connection, table)
    if present(place) == wanted:
        return False
    _write(connection, table, wanted, place=place, made=made)
    put_folder(made, place)
    return True


def present(place: Path) -> dict[str, str]:
    """Return what is in a table's folder by month; each file carries the fingerprint of its month in its name."""
    found: dict[str, str] = {}
    for path in place.rglob("*.parquet"):
        name = _NAME.search(path.name)
        month = path.parent.name.removeprefix(f"{PERIOD}=") if path.parent != place else WHOLE
        found[month] = name["print"] if name else ""
    return found


def _tables(connection: duckdb.DuckDBPyConnection) -> Iterator[Table]:
    rows = connection.execute(
        """
        SELECT
            columns.schema_name, columns.table_name, first(tables.comment),
            list(columns.column_name ORDER BY column_index), list(data_type ORDER BY column_index),
            list(columns.comment ORDER BY column_index)
        FROM duckdb_columns() AS columns
        INNER JOIN duckdb_tables() AS tables USING (database_name, schema_name, table_name)
        WHERE database_name = current_database()
        GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    for schema, name, about, columns, types, words in rows:
        texts = json.dumps({"about": about, "columns": dict(zip(columns, words, strict=True))}, ensure_ascii=False)
        yield Table(schema, name, dict(zip(columns, types, strict=True)), texts)


def _prints(connection: duckdb.DuckDBPyConnection, table: Table) -> dict[str, str]:
    """Return the fingerprint of each month's rows, whatever their order; sums of row hashes, with what they are."""
    month = f"coalesce(CAST({table.month} AS VARCHAR), '{UNKNOWN_MONTH}')" if table.month else f"'{WHOLE}'"
    rows = connection.execute(
        f"SELECT {month}, count(*), sum(hash({listed(list(table.columns))})) FROM {table.place} GROUP BY 1"
    ).fetchall()
    return {part: _print(table, count, total) for part, count, total in rows or [(WHOLE, 0, 0)]}


def _print(table: Table, count: int, total: int) -> str:
    told = repr((FORMAT, list(table.columns.items()), table.texts, count, total))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _write(connection: duckdb.DuckDBPyConnection, table: Table, wanted: Prints, *, place: Path, made: Path) -> None:
    """Make a table's folder: months that stay are linked, the others written."""
    made.mkdir(parents=True)
    before = present(place)
    stays = {part for part, fingerprint in wanted.items() if before.get(part) == fingerprint and part != WHOLE}
    for part in stays:
        _link(place / f"{PERIOD}={part}", made / f"{PERIOD}={part}")
    options = f"FORMAT parquet, COMPRESSION {COMPRESSION}, KV_METADATA {{springline: {literal(table.texts)}}}"
    if WHOLE in wanted:
        file = made / f"{table.name}-{wanted[WHOLE]}.parquet"
        connection.execute(f"COPY (SELECT * FROM {table.place}) TO {literal(file)} ({options})")
        return
    connection.execute(
        f"COPY ({_months(table, wanted.keys() - stays)}) TO {literal(made)} "
        f"({options}, PARTITION_BY ({PERIOD}), OVERWRITE_OR_IGNORE)"
    )
    for part in wanted.keys() - stays:
        for number, file in enumerate(sorted((made / f"{PERIOD}={part}").iterdir())):
            suffix = f"-{number}" if number else ""
            file.rename(file.with_name(f"{table.name}-{wanted[part]}{suffix}.parquet"))


def _months(table: Table, parts: Collection[str]) -> str:
    """Return the query of some months' rows, with the month as a column that becomes the folder's name."""
    others = ", ".join(f"DATE {literal(part)}" for part in sorted(parts) if part != UNKNOWN_MONTH)
    conditions = [f"{table.month} IN ({others})"] if others else []
    if UNKNOWN_MONTH in parts:
        conditions.append(f"{table.month} IS NULL")
    own = listed([column for column in table.columns if column != PERIOD])
    return f"SELECT {own}, {table.month} AS {PERIOD} FROM {table.place} WHERE {' OR '.join(conditions)}"


def _link(source: Path, target: Path) -> None:
    target.mkdir()
    for file in source.iterdir():
        try:
            os.link(file, target / file.name)
        except OSError:
            shutil.copyfile(file, target / file.name)


def _remove_others(root: Path, names: Collection[tuple[str, str]]) -> None:
    """Take away the folders of tables that are published no more."""
    for place in root.glob("*/*"):
        if (place.parent.name, place.name) not in names:
            shutil.rmtree(place)
