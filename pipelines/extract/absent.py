"""Tells which members of undocumented names no object read has: perhaps the VMS calls them otherwise, or does now."""

# ruff: noqa: S608 names of tables and columns are those of the contracts

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.contracts.presence import located_members, spellings
from pipelines.contracts.tables import SCHEMAS
from pipelines.contracts.vms import DOCUMENTS
from pipelines.core.table_ref import TableRef, quote
from pipelines.core.words import plural
from pipelines.wire.vms import SIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        count, absent = _absent(ctx, contract)
        if absent:
            ctx.tell(
                f"{contract.entity}: none of {count} read so far has {', '.join(absent)}. Nobody has entered any, the "
                "API's user may not read it, or the VMS calls it otherwise; `springline check` looks into it."
            )
        if contract is DOCUMENTS:
            for path, open_count, lost in _lost(ctx):
                ctx.tell(
                    f"{contract.entity}: {path} is in none of {plural(open_count, 'open document')}, though it was "
                    f"there before for the same {'company' if path.startswith('company') else 'partner'} in "
                    f"{plural(lost, 'case')}. It was taken out in the VMS, the API's user may no longer read it, or "
                    "the VMS calls it otherwise now; `springline check` looks into it. Until then vouchers go without."
                )


def _absent(ctx: Context, contract: Contract) -> tuple[int, list[str]]:
    columns = {path: member.column for member, path in located_members(contract) if member in contract.members}
    table = TableRef(SCHEMAS[SIDE], contract.table).quoted
    counted = ", ".join(f"count({quote(column)})" for column in columns.values())
    row = ctx.warehouse.execute(f"SELECT count(*), {counted} FROM {table}").fetchone()
    if row is None or not row[0]:
        return 0, []
    values = dict(zip(columns, row[1:], strict=True))
    return row[0], [path for path, others in _decided(contract) if not any(values[name] for name in (path, *others))]


def _decided(contract: Contract) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the paths of a contract's own decided members, each with its other spellings."""
    return spellings([(member, path) for member, path in located_members(contract) if member.decided])


def _lost(ctx: Context) -> Iterator[tuple[str, int, int]]:
    """Yield members that no open document has, though others of the same partner or company had them; with counts."""
    columns = {path: member.column for member, path in located_members(DOCUMENTS)}
    table = TableRef(SCHEMAS[SIDE], DOCUMENTS.table).quoted
    for path, others in _decided(DOCUMENTS):
        same = next((column for beginning, column in _SAME.items() if path.startswith(beginning)), None)
        if same is None or columns[path] == same:
            continue
        value = f"coalesce({', '.join(quote(columns[name]) for name in (path, *others))}, NULL)"
        row = ctx.warehouse.execute(
            f"SELECT count(*), count({value}), count(*) FILTER (WHERE {same} IN "
            f"(SELECT {same} FROM {table} WHERE {value} IS NOT NULL)) "
            f"FROM {table} WHERE status_code = 'RFP' AND {same} IS NOT NULL"
        ).fetchone()
        if row is not None and row[0] and not row[1] and row[2]:
            yield path, row[0], row[2]
