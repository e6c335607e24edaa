"""How models are built: order, comments, views, rows that are kept, and nothing at all when one fails."""

# ruff: noqa: S608 - the statements are the tests\' own

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pipelines.core.errors import ModelError
from pipelines.core.table_ref import TableRef
from pipelines.models.build import build
from tests.models.cases import duplicate_keys
from tests.models.small import KEPT, ROUNDED, SMALL, catalog, warehouse

if TYPE_CHECKING:
    import duckdb

    from pipelines.models.model import Model

HEAD = "-- One x.\n-- grain: document_key\n"
KEPT_REF = TableRef("post", "kept")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse() as opened:
        yield opened


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[object, ...]]:
    return connection.execute(f"FROM {table} ORDER BY ALL").fetchall()


def _build(connection: duckdb.DuckDBPyConnection, **models: str) -> list[str]:
    given = {name.replace("__", "."): sql for name, sql in models.items()}
    return [built.note for built in build(connection, catalog(given).models)]


def test_models_are_built_with_their_rows(connection: duckdb.DuckDBPyConnection) -> None:
    told: list[tuple[str, int, int]] = []
    built = build(
        connection,
        catalog().models,
        report=lambda what, done, total: told.append((what, done, total)),
    )
    assert {str(b.ref): (b.row_count, b.kept_count) for b in built} == {
        "map.rounded": (2, 0),
        "post.kept": (2, 0),
        "post.totals": (2, 0),
    }
    assert _rows(connection, "post.totals")[0] == (1, Decimal("12.3500"), Decimal("12.345"), Decimal("0.005"))
    assert told[0] == ("map.rounded", 0, 3)
    assert {what for what, _, _ in told[1:-1]} == {"post.kept", "post.totals"}
    assert told[-1] == ("models", 3, 3)


def test_a_second_build_changes_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    models = catalog().models
    build(connection, models)
    before = [_rows(connection, name) for name in SMALL]
    build(connection, models)
    assert [_rows(connection, name) for name in SMALL] == before


def test_schemas_and_only_choose_what_is_built(connection: duckdb.DuckDBPyConnection) -> None:
    models = catalog().models
    assert [str(b.ref) for b in build(connection, models, schemas=("map",))] == ["map.rounded"]
    assert [str(b.ref) for b in build(connection, models, only={TableRef("post", "totals")})] == ["post.totals"]


def beyond_memory(connection: duckdb.DuckDBPyConnection) -> Sequence[Model]:
    """Build two models, and leave the second too little memory to be built again."""
    many = f"{HEAD}SELECT document_key,\n    SUM(amount) AS amount\nFROM map.a\nGROUP BY document_key"
    models = catalog({"map.a": ROUNDED, "map.b": many}).models
    build(connection, models)
    connection.execute("INSERT INTO map.a (document_key) SELECT range FROM range(2_000_000)")
    connection.execute("SET temp_directory = ''")
    connection.execute("SET memory_limit = '60MB'")
    return models


def test_a_model_that_needs_too_much_memory_says_so(connection: duckdb.DuckDBPyConnection) -> None:
    models = beyond_memory(connection)
    with pytest.raises(ModelError, match=r"map\.b needs more memory than this process may use: Out of Memory Error"):
        build(connection, models, only={models[1].ref})


def test_a_model_that_needs_more_memory_gets_all_there_is(connection: duckdb.DuckDBPyConnection) -> None:
    models = beyond_memory(connection)
    connection.execute(f"SET VARIABLE most_memory = {1000 * 2**20}")
    [made] = build(connection, models, only={models[1].ref})
    assert made.row_count == 2_000_000


def test_what_most_waits_for_is_built_first(connection: duckdb.DuckDBPyConnection) -> None:
    last = f"{HEAD}SELECT document_key FROM map.z"
    models = catalog({"map.a": ROUNDED, "map.z": ROUNDED, "map.zz": last}).models
    order: list[str] = []
    build(connection, models, report=lambda what, _done, _total: order.append(what))
    assert order == ["map.z", "map.a", "map.zz", "models"]


def test_a_failure_names_the_value_and_leaves_what_stands_on_it(connection: duckdb.DuckDBPyConnection) -> None:
    number = f"{HEAD}SELECT document_key,\n    CAST(document_no AS INTEGER) AS number\nFROM stg_vms.documents"
    above = f"{HEAD}SELECT document_key,\n    number\nFROM map.b"
    models = catalog({"map.a": ROUNDED, "map.b": number, "map.c": above}).models
    build(connection, models)
    before = _rows(connection, "map.c")
    connection.execute("UPDATE stg_vms.documents SET document_no = 'F-1', amount = 0 WHERE document_key = 1")
    with pytest.raises(ModelError) as error:
        build(connection, models)
    assert error.value.message.startswith(
        "map.b could not be built: sql/map/b.sql:4:5: Conversion Error: Could not convert string 'F-1' to INT32"
    )
    assert error.value.next_step.startswith("nothing was sent; correct the data")
    assert _rows(connection, "map.b") == before
    assert _rows(connection, "map.c") == before


