"""What is known of the published file spares an edition the reading, and is believed no longer than it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import duckdb
import pytest

from pipelines.core.table_ref import TableRef
from pipelines.publish.edition import database
from pipelines.publish.edition.database import write_database
from pipelines.publish.edition.known import read_known
from pipelines.publish.edition.parts import PublishedTable, Sums, sums_of, tables_of
from pipelines.publish.edition.tables import write_tables
from pipelines.stores.changes import MOST_KEYS, Changed, create_changes, note_rows, note_table, noted_changes
from tests.support.published import EDITION, TEXTS, Stores, make_stores
from tests.unit.test_publish_editions import is_as_written_anew

DOCUMENTS = TableRef("rec", "documents")
PLAYS = 6


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    """Give an edition whose table of documents is followed."""
    stores = make_stores(tmp_path)
    create_changes(stores.warehouse)
    note_table(stores.warehouse, [DOCUMENTS, TableRef("post", "voucher_lines")])
    stores.publish()
    yield stores
    stores.warehouse.close()
    stores.control.close()


def publish_on(stores: Stores, *, day: int) -> None:
    edition = replace(EDITION, today=EDITION.today + timedelta(days=day))
    write_database(stores.warehouse, stores.control, stores.published, texts=TEXTS, edition=edition)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the names of the tables that are read as a whole, on either side."""
    found: list[str] = []

    def noting(connection: duckdb.DuckDBPyConnection, table: PublishedTable, rows: str) -> Sums:
        found.append(str(table.ref))
        return sums_of(connection, table, rows)

    monkeypatch.setattr(database, "sums_of", noting)
    return found


def test_what_is_not_noted_is_not_read(stores: Stores, read: list[str]) -> None:
    stores.publish()
    assert "rec.documents" not in read
    # Nobody follows a view, nor the outbox before it has moved.
    assert {"post.voucher_lines", "ctl.outbox"} <= {*read}


def test_noted_rows_alone_are_looked_at(stores: Stores, read: list[str]) -> None:
    stores.warehouse.execute("UPDATE rec.documents SET next_step = 'pay' WHERE document_key IN (3, 4)")
    note_rows(stores.warehouse, DOCUMENTS, "document_key", {3})
    stores.publish()
    assert "rec.documents" not in read
    assert stores.read("SELECT document_key FROM rec.documents WHERE next_step = 'pay'") == [(3,)]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda stores: publish_on(stores, day=1),
        lambda stores: stores.warehouse.execute("DELETE FROM ctl.published_file") and stores.publish(),
        lambda stores: stores.file.write_bytes(stores.file.read_bytes()) and stores.publish(),
    ],
    ids=["another day", "the mark is gone", "somebody wrote to the file"],
)
def test_all_is_read_once_the_file_may_be_another(
    spoil: Callable[[Stores], object], stores: Stores, read: list[str]
) -> None:
    stores.warehouse.execute("UPDATE rec.documents SET next_step = 'pay' WHERE document_key = 3")
    spoil(stores)
    assert read.count("rec.documents") == 2
    assert stores.read("SELECT document_key FROM rec.documents WHERE next_step = 'pay'") == [(3,)]


def test_killed_before_it_is_kept_all_is_read(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(database, "keep_known", killed)
    stores.warehouse.execute("UPDATE rec.documents SET next_step = 'pay' WHERE document_key = 3")
    note_rows(stores.warehouse, DOCUMENTS, "document_key", {3})
    with pytest.raises(KeyboardInterrupt):
        stores.publish()
    monkeypatch.undo()
    stores.warehouse.execute("UPDATE rec.documents SET next_step = 'look' WHERE document_key = 3")
    stores.publish()
    assert is_as_written_anew(stores)


def test_a_followed_table_stays_so_when_the_file_is_lost(stores: Stores, read: list[str]) -> None:
    stores.file.unlink()
    stores.publish()
    read.clear()
    stores.publish()
    assert "rec.documents" not in read


# What a builder does between two editions, and how it notes it; {0} and {1} are numbers.
EDITS: Sequence[tuple[str, set[int] | None]] = (
    ("UPDATE rec.documents SET next_step = next_step || {0} WHERE document_key = {0}", {0}),
    ("UPDATE rec.documents SET period_month = NULL WHERE document_key = {0}", {0}),
    ("UPDATE rec.documents SET period_month = DATE '2027-01-01' WHERE document_key IN ({0}, {1})", {0, 1}),
    ("UPDATE rec.documents SET document_key = {1} WHERE document_key = {0}", {0, 1}),
    ("UPDATE rec.documents SET document_key = NULL WHERE document_key = {0}", {0}),
    ("DELETE FROM rec.documents WHERE document_key = {0} OR document_key IS NULL", {0}),
    ("INSERT INTO rec.documents FROM rec.documents WHERE document_key = {0}", {0}),
    ("UPDATE rec.documents SET amount_vms = 1 - amount_vms", None),
    ("DELETE FROM rec.documents WHERE document_key % 7 = {0} % 7", None),
    ("SELECT {0}", {0}),
    ("SELECT {0}", set()),
)


@pytest.mark.parametrize("play", range(PLAYS))
def test_whatever_is_noted_full_is_equal_to_in_parts(play: int, stores: Stores) -> None:
    rng, done = Random(play), []  # noqa: S311 a test
    for _ in range(4):
        for _ in range(rng.randint(1, 4)):
            statement, places = rng.choice(EDITS)
            numbers = rng.sample(range(300), 2)
            done.append(statement.format(*numbers))
            stores.warehouse.execute(done[-1])
            if places is None:
                note_table(stores.warehouse, [DOCUMENTS])
            else:
                note_rows(stores.warehouse, DOCUMENTS, "document_key", {numbers[place] for place in places})
        stores.publish()
        known = read_known(stores.warehouse, stores.file, today=EDITION.today)
        with closing(duckdb.connect(str(stores.file), read_only=True)) as connection:
            tables = [table for table in tables_of(connection) if table.ref in known.sums]
            there = {table.ref: sums_of(connection, table, table.ref.quoted) for table in tables}
            assert there == known.sums, done
            write_tables(connection, stores.published, known=known.sums)
            assert write_tables(connection, stores.published) == [], "with what is known and without it, it is the same"
    assert is_as_written_anew(stores), done


def test_notes_of_too_many_keys_or_by_two_columns_mean_all_rows(stores: Stores) -> None:
    note_rows(stores.warehouse, DOCUMENTS, "document_key", {1, 2})
    assert noted_changes(stores.warehouse) == {DOCUMENTS: Changed("document_key", frozenset({1, 2}))}
    note_rows(stores.warehouse, DOCUMENTS, "header_db_id", {1})
    assert noted_changes(stores.warehouse) == {DOCUMENTS: Changed()}
    stores.publish()
    assert noted_changes(stores.warehouse) == {}
    note_rows(stores.warehouse, DOCUMENTS, "document_key", range(MOST_KEYS + 1))
    assert noted_changes(stores.warehouse) == {DOCUMENTS: Changed()}
