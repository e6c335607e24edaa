"""The control stores of storms in PostgreSQL: a database a world, begun as a copy of that of another world."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg

from tests.support.postgres import running_postgres

if TYPE_CHECKING:
    from pathlib import Path

SQLITE, POSTGRESQL = "sqlite", "postgresql"
# In the folder of the stores: the name of their database. A folder that is copied says whose copy it needs.
NOTE = "control.database"
# A server makes a copy of a database in one statement, with its triggers and numbers; of a schema it does not.
EMPTY = "template0"


class Databases:
    """The databases of one server, by the folders whose control store each is."""

    def __init__(self, address: str) -> None:
        """``address`` is libpq's own: ``host=… user=… dbname=…``."""
        self._address = address
        self._named = dict(part.split("=") for part in address.split())

    def begin(self, folder: Path) -> str:
        """Make the database of a folder, as it was where the folder was copied from; return the setting `control`."""
        note = folder / NOTE
        before = note.read_text("utf-8") if note.exists() else EMPTY
        name = f"world_{uuid4().hex}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {before}")
        note.write_text(name, "utf-8")
        return f"postgresql://{self._named['user']}@/{name}?host={self._named['host']}"

    def lose(self, folder: Path) -> None:
        """Lose the schema, as somebody drops it by mistake; whoever is connected stays so."""
        name = (folder / NOTE).read_text("utf-8")
        with psycopg.connect(self._address, dbname=name, autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS springline CASCADE")

    def end(self, folder: Path) -> None:
        """Drop the database of a folder."""
        self._run(f"DROP DATABASE {(folder / NOTE).read_text('utf-8')} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(statement.encode())


def add_control(parser: argparse.ArgumentParser) -> None:
    """Let the command line say where the control stores are."""
    kinds, words = (SQLITE, POSTGRESQL), f"where the control stores are ({SQLITE})"
    parser.add_argument("--control", choices=kinds, default=SQLITE, help=words)


@contextmanager
def databases(kind: str, *, memory: Path | None) -> Iterator[Databases | None]:
    """Run a server for the storms where they need one; its data lie in ``memory``, where there is that."""
    if kind == SQLITE:
        yield None
        return
    with running_postgres(folder=memory) as address:
        yield Databases(address)
