"""The models built by Springline: read and verified, kept so, and built where what they are made from has changed."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.contracts.declared import declared_tables
from pipelines.core.resources import sql_folder
from pipelines.models.build import build
from pipelines.models.external import read_external
from pipelines.models.stale import create_notes, marks_of, stale
from pipelines.models.store import open_catalog

SCHEMAS = ("map", "post", "rec", "close")
THREADS = 2


def work(_project: Path, database: Path) -> None:
    """Build what is stale."""
    catalog = open_catalog(sql_folder(), declared_tables(), cache=database.with_suffix(".models.json"))
    models = [model for model in catalog.models if model.ref.schema in SCHEMAS]
    with duckdb.connect(str(database), config={"threads": THREADS}) as connection:
        create_notes(connection)
        marks = marks_of(connection, models, read_external(connection))
        build(connection, models, only=stale(connection, marks), marks=marks)
