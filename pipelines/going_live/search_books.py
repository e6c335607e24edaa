"""Looks in the ledger's books for documents that people may have posted by hand before going live."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from pipelines.core import words
from pipelines.load.look_up import QUESTION, Node, ask, chunks, code_of, one_of
from pipelines.outbox.intent import Json
from pipelines.wire.query import Reading

if TYPE_CHECKING:
    from pipelines.outbox.entry import Entry
    from pipelines.step.context import Context

SUBLEDGERS: Mapping[str, str] = {"AP": "apTransactions", "AR": "arTransactions"}
HEADER = "dbId text postedDate importedAt transactionNumber transactionSource { code }"
INVOICE_ROWS = (
    "dbId ownerDbId invoiceNumber invoiceAmount currency { code } subledger { code } "
    f"transactionHeader {{ {HEADER} }}"
)
BOOK_ROWS = f"dbId ownerDbId invoiceAmount currency {{ code }} header {{ {HEADER} }}"
PLACES = Decimal("0.01")

_CANDIDATES = "SELECT * FROM post.adoption_candidates WHERE document_date < ? ORDER BY document_key"


class Candidate(NamedTuple):
    """One document to look for; amounts in ``currency``, ``control_amount`` signed as the ledger's control line."""

    key: int
    number: str
    type: str
    company: str
    owner: int | None
    owner_db_id: int | None
    voucher_type: str
    partner_code: str | None
    partner_name: str | None
    currency: str
    date: date
    amount: Decimal | None
    control_amount: Decimal | None
    external_no: str | None
    invoice_no: str | None
    content_hash: str

    @property
    def numbers(self) -> list[str]:
        """Under which numbers somebody may have entered it: the supplier's, the VMS's."""
        given = (self.external_no, self.invoice_no, self.number)
        return list(dict.fromkeys(number for number in given if number))

    @property
    def wanted(self) -> str:
        """Say what is looked for."""
        amount = f"{words.amount(self.control_amount, self.currency)} in entity {self.owner}"
        if self.voucher_type in SUBLEDGERS:
            return f"{self.voucher_type} invoice {' or '.join(self.numbers)} of partner {self.partner_code}, {amount}"
        return f"a voucher whose text begins with {self.number}, with a line of {amount}"

    @property
    def gap(self) -> str:
        """Say what keeps it from being looked for; nothing when it can be."""
        if self.owner_db_id is None:
            return f"the ledger has no entity for company {self.company}"
        if self.control_amount is None:
            return "it has no amount"
        if self.voucher_type in SUBLEDGERS and self.partner_code is None:
            return "it has no partner"
        return ""


class Found(NamedTuple):
    """The one voucher that a document is: its journal header, and the ids of the rows that matched."""

    header: str
    number: str
    posted_date: str
    text: str
    invoice_number: str | None
    rows: tuple[str, ...]

    @property
    def words(self) -> str:
        """Name it for people."""
        return f"voucher {self.number} of {self.posted_date} ({self.text})"

    @property
    def remote_ids(self) -> dict[str, Json]:
        """Return what the outbox keeps of it; payments are found by the header."""
        return {"header": self.header, "rows": [*self.rows], "voucher_no": self.number, "adopted": True}


@dataclass(frozen=True, slots=True)
class Searched:
    """One document, what was found, and in words what was looked for or what is in the way."""

    candidate: Candidate
    found: Found | None
    detail: str


def candidates(ctx: Context, *, before: date) -> list[Candidate]:
    """Return the documents that are open in the models and dated before a day, by key."""
    return [Candidate(*row) for row in ctx.warehouse.execute(_CANDIDATES, [before]).fetchall()]


def search(
    ctx: Context, wanted: Sequence[Candidate], *, ours: Callable[[Collection[str]], Sequence[Entry]]
) -> list[Searched]:
    """Look documents up in the books, a thousand a request; exactly one voucher that nobody else accounts for is it.

    ``ours`` finds vouchers of the outbox by document number: what those stand for is no evidence. Raises WireError.
    """
    open_ones = [candidate for candidate in wanted if not candidate.gap]
    matches: dict[int, list[Found]] = {}
    for chunk in chunks(open_ones, size=QUESTION):
        matches |= _invoices(ctx, chunk) | _book_rows(ctx, chunk)
    spoken_for = _spoken_for(ctx, ours, open_ones)
    claims: dict[str, int] = {}
    for found in (one for several in matches.values() for one in several):
        claims[found.header] = claims.get(found.header, 0) + 1
    return [_judged(candidate, matches.get(candidate.key, []), claims, spoken_for) for candidate in wanted]


def _judged(
    candidate: Candidate, matches: Sequence[Found], claims: Mapping[str, int], spoken_for: Collection[str]
) -> Searched:
    if candidate.gap:
        return Searched(candidate, None, f"not looked for: {candidate.gap}")
    left = [found for found in matches if found.header not in spoken_for]
    if not left:
        return Searched(candidate, None, f"not found: {candidate.wanted}")
    if len(left) > 1:
        listed = ", ".join(found.number for found in left)
        return Searched(candidate, None, f"ambiguous: vouchers {listed} are all {candidate.wanted}")
    (found,) = left
    if claims[found.header] > 1:
        return Searched(candidate, None, f"ambiguous: {found.words} is also that of another document in the VMS")
    return Searched(candidate, found, found.words)


