"""The published file: what is in it, what is not, and that no reader and no kill ever sees less than a whole one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipelines.core.errors import ModelError
from pipelines.core.table_ref import TableRef
from pipelines.publish.edition import database
from pipelines.stores.control import Control
from pipelines.stores.control_types import ControlRow
from tests.support.patience import PATIENCE
from tests.support.published import NOW, TEXTS, Stores, make_stores, start

ALL_COMMENTS = (
    "SELECT 1 FROM duckdb_tables() WHERE coalesce(comment, '') = '' AND schema_name <> 'ctl' UNION ALL "
    "SELECT 1 FROM duckdb_columns() WHERE coalesce(comment, '') = '' AND NOT internal AND schema_name <> 'ctl'"
)
# Reads, waits for a word, and reads again on the same connection.
READER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
ask = lambda: print(connection.execute("SELECT count(*), sum(amount_vms) FROM rec.documents").fetchone(), flush=True)
ask()
sys.stdin.readline()
ask()
"""
# Publishes, and is killed at one of the places where something is done.
KILLED = """
import os, signal, sys
from pathlib import Path
from pipelines.publish.edition import database
from tests.support.published import make_stores, Stores
from pipelines.stores.control import Control
import duckdb
folder, place, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
stores = Stores(folder, duckdb.connect(str(folder / "springline.duckdb")), Control(folder / "springline.ctl.sqlite"))
done, calls = getattr(database, place), []
def dying(*arguments, **named):
    calls.append(1)
    if len(calls) == number:
        os.kill(os.getpid(), signal.SIGKILL)
    return done(*arguments, **named)
setattr(database, place, dying)
stores.publish()
print("published")
"""


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    stores = make_stores(tmp_path)
    yield stores
    stores.warehouse.close()
    stores.control.close()


def test_every_table_and_column_has_its_comment(stores: Stores) -> None:
    stores.publish()
    assert stores.read(ALL_COMMENTS) == []
    found = stores.read("SELECT comment FROM duckdb_columns() WHERE column_name = 'amount_vms'")
    assert found == [("its amount_vms",)]


def test_a_view_is_published_as_a_table(stores: Stores) -> None:
    stores.publish()
    assert stores.read("SELECT schema_name FROM duckdb_views() WHERE NOT internal") == [("analysis",)]
    assert stores.read(
        "SELECT count(*), any_value(comment) FROM post.voucher_lines, duckdb_tables() "
        "WHERE table_name = 'voucher_lines'"
    ) == [(300, "One line.")]


def test_a_view_for_analysts_reads_what_is_published(stores: Stores) -> None:
    # The warehouse's own table has 300 rows; a view that read it would find none of them in the file alone.
    stores.publish()
    assert stores.read("SELECT count(*), sum(amount) FROM analysis.months") == [(3, Decimal("44880.0000"))]
    assert stores.read("SELECT comment FROM duckdb_views() WHERE view_name = 'months'") == [("One month.",)]
    assert stores.read("SELECT comment FROM duckdb_columns() WHERE table_name = 'months' ORDER BY column_index") == [
        ("the month",),
        ("what it comes to",),
    ]
    assert stores.warehouse.execute("SELECT current_database()").fetchall() == [("springline",)]


def test_only_what_is_described_is_published(stores: Stores) -> None:
    stores.publish()
    tables = {name for (name,) in stores.read("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'post'")}
    assert tables == {"voucher_lines"}
    assert stores.read("SELECT count(*) FROM duckdb_schemas() WHERE schema_name LIKE 'stg%'") == [(0,)]


def test_what_is_not_built_yet_is_empty_and_says_so(stores: Stores) -> None:
    stores.publish()
    assert stores.read("FROM close.breaks") == []
    [(comment,)] = stores.read(
        "SELECT comment FROM duckdb_tables() WHERE table_name = 'breaks' AND schema_name = 'close'"
    )
    assert str(comment).startswith("Not built yet")


def test_bank_accounts_are_cut_to_their_last_four(stores: Stores) -> None:
    stores.publish()
    assert stores.read("SELECT DISTINCT subledger_bank_account FROM post.voucher_lines") == [("…7947",)]
    [(comment,)] = stores.read("SELECT comment FROM duckdb_columns() WHERE column_name = 'subledger_bank_account'")
    assert comment == "its subledger_bank_account; of it the last four characters"


def test_accounts_in_words_are_cut_too(stores: Stores) -> None:
    stores.add_event("the account 8601 11 17947 of GB33BUKB20201555555555 is unknown, document 2706012 too")
    stores.publish()
    assert stores.read("SELECT last_error FROM ctl.outbox") == [("bankAccount: …7947 or …7947 is wrong",)]
    told = "the account …7947 of …5555 is unknown, document 2706012 too"
    assert stores.read("SELECT detail FROM ctl.outbox_events WHERE detail IS NOT NULL") == [(told,)]


def test_whole_objects_are_left_out(stores: Stores) -> None:
    stores.publish()
    columns = stores.read("SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'ctl'")
    assert {("outbox", "payload"), ("rejected", "body")}.isdisjoint(columns)
    assert {"meta", "cursors"}.isdisjoint({table for table, _ in columns})


