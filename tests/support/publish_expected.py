"""What the workbook's totals must come to, added up from the world's own rows in the slowest and most obvious way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal

from tests.support.publish_tables import Row, World
from tests.support.publish_world import TODAY

MOST_DIGITS = 15
THIS_MONTH = (TODAY.year, TODAY.month)
NOT_THROUGH = frozenset({"held", "unknown", "rejected", "waiting"})
DIFFERENT = frozenset({"amount differs", "fields differ", "only in VMS", "only in ledger"})
Totals = dict[str, Decimal]
WORDS = {"AP": "Payable", "AR": "Receivable"}


def by_currency(rows: Iterable[Row], amount: str, currency: str = "currency_code") -> Totals:
    """Add up one column currency by currency, leaving out amounts that no double can hold."""
    totals: Totals = {}
    for row in rows:
        value, name = row.get(amount), row.get(currency)
        if isinstance(value, Decimal) and name is not None:
            kept = totals.setdefault(str(name), Decimal(0))
            if len(str(abs(value)).replace(".", "").lstrip("0")) <= MOST_DIGITS:
                totals[str(name)] = kept + value
    return totals


def parted(rows: Iterable[Row], by: str, amount: str, currency: str = "currency_code") -> Totals:
    """Add up one column by another one and currency, as the lines of totals are called."""
    kept = list(rows)
    return {
        f"{WORDS.get(str(group), group)}, {name}": total
        for group in {row[by] for row in kept}
        for name, total in by_currency([row for row in kept if row[by] == group], amount, currency).items()
    }


def apart(rows: Iterable[Row]) -> Totals:
    """Return what the ledger has less what the VMS has, currency by currency."""
    kept = list(rows)
    vms, ledger = by_currency(kept, "amount_vms"), by_currency(kept, "amount_ledger")
    return {currency: ledger.get(currency, Decimal(0)) - vms.get(currency, Decimal(0)) for currency in {*vms, *ledger}}


def closed(rows: Iterable[Row]) -> list[Row]:
    """Return the rows of the newest month that is over; every world of the tests has one."""
    kept = [row for row in rows if isinstance(day := row["period_month"], date) and (day.year, day.month) < THIS_MONTH]
    month = max((row["period_month"] for row in kept), default=None, key=str)
    return [row for row in kept if row["period_month"] == month]


def expected_totals(world: World) -> Mapping[tuple[str, str], Totals]:
    """Return the totals of every sheet and heading that this file knows how to add up."""

    def chosen(table: str, keep: Callable[[Row], bool] = lambda _row: True) -> list[Row]:
        return [row for row in world.get(table, ()) if keep(row)]

    held = chosen("rec.documents", lambda row: row["state"] in NOT_THROUGH)
    unpaid = chosen("rec.payments", lambda row: bool(row["open_ledger"]) or bool(row["open_vms"]))
    paid = chosen("rec.payments", lambda row: row["state"] not in {"agreed", "part paid"})
    control = closed(chosen("rec.control_accounts"))
    roll = closed(chosen("close.accrual_rollforward"))
    accruals = closed(chosen("close.accruals_vs_actuals"))
    different = chosen("rec.documents", lambda row: row["state"] in DIFFERENT or row.get("drift") is not None)
    company = "company_currency_code"
    return {
        ("Both sides", "In the VMS"): by_currency(chosen("rec.documents"), "amount_vms"),
        ("Both sides", "In the ledger"): by_currency(chosen("rec.documents"), "amount_ledger"),
        ("Both sides", "Ledger less VMS"): apart(chosen("rec.documents")),
        ("Held", "Amount"): by_currency(held, "amount_vms"),
        ("Held", "Company amount"): by_currency(held, "company_amount_vms", company),
        ("Differs", "In the VMS"): by_currency(different, "amount_vms"),
        ("Differs", "In the ledger"): by_currency(different, "amount_ledger"),
        ("Unpaid", "Open in the ledger"): parted(unpaid, "side", "open_ledger"),
        ("Unpaid", "Open in the VMS"): parted(unpaid, "side", "open_vms"),
        ("Ageing by partner", "Open in company currency"): parted(
            chosen("rec.open_items"), "side", "open_company_amount", company
        ),
        ("Voyage results", "Result"): parted(
            chosen("analysis.voyage_results"), "company_name", "result_booked", company
        ),
        ("Payments", "Ledger less VMS"): by_currency(paid, "paid_difference"),
        ("Control accounts", "Ledger balance"): by_currency(control, "balance_ledger"),
        ("Control accounts", "Difference"): by_currency(control, "difference"),
        ("Accrual roll-forward", "Closing"): by_currency(roll, "closing", company),
        ("Accrual roll-forward", "Not reversed"): by_currency(roll, "unreversed_amount", company),
        ("Accruals v actuals", "Accrual posted"): by_currency(accruals, "accrual_posted", company),
        ("Accruals v actuals", "Difference"): by_currency(accruals, "difference", company),
        ("Close", "Amount"): by_currency(closed(chosen("close.breaks")), "amount"),
        ("Close", "Company amount"): by_currency(closed(chosen("close.breaks")), "company_amount", company),
        ("Control totals", "Ledger less VMS"): by_currency(
            chosen("rec.control_totals"), "company_amount_difference", company
        ),
    }
