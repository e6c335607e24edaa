"""A divided model is built in the parts that have changed, and whole whenever that is not certain to be enough."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from pipelines.core.errors import ModelError
from pipelines.core.table_ref import TableRef
from pipelines.models import noted, parts, slices
from pipelines.models.build import build
from pipelines.models.noted import FRAMES
from pipelines.models.parts import Parts
from tests.models.small import EXTERNAL, OUTBOX, catalog, warehouse

if TYPE_CHECKING:
    import duckdb

    from pipelines.models.model import Model

HELD = """\
-- One document with why it is held.
-- grain: document_key
-- parts: document_key
SELECT
    documents.document_key,
    documents.document_no,
    outbox.state
FROM stg_vms.documents AS documents
LEFT JOIN ctl.outbox AS outbox
    ON documents.document_key = outbox.document_key
UNION ALL
SELECT
    CAST(NULL AS BIGINT),
    'without a document',
    outbox.state
FROM ctl.outbox AS outbox
WHERE outbox.document_key IS NULL
"""
# Of a table that has no such column.
NUMBERED = """\
-- One document and one of those that only a number names.
-- grain: document_key
-- parts: document_key
SELECT
    documents.document_key,
    documents.document_no
FROM stg_vms.documents AS documents
UNION ALL
SELECT
    CAST(strangers.number AS BIGINT),
    'stranger'
FROM seed.strangers AS strangers
"""
LINKED = """\
-- One document with what its rows of the books come to.
-- grain: document_key
-- parts: document_key; stg_ledger.rows by header of map.headers
SELECT
    headers.document_key,
    SUM(rows.amount) AS amount
FROM map.headers AS headers
INNER JOIN stg_ledger.rows AS rows
    ON headers.header = rows.header
GROUP BY headers.document_key
"""
HEADERS = """\
-- One voucher of a document.
-- grain: header
SELECT
    document_key * 10 AS header,
    document_key
FROM stg_vms.documents
"""
# By a text, which the table it reads has under another name.
NAMED = """\
-- One number of a document and how many rows of a list have it.
-- grain: document_no
-- parts: document_no; seed.listed by number
SELECT
    documents.document_no,
    COUNT(listed.number) AS row_count
FROM stg_vms.documents AS documents
LEFT JOIN seed.listed AS listed
    ON documents.document_no = listed.number
GROUP BY documents.document_no
"""
# Of what another model gives.
STATES = """\
-- One document and its state.
-- grain: document_key
-- parts: document_key
SELECT
    document_key,
    state
FROM map.held
"""
# What is not divided is built where anything that it reads has changed.
COUNTED = """\
-- How many vouchers there are.
-- grain: header_count
SELECT COUNT(*) AS header_count
FROM map.headers
"""
MORE = {
    **EXTERNAL,
    TableRef("seed", "listed"): {"number": "VARCHAR"},
    TableRef("seed", "strangers"): {"number": "BIGINT"},
    TableRef("stg_ledger", "rows"): {"header": "BIGINT", "amount": "DECIMAL(38,4)"},
}
MODELS = {"map.held": HELD, "map.numbered": NUMBERED, "map.headers": HEADERS, "map.linked": LINKED}
# Of which parts are told by more than a number.
OTHERS = {"map.named": NAMED, "map.counted": COUNTED}


OF_2 = "stg_vms.documents WHERE document_key = 2"
MOVED_1 = "INSERT INTO ctl.moves SELECT coalesce(max(copy_no), 0) + 1, 1 FROM ctl.moves"


class World:
    """A warehouse, and which parts of each model the last build was of."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
        self.connection = connection
        self.keys: dict[str, set[int] | None] = {}
        keys_of = Parts.keys_of

        def noted(of: Parts, lane: duckdb.DuckDBPyConnection, model: Model) -> frozenset[int] | None:
            keys = keys_of(of, lane, model)
            self.keys[str(model.ref)] = None if keys is None else set(keys)
            return keys

        monkeypatch.setattr(Parts, "keys_of", noted)
        monkeypatch.setattr(parts, "LEAST_ROWS", 0)
        self.build()

    def build(self, *statements: str, **models: str) -> dict[str, set[int] | None]:
        """Change something, and build; every table must be as if it were built whole."""
        for statement in statements:
            self.connection.execute(statement)
        self.keys.clear()
        given = catalog({**MODELS, **models}, external=MORE).models
        build(self.connection, given)
        for model in given:
            rows = self.connection.execute(f"FROM {model.ref.quoted} ORDER BY ALL").fetchall()
            assert rows == self.connection.execute(f"FROM ({model.sql}) ORDER BY ALL").fetchall(), str(model.ref)
        return {name.removeprefix("map."): keys for name, keys in self.keys.items() if name != "map.headers"}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with warehouse(MORE) as connection:
        connection.execute("INSERT INTO stg_ledger.rows VALUES (10, 1), (20, 2)")
        connection.execute("INSERT INTO ctl.outbox VALUES (1, 'sent'), (NULL, 'lost')")
        connection.execute("INSERT INTO seed.strangers VALUES (70)")
        yield World(connection, monkeypatch)


