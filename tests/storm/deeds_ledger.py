"""What people do in the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.storm.journal import DocumentStory
from tests.storm.people import People
from tests.storm.worlds import RATE_DAYS

Row = dict[str, Any]
PAY_DAY = "2026-11-02"


def book_what_was_imported(people: People) -> None:
    """Let the ledger book what waits in its import."""
    people.site.control("POST", "ledger/post", {})
    people.site.journal.note("booked what was imported")


def pay(people: People) -> None:
    """Pay some invoices or credit notes, in part or as a whole."""
    for _ in range(people.rng.randint(1, 3)):
        if found := people.voucher():
            _pay(people, *found)


def _pay(people: People, story: DocumentStory, voucher: Row) -> None:
    rows = [line for line in voucher["lines"] if line["subledgerRow"] and _open(line)]
    if not rows:
        return
    line = people.rng.choice(rows)
    size = _open(line) if people.rng.random() < 0.5 else (_open(line) / people.rng.randint(2, 3)).quantize(Decimal(1))
    rate = Decimal(line["amount"]) / Decimal(line["invoiceAmount"])
    payment = {
        "owner": voucher["owner"],
        "side": story.side,
        "source": people.rng.choice(("DR", "OCR", "BA")),
        "date": PAY_DAY,
        "currency": line["currency"],
        "amount": str(size),
        "company_amount": str((size * rate).quantize(Decimal("0.01"))),
        "subledger": line["subledger"],
        "match": [{"row": line["subledgerRow"]["dbId"], "amount": str(size)}],
    }
    people.site.control("POST", "ledger/payments", payment)
    people.site.journal.payments += 1
    people.site.journal.note("paid", story.key)


def _open(line: Row) -> Decimal:
    return abs(Decimal(line["subledgerRow"]["invoiceRemaining"]))


def undo_a_match(people: People) -> None:
    """Undo the match of an invoice."""
    if (found := people.voucher()) is None:
        return
    story, voucher = found
    matches = [line["subledgerRow"]["matchId"] for line in voucher["lines"] if line["subledgerRow"]]
    for match_id in filter(None, matches):
        people.site.control("POST", "ledger/unmatch", {"match_id": match_id})
        people.site.journal.note("match undone", story.key)
        return


def reverse_voucher(people: People) -> None:
    """Reverse a voucher in the ledger."""
    if (found := people.voucher()) is None:
        return
    story, voucher = found
    people.site.control("POST", "ledger/corrupt", {"voucher": voucher["dbId"], "reverse": True})
    people.site.journal.note("reversed in the ledger", story.key)


def delete_voucher(people: People) -> None:
    """Delete a voucher in the ledger."""
    if (found := people.voucher()) is None:
        return
    story, voucher = found
    people.site.control("POST", "ledger/corrupt", {"voucher": voucher["dbId"], "delete": True})
    people.site.journal.note("deleted in the ledger", story.key)


def remove_import_items(people: People) -> None:
    """Take the import items of a voucher out of the ledger before it is booked."""
    waiting = [item for item in people.site.control("GET", "ledger/import-items") if item["voucher"] is None]
    keys = {item["node"]["trRegNumber"] for item in waiting} & people.site.journal.documents.keys()
    if (story := people.choose(people.site.journal.documents[key] for key in keys)) is None:
        return
    key = story.key
    rows = [item["dbId"] for item in waiting if item["node"]["trRegNumber"] == key]
    people.site.control("POST", "ledger/import-items/remove", {"rows": rows})
    people.site.journal.documents[key].times_removed += 1
    people.site.journal.note("items removed", key)


def close_a_period(people: People) -> None:
    """Close a period of an entity."""
    period = {
        "owner": people.rng.choice((28601, 28602)),
        "period": people.rng.choice(("2026-08", "2026-09", "2026-10")),
    }
    people.site.control("POST", "ledger/periods", {**period, "closed": True})
    people.site.journal.note(f"closed {period['owner']} {period['period']}")


def open_periods(people: People) -> None:
    """Open every closed period again."""
    people.go_home()
    people.site.journal.note("opened periods")


def publish_rate(people: People) -> None:
    """Enter a rate of the day in the ledger."""
    day = f"{people.site.now:%Y-%m-%d}"
    currency = people.rng.choice(("USD", "EUR", "GBP"))
    if people.rng.random() < 0.3:
        day = people.rng.choice(RATE_DAYS)
    rate = {"owner": 28600, "from": currency, "to": "NOK", "rate": f"1{people.rng.randint(0, 9)}.5", "fromDate": day}
    known = {(row["from"], row["fromDate"]) for row in people.site.control("GET", "ledger/rates")}
    if (currency, day) in known:
        # Another value where one may have been sent.
        people.site.journal.rates.add((day, currency))
    people.site.control("POST", "ledger/rates", rate)
    people.site.journal.note(f"rate of {currency} on {day}")


def book_by_hand(people: People) -> None:
    """Book a cost on a voyage by hand."""
    amount = f"{people.rng.randint(1, 900)}.50"
    common = {"currency": "NOK", "text": "by hand"}
    lines = [
        {"account": "4300", "project": "V001-2601", "amount": amount, "invoiceAmount": amount, **common},
        {"account": "2960", "amount": f"-{amount}", "invoiceAmount": f"-{amount}", **common},
    ]
    day = f"2026-10-{people.rng.randint(10, 30)}"
    voucher = {"owner": 28601, "source": "GL", "postedDate": day, "text": "by hand", "lines": lines}
    people.site.control("POST", "ledger/vouchers", voucher)
    people.site.journal.note(f"booked {amount} by hand")