def test_new_rows_replace_those_of_their_key(connection: duckdb.DuckDBPyConnection) -> None:
    models = catalog().models
    build(connection, models)
    connection.execute("INSERT INTO ctl.outbox VALUES (1, 'sent'), (2, 'todo')")
    connection.execute("UPDATE stg_vms.documents SET amount = 13 WHERE document_key = 1")
    build(connection, models)
    assert _rows(connection, "post.kept") == [(1, Decimal("13.0000")), (2, Decimal("7.0000"))]


def test_old_rows_stay_only_while_keep_holds(connection: duckdb.DuckDBPyConnection) -> None:
    models = catalog().models
    build(connection, models)
    connection.execute("INSERT INTO ctl.outbox VALUES (1, 'sent'), (2, 'todo')")
    connection.execute("DELETE FROM stg_vms.documents")
    (kept,) = (b for b in build(connection, models) if b.ref == KEPT_REF)
    assert (kept.row_count, kept.kept_count) == (1, 1)
    assert _rows(connection, "post.kept") == [(1, Decimal("12.3500"))]
    connection.execute("UPDATE ctl.outbox SET state = 'todo'")
    build(connection, models)
    assert _rows(connection, "post.kept") == []


def test_a_keep_that_is_null_keeps_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    keep = KEPT.replace("document_key IN (SELECT", "document_key NOT IN (SELECT").replace("WHERE state = 'sent'", "")
    build(connection, catalog({"map.rounded": ROUNDED, "post.kept": keep}).models)
    connection.execute("INSERT INTO ctl.outbox VALUES (NULL, 'sent')")
    connection.execute("DELETE FROM stg_vms.documents")
    build(connection, catalog({"map.rounded": ROUNDED, "post.kept": keep}).models)
    assert _rows(connection, "post.kept") == []


def test_rows_kept_move_to_a_new_shape_by_name(connection: duckdb.DuckDBPyConnection) -> None:
    _build(connection, map__rounded=ROUNDED, post__kept=KEPT)
    connection.execute("INSERT INTO ctl.outbox VALUES (1, 'sent')")
    connection.execute("DELETE FROM stg_vms.documents WHERE document_key = 1")
    shape = "SELECT\n    document_no,\n    CAST(amount AS DECIMAL(38, 4)) AS amount,\n    document_key\nFROM"
    changed = KEPT.replace("SELECT\n    document_key,\n    amount\nFROM", shape)
    assert _build(connection, map__rounded=ROUNDED, post__kept=changed)[1] == (
        "the rows kept were migrated by name: document_no new; amount of another type"
    )
    assert _rows(connection, "post.kept") == [
        ("2707401", Decimal("7.0000"), 2),
        (None, Decimal("12.3500"), 1),
    ]
    assert _build(connection, map__rounded=ROUNDED, post__kept=KEPT)[1] == (
        "the rows kept were migrated by name: document_no gone; amount of another type"
    )


def test_rows_that_do_not_fit_a_new_shape_stop_the_build(connection: duckdb.DuckDBPyConnection) -> None:
    text = KEPT.replace("    amount\n", "    'none' AS amount\n")
    _build(connection, map__rounded=ROUNDED, post__kept=text)
    connection.execute("INSERT INTO ctl.outbox VALUES (1, 'sent')")
    with pytest.raises(ModelError, match=r"post\.kept has another shape now, and the rows it keeps do not fit"):
        _build(connection, map__rounded=ROUNDED, post__kept=KEPT)
    assert _rows(connection, "post.kept")[0] == (1, "none")


def test_keys_that_are_not_unique_are_named(connection: duckdb.DuckDBPyConnection) -> None:
    models = catalog({"map.x": f"{HEAD}SELECT document_key FROM stg_vms.document_lines"}).models
    build(connection, models)
    assert duplicate_keys(connection, models[0]) == [(1,)]


def test_of_an_account_number_only_the_end_is_told(connection: duckdb.DuckDBPyConnection) -> None:
    number = f"{HEAD}SELECT document_key, CAST(document_no AS INTEGER) AS number FROM stg_vms.documents"
    connection.execute("UPDATE stg_vms.documents SET document_no = 'NO9386011117947'")
    with pytest.raises(ModelError, match="Could not convert string '…7947' to INT32") as error:
        build(connection, catalog({"map.b": number}).models)
    assert "8601" not in str(error.value)
