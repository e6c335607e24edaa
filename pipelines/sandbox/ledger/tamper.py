"""What people do to booked vouchers behind everybody's back: change, delete, reverse (for drift tests)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from pipelines.sandbox.ledger.books import Voucher, book
from pipelines.sandbox.ledger.errors import BadRequestError
from pipelines.sandbox.ledger.hand import line_columns
from pipelines.sandbox.ledger.store import RowChanges
from pipelines.sandbox.ledger.values import Row, local, money

if TYPE_CHECKING:
    from datetime import datetime

    from pipelines.sandbox.ledger.store import LedgerStore

_SUBLEDGERS = ("ap_rows", "ar_rows")
_LINE_COLUMNS = (
    "text", "accountDbId", "currencyDbId", "glObject1DbId", "glObject2DbId", "glObject3DbId", "glObject4DbId",
    "glObject5DbId", "xglDbId", "subledgerDbId", "invoiceNumber", "invoiceDate", "dueDate", "bankAccount",
    "extIdentifier", "paymentReference",
)  # fmt: skip


class Corruption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One deed: ``delete`` or ``reverse`` the voucher, or ``set`` members of one of its rows (codes, amounts)."""

    voucher: int
    row: int | None = None
    set: dict[str, Any] = {}
    delete: bool = False
    reverse: bool = False
    date: str | None = None


def corrupt(store: LedgerStore, given: Corruption, now: datetime) -> Row:
    """Do it, unchecked, and give what was touched; raises BadRequestError for a voucher or row nobody has."""
    header = store.tables["headers"].rows.get(given.voucher)
    if header is None:
        raise BadRequestError(f"no voucher {given.voucher}")
    changes = RowChanges()
    if given.delete:
        _delete(store, changes, header)
    elif given.reverse:
        header = book(store, changes, _reversal(store, header, day=given.date or header["postedDate"]), now=now)
    elif given.row is None:
        changes.put("headers", header | {name: given.set[name] for name in ("text", "postedDate") if name in given.set})
    else:
        _change(store, changes, header, given, now=now)
    store.commit(changes, now=now)
    touched = sorted({db_id for _, db_id in (*changes.puts, *changes.removed)})
    return {"voucher": header["dbId"], "touched": touched}


def subledger_rows(store: LedgerStore, header: Row) -> dict[int, tuple[str, Row]]:
    """Give a voucher's subledger rows with their tables, by the dbId of their general-ledger row."""
    return {
        row["glRowDbId"]: (table, row)
        for table in _SUBLEDGERS
        for row in store.tables[table].having("headerDbId", header["dbId"])
    }


def _delete(store: LedgerStore, changes: RowChanges, header: Row) -> None:
    for table in ("transactions", *_SUBLEDGERS):
        for row in store.tables[table].having("headerDbId", header["dbId"]):
            changes.remove(table, row)
    # The import item stays booked: that its voucher is gone is for the product to find.
    changes.remove("headers", header)


def _change(store: LedgerStore, changes: RowChanges, header: Row, given: Corruption, *, now: datetime) -> None:
    behind = subledger_rows(store, header)
    by_subledger_row = {row["dbId"]: gl_row for gl_row, (_, row) in behind.items()}
    gl_id = by_subledger_row.get(given.row or 0, given.row or 0)
    gl_row = store.tables["transactions"].rows.get(gl_id)
    if gl_row is None or gl_row["headerDbId"] != header["dbId"]:
        raise BadRequestError(f"voucher {given.voucher} has no row {given.row}")
    source = store.rows[header["transactionSourceDbId"]]["code"]
    columns = line_columns(store, given.set, owner=header["ownerDbId"], source=source)
    if "projectDbId" in columns:
        columns["glObject2DbId"] = columns.pop("projectDbId")
    amounts: Row = {name: columns[name] for name in ("amount", "invoiceAmount") if name in columns}
    changed: Row = amounts | {name: columns[name] for name in _LINE_COLUMNS if name in columns}
    # Written again without a change, to move its time: rows have no time of their own.
    changes.put("headers", dict(header))
    # A general-ledger row has the account it is paid to in no column of that name.
    changes.put("transactions", gl_row | {name: value for name, value in changed.items() if name != "bankAccount"})
    if gl_id in behind:
        table, row = behind[gl_id]
        moved = Decimal(str(changed.get("invoiceAmount", row["invoiceAmount"]))) - Decimal(row["invoiceAmount"])
        remaining = {"invoiceRemaining": money(Decimal(row["invoiceRemaining"]) + moved)}
        changes.put(table, row | changed | remaining | {"headerModifiedAt": local(now)})


def _reversal(store: LedgerStore, header: Row, *, day: str) -> Voucher:
    behind = subledger_rows(store, header)
    lines = []
    for gl_row in store.tables["transactions"].having("headerDbId", header["dbId"]):
        _, row = behind.get(gl_row["dbId"], ("", gl_row))
        # Without the tax rule: VAT already has a row of its own, and must not be split again.
        line = {name: row.get(name) for name in _LINE_COLUMNS}
        amounts = {name: money(-Decimal(row[name])) for name in ("amount", "invoiceAmount")}
        lines.append(line | amounts)
    return Voucher(
        owner=header["ownerDbId"],
        source=store.rows[header["transactionSourceDbId"]],
        posted_date=day,
        # Assumed: the text that Xledger gives a reversal (docs/systems/ledger.md#l27).
        text=f"Reversal of {header['transactionNumber']} {header.get('text') or ''}".strip(),
        lines=lines,
        is_imported=False,
    )
