"""Looks in the ledger's books for documents that people may have posted by hand before going live.

To take a voucher for a document that it is not would leave that document unposted for good, so a match must be exact in
every part and the only one; in any doubt the document is not found, is held, and a person decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from pipelines.core import words
from pipelines.core.times import read_day
from pipelines.load.look_up import QUESTION, Node, ask, chunks, code_of, one_of
from pipelines.outbox.intent import Json
from pipelines.steering.find_document import Document
from pipelines.wire.query import Reading

if TYPE_CHECKING:
    from pipelines.outbox.entry import Entry
    from pipelines.step.context import Context

SUBLEDGERS: Mapping[str, str] = {"AP": "apTransactions", "AR": "arTransactions"}
# What is read of each row: as much as decides whether it fits, and what the outbox keeps of it.
HEADER = "dbId text postedDate importedAt transactionNumber transactionSource { code }"
INVOICE_ROWS = (
    "dbId ownerDbId invoiceNumber invoiceAmount currency { code } subledger { code } "
    f"transactionHeader {{ {HEADER} }}"
)
BOOK_ROWS = f"dbId ownerDbId invoiceAmount currency {{ code }} header {{ {HEADER} }}"
# Amounts in a filter are written with two decimals.
PLACES = Decimal("0.01")

# What is shown of a document.
_SHOWN = (
    "document_no", "document_key", "document_type", "company", "document_date", "partner", "currency", "amount",
)  # fmt: skip

_CANDIDATES = "SELECT * FROM post.adoption_candidates WHERE document_date < ? ORDER BY document_key"


class Candidate(NamedTuple):
    """One document to look for; amounts in ``currency``, ``control_amount`` signed as the ledger's control line."""

    document_key: int
    document_no: str
    document_type: str
    company: str
    owner: int | None
    owner_db_id: int | None
    voucher_type: str
    partner_code: str | None
    partner: str | None
    currency: str
    document_date: date
    amount: Decimal | None
    control_amount: Decimal | None
    external_no: str | None
    invoice_no: str | None
    content_hash: str

    @property
    def document(self) -> Document:
        """The document, as decisions name it."""
        return Document(self.document_no, self.document_key, self.company, self.document_type)

    @property
    def numbers(self) -> list[str]:
        """The numbers a bookkeeper may have entered: the supplier's, the one Springline would send, the VMS's."""
        given = (self.external_no, self.invoice_no, self.document_no)
        return list(dict.fromkeys(number for number in given if number))

    @property
    def description(self) -> str:
        """What is looked for, in words."""
        amount = f"{words.amount(self.control_amount, self.currency)} in entity {self.owner}"
        if self.voucher_type in SUBLEDGERS:
            return f"{self.voucher_type} invoice {' or '.join(self.numbers)} of partner {self.partner_code}, {amount}"
        return f"a voucher whose text begins with {self.document_no}, with a line of {amount}"

    @property
    def gap(self) -> str:
        """What is missing to look for it, in words; empty when nothing is."""
        if self.owner_db_id is None:
            return f"the ledger has no entity for company {self.company}"
        if self.control_amount is None:
            return "it has no amount"
        if self.voucher_type in SUBLEDGERS and self.partner_code is None:
            return "it has no partner"
        return ""


