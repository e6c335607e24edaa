"""The models with every table in a DuckLake, its catalogue in PostgreSQL: the same rows as in a file of DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.stores.warehouse import transaction
from tests.models.cases import built, read_case
from tests.models.conftest import World, prepare
from tests.models.constructs import comparable
from tests.models.test_cases import CASES, FOLDER
from tests.support.lake import lake_open, three_addresses

if TYPE_CHECKING:
    import duckdb

    from tests.models.cases import Case

pytestmark = pytest.mark.lake


@pytest.fixture(scope="module")
def lake(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Every table in the lake, empty but for the seeds; nothing else is used while a case runs."""
    with lake_open(three_addresses(tmp_path_factory.mktemp("lake"))) as connection:
        connection.execute("USE lake")
        with transaction(connection):
            prepare(connection, world.catalog)
        yield World(world.catalog, connection)
        connection.execute("USE memory")


def rows(case: Case, connection: duckdb.DuckDBPyConnection) -> list[tuple[str, ...]]:
    return comparable(connection.execute(f"FROM {case.model.quoted}").fetchall())


def test_every_model_is_made_in_the_lake(lake: World) -> None:
    made = lake.connection.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables()").fetchall()
    assert {str(model.ref) for model in lake.catalog.models} <= {name for (name,) in made}
    assert lake.connection.execute("SELECT DISTINCT database_name FROM duckdb_tables()").fetchall() == [("lake",)]


@pytest.mark.parametrize("path", CASES, ids=lambda path: str(path.relative_to(FOLDER).with_suffix("")))
def test_a_case_gives_the_same_rows(path: Path, lake: World, world: World) -> None:
    case = read_case(path)
    with built(case, world.catalog, world.connection):
        expected = rows(case, world.connection)
    with built(case, lake.catalog, lake.connection):
        assert rows(case, lake.connection) == expected
