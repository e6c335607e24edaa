"""A control store of either kind for a test: a file, or a schema of its own in one PostgreSQL for the whole session."""

from __future__ import annotations

import atexit
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import count
from pathlib import Path

from pipelines.core.control_place import Place, PostgresSchema, read_postgres
from pipelines.stores.control_types import ControlConnection
from pipelines.stores.postgres.connection import PostgresConnection
from pipelines.stores.postgres.faults import StatementError
from tests.support.delivery_world import World
from tests.support.postgres import running_postgres

KINDS = ("sqlite", "postgres")
# What either store raises where a constraint or a trigger refuses.
REFUSED = (sqlite3.IntegrityError, StatementError)
Filled = dict[str, str | int | bytes]
_numbers = count(1)
BATCH: Filled = {"batch_id": "b"}
PERIOD: Filled = {"period": "2026-10", "version": 1}
# A row of each table that has something final, in the order in which they refer to each other.
FILLED: dict[str, Filled] = {
    "batches": {**BATCH, **dict.fromkeys(("started_at", "today", "jobs", "operator"), "")},
    "outbox": {
        **BATCH,
        "id": "i",
        "kind": "rate",
        "natural_key": "k",
        "target": "vms",
        "state": "todo",
        "payload": "1",
        **dict.fromkeys(("payload_hash", "source_hash", "created_at", "updated_at"), ""),
    },
    "outbox_events": {
        **BATCH,
        "event_no": 1,
        "outbox_id": "i",
        "to_state": "todo",
        **dict.fromkeys(("at", "payload_hash", "previous_hash", "hash"), ""),
    },
    "ignored_subjects": {"subject": "project", **dict.fromkeys(("code", "reason", "operator", "since"), "")},
    "breaks": {
        **BATCH,
        **dict.fromkeys(("kind", "subject", "message", "next_step", "figures_hash", "since"), ""),
    },
    "break_decisions": {
        "break_id": 1,
        "action": "comment",
        **dict.fromkeys(("words", "figures_hash", "operator", "at"), ""),
    },
    "closes": {**PERIOD, "state": "sealed", "opened_at": "", "updated_at": ""},
    "close_events": {**PERIOD, "at": "", "operator": "", "action": "sealed"},
    "seals": {**PERIOD, **BATCH, **dict.fromkeys(("sealed_at", "sealed_by", "pack_hash", "figures"), "")},
    "sealed_packs": {**PERIOD, "entries": b"\x00\xff", "entries_hash": "", "entry_count": 1},
}


@cache
def server() -> str:
    """Return the address of the session's PostgreSQL, which ends with it."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running_postgres())


def new_schema(address: str | None = None) -> PostgresSchema:
    """Return a schema that nobody has used yet."""
    named = dict(re.findall(r"(\w+)=(\S+)", address or server()))
    text = f"postgresql://{named['user']}@/{named['dbname']}?host={named['host']}&schema=tenant_{next(_numbers)}"
    return read_postgres(text)


def new_place(kind: str, folder: Path) -> Place:
    """Return a place of a kind, `sqlite` or `postgres`, that nobody has used yet."""
    return folder / f"{next(_numbers)}.ctl.sqlite" if kind == "sqlite" else new_schema()


@contextmanager
def new_world(kind: str, folder: Path) -> Iterator[World]:
    """Yield a world over a new store of a kind."""
    world = World(new_place(kind, folder))
    try:
        yield world
    finally:
        world.control.close()


def free_of_triggers(connection: ControlConnection, table: str) -> None:
    """Let a table be changed as whoever owns the database can."""
    if isinstance(connection, PostgresConnection):
        connection.run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        return
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", (table,))
    for (name,) in rows.fetchall():
        connection.execute(f"DROP TRIGGER {name}")