class BookedVoucher(NamedTuple):
    """One voucher of the ledger's books: its journal header, and the ids of the rows that matched."""

    header: str
    number: str
    posted_date: str
    text: str
    invoice_number: str | None
    rows: tuple[str, ...]

    @property
    def label(self) -> str:
        """Its name for people."""
        return f"voucher {self.number} of {self.posted_date} ({self.text})"

    @property
    def remote_ids(self) -> dict[str, Json]:
        """What the outbox keeps of it: payments are found by the header, ``adopted`` says that we never sent it."""
        return {"header": self.header, "rows": [*self.rows], "voucher_no": self.number, "adopted": True}


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One document, its voucher where exactly one was found, and in words what was found, looked for or missing."""

    candidate: Candidate
    voucher: BookedVoucher | None
    detail: str

    @property
    def outcome(self) -> str:
        """What becomes of it: adopted or held."""
        return "adopted" if self.voucher else "held"

    @property
    def cells(self) -> tuple[object, ...]:
        """The document as `adopt` shows it."""
        of = self.candidate
        amount = words.amount(of.amount, of.currency)
        return of.document.label, of.document_date, of.company, amount, self.outcome, self.detail

    def as_dict(self) -> dict[str, object]:
        """Return the document as `adopt --json` prints it; its amount is signed as in the VMS."""
        shown = {name: getattr(self.candidate, name) for name in _SHOWN}
        return {**shown, "outcome": self.outcome, "detail": self.detail}


def read_candidates(ctx: Context, *, before: date) -> list[Candidate]:
    """Return the documents that are open in the models and dated before a day, by key."""
    return [Candidate(*row) for row in ctx.warehouse.execute(_CANDIDATES, [before]).fetchall()]


def search(
    ctx: Context, candidates: Sequence[Candidate], *, ours: Callable[[Collection[str]], Sequence[Entry]]
) -> list[SearchResult]:
    """Look documents up in the books, a thousand a request; a document has a voucher when exactly one fits it.

    ``ours`` finds vouchers of the outbox by document number: a voucher that Springline sent itself proves nothing about
    what people posted by hand. Raises WireError.
    """
    # Without an amount or a partner a search would fit too much; nothing is taken for such a document.
    complete = [candidate for candidate in candidates if not candidate.gap]
    vouchers: dict[int, list[BookedVoucher]] = {}
    for chunk in chunks(complete, size=QUESTION):
        vouchers |= _invoices(ctx, chunk) | _book_rows(ctx, chunk)
    sent_by_us = _sent_by_us(ctx, ours, complete)
    # How many documents of the VMS one voucher fits: it can have been posted for one of them only.
    fitted = Counter(voucher.header for several in vouchers.values() for voucher in several)
    return [
        _result(candidate, vouchers.get(candidate.document_key, []), fitted, sent_by_us) for candidate in candidates
    ]


def _result(
    candidate: Candidate, vouchers: Sequence[BookedVoucher], fitted: Mapping[str, int], sent_by_us: Collection[str]
) -> SearchResult:
    # Three kinds of doubt, each with its own words, because each asks something else of the person who releases it.
    if candidate.gap:
        return SearchResult(candidate, None, f"not looked for: {candidate.gap}")
    # A voucher that Springline sent stands for its own document; it cannot stand for another one as well.
    left = [voucher for voucher in vouchers if voucher.header not in sent_by_us]
    if not left:
        return SearchResult(candidate, None, f"not found: {candidate.description}")
    if len(left) > 1:
        listed = ", ".join(voucher.number for voucher in left)
        return SearchResult(candidate, None, f"ambiguous: vouchers {listed} are all {candidate.description}")
    (voucher,) = left
    # Two documents with the same number and amount: which of them was posted nobody can tell from here.
    if fitted[voucher.header] > 1:
        return SearchResult(candidate, None, f"ambiguous: {voucher.label} is also that of another document in the VMS")
    return SearchResult(candidate, voucher, voucher.label)


def _invoices(ctx: Context, candidates: Sequence[Candidate]) -> dict[int, list[BookedVoucher]]:
    """Find invoices by owner, side, number, partner, currency and amount; split terms are added up."""
    by_side = {side: [c for c in candidates if c.voucher_type == side] for side in SUBLEDGERS}
    readings = [
        one_of(SUBLEDGERS[side], "invoiceNumber", (n for c in own for n in c.numbers), selection=INVOICE_ROWS)
        for side, own in by_side.items()
    ]
    # A payment carries the number of the invoice it pays, and may have its amount.
    payments = {code for (code,) in ctx.warehouse.execute(_PAYMENT_SOURCES).fetchall()}
    found: dict[int, list[BookedVoucher]] = {}
    for own, rows in zip(by_side.values(), ask(ctx.ledger, readings), strict=True):
        booked = [row for row in rows if row["transactionHeader"] and _source(row) not in payments]
        by_number: dict[str, list[list[Node]]] = {}
        for voucher in _vouchers(booked):
            by_number.setdefault(str(voucher[0]["invoiceNumber"]), []).append(voucher)
        for candidate in own:
            vouchers = [voucher for number in candidate.numbers for voucher in by_number.get(number, ())]
            if fitting := [_booked(v, "transactionHeader") for v in vouchers if _is_invoice(candidate, v)]:
                found[candidate.document_key] = fitting
    return found


_PAYMENT_SOURCES = "SELECT source_code FROM seed.payment_sources WHERE row_role = 'payment'"


def _source(row: Node) -> str | None:
    return code_of(row["transactionHeader"], "transactionSource")


def _vouchers(rows: Iterable[Node]) -> Iterable[list[Node]]:
    """Group the rows of one header, number, partner and currency: an invoice has a row for each payment term."""

    def place(row: Node) -> tuple[str, ...]:
        parts = (row["transactionHeader"]["dbId"], row["invoiceNumber"], code_of(row, "subledger"))
        return tuple(str(part) for part in (*parts, code_of(row, "currency")))

    return (list(members) for _, members in groupby(sorted(rows, key=place), key=place))


def _is_invoice(candidate: Candidate, voucher: Sequence[Node]) -> bool:
    first = voucher[0]
    # Added up over payment terms: the invoice is one, however many instalments it is booked in.
    total = sum((Decimal(row["invoiceAmount"] or 0) for row in voucher), Decimal(0))
    booked = (str(first["ownerDbId"]), code_of(first, "subledger"), code_of(first, "currency"), total)
    expected = (str(candidate.owner_db_id), candidate.partner_code, candidate.currency, candidate.control_amount)
    return booked == expected


def _book_rows(ctx: Context, candidates: Sequence[Candidate]) -> dict[int, list[BookedVoucher]]:
    """Find GL vouchers by header text and amount; the ledger has no filter on the start of a text, so amounts ask.

    Either sign will do: which account a bookkeeper debited says nothing about the document.
    """
    own = [candidate for candidate in candidates if candidate.voucher_type not in SUBLEDGERS]
    amounts = {abs(c.control_amount).quantize(PLACES) for c in own if c.control_amount is not None}
    listed = [f"{sign * amount:f}" for amount in sorted(amounts) for sign in (1, -1)]
    (rows,) = ask(ctx.ledger, [Reading("transactions", BOOK_ROWS, {"invoiceAmount_in": listed})])
    found: dict[int, list[BookedVoucher]] = {}
    for candidate in own:
        by_header = {str(row["header"]["dbId"]): row for row in rows if row["header"] and _is_book_row(candidate, row)}
        if by_header:
            found[candidate.document_key] = [_booked([row], "header") for row in by_header.values()]
    return found


def _is_book_row(candidate: Candidate, row: Node) -> bool:
    text = str(row["header"]["text"] or "")
    # With the blank, or document 27 would be found in the text of document 2706001.
    is_named = text == candidate.document_no or text.startswith(f"{candidate.document_no} ")
    booked = (str(row["ownerDbId"]), code_of(row, "currency"), abs(Decimal(row["invoiceAmount"] or 0)))
    expected = (str(candidate.owner_db_id), candidate.currency, abs(candidate.control_amount or Decimal(0)))
    return is_named and booked == expected


def _booked(rows: Sequence[Node], header: str) -> BookedVoucher:
    journal = rows[0][header]
    return BookedVoucher(
        header=str(journal["dbId"]),
        number=str(journal["transactionNumber"]),
        posted_date=str(read_day(journal["postedDate"])),
        text=str(journal["text"] or ""),
        invoice_number=rows[0].get("invoiceNumber"),
        rows=tuple(str(row["dbId"]) for row in rows),
    )


def _sent_by_us(
    ctx: Context, ours: Callable[[Collection[str]], Sequence[Entry]], candidates: Sequence[Candidate]
) -> set[str]:
    """Return the headers of vouchers that Springline sent: those recorded, and those with the text of one sent.

    A voucher that was sent has no recorded header until a run has seen it booked.
    """
    rows = ctx.control.read(
        "SELECT JSON_EXTRACT(remote_ids, '$.header') AS header FROM outbox "
        "WHERE kind = 'voucher' AND state = 'sent' AND JSON_EXTRACT(remote_ids, '$.header') IS NOT NULL"
    )
    entries = ours({candidate.document_no for candidate in candidates})
    texts = [str(entry.look_up.get("text")) for entry in entries if entry.remote_ids]
    headers = ask(ctx.ledger, [one_of("journalHeaders", "text", texts, selection="dbId")])[0] if texts else []
    return {str(row["header"]) for row in rows} | {str(header["dbId"]) for header in headers}