def _invoices(ctx: Context, wanted: Sequence[Candidate]) -> dict[int, list[Found]]:
    """Find invoices by owner, side, number, partner, currency and amount; split terms are added up."""
    sides = {side: [one for one in wanted if one.voucher_type == side] for side in SUBLEDGERS}
    readings = [
        one_of(SUBLEDGERS[side], "invoiceNumber", (n for one in ones for n in one.numbers), selection=INVOICE_ROWS)
        for side, ones in sides.items()
    ]
    payments = {code for (code,) in ctx.warehouse.execute(_PAYMENT_SOURCES).fetchall()}
    found: dict[int, list[Found]] = {}
    for ones, rows in zip(sides.values(), ask(ctx.ledger, readings), strict=True):
        booked = [row for row in rows if _source(row["transactionHeader"]) not in payments]
        by_number: dict[str, list[list[Node]]] = {}
        for voucher in _vouchers(booked):
            by_number.setdefault(str(voucher[0]["invoiceNumber"]), []).append(voucher)
        for one in ones:
            vouchers = [voucher for number in one.numbers for voucher in by_number.get(number, ())]
            if fitting := [_found(voucher, "transactionHeader") for voucher in vouchers if _is_invoice(one, voucher)]:
                found[one.key] = fitting
    return found


_PAYMENT_SOURCES = "SELECT source_code FROM seed.payment_sources WHERE row_role = 'payment'"


def _vouchers(rows: Iterable[Node]) -> Iterable[list[Node]]:
    """Group the rows of one header, number, partner and currency."""

    def place(row: Node) -> tuple[str, ...]:
        header = row["transactionHeader"]["dbId"]
        return tuple(
            str(part) for part in (header, row["invoiceNumber"], code_of(row, "subledger"), code_of(row, "currency"))
        )

    ordered = sorted((row for row in rows if row["transactionHeader"]), key=place)
    return (list(members) for _, members in groupby(ordered, key=place))


def _is_invoice(one: Candidate, voucher: Sequence[Node]) -> bool:
    first = voucher[0]
    total = sum((Decimal(str(row["invoiceAmount"])) for row in voucher), Decimal(0))
    there = (str(first["ownerDbId"]), code_of(first, "subledger"), code_of(first, "currency"), total)
    return there == (str(one.owner_db_id), one.partner_code, one.currency, one.control_amount)


def _book_rows(ctx: Context, wanted: Sequence[Candidate]) -> dict[int, list[Found]]:
    """Find GL vouchers by header text and amount; the ledger has no filter on the head of a text, so amounts ask."""
    ones = [one for one in wanted if one.voucher_type not in SUBLEDGERS]
    amounts = {abs(one.control_amount).quantize(PLACES) for one in ones if one.control_amount is not None}
    listed = [f"{sign * amount:f}" for amount in sorted(amounts) for sign in (1, -1)]
    (rows,) = ask(ctx.ledger, [Reading("transactions", BOOK_ROWS, {"invoiceAmount_in": listed})])
    found: dict[int, list[Found]] = {}
    for one in ones:
        fitting = [row for row in rows if row["header"] and _is_book_row(one, row)]
        by_header = {str(row["header"]["dbId"]): row for row in fitting}
        if by_header:
            found[one.key] = [_found([row], "header") for row in by_header.values()]
    return found


def _is_book_row(one: Candidate, row: Node) -> bool:
    text = str(row["header"]["text"] or "")
    is_named = text == one.number or text.startswith(f"{one.number} ")
    amount = abs(Decimal(str(row["invoiceAmount"])))
    there = (str(row["ownerDbId"]), code_of(row, "currency"), amount)
    return is_named and there == (str(one.owner_db_id), one.currency, abs(one.control_amount or Decimal(0)))


def _found(rows: Sequence[Node], header: str) -> Found:
    first = rows[0]
    journal = first[header]
    return Found(
        header=str(journal["dbId"]),
        number=str(journal["transactionNumber"]),
        posted_date=str(journal["postedDate"]),
        text=str(journal["text"] or ""),
        invoice_number=first.get("invoiceNumber"),
        rows=tuple(str(row["dbId"]) for row in rows),
    )


def _source(header: Node | None) -> str | None:
    return code_of(header, "transactionSource") if header else None


def _spoken_for(
    ctx: Context, ours: Callable[[Collection[str]], Sequence[Entry]], wanted: Sequence[Candidate]
) -> set[str]:
    """Return the headers that vouchers of the outbox stand for: those recorded, and those with the text of one sent."""
    rows = ctx.control.read(
        "SELECT json_extract(remote_ids, '$.header') AS header FROM outbox "
        "WHERE kind = 'voucher' AND state = 'sent' AND json_extract(remote_ids, '$.header') IS NOT NULL"
    )
    recorded = {str(row["header"]) for row in rows}
    texts = [str(entry.look_up.get("text")) for entry in ours({one.number for one in wanted}) if entry.remote_ids]
    headers = ask(ctx.ledger, [one_of("journalHeaders", "text", texts, selection="dbId")])[0] if texts else []
    return recorded | {str(header["dbId"]) for header in headers}
