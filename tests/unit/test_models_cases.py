"""How a YAML case of a model is read and run, and what it says when rows differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.models.external import create_tables
from tests.models.cases import CaseFault, read_case, run_case
from tests.models.small import catalog, warehouse

if TYPE_CHECKING:
    import duckdb

GIVEN = """
why: totals
given:
  map.rounded:
    - {document_key: 1, amount: 12.35}
    - {document_key: 2, amount: 7}
  stg_vms.document_lines:
    - {document_key: 1, line_key: 11, amount: 0.300000000000000001}
"""
THROUGH = """
why: totals
through: map.rounded
given:
  stg_vms.documents:
    - {document_key: 1, amount: 12.345}
"""


@pytest.fixture
def world() -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse() as connection:
        create_tables(connection, catalog().tables)
        yield connection


def _run(world: duckdb.DuckDBPyConnection, folder: Path, text: str) -> list[str]:
    path = folder / "post" / "totals" / "case.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return run_case(read_case(path), catalog(), world)


def test_a_case_whose_rows_are_as_expected_says_nothing(world: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = "expect:\n  - {document_key: 1, total: 0.300000000000000001}\n  - {document_key: 2, total: null}\n"
    assert _run(world, tmp_path, GIVEN + rows) == []
    assert _run(world, tmp_path, GIVEN + "expect:\n  - {amount: 12.35}\n  - {amount: 7}\n") == []


def test_what_differs_is_told_by_key_and_column(world: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = "expect:\n  - {document_key: 1, total: 0.3, amount: 12.350}\n  - {document_key: 3, total: 1}\n"
    assert _run(world, tmp_path, GIVEN + rows) == [
        "document_key 1: total is 0.300000000000000001, expected 0.3",
        "document_key 3: this row is missing; there are 2: (1,), (2,)",
        "(2,): nobody expected this row: document_key 2, amount 7.0000",
    ]


def test_rows_without_a_key_are_compared_in_order(world: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    counted, first = _run(world, tmp_path, GIVEN + "expect:\n  - {amount: 7}\n")
    assert counted.startswith("1 rows expected, 2 found: document_key 1, amount 12.3500, total 0.3000")
    assert counted.endswith("; document_key 2, amount 7.0000")
    assert first == "row 1: amount is 12.3500, expected 7"


def test_through_builds_what_lies_between(world: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    assert _run(world, tmp_path, THROUGH + "expect:\n  - {document_key: 1, amount: 12.3500}\n") == []


def test_a_case_leaves_nothing_behind(world: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    _run(world, tmp_path, GIVEN + "expect: []\n")
    assert world.execute("SELECT COUNT(*) FROM map.rounded").fetchone() == (0,)


def test_a_key_that_is_not_unique_fails_the_case(world: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    twice = GIVEN.replace("document_key: 2, amount: 7", "document_key: 1, amount: 7")
    assert _run(world, tmp_path, twice + "expect: []\n") == ["post.totals: more than one row with document_key = (1,)"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GIVEN, "has why, given and expect"),
        (f"{GIVEN}expect: []\nthrogh: map.rounded\n", "has why, given and expect"),
        (f"{GIVEN.replace('map.rounded', 'map.round')}expect: []\n", "there is no table map.round"),
        (f"{GIVEN.replace('line_key', 'line_kye')}expect: []\n", "document_lines has no column line_kye"),
        (f"{GIVEN}expect:\n  - {{totl: 1}}\n", "post.totals has no column totl"),
        (f"{GIVEN}through: map.rounded\nexpect: []\n", "the rows given of map.rounded would be replaced"),
        (f"{GIVEN}through: post.kept\nexpect: []\n", "post.totals does not read post.kept"),
    ],
)
def test_a_case_that_is_wrong_itself_is_told(
    world: duckdb.DuckDBPyConnection, tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(CaseFault, match=words):
        _run(world, tmp_path, text)
