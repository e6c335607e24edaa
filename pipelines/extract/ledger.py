"""Reads the ledger: reference data, master data, what its import and its books say, and exchange rates."""

# ruff: noqa: S608 values in SQL text go through `literals`

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pipelines.contracts import ledger as contracts
from pipelines.contracts.shape import paths
from pipelines.extract.cursors import changes_since, note_changes_read
from pipelines.extract.land import EVERYTHING, Arrival, Extracted, Scope, land_together
from pipelines.extract.literals import among, literal
from pipelines.wire.ledger import SIDE
from pipelines.wire.query import Reading, selection_text

if TYPE_CHECKING:
    from pipelines.contracts.contract import Contract
    from pipelines.step.context import Context

# Times are Norwegian local time without a zone: an hour for the end of summer time, a quarter for clocks that differ
# (xledger.md 1.5).
OVERLAP = timedelta(minutes=75)
# Values in one filter.
LARGEST_LIST = 1000
# Rows of few fields that come by the thousand; the others are read at the setting's page size (xledger.md 1.3).
LARGE_PAGES: Mapping[str, int] = dict.fromkeys(
    ("suppliers", "customers", "subledgers", "companies", "projects", "object_values"), 5000
) | dict.fromkeys(("import_items", "ap_rows", "ar_rows", "transactions"), 10_000)


T = TypeVar("T", int, str)


class Wanted(NamedTuple):
    """One connection to read: since when (None: all of it), or which; and what the answer is complete for."""

    contract: Contract
    filter: Mapping[str, object] | None = None
    scope: Scope | None = None
    is_cursored: bool = False


# The small ones are read whole, since their nested parts have no time of change; so are the closed periods, whose rows
# go when a period is opened again. The others are read since the last run.
WHOLE = (contracts.ENTITIES, contracts.OBJECT_KINDS, contracts.CURRENCIES, contracts.PERIOD_STATUS)
BY_CHANGE = (
    contracts.ACCOUNTS, contracts.OBJECT_VALUES, contracts.XGL_DIMENSIONS, contracts.SUPPLIERS, contracts.CUSTOMERS,
    contracts.SUBLEDGERS, contracts.COMPANIES, contracts.PROJECTS,
)  # fmt: skip


def extract_master_data(ctx: Context) -> Extracted:
    """Read reference data, subledgers and projects, in one request where they fit: the ledger counts requests."""
    whole = [Wanted(contract, scope=EVERYTHING) for contract in WHOLE]
    return read_and_land(ctx, [*whole, *(_since_last_run(ctx, contract) for contract in BY_CHANGE)])


def extract_import_state(ctx: Context, tr_reg_numbers: Iterable[int]) -> Extracted:
    """Read what the ledger's import shows for vouchers (items by `trRegNumber`, and their errors).

    Items of these vouchers that are no longer there go here too, and so do errors of their items.
    """
    total = Extracted()
    for numbers in lists(tr_reg_numbers):
        items = Scope(among("tr_reg_number", numbers))
        total += read_and_land(ctx, [Wanted(contracts.IMPORT_ITEMS, {"trRegNumber_in": numbers}, items)])
        total += _extract_import_errors(ctx, numbers)
    return total


def extract_ledger_rates(ctx: Context, since: date) -> Extracted:
    """Read the exchange rates valid from ``since`` on, and older ones that have changed since the last run."""
    changed = _since_last_run(ctx, contracts.EXCHANGE_RATES)
    window = Wanted(
        contracts.EXCHANGE_RATES,
        {"fromDate_gte": since.isoformat()},
        Scope(f"from_date >= {literal(since)}"),
        is_cursored=True,
    )
    return read_and_land(ctx, [window, changed] if changed.filter else [window])


def _extract_import_errors(ctx: Context, numbers: Sequence[int]) -> Extracted:
    rows = ctx.warehouse.execute(
        f"SELECT import_item_db_id FROM stg_ledger.import_items WHERE {among('tr_reg_number', numbers)} ORDER BY 1"
    ).fetchall()
    ids = [number for (number,) in rows]
    if not ids:
        return Extracted()
    # Errors are few and items many: beyond one list it is cheaper to read the errors of all items from the first on.
    wanted: dict[str, object] = (
        {"transactionDbId_in": ids} if len(ids) <= LARGEST_LIST else {"transactionDbId_gte": ids[0]}
    )
    scope = Scope(among("import_item_db_id", ids))
    return read_and_land(ctx, [Wanted(contracts.IMPORT_ERRORS, wanted, scope)])


def _since_last_run(ctx: Context, contract: Contract) -> Wanted:
    since = changes_since(ctx, f"ledger.{contract.table}", overlap=OVERLAP)
    if since is None:
        return Wanted(contract, scope=EVERYTHING, is_cursored=True)
    return Wanted(contract, {"modifiedAt_gte": since.isoformat(timespec="seconds")}, is_cursored=True)


def read_and_land(ctx: Context, wanted: Sequence[Wanted]) -> Extracted:
    """Read connections, their first pages in one request; land them, and move their cursors once that is verified.

    What is wanted twice of one connection lands as one, complete for the first scope that is named.
    """
    began = ctx.now()
    pages: dict[Contract, list[Iterator[bytes]]] = {}
    scopes: dict[Contract, Scope | None] = {}
    for want, own in zip(wanted, ctx.ledger.read([_reading(want) for want in wanted]), strict=True):
        pages.setdefault(want.contract, []).append(own)
        scopes[want.contract] = scopes.get(want.contract) or want.scope
    arrivals = [Arrival(contract, chain.from_iterable(own), scopes[contract]) for contract, own in pages.items()]
    landings = dict(zip(pages, land_together(ctx, arrivals, side=SIDE), strict=True))
    for contract in {want.contract for want in wanted if want.is_cursored}:
        source, newest = f"ledger.{contract.table}", landings[contract].newest
        note_changes_read(ctx, source, newest, began=began, overlap=OVERLAP)
    return sum((landed.counts for landed in landings.values()), Extracted())


def _reading(want: Wanted) -> Reading:
    return Reading(
        want.contract.entity,
        selection_text(paths(want.contract)),
        want.filter,
        object_status="ALL",
        page_size=LARGE_PAGES.get(want.contract.table),
    )


def lists(values: Iterable[T]) -> Iterator[list[T]]:
    """Cut distinct values into lists that one filter takes."""
    distinct = sorted(set(values))
    for first in range(0, len(distinct), LARGEST_LIST):
        yield distinct[first : first + LARGEST_LIST]
