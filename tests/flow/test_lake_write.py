"""What a write leaves in a lake: the rows of a large table that differ, tables of another shape, none that is gone."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import duckdb
import pytest

from pipelines.core.errors import ModelError, SettingsError
from pipelines.core.settings import Settings, load_settings
from pipelines.core.table_ref import TableRef
from pipelines.stores.lake import write
from pipelines.stores.lake.attach import LAKE, WORKING, attached
from pipelines.stores.lake.fill import tables_of
from pipelines.stores.lake.held import LARGE
from pipelines.stores.lake.write import write_lake
from tests.support.lake import NOBODY, three_addresses

pytestmark = pytest.mark.lake

LINES = TableRef("post", "lines")
SMALL = TableRef("post", "small")


class Desk(NamedTuple):
    """A scratch with one large table and a small one, and a lake that holds both."""

    scratch: duckdb.DuckDBPyConnection
    settings: Settings

    def write(self, batch: str) -> int:
        """Write what has changed."""
        with attached(self.scratch, self.settings):
            tables = tables_of(self.scratch, database="memory")
            return write_lake(self.scratch, tables, lake=WORKING, batch_id=batch, database="memory")

    def differing(self) -> list[str]:
        """Name the tables of which the lake holds other rows."""
        with attached(self.scratch, self.settings):
            return [
                str(ref)
                for ref in tables_of(self.scratch, database="memory") | tables_of(self.scratch, database=LAKE)
                if self.scratch.execute(
                    f"(FROM {ref.quoted} EXCEPT ALL FROM {LAKE}.{ref.quoted}) UNION ALL "
                    f"(FROM {LAKE}.{ref.quoted} EXCEPT ALL FROM {ref.quoted}) LIMIT 1"
                ).fetchall()
            ]

    def moved(self) -> tuple[int, int]:
        """Tell how many rows of the large table the last snapshot has inserted and deleted."""
        with attached(self.scratch, self.settings):
            [(last,)] = self.scratch.execute(f"SELECT max(snapshot_id) FROM {LAKE}.snapshots()").fetchall()
            counts = [
                self.scratch.execute(
                    f"SELECT count(*) FROM ducklake_table_{kind}('{LAKE}', 'post', 'lines', {last}, {last})"
                ).fetchall()[0][0]
                for kind in ("insertions", "deletions")
            ]
        return counts[0], counts[1]


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], dict[str, str]]:
    return lambda: {**NOBODY, **three_addresses(tmp_path_factory.mktemp("lake"))}


@pytest.fixture
def desk(addresses: Callable[[], dict[str, str]]) -> Iterator[Desk]:
    with duckdb.connect() as scratch:
        scratch.execute("CREATE SCHEMA post")
        rows = (
            f"SELECT range AS line_no, 'x' || range % 7 AS text, CAST(range AS DECIMAL(38, 18)) FROM range({LARGE + 5})"
        )
        scratch.execute(f"CREATE TABLE post.lines AS {rows}")
        # The same row twice, and none of its values known.
        scratch.execute("INSERT INTO post.lines SELECT NULL, NULL, NULL FROM range(2)")
        scratch.execute("CREATE TABLE post.small AS SELECT 1 AS one")
        found = Desk(scratch, load_settings(None, environ=addresses()))
        assert found.write("b1") == 2
        yield found


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ("UPDATE post.lines SET text = 'other' WHERE line_no BETWEEN 10 AND 12", (3, 3)),
        ("DELETE FROM post.lines WHERE line_no < 4", (0, 4)),
        ("INSERT INTO post.lines VALUES (-1, 'new', 1), (-1, 'new', 1)", (2, 0)),
        # Of a row that stands several times all come anew.
        ("INSERT INTO post.lines VALUES (NULL, NULL, NULL)", (3, 2)),
    ],
)
def test_of_a_large_table_the_rows_that_differ_are_written(change: str, moved: tuple[int, int], desk: Desk) -> None:
    desk.scratch.execute(change)
    assert desk.write("b2") == 1
    assert desk.moved() == moved
    assert desk.differing() == []
    assert desk.write("b3") == 0


def test_where_most_has_changed_all_is_written(desk: Desk) -> None:
    desk.scratch.execute("UPDATE post.lines SET text = 'other' WHERE line_no % 2 = 0")
    assert desk.write("b2") == 1
    assert desk.moved() == (LARGE + 7, LARGE + 7)
    assert desk.differing() == []


def test_a_table_of_another_shape_is_made_anew(desk: Desk) -> None:
    desk.scratch.execute("ALTER TABLE post.small ADD COLUMN two VARCHAR; DROP TABLE post.lines")
    assert desk.write("b2") == 1
    assert desk.differing() == []
    with attached(desk.scratch, desk.settings):
        assert {*tables_of(desk.scratch, database=LAKE)} == {SMALL}


@contextmanager
def failing(name: str) -> Iterator[None]:
    with patch.object(write, name, side_effect=duckdb.IOException("the disk is gone")), pytest.raises(ModelError):
        yield


@pytest.mark.parametrize("name", ["_make_views", "note_tables"])
def test_a_write_that_fails_is_made_good_by_the_next(name: str, desk: Desk) -> None:
    desk.scratch.execute("UPDATE post.lines SET text = 'other' WHERE line_no = 1; UPDATE post.small SET one = 2")
    with failing(name):
        desk.write("b2")
    assert desk.write("b3") in {1, 2}
    assert desk.differing() == []
    assert desk.write("b4") == 0


def test_data_in_another_place_than_set_are_refused(desk: Desk, tmp_path: Path) -> None:
    moved = desk.settings.model_copy(update={"data": str(tmp_path)})
    with pytest.raises(SettingsError, match="has its data in") as told:
        Desk(desk.scratch, moved).write("b2")
    assert "name that place in `data`" in told.value.next_step


def test_a_server_that_is_away_is_told_without_the_password(tmp_path: Path) -> None:
    away = {
        **NOBODY,
        **three_addresses(tmp_path),
        "SPRINGLINE_WAREHOUSE": "ducklake:postgresql://u:geheim-77-geheim@127.0.0.1:1/books?schema=a&connect_timeout=2",
    }
    with duckdb.connect() as scratch, pytest.raises(SettingsError, match="cannot be reached") as told:
        Desk(scratch, load_settings(None, environ=away)).write("b1")
    assert "geheim" not in str(told.value)
