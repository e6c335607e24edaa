"""Reads the ledger: reference data, master data, what its import and its books say, and exchange rates."""

# ruff: noqa: S608 values in SQL text go through `literal`

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pipelines.contracts import ledger as contracts
from pipelines.contracts.shape import paths
from pipelines.contracts.tables import create_tables
from pipelines.core.literals import among, literal
from pipelines.extract.cursors import changes_since, note_changes_read
from pipelines.extract.land import EVERYTHING, Arrival, ReadCounts, land_together
from pipelines.wire.ahead import map_ahead
from pipelines.wire.ledger import SIDE, whole_pages
from pipelines.wire.query import Reading, selection_text

if TYPE_CHECKING:
    from pipelines.contracts.contract import Contract
    from pipelines.step.context import Context

# Times are Norwegian local time without a zone: an hour for the end of summer time, a quarter for clocks that differ
# (docs/systems/ledger.md#1-5).
OVERLAP = timedelta(minutes=75)
# Values in one filter.
LARGEST_LIST = 1000
# Vouchers whose items land together: their numbers stand in one statement.
LANDED_AT_ONCE = 10_000
# Rows of few fields that come by the thousand; the others are read at the setting's page size
# (docs/systems/ledger.md#1-3).
LARGE_PAGES: Mapping[str, int] = dict.fromkeys(
    ("suppliers", "customers", "subledgers", "companies", "projects", "object_values"), 5000
) | dict.fromkeys(("import_items", "ap_rows", "ar_rows", "transactions"), 10_000)


T = TypeVar("T", int, str)


class ConnectionQuery(NamedTuple):
    """One connection to read: with which filter (None: all of it), and for which rows the answer is complete."""

    contract: Contract
    filter: Mapping[str, object] | None = None
    scope: str | None = None
    is_cursored: bool = False


# The small ones are read whole, since their nested parts have no time of change; so are the closed periods, whose rows
# go when a period is opened again. The others are read since the last run.
WHOLE = (contracts.ENTITIES, contracts.OBJECT_KINDS, contracts.CURRENCIES, contracts.PERIOD_STATUS)
BY_CHANGE = (
    contracts.ACCOUNTS, contracts.OBJECT_VALUES, contracts.XGL_DIMENSIONS, contracts.SUPPLIERS, contracts.CUSTOMERS,
    contracts.SUBLEDGERS, contracts.COMPANIES, contracts.PROJECTS,
)  # fmt: skip


def extract_master_data(ctx: Context) -> ReadCounts:
    """Read reference data, subledgers and projects, in one request where they fit: the ledger counts requests."""
    whole = [ConnectionQuery(contract, scope=EVERYTHING) for contract in WHOLE]
    return read_and_land(ctx, [*whole, *(_since_last_run(ctx, contract) for contract in BY_CHANGE)])


def extract_entities_once(ctx: Context) -> ReadCounts:
    """Read the entities unless they are staged: the other jobs keep them up to date, and requests are metered."""
    create_tables(ctx.warehouse, contracts.ENTITIES, side=SIDE)
    if ctx.warehouse.execute("SELECT 1 FROM stg_ledger.entities LIMIT 1").fetchone():
        return ReadCounts()
    return read_and_land(ctx, [ConnectionQuery(contracts.ENTITIES, scope=EVERYTHING)])


def extract_import_state(ctx: Context, tr_reg_numbers: Iterable[int]) -> ReadCounts:
    """Read what the ledger's import shows for vouchers (items by `trRegNumber`, and their errors).

    Items of these vouchers that are no longer there go here too, and so do errors of their items.
    """
    total = ReadCounts()
    for numbers in lists(tr_reg_numbers, size=LANDED_AT_ONCE):
        # Items first: their errors are asked for by the ids that have just landed.
        total += _extract_import_items(ctx, numbers) + _extract_import_errors(ctx, numbers)
    return total


