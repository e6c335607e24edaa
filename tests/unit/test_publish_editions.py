"""An edition that is made of the one before holds what one that is written anew would, and is made of no other file."""

# ruff: noqa: S608 - statements are made of a test's own values

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from structlog.testing import capture_logs

from pipelines.core.table_ref import TableRef
from pipelines.publish.edition import database
from pipelines.publish.edition.contents import TableText
from pipelines.publish.edition.database import write_database
from pipelines.publish.edition.parts import PublishedTable, tables_of
from pipelines.publish.edition.swap import put_file
from tests.support.published import EDITION, TEXTS, Stores, make_stores

if TYPE_CHECKING:
    from pipelines.publish.edition.contents import Texts

BLOCKS_BEGIN, BLOCK = 3 * 4096, 256 * 1024
EDITIONS = 12
BATCH = (
    "INSERT OR REPLACE INTO batches "
    "VALUES ('{0}', '2026-11-02T08:00:00+00:00', {1}, '2026-11-02', '', 'kari', NULL, NULL)"
)
STEP = "INSERT INTO steps VALUES ('{0}', {1}, 'rates', 'read', '2026-11-02T08:00:00+00:00', NULL, 'done', 0, '')"
OTHER_WORDS = {
    "of a table": {TableRef("rec", "documents"): replace(TEXTS[TableRef("rec", "documents")], about="One invoice.")},
    "of a column": {TableRef("ctl", "outbox"): TableText("One write.", {"id": "which write"})},
    "of the history": {TableRef("ctl", "outbox_events"): TableText("One step of a write.", {"at": "when"})},
}
# What may happen in the warehouse between two editions.
CHANGES = {
    "nothing": "",
    "rows of a month": "UPDATE rec.documents SET next_step = 'pay' WHERE document_key = 3",
    "rows of every month": "UPDATE rec.documents SET next_step = 'pay'",
    "values change places": "UPDATE rec.documents SET amount_vms = 303.1 - amount_vms WHERE document_key IN (0, 303)",
    "a row is there twice": "INSERT INTO rec.documents FROM rec.documents WHERE document_key = 7",
    "a month goes": "DELETE FROM rec.documents WHERE period_month = DATE '2026-10-01'",
    "a month comes": "UPDATE rec.documents SET period_month = DATE '2026-12-01' WHERE document_key < 9",
    "rows lose their month": "UPDATE rec.documents SET period_month = NULL WHERE document_key < 9",
    "all rows go": "DELETE FROM rec.documents",
    "a column comes": "ALTER TABLE rec.documents ADD COLUMN remark VARCHAR DEFAULT 'new'",
    "a column goes": "ALTER TABLE rec.documents DROP next_step",
    "a column has another type": "ALTER TABLE rec.documents ALTER amount_vms TYPE DECIMAL(38, 6)",
    "columns change places": "CREATE OR REPLACE TABLE rec.documents AS "
    "SELECT next_step, * EXCLUDE (next_step) FROM rec.documents",
    "a table is built": "CREATE TABLE close.breaks AS SELECT 'period' AS subject",
    "a table is built no more": "DROP VIEW post.voucher_lines",
    "a table goes": "DROP TABLE ctl.outbox",
    "a bank account changes": "CREATE OR REPLACE VIEW post.voucher_lines AS SELECT document_key, CAST(NULL AS DATE) "
    "AS voucher_date, 'NO93 8601 1117 999' AS subledger_bank_account FROM rec.documents",
    "words of the control store": "UPDATE ctl.outbox SET last_error = '8601.11.17999 is closed'",
}
# After these the file is written anew: what went must not stay in free room.
WRITTEN_ANEW = {"a column goes", "a table goes"}
ADDED = {
    "a table": "CREATE TABLE rec.mine AS SELECT 1 AS a",
    "a column": "ALTER TABLE rec.documents ADD COLUMN mine INTEGER",
    "a view": "CREATE VIEW rec.mine AS SELECT 1 AS a",
    "a schema with a table": "CREATE SCHEMA mine; CREATE TABLE mine.own AS SELECT 1 AS a",
    "a view beside ours": "CREATE VIEW analysis.mine AS SELECT 1 AS a",
    "a macro": "CREATE MACRO mine(a) AS a + 1",
    "an index": "CREATE INDEX mine ON rec.documents (document_key)",
    "a sequence": "CREATE SEQUENCE mine",
    "a type": "CREATE TYPE mine AS ENUM ('a')",
    "a condition": "CREATE TABLE rec.held (document_key BIGINT CHECK (document_key > 0))",
}
# What an analyst may do to a table that is published; the next edition puts it right, whatever it is made of.
DONE_TO = {
    "rows are deleted": "DELETE FROM rec.documents WHERE document_key < 5",
    "a view is changed": "CREATE OR REPLACE VIEW analysis.months AS SELECT NULL AS period_month, 0 AS amount",
    "a view is dropped": "DROP VIEW analysis.months",
    "rows are changed": "UPDATE post.voucher_lines SET document_key = 0",
    "events are deleted": "DELETE FROM ctl.outbox_events WHERE event_no = 1",
    "a comment is changed": "COMMENT ON COLUMN rec.documents.amount_vms IS 'mine'",
    "the edition is deleted": "DELETE FROM ctl.published",
    "a column is renamed": "ALTER TABLE ctl.outbox_events RENAME detail TO mine",
    "a table is dropped": "DROP TABLE rec.documents",
}


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    stores = make_stores(tmp_path)
    for _ in range(3):
        stores.add_event()
    change_control(stores, BATCH.format("b0", "NULL"), STEP.format("b0", 1))
    stores.publish()
    yield stores
    stores.warehouse.close()
    stores.control.close()


