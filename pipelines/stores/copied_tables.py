"""Copies every table of a control store into an empty one, whichever each of them is."""

# ruff: noqa: S608 - statements are made of our own names, never of data

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.stores.control_schema import control_tables

if TYPE_CHECKING:
    from pipelines.stores.control import Control
    from pipelines.stores.control_types import ControlConnection

# Rows that are in memory at a time: payloads of large vouchers are among them.
PAGE = 1_000


def copy_tables(source: Control, target: ControlConnection) -> None:
    """Copy all rows inside an open ``write()`` of the target; nothing may be written to the source meanwhile."""
    # In the order of the schema: what a row refers to is there before it.
    for table, declared in control_tables().items():
        names, places = ", ".join(declared.types), ", ".join("?" * len(declared.types))
        # In the order of writing, which is part of what is copied.
        for page in source.pages(f"SELECT {names} FROM {table} ORDER BY rowid", size=PAGE):
            target.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", [tuple(row) for row in page])
