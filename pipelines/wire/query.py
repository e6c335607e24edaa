"""The text of GraphQL requests: queries from what is to be read, mutations from one template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Template
from typing import Literal

# Every entity that the token reaches: master data stands in the group's, vouchers in the posting entities below it, and
# a token made in one of them must still see what it shares with those above (docs/systems/ledger.md#1-2, #1-4).
OWNER_SET = "ALL"
# The API's filter type of each connection that is read with a filter.
FILTER_TYPES: Mapping[str, str] = {
    "accounts": "Account_Filter",
    "apTransactions": "APTransaction_Filter",
    "arTransactions": "ARTransaction_Filter",
    "companies": "Company_Filter",
    "customers": "Customer_Filter",
    "entities": "Entity_Filter",
    "exchangeRates": "ExchangeRate_Filter",
    "glImportItemErrors": "GLImportItemError_Filter",
    "glImportItems": "GLImportItem_Filter",
    "journalHeaders": "JournalHeader_Filter",
    "objectKinds": "ObjectKind_Filter",
    "objectValues": "ObjectValue_Filter",
    "periodStatusItems": "PeriodStatusItem_Filter",
    "projects": "Project_Filter",
    "subledgers": "Subledger_Filter",
    "suppliers": "Supplier_Filter",
    "transactions": "Transaction_Filter",
    "xglDimensions": "XGLDimension_Filter",
}

# The mass mutations, each with the API's type of the nodes that it writes.
MUTATIONS: Mapping[str, str] = {
    f"{verb}{objects}": node
    for verb in ("add", "update")
    for objects, node in (
        ("Companies", "Company"),
        ("Customers", "Customer"),
        ("GLImportItems", "GLImportItem"),
        ("ObjectValues", "ObjectValue"),
        ("Projects", "Project"),
        ("Suppliers", "Supplier"),
    )
}
_MUTATION = Template("""\
mutation $name($$inputs: [$input!]!) {
  $name(inputs: $$inputs) {
    edges {
      clientId
      node {
        ...written
      }
    }
  }
}

fragment written on $node {
  $written
}
""")


@dataclass(frozen=True, slots=True)
class Reading:
    """What to read of one connection: GraphQL text of a node's selection, filter, objects open today or all."""

    connection: str
    selection: str
    filter: Mapping[str, object] | None = None
    owner_set: str | None = OWNER_SET
    object_status: Literal["ALL", "OPEN", "CLOSED"] | None = None
    page_size: int | None = None
    after: str | None = None


def query_text(readings: Sequence[Reading], *, page_size: int) -> tuple[str, dict[str, object]]:
    """Return one query for all readings, aliased r0, r1 …, and its variables."""
    # Values go as variables, never into the text: a code may hold quotes and braces.
    declarations: list[str] = []
    fields: list[str] = []
    variables: dict[str, object] = {}
    for alias, reading in aliased(readings):
        # With an alias each, since GraphQL does not allow one field twice with different arguments.
        arguments = [f"first: {reading.page_size or page_size}"]
        if reading.after is not None:
            declarations.append(f"${alias}_after: String")
            arguments.append(f"after: ${alias}_after")
            variables[f"{alias}_after"] = reading.after
        if reading.filter:
            declarations.append(f"${alias}_filter: {FILTER_TYPES[reading.connection]}")
            arguments.append(f"filter: ${alias}_filter")
            variables[f"{alias}_filter"] = reading.filter
        arguments += [f"ownerSet: {reading.owner_set}"] if reading.owner_set else []
        arguments += [f"objectStatus: {reading.object_status}"] if reading.object_status else []
        fields.append(
            f"{alias}: {reading.connection}({', '.join(arguments)}) "
            f"{{ edges {{ cursor node {{ {reading.selection} }} }} pageInfo {{ hasNextPage }} }}"
        )
    head = f"query({', '.join(declarations)})" if declarations else "query"
    return f"{head} {{ {' '.join(fields)} }}", variables


def mutation_text(name: str) -> str:
    """Return the text of one of ``MUTATIONS``: it takes a list of inputs and gives id and number of each."""
    node = MUTATIONS[name]
    written = "dbId trRegNumber trItemNumber" if node == "GLImportItem" else "dbId code"
    return _MUTATION.substitute(name=name, input=f"{name[0].upper()}{name[1:]}Input", node=node, written=written)


def selection_text(paths: Sequence[str]) -> str:
    """Return the GraphQL selection of dotted paths.

    >>> selection_text(["dbId", "owner.code", "owner.ownerCode"])
    'dbId owner { code ownerCode }'
    """
    own: dict[str, list[str]] = {}
    for path in paths:
        name, _, below = path.partition(".")
        own.setdefault(name, []).extend([below] if below else [])
    return " ".join(f"{name} {{ {selection_text(below)} }}" if below else name for name, below in own.items())


def aliased(readings: Sequence[Reading]) -> list[tuple[str, Reading]]:
    """Return each reading with the alias that its field has in the query."""
    return [(f"r{number}", reading) for number, reading in enumerate(readings)]
