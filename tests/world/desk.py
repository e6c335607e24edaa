"""What the ledger's people do after the vouchers are booked, deed by deed, and what is to come of it on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.world.bills import Bill, payment_day
from tests.world.choice import pick

if TYPE_CHECKING:
    from datetime import date

    from tests.world.encode import Json, Row

# In this order, with a run after each.
STAGES = FIRST, LATER = ("first", "later")
ZERO = Decimal("0.00")
_SOURCES = {"AP": ("DR", "EFT", "BA", "CHD"), "AR": ("OCR", "BA", "DR", "AB")}

Shares = Sequence[tuple[Bill, Decimal]]


@dataclass(frozen=True, slots=True)
class Deed:
    """One call of the ledger's control interface, the stage it belongs to, and what it shows."""

    stage: str
    call: str
    shows: str
    body: Row


@dataclass(frozen=True, slots=True)
class Money:
    """What moves at the bank: sizes in its own currency and in company currency."""

    currency: str
    amount: Decimal
    company: Decimal


@dataclass(frozen=True, slots=True)
class Transfer:
    """A payment that is booked, with the subledger it stands in; people find it by its text."""

    text: str
    owner: int
    side: str
    partner: str

    def subledger(self) -> Row:
        """Name the subledger."""
        return {"owner": self.owner, "side": self.side, "subledger": self.partner}


@dataclass(slots=True)
class Outcome:
    """What one bill comes to: settled in the ledger, told to the VMS in so many documents, and why the two differ."""

    bill: Bill
    shows: str
    settled: Decimal = ZERO
    told: Decimal = ZERO
    documents: int = 0
    why: str | None = None

    def row(self) -> Row:
        """Give it as the expectation is written; ``paid`` with the VMS's sign."""
        return {
            "shows": self.shows,
            "type": self.bill.payment_type,
            "settled": str(self.settled),
            "paid": str(self.bill.told(self.told)),
            "documents": self.documents,
            "why": self.why,
        }


@dataclass(slots=True)
class Desk:
    """Collects deeds and keeps book of what is to come of them."""

    stage: str = FIRST
    deeds: list[Deed] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    unplaced: dict[str, str] = field(default_factory=dict)

    def pay(
        self,
        shows: str,
        shares: Shares,
        *,
        money: Money | None = None,
        beside: Sequence[Row] = (),
        day: date | None = None,
        told: int = 1,
        text: str | None = None,
    ) -> Transfer:
        """Pay so much of each bill by one transfer, in their own currency at the booked rate unless ``money`` says.

        ``beside`` are the adjustments, ``told`` is the number of documents that the VMS gets of each bill, ``text`` is
        that of the bill's row where its number is not enough.
        """
        transfer = self._transfer(shares[0][0])
        match = [_named(bill, size) | ({} if text is None else {"text": text}) for bill, size in shares]
        self._book(
            shows, transfer, money or own_money(shares), day or payment_day(*(bill for bill, _ in shares)),
            {"match": match, "adjustments": [*beside]},
        )  # fmt: skip
        self._settled(shows, shares, told=told)
        return transfer

    def deposit(
        self, shows: str, bill: Bill, money: Money, *, reason: str, partner: str | None = None, **members: Json
    ) -> Transfer:
        """Book a transfer that gives the VMS nothing, and why: matched with nothing yet, or with what is not ours.

        It stands with the bill's partner unless told otherwise; ``members`` are the payment's own.
        """
        transfer = self._transfer(bill, partner=partner)
        self._book(shows, transfer, money, payment_day(bill), members)
        self.unplaced[transfer.text] = reason
        return transfer

    def match(self, shows: str, transfer: Transfer, shares: Shares) -> None:
        """Match a transfer with bills, as far as these go."""
        settled = own_money(shares).amount
        rows: list[Json] = [{"text": transfer.text, "amount": str(settled)}, *(_named(*share) for share in shares)]
        self.do("match/named", shows, {**transfer.subledger(), "rows": rows})
        self.unplaced.pop(transfer.text, None)
        self._settled(shows, shares, told=1)

    def net(self, shows: str, shares: Shares) -> None:
        """Match bills with each other, without a transfer."""
        whose = self._transfer(shares[0][0]).subledger()
        self.do("match/named", shows, {**whose, "rows": [_named(*share) for share in shares]})
        self._settled(shows, shares, told=0, why="netted in ledger")

    def unmatch(self, shows: str, transfer: Transfer, shares: Shares, *, reason: str | None = None) -> None:
        """Undo the match of a transfer, ``reason`` being why the transfer then finds no place."""
        self.do("unmatch/named", shows, {**transfer.subledger(), "row": {"text": transfer.text}})
        for bill, size in shares:
            outcome = self.outcomes[bill.draft.number]
            outcome.settled -= size
            outcome.shows, outcome.why = shows, "match undone"
        if reason is not None:
            self.unplaced[transfer.text] = reason

    def put_back(self, shows: str, transfer: Transfer, shares: Shares) -> None:
        """Match a transfer as it was before, so that the VMS gets nothing."""
        self.match(shows, transfer, shares)
        for bill, size in shares:
            outcome = self.outcomes[bill.draft.number]
            outcome.told, outcome.documents, outcome.why = outcome.told - size, outcome.documents - 1, None

    def do(self, call: str, shows: str, body: Row) -> None:
        """Make a call of the ledger's control interface."""
        self.deeds.append(Deed(self.stage, call, shows, body))

    def _transfer(self, bill: Bill, *, partner: str | None = None) -> Transfer:
        booked = sum(deed.call == "payments" for deed in self.deeds)
        return Transfer(f"Transfer {booked + 1:04d}", bill.owner, bill.side, partner or bill.partner)

    def _book(self, shows: str, transfer: Transfer, money: Money, day: date, members: Row) -> None:
        body: Row = {
            **transfer.subledger(),
            "source": pick(_SOURCES[transfer.side], of=f"{transfer.text} source"),
            "date": day.isoformat(),
            "currency": money.currency,
            "amount": str(money.amount),
            "company_amount": str(money.company),
            "text": transfer.text,
        }
        self.do("payments", shows, {**body, **{name: value for name, value in members.items() if value}})

    def _settled(self, shows: str, shares: Shares, *, told: int, why: str | None = None) -> None:
        for bill, size in shares:
            outcome = self.outcomes.setdefault(bill.draft.number, Outcome(bill, shows))
            outcome.shows, outcome.why = shows, why or outcome.why
            outcome.settled += size
            outcome.documents += told
            outcome.told += size if told else ZERO


def own_money(shares: Shares) -> Money:
    """Give what a transfer comes to in the bills' currency, credit notes taken off, at the booked rates."""
    amount = sum((bill.sign * size for bill, size in shares), ZERO)
    company = sum((bill.sign * bill.in_company(size) for bill, size in shares), ZERO)
    return Money(shares[0][0].draft.currency, abs(amount), abs(company))


def _named(bill: Bill, size: Decimal) -> dict[str, Json]:
    return {"invoice_number": bill.number, "amount": str(size)}
