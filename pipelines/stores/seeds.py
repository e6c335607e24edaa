"""Loads the business constants of data/seeds into schema seed; a run with unchanged files writes nothing."""

# ruff: noqa: S608 names of tables and columns are declared in sql/control/seeds.sql, values are bound

from __future__ import annotations

import csv
import hashlib
from io import StringIO
from pathlib import Path

import duckdb

from pipelines.core.errors import ModelError
from pipelines.core.resources import seeds_folder
from pipelines.core.text_files import read_text
from pipelines.stores.control_schema import seed_tables

STATE = "seed.loaded_files"


def load_seeds(warehouse: duckdb.DuckDBPyConnection, *, folder: Path | None = None) -> None:
    """Make every seed table hold what its file says; empty text is NULL.

    Raises ModelError when a file is missing, unknown, has other columns than declared, or a value that does not fit;
    SettingsError when one is not UTF-8.
    """
    files = {path.stem: path for path in sorted((folder or seeds_folder()).glob("*.csv"))}
    if odd := sorted(seed_tables().keys() ^ files.keys()):
        raise ModelError(
            f"data/seeds and the declared seed tables differ: {', '.join(odd)}.",
            next_step="add the CSV file, or declare its columns in sql/control/seeds.sql.",
        )
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files.values())).hexdigest()
    warehouse.execute(f"CREATE SCHEMA IF NOT EXISTS seed; CREATE TABLE IF NOT EXISTS {STATE} (digest VARCHAR)")
    if warehouse.execute(f"SELECT digest FROM {STATE}").fetchall() == [(digest,)]:
        return
    # The digest is noted last: killed half-way, all files are loaded again.
    for table, path in files.items():
        _load(warehouse, table, path)
    warehouse.execute(f"CREATE OR REPLACE TABLE {STATE} AS SELECT CAST(? AS VARCHAR) AS digest", [digest])


def _load(warehouse: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    columns = seed_tables()[table].types
    header = next(csv.reader(StringIO(read_text(path), newline="")), [])
    if header != list(columns):
        raise ModelError(f"{path}: the columns are {', '.join(header)}; expected {', '.join(columns)}.")
    types = ", ".join(f"'{name}': '{sql_type}'" for name, sql_type in columns.items())
    try:
        warehouse.execute(
            f"CREATE OR REPLACE TABLE seed.{table} AS SELECT * FROM read_csv(?, header = true, auto_detect = false, "
            f"delim = ',', quote = '\"', escape = '\"', nullstr = '', columns = {{{types}}})",
            [str(path)],
        )
    except duckdb.Error as error:
        raise ModelError(f"{path}: {error}", next_step="correct the file.") from error
