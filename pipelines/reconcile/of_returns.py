"""Notes what keeps rates, payments and actuals from going back to the VMS, in words for whoever must put it right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.core import words
from pipelines.reconcile.kinds import next_step
from pipelines.reconcile.update import update_breaks
from pipelines.step.counts import Counts
from pipelines.stores.breaks import Break
from pipelines.stores.rows import Row, rows_of

if TYPE_CHECKING:
    from pipelines.step.context import Context

_RATES = "SELECT * FROM post.rate_breaks"
_NO_BASE = """
SELECT settings.rate_owner FROM seed.settings AS settings WHERE NOT EXISTS (SELECT 1 FROM map.rate_base)
"""
_PAYMENTS = "SELECT * FROM post.payment_breaks WHERE kind = '{kind}'"
_UNPLACED = "SELECT * FROM post.unplaced_matches WHERE is_break"
_ACTUALS = "SELECT * FROM post.actual_breaks WHERE kind = '{kind}' AND NOT is_ignored"


def note_rate_breaks(ctx: Context) -> Counts:
    """Open and close the breaks of exchange rates that differ, and the one of an entity whose rates cannot be read."""
    return _note(ctx, RATE_BREAKS)


def note_payment_breaks(ctx: Context) -> Counts:
    """Open and close the breaks of payments whose match was undone, and of those that find no place."""
    return _note(ctx, PAYMENT_BREAKS)


def note_actual_breaks(ctx: Context) -> Counts:
    """Open and close the breaks of actuals on voyages and accounts the VMS does not know, and of rows typed by hand."""
    return _note(ctx, ACTUAL_BREAKS)


def rate_break(row: Row) -> Break:
    """Say which rate differs, and by which values; 1 of the first currency is so many of the second."""
    pair = f"{row['from_currency']} to {row['to_currency']} of {row['rate_date']}"
    return Break(
        "exchange rate differs",
        f"{row['rate_date']}:{row['from_currency']}:{row['to_currency']}",
        f"The rate {pair} is {_rate(row['vms_rate'])} in the VMS and {_rate(row['ledger_rate'])} in the ledger.",
        next_step("exchange rate differs"),
        period_month=row["rate_date"].replace(day=1),
        figures={"vms": str(row["vms_rate"]), "ledger": str(row["ledger_rate"])},
    )


def no_base_break(row: Row) -> Break:
    """Say that the ledger has no entity whose rates could be taken; without one no rate is wrong, all are missing."""
    named = "at all" if row["rate_owner"] is None else f"{row['rate_owner']}, which rates.owner names"
    return Break(
        "no entity for exchange rates",
        "rates.owner",
        f"The ledger has no entity {named}, so no exchange rates are transferred.",
        next_step("no entity for exchange rates"),
        figures={"owner": row["rate_owner"]},
    )


def undone_break(row: Row) -> Break:
    """Say which payment in the VMS the ledger no longer matches with its invoice as it did."""
    sent, settled = (words.amount(row[name], row["currency_code"]) for name in ("sent_amount", "settled_amount"))
    # The row of the payment may be gone from the ledger, and its voucher number with it.
    payment = f"Payment {row['voucher_no'] or row['row_db_id']} (row {row['row_db_id']})"
    return Break(
        "match undone",
        row["subject"],
        f"{payment} settled {sent} of document {row['document_no']} when it was transferred; its match in the ledger "
        f"settles {settled} of it now.",
        # The subject is how the numbers of all parts of this payment begin: several documents may be concerned.
        next_step("match undone", subject=row["subject"]),
        company=row["company_code"],
        document_key=row["document_key"],
        document_no=row["document_no"],
        figures={"sent": str(row["sent_amount"]), "settled": str(row["settled_amount"])},
    )


def not_unique_break(row: Row) -> Break:
    """Say which invoice in the ledger may be one of several of ours."""
    settled = words.amount(row["settled_amount"], row["currency_code"])
    return Break(
        "invoice not unique",
        row["subject"],
        f"{row['side']} row {row['row_db_id']} of voucher {row['voucher_no']} (invoice {row['document_no']}, {settled} "
        "settled) may be one of several documents with that number and partner.",
        next_step("invoice not unique"),
        figures={"settled": str(row["settled_amount"])},
    )


def unplaced_break(row: Row) -> Break:
    """Say which row of the ledger leads to no payment in the VMS, and which leg of its match is missing."""
    match = f"match {row['match_id']}" if row["match_id"] else "no match"
    return Break(
        "payment not placed",
        f"{row['side']} {row['row_db_id']}",
        f"{row['side']} row {row['row_db_id']} of voucher {row['voucher_no']}, partner {row['subledger_code']}, source "
        f"{row['source_code']}, {match}: {row['reason']}.",
        # Each reason has its own next step, in data/seeds/match_reasons.csv.
        row["next_step"],
        figures={"match": row["match_id"], "reason": row["reason"]},
    )


def unknown_voyage_break(row: Row) -> Break:
    """Say which project of the ledger is no voyage of the VMS, and what is booked on it."""
    return _actual_break(
        row,
        f"The VMS has no voyage {row['voyage_no']}; the ledger has {_booked(row)} on that project in entity "
        f"{row['owner_code']}.",
    )


def unknown_account_break(row: Row) -> Break:
    """Say which account of the ledger the VMS does not list, and what is booked on it."""
    return _actual_break(
        row,
        f"The VMS lists no GL account {row['account']}; the ledger has {_booked(row)} of voyages on it in entity "
        f"{row['owner_code']}.",
    )


def by_hand_break(row: Row) -> Break:
    """Say which row was typed by hand against a document of ours."""
    return _actual_break(
        row,
        f"Voucher {row['voucher_no']} was typed by hand against document {row['document_no']}: {_booked(row)} on "
        f"account {row['account']}, voyage {row['voyage_no']}. It is no actual.",
    )


def _actual_break(row: Row, message: str) -> Break:
    return Break(
        row["kind"],
        row["subject"],
        message,
        next_step(row["kind"], company=row["company_code"], project=row["voyage_no"], account=row["account"]),
        company=row["company_code"],
        document_no=row["document_no"],
        figures={"amount": str(row["company_amount"])},
    )


def _booked(row: Row) -> str:
    return words.amount(row["company_amount"], row["company_currency_code"])


# Each kind with the rows that are breaks and the function that puts one into words. A kind without a row is listed all
# the same, so that its open breaks are closed.
BreakReaders = Mapping[str, tuple[str, Callable[[Row], Break]]]
RATE_BREAKS: BreakReaders = {
    "exchange rate differs": (_RATES, rate_break),
    "no entity for exchange rates": (_NO_BASE, no_base_break),
}
PAYMENT_BREAKS: BreakReaders = {
    "match undone": (_PAYMENTS, undone_break),
    "invoice not unique": (_PAYMENTS, not_unique_break),
    "payment not placed": (_UNPLACED, unplaced_break),
}
ACTUAL_BREAKS: BreakReaders = {
    "voyage unknown in VMS": (_ACTUALS, unknown_voyage_break),
    "account unknown in VMS": (_ACTUALS, unknown_account_break),
    "accrual booked by hand": (_ACTUALS, by_hand_break),
}


def _note(ctx: Context, readers: BreakReaders) -> Counts:
    breaks = [
        write(row)
        for kind, (query, write) in readers.items()
        for row in rows_of(ctx.warehouse.execute(query.format(kind=kind)))
    ]
    return Counts(breaks=update_breaks(ctx, readers.keys(), breaks))


def _rate(value: Decimal) -> str:
    return f"{value:f}".rstrip("0").rstrip(".")
