"""The data dictionary of what is landed: each contract with its columns, their types and the members behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pipelines.contracts.contract import Contract, Member
from pipelines.contracts.shape import CHILD_EXTRAS, PARENT_EXTRAS, TYPES
from pipelines.contracts.tables import CONTRACTS, SCHEMAS
from pipelines.core.table_ref import ColumnRef, TableRef
from pipelines.models.model import Columns
from pipelines.publish.descriptions import LANDING, SIDES, comment
from pipelines.reference.markdown import code, page, table
from pipelines.stores.control_schema import seed_tables

INTRODUCTION = (
    "The tables that the models stand on. One declaration per remote object makes the request, the types and the "
    "table; an object that lacks a required member, or has one of another type, is set aside in `ctl.rejected` and "
    "the rest goes on. A row of a nested list belongs to its parent only while both have the same `fetch_id`."
)
WRITTEN: Mapping[str, tuple[str, str]] = {
    "seed": (
        "constants, settings and the calendar",
        "Constants come from a file of data/seeds, the rest from the [settings](settings.md) of the batch; "
        "`seed.months` is the calendar.",
    ),
    "ctl": (
        "what was decided, sent and answered",
        "Copied by each batch from the [control store](control-tables.md), as far as the models read it; some of these "
        "tables are made of the payloads that were sent.",
    ),
}
HEADINGS = ("Column", "Type", "Member", "Required", "What it is")
Row = tuple[str, str, str, str, str]


def staging_page(external: Mapping[TableRef, Columns]) -> str:
    """Return docs/reference/staging.md; ``external`` are all tables that no model writes."""
    # From the contracts, which also make the requests and the tables: the three cannot differ.
    landed = (block for side, contracts in CONTRACTS.items() for block in _side(side, contracts))
    return page("Staging tables", INTRODUCTION, *landed, *_written("seed", external), *_written("ctl", external))


def _side(side: str, contracts: Iterable[Contract]) -> Iterator[str]:
    yield f"## {SCHEMAS[side]}: what the {SIDES[side]} says"
    for contract in contracts:
        yield f"### {SCHEMAS[side]}.{contract.table}"
        meaning = f" {contract.comment[:1].upper()}{contract.comment[1:]}." if contract.comment else ""
        yield f"From {code(contract.entity)}, identified by {code(contract.key)}.{meaning}"
        yield _table(_members(contract.members), PARENT_EXTRAS)
        for children in contract.children:
            yield f"### {SCHEMAS[side]}.{children.table}"
            yield f"From the list {code(children.path.replace('[]', ''))} of {code(contract.entity)}."
            # The key of the parent stands in each row of the list: it is how the rows find back to their object.
            parent = next(_members(member for member in contract.members if member.column == contract.key))
            below = _members(replace(member, path=path) for member, path in children.located)
            yield _table([parent, *below], CHILD_EXTRAS)


def _written(schema: str, external: Mapping[TableRef, Columns]) -> Iterator[str]:
    heading, about = WRITTEN[schema]
    yield f"## {schema}: {heading}"
    yield about
    for ref, columns in sorted(external.items()):
        if ref.schema == schema:
            yield f"### {ref}"
            yield f"From `data/seeds/{ref.name}.csv`." if schema == "seed" and ref.name in seed_tables() else ""
            rows = ((code(name), kind, comment(ColumnRef(ref, name))) for name, kind in columns.items())
            yield table(("Column", "Type", "What it is"), rows)


def _members(members: Iterable[Member]) -> Iterator[Row]:
    for member in members:
        required = "yes" if member.required else ""
        yield code(member.column), TYPES[member.kind], code(member.path), required, member.comment


def _table(rows: Iterable[Row], extras: Iterable[tuple[str, str]]) -> str:
    # What landing adds to every row stands last, as it does in the table.
    added = ((code(name), data_type, "", "", LANDING.get(name, "")) for name, data_type in extras)
    return table(HEADINGS, [*rows, *added])
