"""The world a case runs in: the product's models, verified, over the tables it declares, empty but for the seeds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import duckdb
import pytest
from pydantic import SecretStr

from pipelines.core.resources import seeds_folder
from pipelines.core.settings import Settings
from pipelines.core.settings_systems import LedgerSettings, VmsSettings
from pipelines.core.table_ref import TableRef, quote
from pipelines.models.external import create_tables
from pipelines.models.functions import create_functions
from pipelines.models.model import Catalog
from pipelines.stores.settings_tables import write_settings
from pipelines.stores.warehouse import SCHEMAS
from tests.support.verified import verified_models

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS_OF_NOBODY = Settings(
    vms=VmsSettings(base_url="https://vms.invalid"), ledger=LedgerSettings(token=SecretStr("none"))
)


class World(NamedTuple):
    """The verified models, and a database that forgets every case."""

    catalog: Catalog
    connection: duckdb.DuckDBPyConnection


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    catalog = verified_models()
    with duckdb.connect() as connection:
        prepare(connection, catalog)
        yield World(catalog, connection)


def prepare(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Make every table the models read or write, empty but for the seeds."""
    for schema in SCHEMAS:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    write_settings(connection, SETTINGS_OF_NOBODY, today=date(2026, 11, 2))
    create_tables(connection, catalog.tables)
    create_functions(connection)
    for path in sorted(seeds_folder().glob("*.csv")):
        _load_seed(connection, catalog, path)


def _load_seed(connection: duckdb.DuckDBPyConnection, catalog: Catalog, path: Path) -> None:
    ref = TableRef("seed", path.stem)
    listed = ", ".join(map(quote, catalog.external.get(ref, {})))
    if listed:
        statement = f"INSERT INTO {ref.quoted} SELECT {listed} FROM read_csv(?, all_varchar = TRUE)"  # noqa: S608
        connection.execute(statement, [str(path)])
