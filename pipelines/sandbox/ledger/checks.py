"""What the posting job looks at before it books a voucher, and what it says.

That it looks at these is assumed: docs/systems/ledger.md#a4, #a6, #a8 and #a11; the words are ours (#a7).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from pipelines.sandbox.ledger.books import tax_percent, vat_account
from pipelines.sandbox.ledger.entities import company_currency
from pipelines.sandbox.ledger.values import ZERO, ErrorLevel, LedgerType, Row, is_open_on, money, period_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.sandbox.ledger.books import Voucher
    from pipelines.sandbox.ledger.store import LedgerStore

# What can be closed for posting or is valid for a time (docs/systems/ledger.md#a11).
_DIMENSIONS = (
    ("Project", "projectDbId"),
    ("Project", "glObject2DbId"),
    ("Value", "glObject1DbId"),
    ("Value", "glObject3DbId"),
    ("Value", "glObject4DbId"),
    ("Value", "glObject5DbId"),
    ("XGL", "xglDbId"),
    ("Subledger", "subledgerDbId"),
)


class Problem(NamedTuple):
    """One finding: the line it stands at, its weight and its text."""

    line: int
    level: ErrorLevel
    message: str


def missing_members(lines: list[Row]) -> list[Problem]:
    """Name what no voucher can be booked without; all else is looked at only when nothing is missing."""
    return [
        Problem(place, ErrorLevel.ERROR, f"{name} is missing.")
        for place, line in enumerate(lines)
        for name, column in (
            ("Transaction source", "transactionSourceDbId"),
            ("Voucher number", "trRegNumber"),
            ("Posted date", "postedDate"),
            ("Account", "accountDbId"),
            ("Amount", "amount"),
            ("Currency amount", "invoiceAmount"),
        )
        if line.get(column) is None
    ]


def check(store: LedgerStore, voucher: Voucher, *, may_be_closed: bool = False) -> list[Problem]:
    """Give everything that keeps a voucher from being booked, and what is merely worth a warning."""
    found = [] if may_be_closed else list(_period(store, voucher))
    found.extend(_balance(store, voucher))
    for place, line in enumerate(voucher.lines):
        found.extend(Problem(place, ErrorLevel.ERROR, message) for message in _line(store, line, voucher))
        found.extend(Problem(place, ErrorLevel.WARNING, message) for message in _known_invoice(store, line, voucher))
    return found


def is_closed(store: LedgerStore, *, owner: int, day: str) -> bool:
    """Tell whether the period of a day is closed for an entity: a row means closed."""
    wanted = period_id(day, first_month=int(store.rows[owner].get("fiscalYearStartMonth") or 1))
    rows = store.tables["periods_closed"].rows.values()
    return any(row["ownerDbId"] == owner and row["periodDbId"] == wanted for row in rows)


def _period(store: LedgerStore, voucher: Voucher) -> Iterator[Problem]:
    if is_closed(store, owner=voucher.owner, day=voucher.posted_date):
        # On the first line: an error belongs to one import item, never to a whole voucher (docs/systems/ledger.md#4-3).
        period = voucher.posted_date[:7].replace("-", "/")
        yield Problem(0, ErrorLevel.ERROR, f"Period {period} is closed.")


def _balance(store: LedgerStore, voucher: Voucher) -> Iterator[Problem]:
    currencies = {line["currencyDbId"] for line in voucher.lines}
    columns = [("amount", company_currency(store, voucher.owner)["code"])]
    # Amounts in several currencies have no sum. There is no tolerance (docs/systems/ledger.md#l5).
    if len(currencies) == 1:
        columns.append(("invoiceAmount", store.rows[currencies.pop()]["code"]))
    for column, currency in columns:
        gap = sum((Decimal(line[column]) for line in voucher.lines), ZERO)
        if gap:
            yield Problem(0, ErrorLevel.ERROR, f"Voucher does not balance: {column} sums to {money(gap)} {currency}.")
            return


def _line(store: LedgerStore, line: Row, voucher: Voucher) -> Iterator[str]:
    account = store.rows[line["accountDbId"]]
    code, ledger_type = account["code"], account.get("ledgerTypeDbId")
    if account.get("posting") is False:
        yield f"Account {code} is not open for posting."
    for name in account.get("requires") or ():
        # A required project may be given as project or as glObject2.
        column = {"project": "projectDbId" if line.get("projectDbId") else "glObject2DbId"}.get(name, f"{name}DbId")
        if line.get(column) is None:
            yield f"Account {code} requires {name}."
    if ledger_type:
        yield from _control(store, line, code=code, ledger_type=ledger_type)
    if tax_percent(store, line):
        vat_code, vat = vat_account(store, line, source=voucher.source, owner=voucher.owner)
        if vat is None:
            yield f"Tax rule {store.rows[line['taxRuleDbId']]['code']} has no VAT account: {vat_code} does not exist."
    yield from _dimensions(store, line, day=voucher.posted_date)


def _control(store: LedgerStore, line: Row, *, code: str, ledger_type: int) -> Iterator[str]:
    partner = store.rows.get(line.get("subledgerDbId", 0))
    if partner is None:
        yield f"Account {code} requires a subledger."
    elif partner["ledgerTypeDbId"] != ledger_type:
        kind = "supplier" if ledger_type == LedgerType.AP else "customer"
        yield f"Account {code} requires a {kind}, subledger {partner['code']} is none."


def _dimensions(store: LedgerStore, line: Row, *, day: str) -> Iterator[str]:
    for what, column in _DIMENSIONS:
        value = store.rows.get(line.get(column, 0))
        if value is None:
            continue
        if value.get("allowPosting") is False or value.get("posting") is False:
            yield f"{what} {value['code']} is not open for posting."
        # On the voucher's date. That posting needs a project valid on it is inferred (docs/systems/ledger.md#3-3).
        elif not is_open_on(value, day):
            yield f"{what} {value['code']} is not open on {day}."


def _known_invoice(store: LedgerStore, line: Row, voucher: Voucher) -> Iterator[str]:
    """Warn of a supplier invoice number that is in the books already; it is booked all the same.

    Source: docs/systems/ledger.md#l12.
    """
    number, partner = line.get("invoiceNumber"), line.get("subledgerDbId")
    if not number or not partner or store.rows[line["accountDbId"]].get("ledgerTypeDbId") != LedgerType.AP:
        return
    booked = store.tables["ap_rows"].having("invoiceNumber", number)
    if any(row["subledgerDbId"] == partner and row["ownerDbId"] == voucher.owner for row in booked):
        yield f"Invoice number {number} is already registered on subledger {store.rows[partner]['code']}."
