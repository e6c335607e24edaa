"""The sample world's days with the control store in PostgreSQL: the same records, answers and sends as with a file."""

# ruff: noqa: S608 - our own names

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from pipelines.core.control_place import PostgresSchema
from pipelines.core.errors import BusyError
from pipelines.outbox.chain import verify_chain
from pipelines.stores.control_schema import control_tables
from pipelines.stores.opening import open_store
from pipelines.wire.http import Answer, Call, HttpCaller
from tests.flow.world import World, copies, world
from tests.support.control_stores import KINDS, new_place, new_schema, server

pytestmark = pytest.mark.system

EXIT_BUSY, EXIT_SETTINGS, EXIT_CONTRACT = 17, 10, 11
# A voucher has five lines: a mutation each.
LIMITS = {"SPRINGLINE_LEDGER__NODES_PER_MUTATION": "5", "SPRINGLINE_LEDGER__TIMEOUT": "4"}
# Times, and what is made of them: names of batches, and the hashes over both. Numbers of rows and ids in the VMS follow
# the order in which a pool of threads sends, and in which DuckDB gives what is found.
OF_THE_MOMENT = re.compile(
    r"at|.*_at|since|until|batch_id|hash|previous_hash|summary|remote_ids|event_no|break_id|hold_id|rejected_id"
)
JOBS = ("master-data", "documents", "rates", "payments", "actuals", "reconcile", "publish")


class Both(NamedTuple):
    """The same world with its control store in a file, and in a schema of PostgreSQL."""

    file: World
    schema: World
    place: PostgresSchema

    def command(self, *words: str) -> None:
        """Have both answer, which must be the same."""
        file, schema = (each.command(*words) for each in self[:2])
        assert plain(file.out).splitlines() == plain(schema.out).splitlines(), schema.err
        assert file.exit_code == schema.exit_code


