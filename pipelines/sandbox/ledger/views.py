"""What the ledger holds, for tests and people: vouchers with all their lines, import items as they were received."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pipelines.sandbox.ledger.tamper import subledger_rows
from pipelines.sandbox.ledger.values import SYSTEM_VALUES, Row

if TYPE_CHECKING:
    from pipelines.sandbox.ledger.store import LedgerStore

_HEADER_MEMBERS = ("transactionNumber", "postedDate", "text", "importedAt", "trRegNumber")
_CODES = {
    "account": "accountDbId",
    "currency": "currencyDbId",
    "glObject1": "glObject1DbId",
    "project": "glObject2DbId",
    "glObject3": "glObject3DbId",
    "glObject4": "glObject4DbId",
    "glObject5": "glObject5DbId",
    "xgl": "xglDbId",
    "taxRule": "taxRuleDbId",
    "subledger": "subledgerDbId",
}
_SUBLEDGER_MEMBERS = (
    "dbId", "invoiceNumber", "invoiceDate", "dueDate", "extIdentifier", "paymentReference", "bankAccount",
    "exchangeRate", "invoiceRemaining", "paymentDate", "matchId",
)  # fmt: skip


def vouchers(store: LedgerStore, *, owner: str | None, source: str | None, number: str | None) -> list[Row]:
    """List booked vouchers, oldest change first; lines carry codes and, when imported, the node as it was sent."""
    found = []
    for header in store.tables["headers"].scan():
        row = {
            "dbId": header["dbId"],
            "owner": store.rows[header["ownerDbId"]]["ownerCode"],
            "source": store.rows[header["transactionSourceDbId"]]["code"],
            **{name: header.get(name) for name in _HEADER_MEMBERS},
        }
        wanted = ((owner, row["owner"]), (source, row["source"]), (number, row["trRegNumber"]))
        if all(given is None or given == str(value) for given, value in wanted):
            found.append(row | {"lines": _lines(store, header)})
    return found


def import_items(store: LedgerStore, *, number: str | None) -> list[Row]:
    """List import items as they were received, with their state, voucher and errors."""
    return [
        {
            "dbId": item["dbId"],
            "clientId": item.get("clientId"),
            "owner": store.rows[item["ownerDbId"]]["ownerCode"],
            "jobLevel": SYSTEM_VALUES[item["jobLevelDbId"]]["name"],
            "voucher": item.get("headerDbId"),
            "errors": [
                {"level": SYSTEM_VALUES[error["errorLevelDbId"]]["name"], "message": error["message"]}
                for error in store.tables["import_errors"].having("transactionDbId", item["dbId"])
            ],
            "node": msgspec.json.decode(item["input"]),
        }
        for item in sorted(store.tables["import_items"].rows.values(), key=_db_id)
        if number is None or str(item.get("trRegNumber")) == number
    ]


def _lines(store: LedgerStore, header: Row) -> list[Row]:
    behind = subledger_rows(store, header)
    rows = sorted(store.tables["transactions"].having("headerDbId", header["dbId"]), key=_db_id)
    return [_line(store, row, behind.get(row["dbId"])) for row in rows]


def _line(store: LedgerStore, row: Row, behind: tuple[str, Row] | None) -> Row:
    item = store.rows.get(row.get("importItemDbId", 0))
    line: dict[str, Any] = {name: store.rows.get(row.get(column, 0), {}).get("code") for name, column in _CODES.items()}
    return line | {
        "dbId": row["dbId"],
        "balanceSheet": bool(store.rows[row["accountDbId"]].get("balanceSheet")),
        "amount": row["amount"],
        "invoiceAmount": row["invoiceAmount"],
        "taxAmount": row["taxAmount"],
        "text": row.get("text"),
        "isTax": row.get("isTax", False),
        "matchId": row["matchId"],
        "subledgerRow": None if behind is None else _subledger_row(*behind),
        # A VAT row was never sent: the ledger made it.
        "sent": None if item is None or row.get("isTax") else msgspec.json.decode(item["input"]),
    }


def _subledger_row(table: str, row: Row) -> Row:
    kind = SYSTEM_VALUES.get(row.get("slTransactionTypeDbId", 0), {}).get("name")
    members = {name: row.get(name) for name in _SUBLEDGER_MEMBERS}
    return {"side": table[:2].upper(), "slTransactionType": kind, **members}


def _db_id(row: Row) -> int:
    return int(row["dbId"])
