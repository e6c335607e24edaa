"""Client of the ledger's GraphQL API: pages of nodes, changes since a cursor, mass mutations.

Source: docs/systems/ledger.md#1.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from pipelines.core.errors import ExtractError, Terminal, Unclear
from pipelines.wire.graphql import Data, GraphqlCaller
from pipelines.wire.http import UNREADABLE, CountRequest, HttpCaller
from pipelines.wire.limiter import RateLimiter
from pipelines.wire.pages import split
from pipelines.wire.query import Reading, aliased, mutation_text, query_text
from pipelines.wire.shaped import ASK, selected, shaped
from pipelines.wire.upload import Upload

if TYPE_CHECKING:
    import httpx

    from pipelines.core.settings_systems import LedgerSettings

SIDE = "ledger"
# A limit for a cursor that goes round; a hundred thousand pages are more than any ledger has.
MOST_PAGES = 100_000
MOST_INPUTS = 500
# Records a page at most (docs/systems/ledger.md#1-3); only deltas are read so, for they have two members each.
LARGEST_PAGE = 10_000
CONNECTIONS = 4
# The other side counts arrivals, not departures: a window a little longer than its own keeps the two apart.
BURST_MARGIN = 0.1

# No clientId and no fragment: the vendor's sample has neither here, and a fragment names a type that nobody has shown.
ADD_WEBHOOK = """\
mutation addWebhooks($inputs: [AddWebhooksInput!]!) {
  addWebhooks(inputs: $inputs) { edges { node { dbId url state { code } } } }
}
"""
REMOVE_WEBHOOKS = """\
mutation removeWebhooks($dbIds: [Int64String!]!) {
  removeWebhooks(dbIds: $dbIds) { numAffected }
}
"""

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed since a cursor: ids of changed and of deleted nodes, and the cursor to go on from."""

    cursor: str | None
    changed: frozenset[int]
    deleted: frozenset[int]


class _PageInfo(msgspec.Struct, rename="camel"):
    has_next_page: bool | None = None


class _Edge(msgspec.Struct):
    # Opaque (docs/systems/ledger.md#1-3): often a dbId, and some servers write it as a number.
    cursor: str | int | None = None
    node: msgspec.Raw = msgspec.Raw(b"null")


class _Connection(msgspec.Struct, rename="camel"):
    edges: list[_Edge] | None = None
    page_info: _PageInfo | None = None


class _Delta(msgspec.Struct, rename="camel"):
    db_id: int | str
    mutation_type: str


class _Added(msgspec.Struct):
    edges: list[dict[str, Node]]


