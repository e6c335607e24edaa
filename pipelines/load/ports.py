"""Asks the ledger which of many values it has, and cuts work into chunks: what look-ups have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from pipelines.core.errors import ExtractError, WireError
from pipelines.wire.query import Reading

if TYPE_CHECKING:
    from pipelines.wire.ledger import LedgerClient

Node = dict[str, Any]
T = TypeVar("T")

# What can go wrong when the other side is asked what it has.
LOOK_UP_ERRORS = (WireError, ExtractError)
# Values in one filter: a thousand texts of a hundred characters are a request of 100 kB.
QUESTION = 1_000

_decode = msgspec.json.Decoder(list[Node], float_hook=Decimal).decode


def one_of(connection: str, column: str, values: Iterable[object], *, selection: str) -> Reading:
    """Ask a connection for the nodes whose ``column`` is one of ``values``."""
    return Reading(connection, selection, {f"{column}_in": sorted(set(values), key=str)})


def ask(ledger: LedgerClient, readings: Sequence[Reading]) -> list[list[Node]]:
    """Read several connections whole; one without values in its filter is not asked and has no nodes."""
    # A filter without values can find nothing; what the API makes of one is not documented.
    to_ask = [reading for reading in readings if all((reading.filter or {}).values())]
    pages = iter(ledger.read(to_ask) if to_ask else ())
    answers = {id(reading): [node for page in next(pages) for node in _decode(page)] for reading in to_ask}
    return [answers.get(id(reading), []) for reading in readings]


def chunks(items: Iterable[T], *, size: int) -> Iterator[list[T]]:
    """Cut a sequence into lists of ``size``, the last one shorter."""
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk


def code_of(node: Node, name: str) -> str | None:
    """Return the code of what a node refers to, None where it refers to nothing."""
    reference = node.get(name)
    return reference.get("code") if reference else None