def plain(text: str) -> str:
    """Take out of a text what is never twice the same: times, names of batches, hashes, ports and folders.

    Numbers of breaks too: SQLite gives one away also where it finds a break open and adds none.
    """
    text = re.sub(r"[ ─━]{2,}", " ", text)
    text = re.sub(r'"break_id": \d+|\bbreak \d+', "#", text)
    text = re.sub(r"\d{8}T\d{6}-[0-9a-f]{4}|\b[0-9a-f]{32,64}\b", "#", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?([+-]\d\d:\d\d|Z)?|127\.0\.0\.1:\d+", "#", text)
    return re.sub(r"/dev/shm/\S+|/tmp/\S+|postgresql://\S+|\d+ bytes|\b(under )?\d+ (seconds?|minutes?)\b", "#", text)  # noqa: S108


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    place = new_schema()
    folder = tmp_path_factory.mktemp("both")
    for name in ("file", "schema"):
        (folder / name).mkdir()
    with (
        world(folder / "file", {}, is_first_day=True) as file,
        world(folder / "schema", {}, is_first_day=True, SPRINGLINE_CONTROL=str(place)) as schema,
    ):
        yield Both(file, schema, place)


def rows(place: Path | PostgresSchema) -> dict[str, list[tuple[Any, ...]]]:
    """Give every table of a control store, without what is of the moment; in an order that follows from the content."""
    found = {}
    with closing(open_store(place)) as control:
        assert verify_chain(control) == []
        for table, declared in control_tables().items():
            columns = [name for name in declared.types if not OF_THE_MOMENT.fullmatch(name)]
            if table in {"meta", "cursors"}:
                columns = columns[:1]
            read = control.read(f"SELECT {', '.join(columns)} FROM {table}")
            kept = [tuple(plain(value) if isinstance(value, str) else value for value in row) for row in read]
            found[table] = sorted(kept, key=repr)
    return found


def test_a_day_leaves_the_same_records(both: Both) -> None:
    results = [each.run(*JOBS) for each in both[:2]]
    assert results[0].exit_code == results[1].exit_code
    assert {name: counts.as_dict() for name, counts in results[0].jobs.items()} == {
        name: counts.as_dict() for name, counts in results[1].jobs.items()
    }
    assert both.file.sent() == both.schema.sent() != {}
    for each in both[:2]:
        each.booked()
        each.run(*JOBS)
    file, schema = rows(both.file.folder / "springline.ctl.sqlite"), rows(both.place)
    assert {table: len(kept) for table, kept in file.items()} == {table: len(kept) for table, kept in schema.items()}
    for table, kept in file.items():
        assert kept == schema[table], table
    assert [both.file.booked(), both.file.statuses()] == [both.schema.booked(), both.schema.statuses()]


def test_no_file_of_a_store_is_made(both: Both) -> None:
    names = {path.name for path in both.schema.folder.iterdir()}
    assert not [name for name in names if "ctl" in name or "sqlite" in name]


def test_a_second_day_sends_nothing(both: Both) -> None:
    before = both.schema.sent()
    for each in both[:2]:
        each.run(*JOBS)
    assert both.schema.sent() == before


def test_every_question_is_answered_alike(both: Both) -> None:
    number = min(both.file.sent())
    held = json.loads(both.file.command("status", "--json").out)["held"][0]["document_no"]
    both.command("status", "--json")
    both.command("explain", number, "--json")
    both.command("explain", held, "--json")
    both.command("breaks", "list", "--json")
    both.command("hold", number, "--reason", "we ask")
    both.command("release", number, "--reason", "answered")
    both.command("ignore", held, "--reason", "by hand")
    both.command("release", held, "--reason", "not any more")
    both.command("query", "SELECT count(*) FROM ctl.outbox_events")
    both.command("close", "2026-10", "--json")
    both.command("check")
    both.command("verify")
    both.command("preflight")
    both.command("run", "documents", "--dry-run")


def test_a_second_batch_from_another_folder_sends_nothing(both: Both, tmp_path: Path) -> None:
    own = {"SPRINGLINE_WAREHOUSE": str(tmp_path / "w.duckdb"), "SPRINGLINE_PUBLISHED": str(tmp_path / "published")}
    before = both.schema.sent()
    with closing(open_store(both.place)) as running:
        running.hold_batch()
        both.schema.requests()
        ended = both.schema.command("run", **own)
        assert ended.exit_code == EXIT_BUSY
        assert "Another batch is at work" in ended.err
        with pytest.raises(BusyError):
            both.schema.run(**own)
        assert not any(both.schema.requests().values())
    assert both.schema.sent() == before
    # From that folder the next one goes on where the other has ended.
    again = both.schema.run(*JOBS, **own)
    assert both.schema.sent() == before
    assert again.jobs["documents"].sent == 0


def test_a_connection_that_ends_in_mid_delivery_loses_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = new_schema()
    documents = {"vms/Document": copies(4, first_key=6_000_001)}
    ended: list[str] = []

    def ending(caller: HttpCaller, call: Call) -> Answer:
        answer = exchange(caller, call)
        if call.operation == "addGLImportItems" and not ended:
            ended.append(call.operation)
            with psycopg.connect(server(), autocommit=True) as owner:
                owner.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'")
        return answer

    exchange = HttpCaller._exchange
    with world(tmp_path, documents, is_first_day=True, SPRINGLINE_CONTROL=str(place), **LIMITS) as harbour:
        with monkeypatch.context() as fragile:
            fragile.setattr(HttpCaller, "_exchange", ending)
            with pytest.raises(BusyError, match="is lost"):
                harbour.run("master-data", "documents")
        assert ended
        assert len(harbour.sent()) == 1
        assert ("sending",) in harbour.rows("SELECT DISTINCT state FROM outbox WHERE kind = 'voucher'")
        harbour.run("master-data", "documents")
        assert [*harbour.booked().values()] == [1, 1, 1, 1]
        assert {row for (row,) in harbour.rows("SELECT state FROM outbox WHERE kind = 'voucher'")} == {"sent"}
        with closing(open_store(place)) as control:
            assert verify_chain(control) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_that_postgresql_cannot_hold_costs_one_document(kind: str, tmp_path: Path) -> None:
    documents = copies(3, first_key=6_000_001)
    documents[1]["documentText"] = "Port\0call"
    place = new_place(kind, tmp_path)
    with world(tmp_path, {"vms/Document": documents}, is_first_day=True, SPRINGLINE_CONTROL=str(place)) as harbour:
        ran = harbour.run("master-data", "documents")
        assert ran.exit_code == EXIT_CONTRACT
        assert harbour.booked() == {6_000_001: 1, 6_000_003: 1}
        [(message,)] = harbour.rows("SELECT message FROM rejected WHERE until IS NULL")
        assert "Document 6000002 (N6000002): documentText: the character U+0000" in message
        # Corrected in the VMS, it goes with the next run.
        harbour.change("Document", 6_000_002, documentText="Port call")
        assert harbour.run("documents").exit_code == 0
        assert harbour.booked() == dict.fromkeys((6_000_001, 6_000_002, 6_000_003), 1)


def test_it_is_moved_to_a_file_and_back(both: Both, tmp_path: Path) -> None:
    environ = {"SPRINGLINE_CONTROL": str(tmp_path / "moved.ctl.sqlite")}
    moved = both.schema.command("control", "copy", environ["SPRINGLINE_CONTROL"], "--json")
    assert (moved.exit_code, moved.json()["target"]) == (0, environ["SPRINGLINE_CONTROL"])
    for words in (("run",), ("status",), ("explain", "1"), ("hold", "1", "--reason", "x"), ("backup", "f"), ("check",)):
        refused = both.schema.command(*words)
        assert (refused.exit_code, "was moved to" in refused.err) == (EXIT_SETTINGS, True), words
    assert both.schema.run(*JOBS, **environ).jobs["documents"].sent == 0
    back = new_schema()
    assert both.schema.command("control", "copy", str(back), **environ).exit_code == 0
    assert rows(back)["outbox"] == rows(both.file.folder / "springline.ctl.sqlite")["outbox"]


def test_no_password_is_shown(both: Both, tmp_path: Path) -> None:
    text = str(both.place).replace("postgres@", "postgres:geheim-77@").replace("/postgres?", "/no?")
    for words in (("status",), ("check",), ("run",), ("status", "--json"), ("backup", str(tmp_path / "f"))):
        ended = both.schema.command(*words, SPRINGLINE_CONTROL=text)
        assert ended.exit_code == EXIT_SETTINGS
        assert "cannot be reached" in ended.err
        assert "geheim" not in ended.out + ended.err
    ended = both.schema.command("control", "copy", text)
    assert (ended.exit_code, "geheim" in ended.out + ended.err) == (2, False)
    assert os.environ.get("SPRINGLINE_CONTROL") is None
