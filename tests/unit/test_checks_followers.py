"""Which reversals go in one run with what they reverse."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import duckdb
import pytest

from pipelines.checks.followers import AWAITS_ORIGINAL, find_followers, note_followers, noted_followers

WAITS = {AWAITS_ORIGINAL}


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as warehouse:
        warehouse.execute("CREATE SCHEMA map")
        warehouse.execute(
            "CREATE TABLE map.reversal_originals (document_key BIGINT, original_key BIGINT, state VARCHAR)"
        )
        yield warehouse


def _reverses(warehouse: duckdb.DuckDBPyConnection, *pairs: tuple[int, int]) -> None:
    for pair in pairs:
        warehouse.execute("INSERT INTO map.reversal_originals VALUES (?, ?, 'waits')", pair)


@pytest.mark.parametrize("keys", [*permutations((1, 2, 3))])
def test_a_chain_follows_in_every_order_of_keys(warehouse: duckdb.DuckDBPyConnection, keys: tuple[int, ...]) -> None:
    original, reversal, again = keys
    _reverses(warehouse, (reversal, original), (again, reversal))
    critical = {reversal: WAITS, again: WAITS}
    assert find_followers(warehouse, critical=critical, ready={original}) == {reversal, again}
    assert not find_followers(warehouse, critical={**critical, original: {"period_closed"}}, ready=set())


def test_one_of_several_originals_waits_for_all(warehouse: duckdb.DuckDBPyConnection) -> None:
    _reverses(warehouse, (3, 1), (3, 2))
    assert not find_followers(warehouse, critical={3: WAITS, 2: {"held_by_person"}}, ready={1})
    assert find_followers(warehouse, critical={3: WAITS}, ready={1, 2}) == {3}


def test_what_fails_another_rule_follows_nothing(warehouse: duckdb.DuckDBPyConnection) -> None:
    _reverses(warehouse, (2, 1))
    assert not find_followers(warehouse, critical={2: {AWAITS_ORIGINAL, "period_closed"}}, ready={1})


def test_two_that_reverse_each_other_follow_nothing(warehouse: duckdb.DuckDBPyConnection) -> None:
    _reverses(warehouse, (1, 2), (2, 1))
    assert not find_followers(warehouse, critical={1: WAITS, 2: WAITS}, ready=set())


def test_what_was_noted_stands_until_the_next_check(warehouse: duckdb.DuckDBPyConnection) -> None:
    note_followers(warehouse, {2, 5})
    assert noted_followers(warehouse) == {2, 5}
    note_followers(warehouse, set())
    assert noted_followers(warehouse) == set()