def test_nothing_changed_is_nothing_built(world: World) -> None:
    assert world.build() == {"held": set(), "numbered": set(), "linked": set()}


def test_what_changed_comes_and_goes_is_built_alone(world: World) -> None:
    assert world.build("UPDATE stg_vms.documents SET document_no = 'x' WHERE document_key = 2") == {
        "held": {2},
        "numbered": {2},
        "linked": set(),
    }
    added = "INSERT INTO stg_vms.documents VALUES (3, 'new', 1, '2026-11-03')"
    assert world.build(added, "DELETE FROM stg_vms.documents WHERE document_key = 1") == {
        "held": {1, 3},
        "numbered": {1, 3},
        "linked": {1, 3},
    }


def test_what_was_sent_may_change_without_its_state(world: World) -> None:
    with_more = HELD.replace("outbox.state\nFROM stg_vms", "outbox.note\nFROM stg_vms").replace(
        "outbox.state\nFROM ctl", "outbox.note\nFROM ctl"
    )
    world.connection.execute("ALTER TABLE ctl.outbox ADD COLUMN note VARCHAR")
    external = {**MORE, OUTBOX: {**MORE[OUTBOX], "note": "VARCHAR"}}
    given = catalog({"map.held": with_more}, external=external).models
    build(world.connection, given)
    world.connection.execute("UPDATE ctl.outbox SET note = 'corrected' WHERE document_key = 1")
    world.connection.execute(MOVED_1)
    build(world.connection, given)
    assert ("corrected",) in world.connection.execute("SELECT note FROM map.held WHERE document_key = 1").fetchall()


def test_a_linked_row_belongs_to_the_part_that_the_other_table_names(world: World) -> None:
    assert world.build("UPDATE stg_ledger.rows SET amount = 5 WHERE header = 20")["linked"] == {2}
    assert world.build("INSERT INTO stg_ledger.rows VALUES (99, 5)")["linked"] == set()


@pytest.mark.parametrize(
    ("statement", "whole"),
    [
        ("INSERT INTO seed.strangers VALUES (71)", {"numbered"}),
        ("INSERT INTO ctl.outbox VALUES (NULL, 'too')", {"held"}),
        ("DROP TABLE map.held", {"held"}),
        (f"DELETE FROM {FRAMES.quoted}", {"held", "numbered", "linked"}),
    ],
)
def test_what_has_no_part_concerns_all(world: World, statement: str, whole: set[str]) -> None:
    built = world.build(statement)
    assert {name for name, keys in built.items() if keys is None} == whole


def test_rows_of_a_model_that_have_no_part_concern_all_who_read_it(world: World) -> None:
    reading = {"map.states": STATES}
    world.build(**reading)
    assert world.build(f"UPDATE {OF_2.replace('WHERE', 'SET document_no = NULL WHERE')}", **reading)["states"] == {2}
    lost = "UPDATE ctl.outbox SET state = 'found' WHERE document_key IS NULL"
    assert world.build(lost, **reading)["states"] is None
    assert world.build(**reading)["states"] == set()


def test_parts_may_go_by_a_text(world: World) -> None:
    world.build(**OTHERS)
    assert world.build("INSERT INTO seed.listed VALUES ('unknown')", **OTHERS)["named"] is not None
    built = world.build(f"INSERT INTO seed.listed SELECT document_no FROM {OF_2}", **OTHERS)["named"]
    assert built is not None
    assert len(built) == 1
    assert world.build("INSERT INTO seed.listed VALUES (NULL)", **OTHERS)["named"] is None


def test_what_is_not_divided_is_built_where_something_has_changed(world: World) -> None:
    world.build(**OTHERS)
    assert world.build(f"UPDATE {OF_2.replace('WHERE', 'SET document_no = NULL WHERE')}", **OTHERS)["counted"] == set()
    assert world.build(f"DELETE FROM {OF_2}", **OTHERS)["counted"] is None


def test_the_outbox_is_looked_at_where_it_has_moved(world: World) -> None:
    assert world.build("UPDATE ctl.outbox SET state = 'failed' WHERE document_key = 1", MOVED_1)["held"] == {1}
    assert world.build(MOVED_1)["held"] == {1}
    assert world.build("INSERT INTO ctl.moves SELECT max(copy_no) + 1, NULL FROM ctl.moves")["held"] is None


