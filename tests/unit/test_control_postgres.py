"""What is PostgreSQL's own: its locks, its faults in our words, the loss of a connection, and what is never shown."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from pipelines.core.control_place import PostgresSchema, read_postgres
from pipelines.core.errors import BusyError, SettingsError, SpringlineError
from pipelines.core.settings import Settings
from pipelines.outbox.chain import verify_chain
from pipelines.stores.backup import back_up
from pipelines.stores.control import Control
from pipelines.stores.lost import open_control
from pipelines.stores.opening import open_store
from pipelines.stores.postgres import connection as postgres_connection
from pipelines.stores.postgres import control as postgres_control
from pipelines.stores.postgres.connection import PostgresConnection
from pipelines.stores.postgres.control import PostgresControl
from pipelines.stores.postgres.faults import StatementError, fault
from pipelines.stores.versions import control_folder, migrations
from pipelines.stores.warehouse import open_warehouse
from tests.support.control_stores import new_schema, server
from tests.support.delivery_world import World, make_settings, voucher
from tests.support.postgres import Postgres
from tests.support.postgres_pool import Pool

PASSWORD = "geheim-9f3a2c"
ACCOUNT = "NO9386011117947"


@pytest.fixture
def place() -> PostgresSchema:
    return new_schema()


@pytest.fixture
def control(place: PostgresSchema) -> Iterator[Control]:
    with closing(open_store(place)) as opened:
        yield opened


@pytest.fixture
def owner() -> Iterator[Postgres]:
    """Connect as whoever runs the server."""
    with psycopg.connect(server(), autocommit=True) as connection:
        yield connection


def end_sessions(owner: Postgres) -> None:
    """End the sessions that hold a lock of writers or of a batch."""
    owner.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'")


def test_a_second_batch_is_kept_out_until_the_first_has_gone(place: PostgresSchema, control: Control) -> None:
    control.hold_batch()
    with closing(open_store(place)) as other:
        with pytest.raises(BusyError, match="Another batch is at work on the control store"):
            other.hold_batch()
        # A person decides all the same, while the batch runs.
        other.keep_mark("a", "1")
        control.close()
        other.hold_batch()


def test_a_note_is_forced_to_the_disk_whatever_the_server_does(control: Control, owner: Postgres) -> None:
    assert owner.execute("SHOW synchronous_commit").fetchone() == ("off",)
    assert isinstance(control, PostgresControl)
    with control.write() as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone()[0] == "on"


def test_tenants_of_one_database_do_not_meet(control: Control) -> None:
    control.hold_batch()
    with control.write(), closing(open_store(new_schema(), busy_seconds=0.1)) as other:
        other.hold_batch()
        other.keep_mark("a", "1")
        assert control.mark("a") is None


def test_a_killed_connection_leaves_nothing_half(control: Control, owner: Postgres) -> None:
    def half() -> None:
        with control.write() as connection:
            control.keep_mark("a", "1", within=connection)
            end_sessions(owner)
            control.keep_mark("b", "1", within=connection)

    with pytest.raises(BusyError, match="is lost") as caught:
        half()
    assert "Nothing is lost" in caught.value.next_step
    # Whoever is no batch goes on with another connection.
    assert control.mark("a") is None
    control.keep_mark("a", "2")
    assert control.mark("a") == "2"


def test_a_batch_that_lost_its_lock_does_not_go_on(control: Control, owner: Postgres) -> None:
    control.hold_batch()
    end_sessions(owner)
    for _ in range(2):
        with pytest.raises(BusyError, match="is lost"):
            control.keep_mark("a", "1")


def test_what_works_beside_a_batch_ends_with_its_lock(control: Control, owner: Postgres) -> None:
    control.hold_batch()
    with closing(control.beside()) as beside:
        beside.keep_mark("a", "1")
        # The batch itself has not noticed yet.
        end_sessions(owner)
        with pytest.raises(BusyError, match="is lost"):
            beside.keep_mark("a", "2")
        assert beside.mark("a") == "1"


def test_what_works_beside_a_batch_does_not_connect_again(control: Control, owner: Postgres) -> None:
    control.hold_batch()
    with closing(control.beside()) as beside:
        with pytest.raises(BusyError, match="is lost"), beside.write():
            owner.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE state LIKE 'idle in %'")
        with pytest.raises(BusyError, match="is lost"):
            beside.mark("a")
    assert control.mark("a") is None


def test_a_killed_delivery_is_looked_up(place: PostgresSchema, owner: Postgres) -> None:
    world = World(place)
    world.outbox().store_intents([voucher(1)])
    world.outbox().begin([voucher(1).id])
    world.control.hold_batch()
    end_sessions(owner)
    with closing(open_store(place)) as control:
        assert control.one("SELECT state FROM outbox") == "sending"
        assert verify_chain(control) == []
    world.control.close()


def test_a_lost_schema_is_not_begun_anew(tmp_path: Path, place: PostgresSchema) -> None:
    settings = make_settings(control=place, warehouse=tmp_path / "w.duckdb", published=tmp_path / "published")
    with closing(open_warehouse(settings.warehouse_path)) as warehouse:
        warehouse.execute("CREATE SCHEMA IF NOT EXISTS ctl")
        warehouse.execute("CREATE TABLE ctl.last_batch AS SELECT 'b' AS batch_id")
    with pytest.raises(SettingsError, match="is empty, but the warehouse") as caught:
        open_control(settings)
    assert "pg_restore" in caught.value.next_step
    with pytest.raises(SettingsError, match="is empty, but the warehouse"):
        open_control(settings, for_reading=True)
    assert not names_of_tables(place)
    open_store(place).close()
    with pytest.raises(SettingsError, match="is empty, but the warehouse"):
        open_control(settings)


def test_a_question_connects_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: PostgresSchema, control: Control
) -> None:
    control.keep_mark("a", "1")
    settings = make_settings(control=place, warehouse=tmp_path / "w.duckdb", published=tmp_path / "published")
    connected, made = postgres_connection._connected, list[PostgresSchema]()

    def counting(place: PostgresSchema) -> psycopg.Connection[postgres_connection.Record]:
        made.append(place)
        return connected(place)

    monkeypatch.setattr(postgres_connection, "_connected", counting)
    with closing(open_control(settings, for_reading=True)) as opened:
        assert opened.mark("a") == "1"
    assert made == [place]


def names_of_tables(place: PostgresSchema) -> list[tuple[object, ...]]:
    with psycopg.connect(server()) as connection:
        return connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (place.schema,)).fetchall()


def test_a_store_of_an_older_release_is_migrated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: PostgresSchema, control: Control
) -> None:
    control.keep_mark("a", "1")
    later = tmp_path / "0099_later.sql"
    later.write_text(
        "ALTER TABLE meta ADD COLUMN words TEXT;  -- what it is\n\nCREATE TABLE IF NOT EXISTS later (\n"
        "    later_no INTEGER PRIMARY KEY AUTOINCREMENT,  -- counted up\n    size INTEGER  -- how much\n) STRICT;\n"
    )
    steps = (*migrations(control_folder()), later)
    monkeypatch.setattr(postgres_control, "migrations", lambda _folder: steps)
    with pytest.raises(SettingsError, match="older release"):
        open_store(place, for_reading=True)
    for _ in range(2):
        with closing(open_store(place)) as migrated, migrated.write() as connection:
            connection.execute("INSERT INTO later (size) VALUES (?)", (2**40,))
    with closing(open_store(place, for_reading=True)) as migrated:
        assert [tuple(row) for row in migrated.read("SELECT later_no, size FROM later")] == [(1, 2**40), (2, 2**40)]
        assert (migrated.version(), migrated.one("SELECT words FROM meta")) == (len(steps), None)


def test_a_migration_that_fails_leaves_the_store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: PostgresSchema, control: Control
) -> None:
    later = tmp_path / "0099_later.sql"
    later.write_text("CREATE TABLE later (size INTEGER) STRICT;\nALTER TABLE nothing ADD COLUMN words TEXT;\n")
    with monkeypatch.context() as newer:
        newer.setattr(postgres_control, "migrations", lambda _folder: (*migrations(control_folder()), later))
        with pytest.raises(SettingsError, match="nothing"):
            open_store(place)
    assert ("later",) not in names_of_tables(place)
    open_store(place).close()
    assert control.version() == len(migrations(control_folder()))


def test_a_store_of_a_newer_release_is_refused(place: PostgresSchema, control: Control) -> None:
    with control.write() as connection:
        control.set_version(99, within=connection)
    with pytest.raises(SettingsError, match="has version 99, which a newer release"):
        open_store(place)


def test_tables_of_another_program_are_left_alone(place: PostgresSchema, owner: Postgres) -> None:
    owner.execute(f"CREATE SCHEMA {place.schema}".encode())
    owner.execute(f"CREATE TABLE {place.schema}.invoices (id BIGINT)".encode())
    with pytest.raises(SettingsError, match="is no control store of Springline"):
        open_store(place)
    assert names_of_tables(place) == [("invoices",)]


def changed(place: PostgresSchema, **parts: str) -> PostgresSchema:
    return replace(place, connection=tuple(sorted((dict(place.connection) | parts).items())))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"host": "/nowhere"}, "cannot be reached"),
        ({"host": "127.0.0.1", "port": "1"}, "cannot be reached"),
        ({"dbname": "none"}, 'database "none" does not exist'),
        ({"user": "stranger"}, "cannot be reached"),
    ],
)
def test_who_cannot_be_let_in_is_told_why(place: PostgresSchema, parts: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        open_store(replace(changed(place, **parts), password=PASSWORD))
    assert "PGPASSWORD" in caught.value.next_step
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_a_wrong_password_is_told_and_never_shown(place: PostgresSchema, owner: Postgres) -> None:
    [(rules,)] = owner.execute("SHOW hba_file").fetchall()
    file = Path(str(rules))
    before = file.read_text("utf-8")
    owner.execute(f"CREATE ROLE guarded LOGIN PASSWORD 'other-{PASSWORD}'".encode())
    try:
        file.write_text(f"local all guarded scram-sha-256\n{before}", "utf-8")
        owner.execute("SELECT pg_reload_conf()")
        wrong = replace(changed(place, user="guarded"), password=PASSWORD)
        with pytest.raises(SettingsError) as caught:
            open_until(wrong, "password authentication failed")
        shown = [str(caught.value), repr(caught.value), repr(wrong), str(wrong)]
        assert PASSWORD not in "".join((*shown, *traceback.format_exception(caught.value)))
        # Let in by the right one, and without the right to make a schema.
        with pytest.raises(SettingsError, match="may not use the control store") as refused:
            open_store(replace(wrong, password=f"other-{PASSWORD}"))
        assert f"CREATE SCHEMA {place.schema}" in refused.value.next_step
        owner.execute(f"CREATE SCHEMA {place.schema} AUTHORIZATION guarded".encode())
        open_store(replace(wrong, password=f"other-{PASSWORD}")).close()
    finally:
        file.write_text(before, "utf-8")
        owner.execute("SELECT pg_reload_conf()")


def open_until(place: PostgresSchema, words: str) -> None:
    """Open until the server has read its rules anew, which it does in its own time."""
    for _ in range(200):
        try:
            open_store(place).close()
        except SettingsError as error:
            if words in str(error):
                raise


def test_a_password_is_in_no_text_of_the_settings() -> None:
    place = read_postgres(f"postgresql://tenant:{PASSWORD}@books.example/db?schema=a")
    settings: Settings = make_settings(control=place)
    texts = [f"{place} {place!r}", repr(settings), str(settings), settings.model_dump_json(exclude={"vms", "ledger"})]
    assert PASSWORD not in "".join(texts)
    assert place.password == PASSWORD


def test_what_was_written_is_in_no_error(control: Control) -> None:
    control.keep_mark(ACCOUNT, "1")
    with pytest.raises(StatementError, match="duplicate key") as caught, control.write() as connection:
        connection.execute("INSERT INTO meta (name, value) VALUES (?, '2')", (ACCOUNT,))
    assert ACCOUNT not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.errors.DiskFull("could not extend file"), 18),
        (psycopg.errors.TooManyConnections("sorry, too many clients already"), 17),
        (psycopg.errors.AdminShutdown("terminating connection"), 17),
        (psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"), 17),
        (psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT"), 10),
        (psycopg.errors.InsufficientPrivilege("permission denied for schema"), 10),
        (psycopg.errors.UndefinedTable('relation "outbox" does not exist'), 10),
        (psycopg.OperationalError("the connection is closed"), 17),
    ],
    ids=lambda value: type(value).__name__,
)
def test_faults_end_with_their_own_code(place: PostgresSchema, error: psycopg.Error, kind: int) -> None:
    told = fault(error, place)
    assert isinstance(told, SpringlineError)
    assert told.exit_code == kind
    assert str(place) in told.message
    assert told.next_step
    assert "{" not in str(told)


@pytest.mark.parametrize(("is_shared", "has_transactions"), [(True, True), (True, False), (False, True)])
def test_a_pool_that_shares_sessions_is_refused(
    monkeypatch: pytest.MonkeyPatch, place: PostgresSchema, *, is_shared: bool, has_transactions: bool
) -> None:
    pool = Pool(server(), is_shared=is_shared, has_transactions=has_transactions)
    monkeypatch.setattr(postgres_connection, "_connected", pool.connected)
    if is_shared:
        with pytest.raises(SettingsError, match="behind a pool") as caught:
            open_store(place)
        assert "pool_mode = session" in caught.value.next_step
        # Refused before anything was set in a session that is somebody else's next.
        paths = [connection.execute("SHOW search_path").fetchone() for connection in pool.sessions]
        assert [row is not None and row[0] for row in paths] == ['"$user", public'] * 2
    else:
        opened = PostgresConnection(place, for_reading=False, lock_seconds=1)
        assert opened.run("SHOW search_path")[0][0] == place.schema
    for connection in pool.sessions:
        connection.close()


def test_a_session_that_becomes_another_is_refused(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(control, PostgresControl)
    monkeypatch.setattr(control._open, "process", -1)
    with pytest.raises(SettingsError, match="behind a pool"):
        control.keep_mark("a", "1")
    monkeypatch.undo()
    assert control.mark("a") is None
    control.keep_mark("a", "1")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, place: PostgresSchema) -> None:
    monkeypatch.setitem(sys.modules, "pipelines.stores.postgres.control", None)
    with pytest.raises(SettingsError, match="is missing") as caught:
        open_store(place)
    assert "pip install 'springline[postgres]'" in caught.value.next_step


def test_a_backup_is_a_file_that_can_be_put_back(tmp_path: Path, place: PostgresSchema) -> None:
    world = World(place)
    world.outbox().store_intents([voucher(1), voucher(2)])
    world.control.close()
    made = back_up(place, tmp_path / "copy.sqlite")
    assert (made.event_no, [file.name for file in tmp_path.iterdir()]) == (2, ["copy.sqlite"])
    with closing(Control(tmp_path / "copy.sqlite")) as copy:
        assert verify_chain(copy) == []
    with pytest.raises(SettingsError, match="There is no control store"):
        back_up(new_schema(), tmp_path / "other.sqlite")
