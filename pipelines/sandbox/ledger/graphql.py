"""The GraphQL endpoint: token, limits, document, root fields, and the shape of answers and errors."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from graphql import (
    GraphQLError,
    GraphQLObjectType,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_named_type,
)
from graphql.execution import get_variable_values

from pipelines.sandbox.ledger.entities import entity_by_code, reach
from pipelines.sandbox.ledger.errors import GraphqlFault, RefusedError
from pipelines.sandbox.ledger.execute import Selection
from pipelines.sandbox.ledger.files import check_sizes
from pipelines.sandbox.ledger.limits import TIMEOUT
from pipelines.sandbox.ledger.read import CONNECTIONS, read_connection, read_deltas
from pipelines.sandbox.ledger.schema import prepare, read_request, schema
from pipelines.sandbox.ledger.write import mutate
from pipelines.sandbox.multipart import CONTENT, is_multipart, read_parts

if TYPE_CHECKING:
    from graphql import FieldNode

    from pipelines.sandbox.ledger.core import Ledger
    from pipelines.sandbox.ledger.schema import GraphqlRequest, Prepared
    from pipelines.sandbox.ledger.store import LedgerStore
    from pipelines.sandbox.ledger.values import Row

# It must be the base64url of some bytes: they are the key that webhooks are signed with (docs/systems/ledger.md#1-11).
TOKEN = "springline-sandboxed"  # noqa: S105 (opens nothing but a sandbox on loopback)
# The word token, not Bearer, and base64url without padding (docs/systems/ledger.md#1-2).
_AUTHORIZATION = re.compile(r"token ([A-Za-z0-9_-]{16,200})")
# The first text is the real one, the second is ours: a client must not depend on it.
_BAD_FORMAT = GraphqlFault(
    'Bad format for API Token. Expected header is "Authorization: token <your-token>".', "BAD_FORMAT_FOR_API_TOKEN"
)
_UNKNOWN_TOKEN = GraphqlFault("The API Token is unknown or has expired.", "UNKNOWN_API_TOKEN")
_MAX_ROOT_FIELDS = 100
_INTROSPECTION = frozenset({"__schema", "__type"})


_encoder = msgspec.json.Encoder(decimal_format="number")


def answer(
    ledger: Ledger, *, authorization: str | None, body: bytes, content_type: str = "application/json"
) -> tuple[int, bytes]:
    """Answer one POST: HTTP 200 for whatever GraphQL can say, 400 for what is no GraphQL request at all.

    The body is JSON, or comes in parts: the JSON and files.
    """
    started, settings = time.monotonic(), ledger.settings
    try:
        caller = _caller(ledger, authorization)
        # The place is taken after the token was checked and held until the answer is ready.
        with ledger.limits.request(settings):
            request, files = _read(body, content_type)
            # Before anything is written: a mutation refused for its file has written nothing
            # (docs/systems/ledger.md#l28).
            check_sizes(files, settings)
            result = _run(ledger, caller, request, files)
            if settings.latency_seconds:
                time.sleep(min(settings.latency_seconds, settings.query_timeout_seconds or settings.latency_seconds))
    except (ValueError, RecursionError) as error:
        return 400, _encoder.encode(
            {"errors": [GraphqlFault(f"The request is no GraphQL request: {error}").as_error()]}
        )
    except RefusedError as refused:
        # 200 for a refusal too: a client must look at the errors and not at the status (docs/systems/ledger.md#l3).
        return 200, _encoder.encode({"errors": [fault.as_error() for fault in refused.faults]})
    timeout = settings.query_timeout_seconds
    if timeout is not None and time.monotonic() - started >= timeout:
        # As with the real one, the work may well have been done.
        return 200, _encoder.encode({"errors": [TIMEOUT.as_error()]})
    return 200, _encoder.encode(result)


class _Caller(NamedTuple):
    """A token, and the entity it was made in."""

    token: str
    own: int


def _caller(ledger: Ledger, authorization: str | None) -> _Caller:
    """Give a known token with its entity: the sandbox's own token belongs to the topmost one."""
    found = _AUTHORIZATION.fullmatch(authorization or "")
    if found is None:
        raise RefusedError(_BAD_FORMAT)
    entities = ledger.store.tables["entities"]
    if found[1] in ledger.settings.tokens:
        entity = entity_by_code(ledger.store, ledger.settings.tokens[found[1]])
    else:
        tops = (row for row in entities.rows.values() if row.get("parentDbId") is None)
        entity = next(tops, None) if found[1] == TOKEN else None
    if entity is None:
        raise RefusedError(_UNKNOWN_TOKEN)
    return _Caller(found[1], int(entity["dbId"]))


def _read(body: bytes, content_type: str) -> tuple[GraphqlRequest, dict[str, bytes]]:
    if not is_multipart(content_type):
        return read_request(body), {}
    parts = read_parts(body, content_type)
    if CONTENT not in parts:
        raise ValueError(f"there is no part {CONTENT}")
    return read_request(parts.pop(CONTENT)), parts