def change_control(stores: Stores, *statements: str) -> None:
    with stores.control.write() as connection:
        for statement in statements:
            connection.execute(statement)


def change_file(stores: Stores, statements: str) -> None:
    """Do something to the published file, as somebody may who opens it for writing."""
    with duckdb.connect(str(stores.file)) as connection:
        connection.execute(statements)


def contents(file: Path) -> dict[str, tuple[PublishedTable, Counter[tuple[object, ...]]]]:
    """Return all that is in a published file: of each table or view its columns, comments and rows."""
    with duckdb.connect(str(file), read_only=True) as connection:
        views = connection.execute(
            "SELECT schema_name, table_name, list(column_name), list(data_type), list(comment) FROM ("
            "FROM duckdb_columns() WHERE schema_name = 'analysis' ORDER BY table_name, column_index) GROUP BY ALL"
        ).fetchall()
        tables = [
            *tables_of(connection),
            *(
                PublishedTable(TableRef(schema, name), dict(zip(columns, types, strict=True)), str(comments))
                for schema, name, columns, types, comments in views
            ),
        ]
        return {
            str(table.ref): (table, Counter(connection.execute(f"FROM {table.ref.quoted}").fetchall()))
            for table in tables
        }


def is_as_written_anew(stores: Stores, *, texts: Texts = TEXTS) -> bool:
    """Tell whether the published file holds what one does that is written where there was none."""
    anew = stores.folder / "anew"
    write_database(stores.warehouse, stores.control, anew, texts=texts, edition=EDITION)
    return contents(stores.file) == contents(anew / stores.file.name)


def reasons(publish: Callable[[], object]) -> list[str]:
    """Publish, and return why the file was written anew, where it was."""
    with capture_logs() as logs:
        publish()
    return [entry["reason"] for entry in logs if "reason" in entry]


@pytest.mark.parametrize("change", CHANGES)
def test_an_edition_made_of_the_one_before_is_as_one_written_anew(change: str, stores: Stores) -> None:
    stores.warehouse.execute(CHANGES[change])
    found = reasons(stores.publish)
    assert found == (["it has what is not published"] if change in WRITTEN_ANEW else [])
    assert is_as_written_anew(stores)


@pytest.mark.parametrize("words", OTHER_WORDS)
def test_other_words_are_published(words: str, stores: Stores) -> None:
    texts = {**TEXTS, **OTHER_WORDS[words]}
    assert reasons(lambda: stores.publish(texts=texts)) == []
    assert is_as_written_anew(stores, texts=texts)
    assert not is_as_written_anew(stores)


def test_history_grows_and_its_last_batch_changes(stores: Stores) -> None:
    stores.add_event("of a later batch")
    change_control(stores, STEP.format("b0", 2), BATCH.format("b0", "'2026-11-02T09:00:00+00:00'"))
    change_control(stores, BATCH.format("b1", "NULL"), STEP.format("b1", 1))
    assert reasons(stores.publish) == []
    assert is_as_written_anew(stores)
    assert stores.read("SELECT count(*) FROM ctl.steps") == [(3,)]


def test_batches_that_the_control_store_has_lost_go(stores: Stores) -> None:
    change_control(stores, BATCH.format("b1", "NULL"), BATCH.format("b2", "NULL"))
    stores.publish()
    change_control(stores, "DELETE FROM batches WHERE batch_id = 'b1'")
    assert reasons(stores.publish) == []
    assert is_as_written_anew(stores)


