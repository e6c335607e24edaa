"""The control store keeps the same promises in a file and in PostgreSQL."""

# ruff: noqa: S608 - our own names

from __future__ import annotations

import ast
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

import pipelines
from pipelines.core.control_place import Place
from pipelines.core.errors import BusyError, SettingsError
from pipelines.core.resources import sql_folder
from pipelines.stores.breaks import Break, close_breaks, open_breaks
from pipelines.stores.control import Control, named_statements
from pipelines.stores.control_schema import control_tables
from pipelines.stores.opening import open_store
from pipelines.stores.postgres.statements import statement_of
from tests.support.control_stores import FILLED, KINDS, REFUSED, new_place

AT = "2026-11-02T08:00:00.000000+00:00"
# Declared, and never run as they stand.
DECLARED = {"schema", "warehouse", "seeds"}
NAMED = [
    (file.stem, name)
    for file in sorted((sql_folder() / "control").glob("*.sql"))
    if file.stem not in DECLARED
    for name in named_statements(file.stem)
]
TRIGGERS = re.findall(r"BEFORE (UPDATE|DELETE) ON (\w+)", (sql_folder() / "control" / "schema.sql").read_text("utf-8"))

FINAL = r"append-only|never deleted|stays as it is"


def in_code() -> Iterator[str]:
    """Yield the statements that stand whole in a module, beside those that have a file."""
    for module in sorted(Path(pipelines.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"read", "one", "pages"}
                and ast.unparse(node.func.value).endswith("control")
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                yield str(node.args[0].value)


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(kind: str, tmp_path: Path) -> Place:
    return new_place(kind, tmp_path)


@pytest.fixture
def control(place: Place) -> Iterator[Control]:
    with closing(open_store(place)) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    with closing(open_store(new_place(kind, tmp_path_factory.mktemp("shared")))) as opened:
        yield opened


@pytest.mark.parametrize("named", NAMED, ids=".".join)
def test_every_statement_is_taken(shared: Control, named: tuple[str, str]) -> None:
    file, name = named
    statement = named_statements(file)[name]
    bare = re.sub(r"--[^\n]*|'[^']*'", "", statement)
    given = dict.fromkeys(re.findall(r":(\w+)", bare)) or [None] * bare.count("?")
    shared.read(f"EXPLAIN {statement}", given)


@pytest.mark.parametrize("statement", sorted({*in_code()}))
def test_every_statement_in_code_is_taken(shared: Control, statement: str) -> None:
    shared.read(f"EXPLAIN {statement}", [None] * re.sub(r"'[^']*'", "", statement).count("?"))


def test_what_fails_leaves_nothing(control: Control) -> None:
    def half() -> None:
        with control.write() as connection:
            control.keep_mark("a", "1", within=connection)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert control.mark("a") is None
    control.keep_mark("a", "2")
    control.keep_mark("a", "3")
    assert (control.mark("a"), control.one("SELECT count(*) FROM meta")) == ("3", 1)


def test_writers_go_one_after_the_other(place: Place) -> None:
    def add_one(_: int) -> None:
        with closing(open_store(place)) as own, own.write() as connection:
            # What is read inside is what stands, or two would write the same number.
            own.keep_mark("count", str(int(own.mark("count") or 0) + 1), within=connection)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(add_one, range(40)))
    with closing(open_store(place)) as control:
        assert control.mark("count") == "40"


def test_a_writer_waits_no_longer_than_it_was_told(place: Place, control: Control) -> None:
    with control.write(), closing(open_store(place, busy_seconds=0.1)) as other:
        # SQLite has an error of its own, which core/disk.py tells.
        with pytest.raises((sqlite3.OperationalError, BusyError)):
            other.keep_mark("a", "1")
        assert other.mark("a") is None


def test_a_reader_sees_what_is_whole(place: Place, control: Control) -> None:
    with closing(open_store(place)) as other:
        with control.write() as connection:
            control.keep_mark("a", "1", within=connection)
            assert other.mark("a") is None
        assert other.mark("a") == "1"


