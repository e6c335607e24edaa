"""What delivery needs of the two systems, no more: the clients in `wire` have it, and the fakes of the tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, Protocol, TypeVar

import msgspec

from pipelines.core.errors import ExtractError, WireError
from pipelines.wire.query import Reading

Node = dict[str, Any]
T = TypeVar("T")

# What can go wrong when the other side is asked what it has.
LOOK_UP_ERRORS = (WireError, ExtractError)
# Values in one filter: a thousand texts of a hundred characters are a request of 100 kB.
QUESTION = 1_000

_decode = msgspec.json.Decoder(list[Node], float_hook=Decimal).decode


class Ledger(Protocol):
    """The ledger's GraphQL API; methods raise the errors of `pipelines.core.errors`."""

    def read(self, readings: Sequence[Reading]) -> Sequence[Iterator[bytes]]:
        """Read connections, a JSON array of nodes a page; the first pages of all come in one request."""
        ...

    def mutate(self, name: str, inputs: Sequence[Mapping[str, object]]) -> Sequence[Node]:
        """Run a mass mutation of at most 500 inputs and return its edges: `clientId`, and `node` with its `dbId`."""
        ...


class Vms(Protocol):
    """The VMS's REST API, safe to use from several threads; methods raise the errors of `pipelines.core.errors`."""

    def find(self, entity: str, *, filters: Sequence[str], fields: Sequence[str]) -> Sequence[Node]:
        """Return all objects that pass the filters."""
        ...

    def put(self, entity: str, key: int, body: Mapping[str, object]) -> Node:
        """Change the given members of an object and return it."""
        ...

    def post(self, entity: str, body: Mapping[str, object]) -> Node:
        """Create an object and return it."""
        ...


def one_of(connection: str, column: str, values: Iterable[object], *, selection: str) -> Reading:
    """Ask a connection for the nodes whose ``column`` is one of ``values``."""
    return Reading(connection, selection, {f"{column}_in": sorted(set(values), key=str)})


def ask(ledger: Ledger, readings: Sequence[Reading]) -> list[list[Node]]:
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
