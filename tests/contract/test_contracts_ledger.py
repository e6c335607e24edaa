"""Every request to the ledger fits its schema: queries from the contracts, filters, and the mutations' files."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    parse,
    validate,
)

from pipelines.contracts.contract import Contract, MemberKind
from pipelines.contracts.ledger import ALL
from pipelines.contracts.shape import paths, tree
from pipelines.extract.books import DELTAS
from pipelines.wire.query import FILTER_TYPES, MUTATIONS, Reading, mutation_text, query_text, selection_text

SCHEMA_FILE = Path(__file__).parents[2] / "pipelines" / "sandbox" / "ledger" / "schema.graphql"
FILTERS = {
    "accounts": ["modifiedAt_gte"],
    "apTransactions": ["headerModifiedAt_gte", "dbId_in", "invoiceNumber_in", "matchId_in"],
    "arTransactions": ["headerModifiedAt_gte", "dbId_in", "invoiceNumber_in", "matchId_in"],
    "companies": ["modifiedAt_gte"],
    "customers": ["modifiedAt_gte"],
    "exchangeRates": ["modifiedAt_gte", "fromDate_gte"],
    "glImportItemErrors": ["transactionDbId_in", "transactionDbId_gte"],
    "glImportItems": ["trRegNumber_in"],
    "objectValues": ["modifiedAt_gte"],
    "projects": ["modifiedAt_gte"],
    "subledgers": ["modifiedAt_gte"],
    "suppliers": ["modifiedAt_gte"],
    "transactions": ["dbId_in", "dbId_gt"],
    "xglDimensions": ["modifiedAt_gte"],
}
# The scalars that a kind may be declared for.
SCALARS = {
    MemberKind.TEXT: {"String"},
    MemberKind.INTEGER: {"Int"},
    MemberKind.ID: {"Int64String", "Int"},
    MemberKind.RATE: {"Float"},
    MemberKind.MONEY_TEXT: {"MoneyString"},
    MemberKind.BOOLEAN: {"Boolean"},
    MemberKind.TIMESTAMP: {"DateTimeString"},
    MemberKind.DATE: {"DateString"},
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA_FILE.read_text(encoding="utf-8"))


def faults(schema: GraphQLSchema, text: str) -> list[str]:
    return [error.message for error in validate(schema, parse(text))]


def reading(contract: Contract, **more: object) -> Reading:
    return Reading(contract.entity, selection_text(paths(contract)), object_status="ALL", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("contract", ALL, ids=lambda contract: f"{contract.entity}.{contract.table}")
def test_a_contract_asks_for_what_there_is(schema: GraphQLSchema, contract: Contract) -> None:
    has_filter = {"filter": {"dbId": 1}} if contract.entity in FILTER_TYPES else {}
    text, _ = query_text([reading(contract, after="1", **has_filter)], page_size=10)
    assert faults(schema, text) == []


@pytest.mark.parametrize("contract", ALL, ids=lambda contract: f"{contract.entity}.{contract.table}")
def test_a_contract_declares_the_types_of_the_schema(schema: GraphQLSchema, contract: Contract) -> None:
    query = schema.query_type
    assert query is not None
    edge = get_named_type(query.fields[contract.entity].type).fields["edges"].type
    node = get_named_type(get_named_type(edge).fields["node"].type)
    for member in (*contract.members, *(m for children in contract.children for m in children.members)):
        owner = next((c.path for c in contract.children if member in c.members), "")
        found = node
        for name in f"{owner}.{member.path}".strip(".").replace("[0]", "").split("."):
            assert isinstance(found, GraphQLObjectType)
            found = get_named_type(found.fields[name].type)
        assert str(found) in SCALARS[member.kind], f"{contract.entity}.{member.path}"


def test_all_connections_fit_into_one_query(schema: GraphQLSchema) -> None:
    text, variables = query_text([reading(contract) for contract in ALL], page_size=10)
    assert faults(schema, text) == []
    assert variables == {}


@pytest.mark.parametrize(("connection", "name"), FILTER_TYPES.items())
def test_a_filter_type_is_that_of_its_connection(schema: GraphQLSchema, connection: str, name: str) -> None:
    query = schema.query_type
    assert query is not None
    assert str(query.fields[connection].args["filter"].type) == name


@pytest.mark.parametrize("connection", FILTERS)
def test_a_filter_that_is_used_exists(schema: GraphQLSchema, connection: str) -> None:
    declared = schema.type_map[FILTER_TYPES[connection]]
    assert isinstance(declared, GraphQLInputObjectType)
    assert set(FILTERS[connection]) <= set(declared.fields)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_fits_the_schema(schema: GraphQLSchema, name: str) -> None:
    assert faults(schema, mutation_text(name)) == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_asks_for_what_it_is_settled_by(name: str) -> None:
    settled_by = "dbId trRegNumber trItemNumber" if name.endswith("GLImportItems") else "dbId code"
    verb = "add" if name.startswith("add") else "update"
    assert " ".join(mutation_text(name).split()) == (
        f"mutation {name}($inputs: [{verb.capitalize()}{name.removeprefix(verb)}Input!]!) "
        f"{{ {name}(inputs: $inputs) {{ edges {{ clientId node {{ ...written }} }} }} }} "
        f"fragment written on {MUTATIONS[name]} {{ {settled_by} }}"
    )


@pytest.mark.parametrize("connection", DELTAS.values())
def test_deltas_can_be_asked_for(schema: GraphQLSchema, connection: str) -> None:
    text, _ = query_text([Reading(connection, "dbId mutationType", owner_set=None, after="1")], page_size=10)
    assert faults(schema, text) == []
    assert faults(schema, f"query {{ r0: {connection}(last: 1) {{ edges {{ cursor }} }} }}") == []


def test_no_connection_is_read_without_its_tree() -> None:
    assert all(tree(contract).members for contract in ALL)
