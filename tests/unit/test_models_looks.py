"""What has changed in a landed table is found among the rows written since, or else among all of them."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb
import pytest

from pipelines.core.table_ref import TableRef
from pipelines.models import looks
from pipelines.models.looks import Looking
from pipelines.models.noted import Stream, create_notes, moved_since, versions

DOCUMENTS, LINES = TableRef("stg_vms", "documents"), TableRef("stg_vms", "document_lines")
SEEDS = TableRef("seed", "companies")
COLUMNS: Mapping[TableRef, Mapping[str, str]] = {
    DOCUMENTS: {
        "document_key": "BIGINT",
        "company_code": "VARCHAR",
        "fetch_id": "VARCHAR",
        "fetched_at": "TIMESTAMP",
    },
    LINES: {"document_key": "BIGINT", "fetch_id": "VARCHAR"},
    SEEDS: {"document_key": "BIGINT", "name": "VARCHAR"},
}
ROWS = {
    DOCUMENTS: "SELECT range, 'C' || range % 10, '20261101T060000-aa.1', TIMESTAMP '2026-11-01 06:00' FROM range(100)",
    LINES: "SELECT range // 5, '20261101T060000-aa.1' FROM range(500)",
    SEEDS: "SELECT range, 'name' FROM range(100)",
}
LATER = "fetch_id = '20261102T060000-bb.1'"
AT = "fetched_at = TIMESTAMP '2026-11-02 06:00:00.000001'"


class Staging:
    """Three tables, and looks at them, each as of a build of its own."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Fill them, and look once."""
        self.connection, self.build_no = connection, 0
        for ref, columns in COLUMNS.items():
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {ref.schema}")
            connection.execute(f"CREATE TABLE {ref} ({', '.join(map(' '.join, columns.items()))})")
            connection.execute(f"INSERT INTO {ref} {ROWS[ref]}")
        create_notes(connection)
        for ref in COLUMNS:
            self.look(ref)

    def look(self, ref: TableRef, column: str = "document_key") -> set[int] | None:
        """Return the parts that a look notes as changed; None: any of them."""
        self.build_no += 1
        stream = Stream(ref, column)
        Looking(self.connection, self.build_no).look(stream, COLUMNS[ref])
        moved = moved_since(self.connection, [stream], build_no=self.build_no - 1).get(stream, frozenset())
        return None if moved is None else set(moved)


@pytest.fixture
def staging() -> Iterator[Staging]:
    with duckdb.connect() as connection:
        yield Staging(connection)