class LedgerClient:
    """The ledger; safe to use from several threads.

    Every method raises Refused with the ledger's codes and messages when it refuses, Terminal for a wrong token,
    Transient when a limit outlasts the waiting or when there was no answer; a mutation raises Transient with ``sent``
    when its fate is unknown.
    """

    def __init__(
        self,
        settings: LedgerSettings,
        *,
        count: CountRequest,
        now: Callable[[], datetime],
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``now`` is the clock (aware); ``transport`` and ``sleep`` are the tests' to replace."""
        self._page_size = settings.page_size
        self._http = HttpCaller(
            SIDE,
            timeout=settings.timeout,
            attempts=settings.attempts,
            limiter=RateLimiter(settings.burst_requests, seconds=settings.burst_seconds + BURST_MARGIN, sleep=sleep),
            count=count,
            connections=CONNECTIONS,
            now=now,
            transport=transport,
        )
        self._graphql = GraphqlCaller(
            self._http,
            url=settings.url,
            token=settings.token.get_secret_value(),
            attempts=settings.attempts,
            longest_wait=settings.longest_wait,
            now=now,
            sleep=sleep,
        )

    def read(self, readings: Sequence[Reading]) -> list[Iterator[bytes]]:
        """Read several connections: one iterator of pages each; all their first pages come in a single request.

        The ledger is metered by the request, and most connections fit on their first page.
        """
        firsts = self._first_pages(readings)
        return [
            (page for page, _ in self._cursored(reading, first))
            for reading, first in zip(readings, firsts, strict=True)
        ]

    def rows(
        self,
        connection: str,
        *,
        selection: str,
        filter: Mapping[str, object] | None = None,  # noqa: A002 the API's word
    ) -> list[Node]:
        """Return all nodes that pass the filter, for small look-ups; see ``shaped`` for what they are held against."""
        reading = Reading(connection, selection, filter)
        [pages] = self.read([reading])
        return nodes_of(pages, reading)

    def changes(self, cursors: Mapping[str, str | None]) -> dict[str, Changes]:
        """Read deltas connections, each from its cursor on (None: from the oldest); their first pages in one request.

        The ledger keeps deltas for three days (docs/systems/ledger.md#1-9). A deletion wins over any other change of
        the same node.
        """
        readings = [
            Reading(connection, "dbId mutationType", owner_set=None, after=after, page_size=LARGEST_PAGE)
            for connection, after in cursors.items()
        ]
        firsts = self._first_pages(readings)
        return {
            reading.connection: self._changes(reading, first) for reading, first in zip(readings, firsts, strict=True)
        }

    def newest_changes(self, connections: Sequence[str]) -> dict[str, str | None]:
        """Return the cursors of the newest deltas, from which ``changes`` can go on; None where there are none."""
        readings = [Reading(connection, "dbId", owner_set=None) for connection in connections]
        fields = " ".join(
            f"{alias}: {reading.connection}(last: 1) {{ edges {{ cursor }} }}" for alias, reading in aliased(readings)
        )
        data = self._graphql.execute(f"query {{ {fields} }}", {}, operation="+".join(connections))
        newest = {reading.connection: _connection(data, alias, reading) for alias, reading in aliased(readings)}
        return {name: str(page.edges[-1].cursor) if page.edges else None for name, page in newest.items()}

    def mutate(self, name: str, inputs: Sequence[Mapping[str, object]], uploads: Sequence[Upload] = ()) -> list[Node]:
        """Run one of the ``MUTATIONS`` and return its edges as they come; ``written_ids`` reads what they prove.

        ``uploads`` are the files that nodes name.

        At most 500 inputs (docs/systems/ledger.md#1-6). Raises Refused when the ledger refused it: nothing of it was
        carried out, as far as is known (docs/systems/ledger.md#l1).
        """
        # Only a fault of ours gets here: a check holds vouchers of more lines (docs/mapping.md#1-6-4).
        if len(inputs) > MOST_INPUTS:
            raise Terminal(f"{name}: {len(inputs)} inputs, the ledger takes {MOST_INPUTS}.", sent=False)
        data = self._graphql.execute(
            mutation_text(name), {"inputs": inputs}, operation=name, is_write=True, uploads=uploads
        )
        try:
            answer = msgspec.json.decode(data.get(name, b"null"), type=dict[str, list[Node] | None])
        except UNREADABLE as error:
            raise Unclear(f"{name}: the ledger answered without edges.") from error
        return answer.get("edges") or []

    def add_webhook(self, *, description: str, url: str, subscription: str) -> Node:
        """Have the ledger call ``url`` with what a GraphQL subscription tells, and return the webhook it has made.

        Raises Unclear where the answer names none (docs/systems/ledger.md).
        """
        payload = msgspec.json.encode({"query": subscription}).decode()
        node = {"description": description, "url": url, "serializedPayload": payload}
        data = self._graphql.execute(ADD_WEBHOOK, {"inputs": [{"node": node}]}, operation="addWebhooks", is_write=True)
        try:
            [edge] = msgspec.json.decode(data.get("addWebhooks", b"null"), type=_Added).edges
        except (*UNREADABLE, ValueError) as error:
            raise Unclear("addWebhooks: the ledger's answer names no webhook.") from error
        return edge["node"]

    def webhooks(self, ids: Sequence[str]) -> dict[str, Node | None]:
        """Return webhooks by dbId, all in one request; None for what is not there."""
        fields = " ".join(
            f"w{number}: webhook(dbId: $w{number}) {{ dbId url state {{ code }} }}" for number in range(len(ids))
        )
        declared = ", ".join(f"$w{number}: ID" for number in range(len(ids)))
        variables = {f"w{number}": db_id for number, db_id in enumerate(ids)}
        data = self._graphql.execute(f"query({declared}) {{ {fields} }}", variables, operation="webhook")
        try:
            return {
                db_id: msgspec.json.decode(data.get(f"w{number}", b"null"), type=Node | None)
                for number, db_id in enumerate(ids)
            }
        except UNREADABLE as error:
            raise Terminal("The ledger answered without its webhooks.") from error

    def remove_webhooks(self, ids: Sequence[str]) -> None:
        """Remove webhooks; whether they are gone shows when they are read."""
        self._graphql.execute(REMOVE_WEBHOOKS, {"dbIds": ids}, operation="removeWebhooks", is_write=True)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _first_pages(self, readings: Sequence[Reading]) -> list[_Connection]:
        operation = "+".join(reading.connection for reading in readings)
        data = self._graphql.execute(*self._query(readings), operation=operation)
        return [_connection(data, alias, reading) for alias, reading in aliased(readings)]

    def _changes(self, reading: Reading, first: _Connection) -> Changes:
        # All pages first: one node may be added, updated and deleted in one window, in any order.
        deltas: list[tuple[int, str]] = []
        cursor = reading.after
        for page, last in self._cursored(reading, first):
            deltas += _deltas(page, reading)
            cursor = last
        deleted = frozenset(db_id for db_id, mutation in deltas if mutation == "DELETED")
        return Changes(cursor, frozenset(db_id for db_id, _ in deltas) - deleted, deleted)

    def _cursored(self, reading: Reading, page: _Connection | None) -> Iterator[tuple[bytes, str]]:
        """Yield each page with its last cursor; ``page`` is the first one where it has been read already."""
        for _ in range(MOST_PAGES):
            if page is None:
                data = self._graphql.execute(*self._query([reading]), operation=reading.connection)
                page = _connection(data, "r0", reading)
            # An empty connection has `edges: null` (docs/systems/ledger.md#1-3).
            if not page.edges:
                return
            cursor = str(page.edges[-1].cursor)
            yield b"[" + b",".join(edge.node for edge in page.edges) + b"]", cursor
            if page.page_info is None or not page.page_info.has_next_page:
                return
            # The same cursor again would go round for ever.
            if cursor == reading.after:
                break
            reading, page = replace(reading, after=cursor), None
        raise ExtractError(f"{reading.connection}: reading does not get past the cursor {reading.after}.")

    def _query(self, readings: Sequence[Reading]) -> tuple[str, dict[str, object]]:
        return query_text(readings, page_size=self._page_size)


def whole_pages(pages: Iterable[bytes], reading: Reading) -> Iterator[bytes]:
    """Yield pages whose nodes have each member that was asked for, null at least; raises Terminal for another.

    A node without its code would land as one without code: the real one is then missing, and made a second time.
    """
    asked = {f'"{path.partition(".")[0]}"'.encode() for path in selected(reading.selection)}
    for page in pages:
        # By its text, which costs no second reading: a member of that name below the node passes, and does no harm.
        texts, _ = split(page)
        for text in map(bytes, texts):
            lacking = [name for name in asked if name not in text]
            if lacking and text.startswith(b"{"):
                found = f"an object without {', '.join(sorted(name.decode()[1:-1] for name in lacking))}"
                raise Terminal(f"The ledger's {reading.connection} was answered with {found}.", next_step=ASK)
        yield page


def nodes_of(pages: Iterable[bytes], reading: Reading, *, is_whole: bool = False) -> list[Node]:
    """Return the nodes of what was read of a connection; see ``shaped`` for what they are held against."""
    paths, of = selected(reading.selection), f"The ledger's {reading.connection}"
    return [node for page in pages for node in shaped(page, paths, of=of, has_stubs=False, is_whole=is_whole)]


def _deltas(page: bytes, reading: Reading) -> list[tuple[int, str]]:
    try:
        found = msgspec.json.decode(page, type=list[_Delta])
        return [(int(delta.db_id), delta.mutation_type) for delta in found]
    except (*UNREADABLE, ValueError) as error:
        message = f"The ledger answered {reading.connection} with what are no changes."
        raise Terminal(message, next_step=ASK) from error


def _connection(data: Data, alias: str, reading: Reading) -> _Connection:
    # `null` in place of a connection is how the ledger shows that the token may not see it.
    try:
        return msgspec.json.decode(data.get(alias, b"null"), type=_Connection)
    except UNREADABLE as error:
        raise Terminal(
            f"The ledger answered without {reading.connection}.",
            next_step="check the scopes of the token (System Access, GraphQL, API tokens).",
        ) from error
