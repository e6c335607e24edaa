"""Tells which members of undocumented names no object read has: perhaps the VMS calls them otherwise, or does now."""

# ruff: noqa: S608 names of tables and columns are those of the contracts

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.contracts.presence import located_members, spellings
from pipelines.contracts.tables import SCHEMAS
from pipelines.contracts.vms import DOCUMENTS
from pipelines.core.table_ref import TableRef, quote
from pipelines.core.words import plural
from pipelines.stores.rows import number_of
from pipelines.wire.vms import SIDE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.contracts.contract import Contract
    from pipelines.step.context import Context

# What a document says of its partner and of its company, it has said before of the same one: by which column that is.
_SAME = {"businessPartner.": "partner_key", "company.": "company_code"}


def tell_absent(ctx: Context, *contracts: Contract) -> None:
    """Say of each contract of the VMS which decided members (docs/mapping.md#0) are in none of the objects staged.

    Of open documents also those that were there before: after a new release of the VMS, objects read earlier still have
    what the new ones lack.
    """
    for contract in contracts:
        table, values = TableRef(SCHEMAS[SIDE], contract.table).quoted, _values(contract)
        # Of one that is there the first row tells; one that is nowhere DuckDB knows without reading.
        present = {path: value for path, value in values.items() if _has_any(ctx, table, f"{value} IS NOT NULL")}
        count = number_of(ctx.warehouse.execute(f"SELECT count(*) FROM {table}"))
        if count and (absent := [path for path in values if path not in present]):
            ctx.tell(
                f"{contract.entity}: none of {count} read so far has {', '.join(absent)}. Nobody has entered any, the "
                "API's user may not read it, or the VMS calls it otherwise; `springline check` looks into it."
            )
        if contract is DOCUMENTS:
            for path, open_count, lost in _lost(ctx, table, present):
                ctx.tell(
                    f"{contract.entity}: {path} is in none of {plural(open_count, 'open document')}, though it was "
                    f"there before for the same {'company' if path.startswith('company') else 'partner'} in "
                    f"{plural(lost, 'case')}. It was taken out in the VMS, the API's user may no longer read it, or "
                    "the VMS calls it otherwise now; `springline check` looks into it. Until then vouchers go without."
                )


def _values(contract: Contract) -> dict[str, str]:
    """Return the paths of a contract's own decided members, each with its value as SQL, in any of its spellings."""
    columns = {path: quote(member.column) for member, path in located_members(contract)}
    decided = [(member, path) for member, path in located_members(contract) if member.decided]
    spelled = {path: [columns[name] for name in (path, *others)] for path, others in spellings(decided)}
    return {path: f"coalesce({', '.join(names)})" if names[1:] else names[0] for path, names in spelled.items()}


def _has_any(ctx: Context, table: str, where: str) -> bool:
    return bool(ctx.warehouse.execute(f"SELECT 1 FROM {table} WHERE {where} LIMIT 1").fetchone())


def _lost(ctx: Context, table: str, values: Mapping[str, str]) -> Iterator[tuple[str, int, int]]:
    """Yield members that no open document has, though others of the same partner or company had them; with counts."""
    for path, value in values.items():
        same = next((column for beginning, column in _SAME.items() if path.startswith(beginning)), None)
        if same is None or value == quote(same):
            continue
        is_open = f"status_code = 'RFP' AND {same} IS NOT NULL"
        if _has_any(ctx, table, f"{is_open} AND {value} IS NOT NULL"):
            continue
        had_it = f"{same} IN (SELECT {same} FROM {table} WHERE {value} IS NOT NULL)"
        row = ctx.warehouse.execute(
            f"SELECT count(*), count(*) FILTER (WHERE {had_it}) FROM {table} WHERE {is_open}"
        ).fetchone()
        if row is not None and row[1]:
            yield path, row[0], row[1]