def test_what_did_not_change_is_not_written(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    create = database._create

    def noting(connection: duckdb.DuckDBPyConnection, table: PublishedTable) -> None:
        made.append(str(table.ref))
        create(connection, table)

    monkeypatch.setattr(database, "_create", noting)
    stores.publish()
    kept = {"rec.documents", "post.voucher_lines", "close.breaks", "ctl.outbox"}
    kept |= {"ctl.outbox_events", "ctl.batches", "ctl.steps"}
    assert "ctl.published" in made
    assert kept.isdisjoint(made)


@pytest.mark.parametrize("added", ADDED)
def test_what_somebody_added_does_not_stay(added: str, stores: Stores) -> None:
    change_file(stores, ADDED[added])
    assert reasons(stores.publish) == ["it has what is not published"]
    assert is_as_written_anew(stores)


@pytest.mark.parametrize("done", DONE_TO)
def test_what_somebody_changed_is_put_right(done: str, stores: Stores) -> None:
    change_file(stores, DONE_TO[done])
    stores.publish()
    assert is_as_written_anew(stores)


def test_a_file_of_other_code_is_written_anew(stores: Stores) -> None:
    change_file(stores, "UPDATE ctl.published SET writer = 'other'")
    assert reasons(stores.publish) == ["another version of the program wrote it"]
    assert is_as_written_anew(stores)


def test_a_file_that_does_not_say_what_wrote_it_is_written_anew(stores: Stores) -> None:
    change_file(stores, "ALTER TABLE ctl.published DROP writer")
    assert len(reasons(stores.publish)) == 1
    assert is_as_written_anew(stores)


def test_a_file_of_another_store_is_written_anew(stores: Stores) -> None:
    other = make_stores(stores.folder / "other")
    change_control(other, BATCH.format("b9", "NULL"))
    replaced = replace(stores, control=other.control)
    assert reasons(replaced.publish) == ["it is of another control store"]
    assert is_as_written_anew(replaced)
    other.warehouse.close()
    other.control.close()


@pytest.mark.parametrize("table", ["rec.documents", "ctl.outbox_events"])
def test_a_file_with_a_damaged_block_is_written_anew(table: str, stores: Stores) -> None:
    [(block,)] = stores.read(f"SELECT max(block_id) FROM pragma_storage_info('{table}') WHERE persistent")
    with stores.file.open("r+b") as file:
        file.seek(BLOCKS_BEGIN + int(str(block)) * BLOCK)
        file.write(b"damaged " * 1024)
    assert len(reasons(stores.publish)) == 1
    assert is_as_written_anew(stores)
    assert reasons(stores.publish) == []


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
def test_a_file_that_is_cut_short_is_written_anew(share: float, stores: Stores) -> None:
    with stores.file.open("r+b") as file:
        file.truncate(int(stores.file.stat().st_size * share))
    assert len(reasons(stores.publish)) == 1
    assert is_as_written_anew(stores)


def test_a_file_that_nobody_may_read_is_written_anew(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shutil, "copyfile", forbidden)
    assert reasons(stores.publish) == ["[Errno 13] Permission denied"]
    monkeypatch.undo()
    assert is_as_written_anew(stores)


def test_a_file_stays_in_size_whatever_changes(stores: Stores) -> None:
    stores.warehouse.execute(
        "INSERT INTO rec.documents SELECT range, range / 7.0, DATE '2026-09-01' + INTERVAL (range % 3) MONTH, "
        "sha256(CAST(range AS VARCHAR)) FROM range(15000)"
    )
    sizes = []
    for edition in range(EDITIONS):
        which = "document_key % 3 = 2" if edition % 3 else "true"
        stores.warehouse.execute(f"UPDATE rec.documents SET next_step = sha256(next_step || {edition}) WHERE {which}")
        stores.publish()
        sizes.append(stores.file.stat().st_size)
    assert is_as_written_anew(stores)
    fresh = (stores.folder / "anew" / stores.file.name).stat().st_size
    assert max(sizes) < fresh * 2.5, sizes


def test_who_has_a_file_open_keeps_it_when_another_takes_its_place(tmp_path: Path) -> None:
    place, made = tmp_path / "report.html", tmp_path / "made"
    place.write_text("old", "utf-8")
    made.write_text("new", "utf-8")
    with place.open(encoding="utf-8") as reader:
        put_file(made, place)
        assert reader.read() == "old"
    assert (place.read_text("utf-8"), made.exists()) == ("new", False)