def test_times_of_the_control_store_are_times(stores: Stores) -> None:
    stores.publish()
    naive = NOW.replace(tzinfo=None)
    assert stores.read('SELECT "at" FROM ctl.outbox_events') == [(naive,)]
    assert stores.read("SELECT created_at FROM ctl.outbox") == [(naive,)]


def test_the_file_says_when_and_by_whom_it_was_written(stores: Stores) -> None:
    stores.publish()
    naive = NOW.replace(tzinfo=None)
    told = stores.read("SELECT * EXCLUDE (writer) FROM ctl.published")
    assert told == [(naive, "b1", NOW.date(), "0.1.0", naive, None)]


def test_older_tools_can_open_the_file(stores: Stores) -> None:
    stores.publish()
    [(version,)] = stores.read("SELECT tags['storage_version'] FROM duckdb_databases() WHERE NOT internal")
    assert version == "v1.0.0+"


def test_an_open_reader_keeps_the_old_file(stores: Stores) -> None:
    stores.publish()
    reader = start(READER, [str(stores.file)])
    assert reader.stdout is not None
    before = reader.stdout.readline()
    stores.warehouse.execute("DELETE FROM rec.documents WHERE document_key > 9")
    stores.publish()
    assert stores.read("SELECT count(*) FROM rec.documents") == [(10,)]
    told, _ = reader.communicate("again\n", timeout=PATIENCE)
    assert (reader.returncode, told) == (0, before)
    assert before.startswith("(300,")


@pytest.mark.parametrize(
    ("place", "number"),
    [
        ("_brought_up", 1),
        ("_create", 1),
        ("_create", 4),
        ("_bring_up", 1),
        ("_bring_up", 2),
        ("_exchange", 1),
        ("_copy", 1),
        ("copy_history", 1),
        ("put_file", 1),
    ],
)
def test_a_kill_leaves_the_old_file(place: str, number: int, stores: Stores) -> None:
    stores.publish()
    before = stores.file.read_bytes()
    stores.warehouse.execute("DELETE FROM rec.documents")
    stores.warehouse.close()
    stores.control.close()
    killed = start(KILLED, [str(stores.folder), place, str(number)])
    told, _ = killed.communicate(timeout=PATIENCE)
    assert (killed.returncode, told) == (-signal.SIGKILL, "")
    assert stores.file.read_bytes() == before
    again = start(KILLED, [str(stores.folder), place, "0"])
    assert again.communicate(timeout=PATIENCE)[0] == "published\n"
    assert stores.read("SELECT count(*) FROM rec.documents") == [(0,)]
    assert [path.name for path in stores.published.iterdir()] == ["springline.duckdb"]


def test_a_failure_is_told_and_leaves_the_old_file(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    stores.publish()
    before = stores.file.read_bytes()
    monkeypatch.setattr(database, "copy_history", _full_disk)
    with pytest.raises(ModelError, match="No space left"):
        stores.publish()
    assert stores.file.read_bytes() == before
    assert [path.name for path in stores.published.iterdir()] == ["springline.duckdb"]
    monkeypatch.undo()
    stores.publish()


def _full_disk(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_only_new_events_are_read_from_the_control_store(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        stores.add_event()
    stores.publish()
    stores.add_event()
    asked: list[int] = []
    pages = Control.pages

    def counting(control: Control, statement: str, *, size: int) -> Iterator[list[ControlRow]]:
        for rows in pages(control, statement, size=size):
            asked.extend([len(rows)] if '"outbox_events"' in statement else [])
            yield rows

    monkeypatch.setattr(Control, "pages", counting)
    stores.publish()
    assert asked == [2]
    assert stores.read("SELECT count(*), max(event_no) FROM ctl.outbox_events") == [(5, 5)]


def test_another_control_store_is_read_from_its_beginning(stores: Stores, tmp_path: Path) -> None:
    stores.add_event()
    stores.publish()
    other = replace(stores, control=Control(tmp_path / "other.sqlite"))
    other.add_event("of the other store")
    with other.control.write() as connection:
        connection.execute("UPDATE batches SET operator = 'x'")
    other.publish()
    other.control.close()
    assert stores.read("SELECT detail FROM ctl.outbox_events") == [("of the other store",)]


def test_a_file_that_cannot_be_read_is_written_anew(stores: Stores) -> None:
    stores.published.mkdir()
    stores.file.write_bytes(b"no database at all" * 4096)
    stores.publish()
    assert stores.read("SELECT count(*) FROM rec.documents") == [(300,)]


def test_a_reader_in_this_process_does_no_harm(stores: Stores) -> None:
    stores.publish()
    with duckdb.connect(str(stores.file), read_only=True) as connection:
        stores.publish(at=NOW + timedelta(hours=1))
        assert connection.execute("SELECT published_at FROM ctl.published").fetchone() == (NOW.replace(tzinfo=None),)
    assert stores.read("SELECT published_at FROM ctl.published") == [(datetime(2026, 11, 2, 9),)]  # noqa: DTZ001 as in the table


def test_texts_of_this_test_are_what_the_warehouse_has(stores: Stores) -> None:
    described = stores.warehouse.execute("DESCRIBE rec.documents").fetchall()
    assert {row[0]: row[1].replace(" ", "") for row in described} == dict(TEXTS[TableRef("rec", "documents")].types)