def extract_ledger_rates(ctx: Context, since: date) -> ReadCounts:
    """Read the exchange rates valid from ``since`` on, and older ones that have changed since the last run."""
    changed = _since_last_run(ctx, contracts.EXCHANGE_RATES)
    window = ConnectionQuery(
        contracts.EXCHANGE_RATES,
        {"fromDate_gte": since.isoformat()},
        f"from_date >= {literal(since)}",
        is_cursored=True,
    )
    return read_and_land(ctx, [window, changed] if changed.filter else [window])


def _extract_import_items(ctx: Context, numbers: Sequence[int]) -> ReadCounts:
    """Read the items of these vouchers a list at a time, and land them together: each landing begins dlt anew."""
    contract = contracts.IMPORT_ITEMS

    def begin(few: Sequence[int]) -> Iterator[bytes]:
        reading = _reading(ConnectionQuery(contract, {"trRegNumber_in": few}))
        [pages] = ctx.ledger.read([reading])
        return whole_pages(pages, reading)

    # The ledger looks for the next list while the last one is landed; more at once would only wait in memory.
    pages = chain.from_iterable(map_ahead(begin, lists(numbers), workers=1, ahead=2))
    [landed] = land_together(ctx, [Arrival(contract, pages, among("tr_reg_number", numbers))], side=SIDE)
    return landed.counts


def _extract_import_errors(ctx: Context, numbers: Sequence[int]) -> ReadCounts:
    rows = ctx.warehouse.execute(
        f"SELECT import_item_db_id FROM stg_ledger.import_items WHERE {among('tr_reg_number', numbers)} ORDER BY 1"
    ).fetchall()
    ids = [number for (number,) in rows]
    if not ids:
        return ReadCounts()
    # Errors are few and items many: beyond one list it takes fewer requests to read all errors from the first item on.
    filters: dict[str, object] = (
        {"transactionDbId_in": ids} if len(ids) <= LARGEST_LIST else {"transactionDbId_gte": ids[0]}
    )
    scope = among("import_item_db_id", ids)
    return read_and_land(ctx, [ConnectionQuery(contracts.IMPORT_ERRORS, filters, scope)])


def _since_last_run(ctx: Context, contract: Contract) -> ConnectionQuery:
    since = changes_since(ctx, f"ledger.{contract.table}", overlap=OVERLAP)
    if since is None:
        return ConnectionQuery(contract, scope=EVERYTHING, is_cursored=True)
    return ConnectionQuery(contract, {"modifiedAt_gte": since.isoformat(timespec="seconds")}, is_cursored=True)


def read_and_land(ctx: Context, queries: Sequence[ConnectionQuery]) -> ReadCounts:
    """Read connections, their first pages in one request; land them, and move their cursors once that is verified.

    Two queries of one connection land as one, complete for the first scope that is given.
    """
    began = ctx.now()
    pages: dict[Contract, list[Iterator[bytes]]] = {}
    scopes: dict[Contract, str | None] = {}
    readings = [_reading(query) for query in queries]
    for query, reading, own in zip(queries, readings, ctx.ledger.read(readings), strict=True):
        pages.setdefault(query.contract, []).append(whole_pages(own, reading))
        # A window beside the changes: it is the window that is complete.
        scopes[query.contract] = scopes.get(query.contract) or query.scope
    arrivals = [Arrival(contract, chain.from_iterable(own), scopes[contract]) for contract, own in pages.items()]
    landings = dict(zip(pages, land_together(ctx, arrivals, side=SIDE), strict=True))
    for contract in {query.contract for query in queries if query.is_cursored}:
        source, newest = f"ledger.{contract.table}", landings[contract].newest
        note_changes_read(ctx, source, newest, began=began, overlap=OVERLAP)
    return sum((landed.counts for landed in landings.values()), ReadCounts())


def _reading(query: ConnectionQuery) -> Reading:
    return Reading(
        query.contract.entity,
        selection_text(paths(query.contract)),
        query.filter,
        object_status="ALL",
        page_size=LARGE_PAGES.get(query.contract.table),
    )


def lists(values: Iterable[T], *, size: int | None = None) -> Iterator[list[T]]:
    """Cut distinct values into lists, by default such as one filter takes."""
    distinct = sorted(set(values))
    size = size or LARGEST_LIST
    for first in range(0, len(distinct), size):
        yield distinct[first : first + size]