def test_a_snapshot_stands_still(place: Place, control: Control) -> None:
    control.keep_mark("a", "1")
    with closing(open_store(place)) as other, other.snapshot():
        assert other.mark("a") == "1"
        control.keep_mark("a", "2")
        assert other.mark("a") == "1"


def test_others_that_write_are_noticed(place: Place, control: Control) -> None:
    with closing(open_store(place)) as other:
        before = control.data_version()
        other.keep_mark("a", "1")
        assert control.data_version() != before


def seen(control: Control, number: int) -> int:
    """Open the same break again, and one more beside it; return the highest number given out."""
    items = [Break("missing", subject, f"seen {number}", "look") for subject in ("same", str(number))]
    with control.write() as connection:
        open_breaks(connection, items, batch_id="b1", at=AT)
    return int(control.one("SELECT max(break_id) FROM breaks"))


def test_numbers_grow_and_none_is_given_twice(control: Control) -> None:
    given = [seen(control, number) for number in range(3)]
    assert given == sorted({*given})
    with control.write() as connection:
        close_breaks(connection, [("missing", "same")], at=AT)
    assert seen(control, 3) > given[-1] + 1
    assert control.one("SELECT count(*) FROM breaks WHERE subject = 'same'") == 2


def test_rows_are_read_by_name_and_by_place(control: Control) -> None:
    control.keep_mark("a", "ø\n'%s :name ?")
    [row] = control.read("SELECT name, value AS kept FROM meta WHERE value = ?", ("ø\n'%s :name ?",))
    assert (row["kept"], row[0], dict(row), tuple(row)) == (
        "ø\n'%s :name ?",
        "a",
        {"name": "a", "kept": "ø\n'%s :name ?"},
        ("a", "ø\n'%s :name ?"),
    )
    assert control.one("SELECT sum(3) > 2 FROM meta") == 1
    assert [len(page) for page in control.pages("SELECT name FROM meta", size=1)] == [1]


def test_texts_are_compared_byte_by_byte(control: Control) -> None:
    for name in ("b", "B", "ø", "_", "1"):
        control.keep_mark(name, name)
    assert [name for (name,) in control.read("SELECT name FROM meta ORDER BY name")] == ["1", "B", "_", "b", "ø"]
    assert control.one("SELECT max(name) FROM meta") == "ø"


@pytest.mark.parametrize(("event", "table"), TRIGGERS, ids=[" ".join(found) for found in TRIGGERS])
def test_what_is_final_stays(kind: str, control: Control, event: str, table: str) -> None:
    fill(control)
    column = next(iter(control_tables()[table].types))
    state = ", state = 'draft'" if table == "closes" else ""
    changes = [f"UPDATE {table} SET {column} = {column}{state}" if event == "UPDATE" else f"DELETE FROM {table}"]
    if kind == "postgres" and event == "DELETE":
        changes.append(f"TRUNCATE {table} CASCADE")
    for change in changes:
        with pytest.raises(REFUSED, match=FINAL), control.write() as connection:
            connection.execute(change)


def fill(control: Control) -> None:
    """Write a row into each table that has something final."""
    with control.write() as connection:
        for table, row in FILLED.items():
            names, places = ", ".join(row), ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", [*row.values()])


def test_a_store_to_be_read_is_not_made(place: Place) -> None:
    for _ in range(2):
        with closing(open_store(place, for_reading=True)) as control:
            assert control.read("SELECT * FROM outbox") == []
    with closing(open_store(place)) as control:
        control.keep_mark("a", "1")
    with closing(open_store(place, for_reading=True)) as control:
        assert control.mark("a") == "1"
        with pytest.raises((sqlite3.OperationalError, SettingsError), match=r"readonly|read-only"):
            control.keep_mark("a", "2")


def test_a_remark_and_a_text_are_no_words_of_a_statement() -> None:
    said = statement_of("SELECT '-- :x ? IS' AS a -- what of :y?\nFROM t WHERE +b = :b AND c IS NOT :c AND d IS NULL")
    assert said == (b"SELECT '-- :x ? IS' AS a \nFROM t WHERE b = %(b)s AND c IS DISTINCT FROM %(c)s AND d IS NULL")
