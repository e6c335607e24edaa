"""Models that follow the outbox have the rows of ones that look at all of it, whatever was drafted and sent.

`FUZZ=50` plays a hundred days (`make fuzz`).
"""

# ruff: noqa: S608 - the statements are the test's own

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from random import Random
from typing import TYPE_CHECKING

import duckdb
import pytest

from pipelines.core.table_ref import TableRef
from pipelines.models import build as builder
from pipelines.models import moves
from pipelines.models.build import build
from pipelines.models.moves import FOLLOWED, moved_parts
from pipelines.stores.moves import create_moves, last_copy, note_all_moved, note_moved
from pipelines.stores.warehouse import transaction
from tests.models.conftest import prepare
from tests.support.verified import verified_models

if TYPE_CHECKING:
    from pipelines.models.model import Catalog, Model
    from pipelines.models.noted import Keys

DAYS = int(os.environ.get("FUZZ", "0")) * 2 or 6
DOCUMENTS, BUILDS, LINES = range(1, 30), 12, 2
MODELS = tuple(
    TableRef.parse(name) for name in ("map.sent_invoices", "post.used_numbers", "post.voucher_lines", "post.vouchers")
)
STATES = ("todo", "sending", "sent", "unknown", "failed")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return verified_models()


@pytest.fixture
def worlds(catalog: Catalog) -> Iterator[tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection]]:
    with duckdb.connect(config={"threads": 1}) as one, duckdb.connect(config={"threads": 1}) as other:
        for connection in (one, other):
            prepare(connection, catalog)
            create_moves(connection)
        yield one, other


def _draft(connection: duckdb.DuckDBPyConnection, key: int, version: int) -> None:
    """Draft the voucher of an open document, or another one in its place."""
    _withdraw(connection, key)
    connection.execute(
        f"INSERT INTO post.draft_vouchers BY NAME SELECT {key} AS document_key, 'F-{key % 7}' AS invoice_no, "
        f"'AP' AS voucher_type, {version} AS currency_amount"
    )
    connection.execute(
        f"INSERT INTO post.draft_lines BY NAME SELECT {key} AS document_key, CAST(n AS INTEGER) AS tr_item_number, "
        f"{version} AS amount FROM range(1, {LINES + 1 + version % 2}) AS lines (n)"
    )


def _withdraw(connection: duckdb.DuckDBPyConnection, key: int) -> None:
    """Let a document be open no more: it was sent, ignored or is not ready again."""
    for table in ("draft_vouchers", "draft_lines"):
        connection.execute(f"DELETE FROM post.{table} WHERE document_key = {key}")


def _move(connection: duckdb.DuckDBPyConnection, key: int, state: str, version: int) -> None:
    """Let a voucher be in a state, as the copy of the outbox brings it."""
    with transaction(connection):
        copy_no = last_copy(connection) + 1
        for table in ("outbox", "sent_vouchers"):
            connection.execute(f"DELETE FROM ctl.{table} WHERE document_key = {key}")
        connection.execute(
            f"INSERT INTO ctl.outbox BY NAME "
            f"SELECT '{key}' AS id, 'voucher' AS kind, {key} AS document_key, '{state}' AS state"
        )
        connection.execute(
            f"INSERT INTO ctl.sent_vouchers BY NAME SELECT '{key}' AS id, {key} AS document_key, '{state}' AS state, "
            f"'AP' AS voucher_type, 'F-0{key % 7}' AS invoice_no, {version} AS control_amount"
        )
        note_moved(connection, [key, None], copy_no=copy_no)


def _copy_anew(connection: duckdb.DuckDBPyConnection, key: int) -> None:
    """Copy all of the outbox anew, from a store that was put back and knows nothing of a document."""
    with transaction(connection):
        for table in ("outbox", "sent_vouchers"):
            connection.execute(f"DELETE FROM ctl.{table} WHERE document_key = {key}")
        note_all_moved(connection)


def _day(rng: Random, version: int) -> list[Callable[[duckdb.DuckDBPyConnection], None]]:
    """Make up what happens between two builds."""
    events: list[Callable[[duckdb.DuckDBPyConnection], None]] = []
    for _ in range(rng.randint(0, 5)):
        key, state, which = rng.choice(DOCUMENTS), rng.choice(STATES), rng.random()
        if which < 0.4:
            events.append(lambda to, key=key: _draft(to, key, version))  # type: ignore[misc]
        elif which < 0.6:
            events.append(lambda to, key=key: _withdraw(to, key))  # type: ignore[misc]
        elif which < 0.97:
            events.append(lambda to, key=key, state=state: _move(to, key, state, version))  # type: ignore[misc]
        else:
            events.append(lambda to, key=key: _copy_anew(to, key))  # type: ignore[misc]
    return events


def _rows(connection: duckdb.DuckDBPyConnection) -> dict[TableRef, list[tuple[object, ...]]]:
    return {ref: connection.execute(f"FROM {ref.quoted} ORDER BY ALL").fetchall() for ref in MODELS}


@pytest.mark.parametrize("day", range(DAYS))
def test_following_it_has_the_rows_of_one_that_looks_at_all(
    day: int,
    catalog: Catalog,
    worlds: tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection],
) -> None:
    rng, (following, looking) = Random(day), worlds  # noqa: S311 a test
    for version in range(BUILDS):
        # Now and then one of them is built alone, as where only it is stale.
        only = rng.choice([MODELS, MODELS, MODELS[2:], MODELS[3:]])
        for event in _day(rng, version):
            event(following)
            event(looking)
        build(following, catalog.models, only=only)
        _forget(looking)
        build(looking, catalog.models, only=only)
        assert _rows(following) == _rows(looking), version


def _forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Let everything be built whole."""
    moves.create_follow_notes(connection)
    connection.execute(f"DELETE FROM {FOLLOWED.quoted}")


def test_one_voucher_that_moved_is_all_that_is_looked_at(
    catalog: Catalog,
    worlds: tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, Keys | None] = {}

    def noted(connection: duckdb.DuckDBPyConnection, model: Model) -> Keys | None:
        asked[str(model.ref)] = moved_parts(connection, model)
        return asked[str(model.ref)]

    monkeypatch.setattr(builder, "moved_parts", noted)
    world, _ = worlds
    for key in DOCUMENTS:
        _move(world, key, "sent", 1)
    build(world, catalog.models, only=MODELS)
    assert set(asked.values()) == {None}
    _move(world, 7, "failed", 1)
    build(world, catalog.models, only=MODELS)
    assert asked == {str(ref): frozenset({7}) for ref in MODELS}
    build(world, catalog.models, only=MODELS)
    assert asked == {str(ref): frozenset() for ref in MODELS}
