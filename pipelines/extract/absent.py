"""Tells which members of undocumented names no object read so far has: perhaps the VMS calls them otherwise."""

# ruff: noqa: S608 names of tables and columns are those of the contracts

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.contracts.presence import located_members, spellings
from pipelines.contracts.tables import SCHEMAS
from pipelines.core.table_ref import TableRef, quote
from pipelines.wire.vms import SIDE

if TYPE_CHECKING:
    from pipelines.contracts.contract import Contract
    from pipelines.step.context import Context


def tell_absent(ctx: Context, *contracts: Contract) -> None:
    """Say of each contract of the VMS which decided members (docs/mapping.md#0) are in none of the objects staged."""
    for contract in contracts:
        count, absent = _absent(ctx, contract)
        if absent:
            ctx.tell(
                f"{contract.entity}: none of {count} read so far has {', '.join(absent)}. Nobody has entered any, the "
                "API's user may not read it, or the VMS calls it otherwise; `springline check` looks into it."
            )


def _absent(ctx: Context, contract: Contract) -> tuple[int, list[str]]:
    columns = {path: member.column for member, path in located_members(contract) if member in contract.members}
    decided = {path for member, path in located_members(contract) if member.decided}
    table = TableRef(SCHEMAS[SIDE], contract.table).quoted
    counted = ", ".join(f"count({quote(column)})" for column in columns.values())
    row = ctx.warehouse.execute(f"SELECT count(*), {counted} FROM {table}").fetchone()
    if row is None or not row[0]:
        return 0, []
    values = dict(zip(columns, row[1:], strict=True))
    groups = spellings([(m, p) for m, p in located_members(contract) if p in decided])
    return row[0], [path for path, others in groups if not any(values[name] for name in (path, *others))]
