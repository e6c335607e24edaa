"""The ledger's part of the admin page, read from the state file."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.sandbox.ledger.store import TABLES, create_tables, stored_rows
from pipelines.sandbox.ledger.values import SYSTEM_VALUES, ZERO, money
from pipelines.sandbox.state import StateTable

if TYPE_CHECKING:
    import sqlite3

_LATEST = 20


def ledger_overview(db: sqlite3.Connection) -> list[StateTable]:
    """Summarise the state file: rows, import items by state, amounts by source, the last vouchers and errors."""
    # The admin page may be opened before the first request has created the tables.
    create_tables(db)
    coded = (row for table in ("entities", "transaction_sources") for row in stored_rows(db, table))
    names = {row["dbId"]: str(row["code"]) for row in coded}
    booked: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(list)
    headers = {row["dbId"]: row for row in stored_rows(db, "headers")}
    for row in stored_rows(db, "transactions"):
        header = headers[row["headerDbId"]]
        key = names[header["ownerDbId"]], names[header["transactionSourceDbId"]]
        # Debit only: debit and credit of a voucher add up to nothing.
        booked[key].append(max(Decimal(row["amount"]), ZERO))
    states = Counter(SYSTEM_VALUES[row["jobLevelDbId"]]["name"] for row in stored_rows(db, "import_items"))
    counts: list[tuple[str, ...]] = [(name, str(_count(db, name))) for name in TABLES]
    return [
        StateTable("Ledger rows", ("kind", "rows"), counts),
        StateTable("Import items", ("state", "items"), [(name, str(count)) for name, count in sorted(states.items())]),
        StateTable(
            "Booked",
            ("entity", "source", "rows", "debit in company currency"),
            [(*key, str(len(debits)), money(sum(debits, ZERO))) for key, debits in sorted(booked.items())],
        ),
        *(_open_items(db, table, names) for table in ("ap_rows", "ar_rows")),
        StateTable(
            "Last vouchers",
            ("number", "entity", "source", "date", "text"),
            [
                (
                    str(row["transactionNumber"]),
                    names[row["ownerDbId"]],
                    names[row["transactionSourceDbId"]],
                    row["postedDate"],
                    row.get("text") or "",
                )
                for row in list(headers.values())[-_LATEST:]
            ],
        ),
        StateTable(
            "Last import errors",
            ("item", "level", "message"),
            [
                (str(row["transactionDbId"]), SYSTEM_VALUES[row["errorLevelDbId"]]["name"], row["message"])
                for row in list(stored_rows(db, "import_errors"))[-_LATEST:]
            ],
        ),
    ]


def _open_items(db: sqlite3.Connection, table: str, names: dict[int, str]) -> StateTable:
    totals: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(list)
    codes = {row["dbId"]: str(row["code"]) for row in stored_rows(db, "currencies")}
    for row in stored_rows(db, table):
        totals[names[row["ownerDbId"]], codes[row["currencyDbId"]]].append(Decimal(row["invoiceRemaining"]))
    rows: list[tuple[str, ...]] = [
        (*key, str(sum(map(bool, amounts))), money(sum(amounts, ZERO))) for key, amounts in sorted(totals.items())
    ]
    return StateTable(f"Open {table[:2].upper()} items", ("entity", "currency", "open rows", "open amount"), rows)


def _count(db: sqlite3.Connection, table: str) -> int:
    count: int = db.execute(f"SELECT count(*) FROM ledger_{table}").fetchone()[0]  # noqa: S608 (our own names)
    return count
