"""Finds the folders that travel with the package: SQL models, expectations, seeds and the sample world."""

from __future__ import annotations

import csv
import hashlib
from functools import cache
from io import StringIO
from pathlib import Path

from pipelines.core.errors import SpringlineError
from pipelines.core.text_files import read_text

PACKAGE = Path(__file__).resolve().parents[1]


def sql_folder() -> Path:
    """Return the folder of the SQL models and of the control store's statements."""
    return _folder("sql")


def expectations_folder() -> Path:
    """Return the folder of the expectation suites, one JSON file per checked model."""
    return _folder("expectations")


def seeds_folder() -> Path:
    """Return the folder of the business constants, one CSV file per table."""
    return _folder("data/seeds")


def seed_file(table: str) -> list[dict[str, str]]:
    """Return the rows of one file of business constants by column name; an empty cell is an empty text.

    Raises SettingsError when the file is not UTF-8.
    """
    return list(csv.DictReader(StringIO(read_text(seeds_folder() / f"{table}.csv"), newline="")))


@cache
def shipped_digest() -> str:
    """Return a hash of all SQL and business constants; an installation does not change while a process uses it."""
    digest = hashlib.sha256()
    for path in (*sorted(sql_folder().rglob("*.sql")), *sorted(seeds_folder().glob("*.csv"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def sample_folder() -> Path:
    """Return the folder of the sample world that the sandbox serves."""
    return _folder("data/sample")


# Asked for on every look-up of a seed; where the package lies does not change while it runs.
@cache
def _folder(name: str) -> Path:
    # A wheel carries them in _bundled, where pyproject.toml puts them; in a checkout they lie beside the package.
    for root in (PACKAGE / "_bundled", PACKAGE.parent):
        if (root / name).is_dir():
            return root / name
    raise SpringlineError(
        f"The folder {name} is missing from this installation ({PACKAGE}).", next_step="install Springline again."
    )
