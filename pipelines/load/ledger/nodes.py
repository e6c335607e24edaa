"""Input nodes of the ledger's mutations, built from columns by the table of members in nodes.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.outbox.intent import Json
from pipelines.stores.rows import Row


class NodeMember(NamedTuple):
    """One member of a node: the column it comes from, and the key inside where it is a reference."""

    name: str
    column: str
    key: str | None = None


def _read_nodes() -> dict[str, tuple[NodeMember, ...]]:
    written = tomllib.loads(Path(__file__).with_name("nodes.toml").read_text(encoding="utf-8"))
    return {node: tuple(NodeMember(*member) for member in members) for node, members in written.items()}


NODES = _read_nodes()


def plain(value: Any) -> Json:  # noqa: ANN401 a column of any type
    """Write a value as JSON has it: a day as ISO 8601, text and whole numbers as they are."""
    if isinstance(value, date):
        return value.isoformat()
    written: Json = value
    return written


def node_of(
    row: Row, members: Iterable[NodeMember], *, write: Callable[[str, Row], Json] | None = None
) -> dict[str, Json]:
    """Build a node; what is null is left out. ``write`` gives the value of a column where ``plain`` would not do."""
    node: dict[str, Json] = {}
    for member in members:
        # Left out and not sent as null: an update leaves alone what it does not name.
        if row[member.column] is None:
            continue
        value = write(member.column, row) if write else plain(row[member.column])
        node[member.name] = {member.key: value} if member.key else value
    return node