@pytest.fixture
def added_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which rows of a table are added up by part."""
    found: list[str] = []

    def noted(stream: Stream, columns: Mapping[str, str], *, where: str = "TRUE") -> str:
        found.append("all" if where == "TRUE" else "some")
        return versions(stream, columns, where=where)

    monkeypatch.setattr(looks, "versions", noted)
    return found


def test_of_a_table_that_stands_as_it_did_no_part_is_looked_at(staging: Staging, added_up: list[str]) -> None:
    assert [staging.look(ref) for ref in COLUMNS] == [set()] * 3
    assert added_up == []


@pytest.mark.parametrize(
    ("ref", "edit", "keys"),
    [
        (DOCUMENTS, f"UPDATE stg_vms.documents SET {AT}, {LATER} WHERE document_key IN (3, 4)", {3, 4}),
        # As what is acknowledged is noted, which no fetch brought.
        (DOCUMENTS, f"UPDATE stg_vms.documents SET {AT} WHERE document_key = 3", {3}),
        (
            DOCUMENTS,
            "INSERT INTO stg_vms.documents SELECT 777, 'C1', '20261102T060000-bb.1', TIMESTAMP '2026-11-03'",
            {777},
        ),
        (LINES, f"UPDATE stg_vms.document_lines SET {LATER} WHERE document_key = 3", {3}),
        # A line less than before.
        (
            LINES,
            "DELETE FROM stg_vms.document_lines WHERE document_key = 3; "
            "INSERT INTO stg_vms.document_lines SELECT 3, '20261102T060000-bb.1' FROM range(4)",
            {3},
        ),
    ],
)
def test_what_was_written_since_is_all_that_is_added_up(
    staging: Staging, added_up: list[str], ref: TableRef, edit: str, keys: set[int]
) -> None:
    staging.connection.execute(edit)
    assert staging.look(ref) == keys
    assert added_up == ["some"]
    # And is kept as it was found.
    assert staging.look(ref) == set()
    staging.connection.execute(f"DELETE FROM {ref} WHERE document_key IN ({', '.join(map(str, keys))})")
    assert staging.look(ref) == keys


@pytest.mark.parametrize(
    "edit",
    [
        "DELETE FROM {ref} WHERE document_key = 5",
        # One goes and another comes.
        "DELETE FROM {ref} WHERE document_key = 5; UPDATE {ref} SET {later} WHERE document_key = 3",
        # A clock that was set back.
        "UPDATE {ref} SET {earlier} WHERE document_key = 5",
    ],
)
@pytest.mark.parametrize("ref", [DOCUMENTS, LINES])
def test_what_leaves_no_stamp_is_found_among_all(
    staging: Staging, added_up: list[str], ref: TableRef, edit: str
) -> None:
    stamps = (
        {"later": AT, "earlier": "fetched_at = TIMESTAMP '2026-10-01'"}
        if "fetched_at" in COLUMNS[ref]
        else {"later": LATER, "earlier": "fetch_id = '20261001T060000-cc.1'"}
    )
    staging.connection.execute(edit.format(ref=ref, **stamps))
    assert staging.look(ref) == ({3, 5} if "3" in edit else {5})
    assert added_up == ["some", "all"]
    assert staging.look(ref) == set()


def test_a_part_may_be_a_text_and_is_told_by_its_number(staging: Staging) -> None:
    staging.look(DOCUMENTS, "company_code")
    staging.connection.execute(f"UPDATE stg_vms.documents SET {AT}, company_code = 'D' WHERE document_key = 3")
    [(left,), (joined,)] = staging.connection.execute(
        "SELECT hash(code) >> 1 FROM (VALUES ('C3'), ('D')) AS c (code)"
    ).fetchall()
    assert staging.look(DOCUMENTS, "company_code") == {left, joined}


def test_rows_without_a_part_concern_all(staging: Staging) -> None:
    staging.connection.execute(f"UPDATE stg_vms.documents SET {AT}, document_key = NULL WHERE document_key = 3")
    assert staging.look(DOCUMENTS) is None
    staging.connection.execute(f"UPDATE stg_vms.documents SET {LATER} WHERE document_key IS NULL")
    assert staging.look(DOCUMENTS) is None
    assert staging.look(DOCUMENTS) == set()


def test_more_parts_than_are_worth_it_concern_all(staging: Staging, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "MOST_PARTS", 2)
    staging.connection.execute(f"UPDATE stg_vms.documents SET {AT} WHERE document_key < 3")
    assert staging.look(DOCUMENTS) is None
    assert staging.look(DOCUMENTS) == set()


def test_of_a_table_without_stamps_each_row_counts(staging: Staging, added_up: list[str]) -> None:
    staging.connection.execute("UPDATE seed.companies SET name = 'another' WHERE document_key = 7")
    assert staging.look(SEEDS) == {7}
    assert added_up == ["all"]


def test_a_table_that_nobody_reads_in_parts_has_changed_or_it_has_not(staging: Staging, added_up: list[str]) -> None:
    assert staging.look(SEEDS, "") is None
    assert staging.look(SEEDS, "") == set()
    staging.connection.execute("DELETE FROM seed.companies WHERE document_key = 7")
    assert staging.look(SEEDS, "") is None
    assert added_up == []


def test_a_table_that_was_always_empty_has_not_changed(staging: Staging) -> None:
    staging.connection.execute("DELETE FROM seed.companies")
    assert staging.look(SEEDS, "name") == set()