def test_what_all_have_followed_is_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noted, "MANY_MOVES", 0)
    world.build("UPDATE stg_vms.documents SET document_no = 'x' WHERE document_key = 2")
    assert world.connection.execute(f"SELECT count(*) FROM {noted.MOVED.quoted}").fetchone() == (0,)
    assert world.build("UPDATE stg_vms.documents SET document_no = 'y' WHERE document_key = 2")["held"] == {2}
    monkeypatch.setattr(noted, "MOST_MOVES", -1)
    world.build("UPDATE stg_vms.documents SET document_no = 'z' WHERE document_key = 2")
    assert set(world.build().values()) == {None}


def test_another_text_is_another_table(world: World) -> None:
    changed = HELD.replace("outbox.state\nFROM stg_vms", "UPPER(outbox.state) AS state\nFROM stg_vms")
    assert world.build(**{"map.held": changed})["held"] is None


def test_too_many_parts_are_built_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noted, "MOST_PARTS", 1)
    both = "UPDATE stg_vms.documents SET document_no = document_no || 'x'"
    assert world.build(both)["held"] is None
    assert world.build("UPDATE stg_vms.documents SET document_no = 'y' WHERE document_key = 1")["held"] == {1}


def test_what_is_small_is_built_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "LEAST_ROWS", 3)
    assert set(world.build().values()) == {None}
    world.connection.execute("INSERT INTO stg_ledger.rows SELECT 20, 1 FROM range(9)")
    assert set(world.build().values()) == {None}
    assert world.build() == {"held": set(), "numbered": set(), "linked": set()}


def test_after_a_build_that_failed_the_next_one_goes_on(world: World) -> None:
    """What was found to have changed is noted as of the build that found it, whether or not it came to its end."""
    wrong = HEADERS.replace("document_key * 10", "CAST('x' || document_no AS BIGINT)")
    with pytest.raises(ModelError, match=r"map\.headers could not be built"):
        world.build("UPDATE stg_vms.documents SET document_no = 'x' WHERE document_key = 2", **{"map.headers": wrong})
    built = world.build()
    assert built["linked"] == set()
    assert built["numbered"] in ({2}, set())


def test_nothing_stays_attached(world: World) -> None:
    world.build("UPDATE stg_vms.documents SET document_no = 'x' WHERE document_key = 2")
    names = world.connection.execute("SELECT database_name FROM duckdb_databases() WHERE NOT internal").fetchall()
    assert names == [("memory",)]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("document_ky", "the parts names document_ky, which is no column of this model (did you mean document_key?)."),
        (
            "document_key; stg_ledger.rows",
            "'stg_ledger.rows' is no link; write: schema.table by column of schema.other",
        ),
        ("document_key; stg_ledger.rows by header of ctl.outbox", "both read here"),
        ("amount", "the parts go by amount, which is DECIMAL(38,4); they go by a database id or a text."),
    ],
)
def test_a_wrong_directive_is_told(words: str, told: str) -> None:
    sql = LINKED.replace("document_key; stg_ledger.rows by header of map.headers", words)
    with pytest.raises(ModelError) as raised:
        catalog({"map.headers": HEADERS, "map.linked": sql}, external=MORE)
    assert told in str(raised.value)


def test_what_others_built_meanwhile_is_found(world: World) -> None:
    # Now map.headers has changed, and the next build of all finds it as it is.
    world.connection.execute("UPDATE stg_vms.documents SET document_key = 7 WHERE document_key = 2")
    given = catalog(MODELS, external=MORE).models
    build(world.connection, given, only={TableRef("map", "headers")})
    assert world.build()["linked"] == {2, 7}


def test_a_large_one_is_built_a_stretch_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows without a part, of a table without parts and of a linked one stand in it once, as they do at once."""
    monkeypatch.setattr(slices, "SLICE_ROWS", 3)
    added = "INSERT INTO stg_vms.documents SELECT range, 'n', 1, '2026-11-03' FROM range(3, 12)"
    rows = "INSERT INTO stg_ledger.rows SELECT 10 * range, 1 FROM range(3, 15)"
    none = "INSERT INTO stg_ledger.rows VALUES (NULL, 1)"
    turned: list[str] = []
    turn_to = slices._turn_to

    def noted(connection: duckdb.DuckDBPyConnection, model: Model, stretch: slices.Slice) -> None:
        turned.append(str(model.ref))
        turn_to(connection, model, stretch)

    monkeypatch.setattr(slices, "_turn_to", noted)
    assert set(world.build(added, rows, none, f"DELETE FROM {FRAMES.quoted}").values()) == {None}
    assert min(turned.count(name) for name in ("map.held", "map.numbered", "map.linked")) > 1
    # What is noted of it is as if it had been built at once.
    assert world.build("UPDATE stg_vms.documents SET document_no = 'x' WHERE document_key = 7")["held"] == {7}
