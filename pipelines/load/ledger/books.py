"""Asks the ledger's books whether they have a voucher: rows there carry no `trRegNumber` (docs/architecture.md#outbox).

A voucher is recognised by the text of its journal header, which is the text of its first control line. Where somebody
has changed that text, it is recognised by invoice number, partner, currency and amount of its control lines. Two
documents may have all of that in common. So what belongs to our other vouchers is left out first, and where it is still
not clear which voucher a header belongs to, a person decides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple

from pipelines.core.times import read_day
from pipelines.load.ledger.entities import LedgerEntities
from pipelines.load.look_up import ABSENT, LookUpFinding, Node, code_of, complete, conflict, one_of
from pipelines.outbox.entry import Entry
from pipelines.outbox.states import State
from pipelines.wire.query import Reading

HEADER = "dbId text postedDate importedAt transactionNumber"
HEADERS = f"{HEADER} ownerDbId transactionSource {{ code }}"
ROWS = (
    "dbId ownerDbId invoiceNumber invoiceAmount currency { code } subledger { code } "
    f"transactionHeader {{ {HEADER} }}"
)
# Document numbers have at most so many words.
MOST_WORDS = 3
Vouchers = Callable[[Collection[str]], Sequence[Entry]]
SUBLEDGERS = {"AP": "apTransactions", "AR": "arTransactions"}


class _Invoice(NamedTuple):
    number: str
    owner: str
    partner: str | None
    currency: str | None
    amount: Decimal


def books_readings(entries: Sequence[Entry]) -> list[Reading]:
    """Ask for the journal headers with the texts of these entries, and for the rows of each side with their numbers."""
    texts = [entry.look_up["text"] for entry in entries]
    readings = [one_of("journalHeaders", "text", texts, selection=HEADERS)]
    for source, connection in SUBLEDGERS.items():
        numbers = [entry.look_up["invoice_number"] for entry in entries if entry.look_up["source"] == source]
        readings.append(one_of(connection, "invoiceNumber", [number for number in numbers if number], selection=ROWS))
    return readings


def books_findings(
    entries: Sequence[Entry], answers: Sequence[Sequence[Node]], entities: LedgerEntities, *, vouchers: Vouchers
) -> dict[str, LookUpFinding]:
    """Judge vouchers by the answers to ``books_readings``; ``vouchers`` finds ours by document number.

    What has no finding is not there.
    """
    headers, *sides = answers
    findings = _by_header(entries, headers, entities, vouchers)
    for source, rows in zip(SUBLEDGERS, sides, strict=True):
        left = [entry for entry in entries if entry.id not in findings and entry.look_up["source"] == source]
        findings |= _by_invoice(left, rows, entities, vouchers)
    return {entry_id: finding for entry_id, finding in findings.items() if finding is not ABSENT}


def _by_header(
    entries: Sequence[Entry], headers: Sequence[Node], entities: LedgerEntities, vouchers: Vouchers
) -> dict[str, LookUpFinding]:
    by_key: dict[tuple[str, str, str | None], list[Node]] = {}
    for header in headers:
        key = (str(header["text"]), str(header["ownerDbId"]), code_of(header, "transactionSource"))
        by_key.setdefault(key, []).append(header)
    alike = {entry: rows for entry in entries if (rows := by_key.get(_header_key(entry, entities)))}
    ours = vouchers({str(entry.document_no) for entry in alike}) if alike else ()
    return {entry.id: _judged(entry, rows, _rivals(entry, ours)) for entry, rows in alike.items()}


def _header_key(entry: Entry, entities: LedgerEntities) -> tuple[str, str, str | None]:
    return (str(entry.look_up["text"]), str(entities.owner(entry.owner_code)), str(entry.look_up["source"]))


def _by_invoice(
    entries: Sequence[Entry], rows: Sequence[Node], entities: LedgerEntities, vouchers: Vouchers
) -> dict[str, LookUpFinding]:
    invoices = _invoices(rows)
    alike = {entry: headers for entry in entries if (headers := invoices.get(_invoice_of(entry, entities)))}
    # An invoice number is the partner's and not unique: two documents may carry the same one over the same amount.
    # So whatever names another document of ours at the head of its text is that one's voucher and no evidence here.
    numbers = {number for headers in alike.values() for header in headers for number in _numbers(header)}
    ours = vouchers(numbers) if numbers else ()
    findings: dict[str, LookUpFinding] = {}
    for entry, headers in alike.items():
        others = {voucher.document_no for voucher in ours} - {entry.document_no}
        if unclaimed := [header for header in headers if others.isdisjoint(_numbers(header))]:
            findings[entry.id] = _judged(entry, unclaimed, _rivals(entry, ours))
    return findings


def _invoices(rows: Sequence[Node]) -> dict[_Invoice, list[Node]]:
    """Add rows up by voucher, since split terms make several rows of one, and list the headers of each invoice."""
    headers: dict[_Invoice, list[Node]] = {}
    # groupby needs its rows in order; a row without a header belongs to no voucher.
    booked = sorted((row for row in rows if row["transactionHeader"]), key=_row_order)
    for _, members in groupby(booked, key=_row_order):
        voucher = list(members)
        first = voucher[0]
        amount = sum((Decimal(row["invoiceAmount"] or 0) for row in voucher), Decimal(0))
        partner, currency = code_of(first, "subledger"), code_of(first, "currency")
        invoice = _Invoice(str(first["invoiceNumber"]), str(first["ownerDbId"]), partner, currency, amount)
        headers.setdefault(invoice, []).append(first["transactionHeader"])
    return headers


def _row_order(row: Node) -> tuple[str, ...]:
    header = row["transactionHeader"]["dbId"]
    parts = (header, row["invoiceNumber"], code_of(row, "subledger"), code_of(row, "currency"))
    return tuple(str(part) for part in parts)


def _invoice_of(entry: Entry, entities: LedgerEntities) -> _Invoice:
    look_up: Mapping[str, Any] = entry.look_up
    amount = Decimal(look_up["control_amount"])
    owner = str(entities.owner(entry.owner_code))
    return _Invoice(str(look_up["invoice_number"]), owner, look_up["subledger"], look_up["currency"], amount)


def _rivals(entry: Entry, ours: Sequence[Entry]) -> list[Entry]:
    """Return other vouchers of ours that look the same in the books: one number and partner in one entity."""
    same = (entry.owner_code, entry.look_up["text"], entry.look_up["source"])
    return [
        voucher
        for voucher in ours
        if voucher.id != entry.id and (voucher.owner_code, voucher.look_up["text"], voucher.look_up["source"]) == same
    ]


def _judged(entry: Entry, headers: Sequence[Node], rivals: Sequence[Entry]) -> LookUpFinding:
    # Each voucher of ours that is sent accounts for one header; only when all are accounted for is this one not there.
    accounted_for = sum(rival.state is State.SENT for rival in rivals)
    if rivals and len(headers) <= accounted_for:
        return ABSENT
    numbers = ", ".join(str(header["transactionNumber"]) for header in headers)
    # Taken as ours only without any doubt: wrong either way costs money, a second payment or a voucher that is missing.
    if not rivals and len(headers) == 1 and _is_ours(entry, headers[0]):
        return complete(f"found in the ledger's books as voucher {numbers}", {"header": str(headers[0]["dbId"])})
    detail = (
        f"{entry.label} may be in the ledger's books already: voucher {numbers} has its text, or its partner, "
        "invoice number and amount. Next: if it is the same, `springline ignore` puts the document on the ignore "
        "list; if not, tell them apart by their numbers in the VMS or the ledger."
    )
    return conflict("already_in_books", detail)


def _is_ours(entry: Entry, header: Node) -> bool:
    """Tell whether a header came in by an import (not typed in), on the voucher's date, and names its document."""
    if header["importedAt"] is None or read_day(header["postedDate"]) != read_day(entry.look_up["posted_date"]):
        return False
    return entry.document_no in _numbers(header)


def _numbers(header: Node) -> list[str]:
    """Return what may be the document number at the head of a text: its first word, two words, three words."""
    words = str(header["text"] or "").split(" ")
    return [" ".join(words[:count]) for count in range(1, min(len(words), MOST_WORDS) + 1)]
