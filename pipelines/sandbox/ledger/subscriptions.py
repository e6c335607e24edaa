"""What a webhook wants to hear: its serializedPayload, read when it is added and rendered at each post.

Source: docs/systems/ledger.md#1-10.
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from graphql import GraphQLObjectType, OperationType, get_named_type
from graphql.execution import get_variable_values

from pipelines.sandbox.callers import is_address
from pipelines.sandbox.ledger.errors import GraphqlFault, RefusedError
from pipelines.sandbox.ledger.execute import Selection
from pipelines.sandbox.ledger.read import CONNECTIONS, NodeSource
from pipelines.sandbox.ledger.schema import prepare, read_request, schema
from pipelines.sandbox.ledger.values import WebhookState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphql import FieldNode, FragmentDefinitionNode
    from graphql.execution.values import VariableValues

    from pipelines.sandbox.ledger.values import Row
    from pipelines.sandbox.ledger.work import Node, Work

_FIELD_END = "Mutated"
_CACHED = 100
_encoder = msgspec.json.Encoder(decimal_format="number")


class Subscription(NamedTuple):
    """The one root field of a payload: under which name, of what, and what is selected of it."""

    key: str
    source: NodeSource
    type: GraphQLObjectType
    nodes: list[FieldNode]
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues

    def body(self, rows: Mapping[int, Row], changed: Iterable[Row]) -> bytes:
        """Write the body of a post: the changed rows in their order, with exactly the members that were selected."""
        show = Selection(rows, fragments=self.fragments, variables=self.variables).row(self.type, self.nodes)
        edges = [{"syncVersion": str(row["seq"]), "node": row} for row in changed]
        return _encoder.encode({"data": {self.key: show({"edges": edges})}})


@lru_cache(maxsize=_CACHED)
def read_payload(text: str) -> Subscription:
    """Read a serializedPayload; raises RefusedError for what is no subscription to changes of one type."""
    try:
        # Only the member query was ever seen; the others are those of any request.
        payload = read_request(text)
    except (ValueError, RecursionError) as error:
        raise _refusal(f"It must be JSON with a member 'query': {error}.") from None
    prepared = prepare(payload.query)
    operation = prepared.operation(payload.operationName)
    if prepared.faults:
        raise RefusedError(*(_fault(fault.message, fault.code) for fault in prepared.faults))
    if operation is None or operation.operation is not OperationType.SUBSCRIPTION:
        raise _refusal("Its query must be one subscription.")
    variables = get_variable_values(schema(), operation.variable_definitions or (), payload.variables or {})
    if isinstance(variables, list):
        raise _refusal("; ".join(error.message for error in variables))
    chosen = Selection({}, fragments=prepared.fragments, variables=variables).collect([operation.selection_set])
    # Validation lets one field pass. A directive may have taken it out.
    for key, nodes in chosen.items():
        name = nodes[0].name.value
        found = get_named_type(root.fields[name].type) if (root := schema().subscription_type) else None
        if isinstance(found, GraphQLObjectType):
            source = CONNECTIONS[name.removesuffix(_FIELD_END)]
            return Subscription(key, source, found, nodes, prepared.fragments, variables)
    raise _refusal("It selects nothing.")


def webhook(work: Work, node: Node) -> Row:
    """Build a webhook, which signs with the token it was added with and starts a little later."""
    row = work.row(node)
    work.resolver.require(row, "url", "serializedPayload")
    if row.get("url") and not is_address(row["url"]):
        work.resolver.faults.append(GraphqlFault("url: It must be an http or https address."))
    try:
        signing_key(work.token)
        table = read_payload(row.get("serializedPayload") or "").source.table
    except RefusedError as refused:
        work.resolver.faults.extend(refused.faults)
        return row
    starts_at = work.now.timestamp() + work.settings.webhook_start_seconds
    return row | {
        "token": work.token, "table": table, "stateDbId": int(WebhookState.STARTING), "startsAt": starts_at,
    }  # fmt: skip


def signing_key(token: str) -> bytes:
    """Give the bytes behind an API token, the key of its webhooks' signatures; raises RefusedError where it has none.

    Source: docs/systems/ledger.md#1-11.
    """
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except binascii.Error:
        raise RefusedError(GraphqlFault("The API Token is no base64url text and cannot sign webhooks.")) from None


def _fault(message: str, code: str) -> GraphqlFault:
    return GraphqlFault(f"serializedPayload: {message}", code)


def _refusal(message: str) -> RefusedError:
    return RefusedError(GraphqlFault(f"serializedPayload: {message}"))
