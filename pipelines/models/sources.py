"""The files of sql/ as they lie on disk: the path is the table's name, and nothing is templated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.core.table_ref import TableRef
from pipelines.core.text_files import read_text

SCHEMAS = ("map", "post", "rec", "close", "analysis")


@dataclass(frozen=True, slots=True)
class Source:
    """One file; ``path`` is relative to the parent of the folder of the schemas."""

    ref: TableRef
    path: str
    sql: str


def read_sources(folder: Path) -> tuple[Source, ...]:
    """Read every file below the schemas' folders, in order of path; folders further down only group files.

    Raises SettingsError when one is not UTF-8.
    """
    paths = sorted(path for schema in SCHEMAS for path in (folder / schema).rglob("*.sql"))
    return tuple(_read(folder, path) for path in paths)


def _read(folder: Path, path: Path) -> Source:
    relative = path.relative_to(folder)
    sql = read_text(path).rstrip().rstrip(";").rstrip()
    return Source(TableRef(relative.parts[0], path.stem), f"{folder.name}/{relative.as_posix()}", sql)
