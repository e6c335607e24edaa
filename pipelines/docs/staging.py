"""The data dictionary of what is landed: each contract with its columns, their types and the members behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipelines.docs.markdown import code, page, table
from pipelines.docs.origins import LANDING, SIDES
from pipelines.extract.contract import Contract, Member
from pipelines.extract.seeds import SEEDS
from pipelines.extract.shape import CHILD_EXTRAS, PARENT_EXTRAS, SQL_TYPES
from pipelines.extract.tables import CONTRACTS, SCHEMAS
from pipelines.warehouse import MONTHS_COLUMNS, SETTINGS_TABLES

INTRODUCTION = (
    "The tables that the models stand on. One declaration per remote object makes the request, the types and the "
    "table; an object that lacks a required member, or has one of another type, is set aside in `ctl.rejected` and "
    "the rest goes on. A row of a nested list belongs to its parent only while both have the same `fetch_id`."
)
HEADINGS = ("Column", "Type", "Member", "Required", "What it is")
Row = tuple[str, str, str, str, str]


def staging_page() -> str:
    """Return docs/reference/staging.md."""
    landed = (block for side, contracts in CONTRACTS.items() for block in _side(side, contracts))
    return page("Staging tables", INTRODUCTION, *landed, *_seeds())


def _side(side: str, contracts: Iterable[Contract]) -> Iterator[str]:
    yield f"## {SCHEMAS[side]}: what the {SIDES[side]} says"
    for contract in contracts:
        yield f"### {SCHEMAS[side]}.{contract.table}"
        meaning = f" {contract.comment[:1].upper()}{contract.comment[1:]}." if contract.comment else ""
        yield f"From {code(contract.entity)}, told apart by {code(contract.key)}.{meaning}"
        yield _table(_members(contract.members), PARENT_EXTRAS)
        for children in contract.children:
            yield f"### {SCHEMAS[side]}.{children.table}"
            yield f"From the list {code(children.path)} of {code(contract.entity)}."
            parent = next(_members(member for member in contract.members if member.column == contract.key))
            below = _members(children.members, prefix=f"{children.path}.")
            yield _table([parent, *below], CHILD_EXTRAS)


def _seeds() -> Iterator[str]:
    yield "## seed: constants, settings and the calendar"
    yield (
        "Read from data/seeds, or written from the [settings](settings.md) by each batch; "
        "`seed.months` is the calendar of 2000 to 2099."
    )
    columns: dict[str, Mapping[str, str]] = dict(SEEDS)
    for name, declared in {**SETTINGS_TABLES, "months": MONTHS_COLUMNS}.items():
        columns[name] = dict(column.split(" ", 1) for column in declared.split(", "))
    for name, types in columns.items():
        yield f"### seed.{name}"
        yield f"From `data/seeds/{name}.csv`." if name in SEEDS else ""
        yield table(("Column", "Type"), [(code(column), data_type) for column, data_type in types.items()])


def _members(members: Iterable[Member], *, prefix: str = "") -> Iterator[Row]:
    for member in members:
        required = "yes" if member.required else ""
        yield code(member.column), SQL_TYPES[member.kind], code(prefix + member.path), required, member.comment


def _table(rows: Iterable[Row], extras: Iterable[tuple[str, str]]) -> str:
    added = ((code(name), data_type, "", "", LANDING.get(name, "")) for name, data_type in extras)
    return table(HEADINGS, [*rows, *added])
