"""The published tables as Parquet: a folder a table, a file a month where it grows; only what changed is written.

All files of a table lie in one folder, not in a folder a month: one listing then shows one edition. Several listings
could begin in the old edition and end in the new one.
"""

# ruff: noqa: S608 - statements are made of our own names, never of data

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.core.errors import ModelError
from pipelines.core.literals import literal
from pipelines.core.table_ref import TableRef
from pipelines.publish.edition.contents import TABLES, first_line
from pipelines.publish.edition.parts import (
    UNKNOWN,
    WHOLE,
    PublishedTable,
    Sums,
    of_parts,
    part_name,
    part_of,
    sums_of,
    tables_of,
)
from pipelines.publish.edition.swap import KEPT, put_folder, stage

if TYPE_CHECKING:
    from collections.abc import Collection

# Changes with how files are written, so that all are written anew.
FORMAT = 2
COMPRESSION = "zstd"
# Where DuckDB parts a table, and how it calls the part of rows without a month.
PARTS, NO_MONTH = ".parts", "__HIVE_DEFAULT_PARTITION__"
# Documents-2026-10-0123456789abcdef.parquet; where a month has several files, a number behind it.
_NAME = re.compile(r"-(?P<part>\d{4}-\d\d|all|unknown)-(?P<print>[0-9a-f]{16})(?:-\d+)?\.parquet$")

# What is in a table: the fingerprint of its rows by month, or of all of them under WHOLE.
Prints = Mapping[str, str]


def write_tables(
    connection: duckdb.DuckDBPyConnection, folder: Path, *, known: Mapping[TableRef, Sums] | None = None
) -> list[str]:
    """Bring ``folder``/tables up to date with the published file on this connection; return the tables written.

    ``known`` is what is in tables of that file, as far as known: of the others all is read. A table is put in place
    with one move, so that no reader sees half of it. ModelError when one cannot be written.
    """
    root, kept = folder / TABLES, folder / KEPT / TABLES
    tables = list(tables_of(connection))
    try:
        with stage(folder) as aside:
            every = [(table, _prints(connection, table, known or {})) for table in tables]
            stale = [(table, prints) for table, prints in every if present(_in(root, table)) != prints]
            if stale:
                # What was replaced the last time: who was reading it then has finished.
                shutil.rmtree(kept, ignore_errors=True)
            for table, prints in stale:
                _write(connection, table, prints, place=_in(root, table), made=_in(aside, table))
                put_folder(_in(aside, table), _in(root, table), old=_in(kept, table))
        _remove_others(root, {table.ref for table in tables})
    except (duckdb.Error, OSError) as error:
        raise ModelError(
            f"The Parquet files in {root} could not be written: {first_line(error)}",
            next_step="see that their disk has room and that this user may write there; the others are as they were.",
        ) from error
    return [str(table.ref) for table, _ in stale]


def present(place: Path) -> dict[str, str]:
    """Return what is in a table's folder: the fingerprint of each month, which its file carries in its name."""
    found: dict[str, str] = {}
    for path in place.glob("*"):
        name = _NAME.search(path.name)
        found[name["part"] if name else path.name] = name["print"] if name else ""
    return found


def _in(folder: Path, table: PublishedTable) -> Path:
    return folder / table.ref.schema / table.ref.name


def _prints(
    connection: duckdb.DuckDBPyConnection, table: PublishedTable, known: Mapping[TableRef, Sums]
) -> dict[str, str]:
    """Return the fingerprint of each month: of its rows, and of the columns and comments of the table."""
    sums = known.get(table.ref)
    sums = sums_of(connection, table, table.ref.quoted) if sums is None else sums
    if table.month and sums:
        return {part_name(part): _print(table, count, total) for part, (count, total) in sums.items()}
    return {WHOLE: _print(table, *map(sum, zip((0, 0), *sums.values(), strict=True)))}


def _print(table: PublishedTable, count: int, total: int) -> str:
    content = repr((FORMAT, list(table.columns.items()), table.texts, count, total))
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _write(
    connection: duckdb.DuckDBPyConnection, table: PublishedTable, prints: Prints, *, place: Path, made: Path
) -> None:
    """Make a table's folder: months that stay are linked, the others written."""
    made.mkdir(parents=True)
    before = present(place)
    # Months whose rows are the same keep their file, which readers may have copied by its name.
    stays = {part for part, fingerprint in prints.items() if before.get(part) == fingerprint}
    for part in stays:
        for file in place.glob(f"{table.ref.name}-{part}-{prints[part]}*"):
            _link(file, made / file.name)
    options = f"FORMAT parquet, COMPRESSION {COMPRESSION}, KV_METADATA {{springline: {literal(table.texts)}}}"
    if WHOLE in prints:
        file = made / _name(table, WHOLE, prints)
        connection.execute(f"COPY (SELECT * FROM {table.ref.quoted}) TO {literal(file)} ({options})")
    elif changed := sorted(prints.keys() - stays):
        connection.execute(
            f"COPY ({_months(table, changed)}) TO {literal(made / PARTS)} ({options}, PARTITION_BY (month_of_row))"
        )
        for folder in (made / PARTS).iterdir():
            part = UNKNOWN if folder.name.endswith(NO_MONTH) else folder.name.partition("=")[2][: len("2026-10")]
            for number, file in enumerate(sorted(folder.iterdir())):
                # DuckDB names its files as it likes; ours carry the fingerprint by which the next run compares.
                file.rename(made / _name(table, part, prints, number=number))
        shutil.rmtree(made / PARTS)


def _months(table: PublishedTable, parts: Collection[str]) -> str:
    """Return the query of some months' rows, with the month beside them."""
    months = [part_of(part) for part in parts]
    return f"SELECT *, {table.month} AS month_of_row FROM {table.ref.quoted} WHERE {of_parts(table, months)}"


def _name(table: PublishedTable, part: str, prints: Prints, *, number: int = 0) -> str:
    return f"{table.ref.name}-{part}-{prints[part]}{f'-{number}' if number else ''}.parquet"


def _link(source: Path, target: Path) -> None:
    try:
        # A second name for the same bytes: it costs nothing, and the old folder can go.
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _remove_others(root: Path, refs: Collection[TableRef]) -> None:
    """Remove the folders of tables that are no longer published."""
    for place in root.glob("*/*"):
        if TableRef(place.parent.name, place.name) not in refs:
            shutil.rmtree(place)
