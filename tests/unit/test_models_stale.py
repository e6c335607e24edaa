"""Which models are built anew: what has changed and what follows from it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

from pipelines.core.errors import ModelError
from pipelines.models.build import build
from pipelines.models.external import read_external
from pipelines.models.stale import create_notes, marks_of, stale
from tests.models.small import SMALL, catalog, warehouse

if TYPE_CHECKING:
    import duckdb

APART = """\
-- One line.
-- grain: line_key
SELECT
    line_key,
    amount
FROM stg_vms.document_lines
"""
MODELS = {**SMALL, "map.apart": APART}
EVERYTHING = {"map.apart", "map.rounded", "post.kept", "post.totals"}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse() as opened:
        opened.execute("ALTER TABLE stg_vms.documents ADD COLUMN fetched_at TIMESTAMP DEFAULT '2026-11-02 08:00:00'")
        create_notes(opened)
        yield opened


def build_stale(connection: duckdb.DuckDBPyConnection, models: Mapping[str, str] = MODELS) -> set[str]:
    """Build what is stale, and give its names."""
    external = read_external(connection)
    found = catalog(models, external=external)
    marks = marks_of(connection, found.models, external)
    due = stale(connection, marks)
    build(connection, found.models, only=due, marks=marks)
    return set(map(str, due))


def test_everything_is_built_once(connection: duckdb.DuckDBPyConnection) -> None:
    assert build_stale(connection) == EVERYTHING
    assert build_stale(connection) == set()


@pytest.mark.parametrize(
    ("change", "due"),
    [
        ("INSERT INTO stg_vms.document_lines VALUES (2, 21, 7)", {"map.apart", "post.totals"}),
        ("UPDATE stg_vms.document_lines SET amount = 11 WHERE line_key = 11", {"map.apart", "post.totals"}),
        ("DELETE FROM stg_vms.document_lines WHERE line_key = 11", {"map.apart", "post.totals"}),
        ("INSERT INTO ctl.outbox VALUES (1, 'sent')", {"post.kept"}),
        ("DELETE FROM stg_vms.documents WHERE document_key = 2", {"map.rounded", "post.kept", "post.totals"}),
        # Back to what it was at an earlier time, as after a clock that was set back.
        (
            "UPDATE stg_vms.documents SET fetched_at = '2026-11-01' WHERE document_key = 2",
            {"map.rounded", "post.kept", "post.totals"},
        ),
        ("ALTER TABLE ctl.outbox ALTER COLUMN document_key TYPE INTEGER", {"post.kept"}),
        ("DROP TABLE post.totals", {"post.totals"}),
    ],
)
def test_what_follows_from_a_change_is_built_anew(
    connection: duckdb.DuckDBPyConnection, change: str, due: set[str]
) -> None:
    build_stale(connection)
    connection.execute(change)
    assert build_stale(connection) == due
    assert build_stale(connection) == set()


def test_a_model_of_another_text_is_built_anew(connection: duckdb.DuckDBPyConnection) -> None:
    build_stale(connection)
    other = {**MODELS, "map.rounded": MODELS["map.rounded"].replace("-- in document currency", "-- rounded")}
    assert build_stale(connection, other) == EVERYTHING - {"map.apart"}
    assert build_stale(connection) == EVERYTHING - {"map.apart"}


@pytest.mark.parametrize("threads", [1, 2])
def test_what_could_not_be_built_is_due_again(connection: duckdb.DuckDBPyConnection, threads: int) -> None:
    connection.execute(f"SET threads = {threads}")
    build_stale(connection)
    wrong = {**MODELS, "map.apart": APART.replace("    amount\n", "    CAST('x' || amount AS INTEGER) AS amount\n")}
    with pytest.raises(ModelError, match=r"map\.apart could not be built"):
        build_stale(connection, wrong)
    with pytest.raises(ModelError, match=r"map\.apart could not be built"):
        build_stale(connection, wrong)
    assert build_stale(connection) == {"map.apart"}
    assert build_stale(connection) == set()


@pytest.mark.parametrize("threads", [1, 2])
def test_what_was_built_beside_a_model_that_failed_is_due_again(
    connection: duckdb.DuckDBPyConnection, threads: int
) -> None:
    connection.execute(f"SET threads = {threads}")
    build_stale(connection)
    before = connection.execute("FROM map.rounded ORDER BY ALL").fetchall()
    wrong = {
        **MODELS,
        "map.apart": APART.replace("    amount\n", "    CAST('x' || amount AS INTEGER) AS amount\n"),
        "map.rounded": MODELS["map.rounded"].replace("-- in document currency", "-- rounded"),
    }
    connection.execute("UPDATE stg_vms.documents SET amount = amount + 1")
    with pytest.raises(ModelError, match=r"map\.apart could not be built"):
        build_stale(connection, wrong)
    connection.execute("UPDATE stg_vms.documents SET amount = amount - 1")
    # With two threads it may have been built: then its rows are those of the wrong text, and its note must be gone.
    build_stale(connection)
    assert connection.execute("FROM map.rounded ORDER BY ALL").fetchall() == before