def _run(ledger: Ledger, caller: _Caller, request: GraphqlRequest, files: dict[str, bytes]) -> dict[str, Any]:
    prepared = prepare(request.query)
    if prepared.faults:
        raise RefusedError(*prepared.faults)
    operation = prepared.operation(request.operationName)
    if operation is None:
        raise RefusedError(GraphqlFault("Must provide the name of one operation of the document."))
    if operation.operation is OperationType.SUBSCRIPTION:
        raise RefusedError(GraphqlFault("A subscription needs a webhook: see addWebhooks."))
    variables = get_variable_values(schema(), operation.variable_definitions or (), request.variables or {})
    if isinstance(variables, list):
        raise RefusedError(*(GraphqlFault(error.message) for error in variables))
    selection = Selection(ledger.store.rows, fragments=prepared.fragments, variables=variables)
    fields = selection.collect([operation.selection_set])
    if any(nodes[0].name.value in _INTROSPECTION for nodes in fields.values()):
        # Questions about the schema cost no credits.
        return _introspect(prepared, request)
    return _RootFields(ledger, caller, operation, selection, files).run(fields)


def _introspect(prepared: Prepared, request: GraphqlRequest) -> dict[str, Any]:
    """Let graphql-core answer questions about the schema; rows beside them stay null."""
    if prepared.document is None:
        return {}
    result = execute_sync(
        schema(), prepared.document, variable_values=request.variables, operation_name=request.operationName
    )
    return dict(result.formatted)


class _RootFields:
    """Runs the root fields of one operation, one after the other, on books nobody else changes meanwhile."""

    def __init__(
        self,
        ledger: Ledger,
        caller: _Caller,
        operation: OperationDefinitionNode,
        selection: Selection,
        files: dict[str, bytes],
    ) -> None:
        root = schema().mutation_type if operation.operation is OperationType.MUTATION else schema().query_type
        if root is None:
            raise TypeError(operation.operation)
        self._root: GraphQLObjectType = root
        self._ledger = ledger
        self._caller = caller
        self._selection = selection
        self._files = files

    def run(self, fields: dict[str, list[FieldNode]]) -> dict[str, Any]:
        """Give data and errors."""
        if len(fields) > _MAX_ROOT_FIELDS:
            raise RefusedError(GraphqlFault(f"At most {_MAX_ROOT_FIELDS} fields can be read per query."))
        arguments = {
            key: self._selection.arguments(self._root, nodes[0])
            for key, nodes in fields.items()
            if nodes[0].name.value != "__typename"
        }
        # Charged before the work: a request refused for credits has done nothing.
        records = sum(map(_records, arguments.values()))
        ledger = self._ledger
        ledger.limits.charge(ledger.settings, records=records, now=ledger.now())
        data: dict[str, Any] = {}
        errors: list[dict[str, Any]] = []
        # All root fields see the same books, and two mutations never mix.
        with ledger.store.lock:
            ledger.post_when_due()
            for key, nodes in fields.items():
                try:
                    data[key], faults = self._field(nodes, arguments.get(key))
                except RefusedError as refused:
                    # A refused field does not undo the fields before it, so a client must not send two writes in one
                    # request.
                    data[key], faults = None, list(refused.faults)
                except GraphQLError as error:
                    data[key], faults = None, [GraphqlFault(error.message)]
                errors.extend(fault.as_error([key]) for fault in faults)
        return {"errors": errors, "data": data} if errors else {"data": data}

    def _field(self, nodes: list[FieldNode], arguments: Row | None) -> tuple[Any, list[GraphqlFault]]:
        name = nodes[0].name.value
        if arguments is None:
            return self._root.name, []
        if name in self._ledger.settings.denied_fields:
            # How a missing scope is told is assumed (docs/systems/ledger.md#l22).
            raise RefusedError(GraphqlFault(f"The API Token has no access to field '{name}'.", "ACCESS_DENIED"))
        found, faults = self._resolve(name, arguments)
        named = get_named_type(self._root.fields[name].type)
        if not isinstance(named, GraphQLObjectType):
            raise TypeError(name)
        return None if found is None else self._selection.row(named, nodes)(found), faults

    def _resolve(self, name: str, arguments: Row) -> tuple[Row | None, list[GraphqlFault]]:
        store, now, own = self._ledger.store, self._ledger.now(), self._caller.own
        if name in CONNECTIONS:
            return read_connection(store, name, arguments, owner=own, now=now), []
        if name.endswith("_deltas"):
            return read_deltas(store, name.removesuffix("_deltas"), arguments, owner=own, now=now), []
        if name == "webhook":
            return _webhook(store, arguments, own=own), []
        settings = self._ledger.settings
        token = self._caller.token
        return mutate(store, name, arguments, own=own, settings=settings, files=self._files, now=now, token=token)


def _webhook(store: LedgerStore, arguments: Row, *, own: int) -> Row | None:
    """Give one webhook; null for a dbId that there is none of is assumed."""
    db_id = str(arguments.get("dbId") or "")
    row = store.tables["webhooks"].rows.get(int(db_id)) if db_id.isascii() and db_id.isdigit() else None
    return row if row is not None and row["ownerDbId"] in reach(store, own) else None


# By what is asked for, not by what is found: assumed, since the price of a query is not documented
# (docs/systems/ledger.md#a13).
def _records(arguments: Row) -> int:
    for name in ("inputs", "dbIds"):
        if name in arguments:
            return len(arguments[name])
    return max(arguments.get("first") or 0, arguments.get("last") or 0, 0)
