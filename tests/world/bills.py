"""An invoice or credit note as the ledger's people see it once its voucher is booked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from tests.world.amounts import rounded
from tests.world.choice import between, number
from tests.world.companies import COMPANIES
from tests.world.drafts import INVOICES, RECEIVABLE, TODAY, total_in_company

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.world.amounts import Rates
    from tests.world.drafts import Draft

Test: TypeAlias = "Callable[[Bill], bool]"

_CREDIT_NOTES = ("CRI", "CRO")
_WORTH_CUTTING = Decimal(100)
_FIRST_OPEN_DAY = date(2026, 8, 3)
# The type of the VMS's document of a payment, and the sign of its amounts (docs/mapping.md#3).
_TOLD: dict[str, tuple[str, int]] = {"INI": ("PMO", -1), "CRI": ("PMI", 1), "INO": ("PMI", -1), "CRO": ("PMO", 1)}


@dataclass(frozen=True, slots=True)
class Bill:
    """One invoice or credit note; sizes are without sign, ``size`` in its own currency, ``booked`` in the company's."""

    draft: Draft
    key: int
    owner: int
    number: str
    size: Decimal
    booked: Decimal

    @property
    def side(self) -> str:
        """The ledger it stands in."""
        return "AR" if self.draft.kind in RECEIVABLE else "AP"

    @property
    def partner(self) -> str:
        """The code of its subledger."""
        return str(self.draft.partner)

    @property
    def sign(self) -> int:
        """How it counts among others of its side: a credit note takes away."""
        return -1 if self.draft.kind in _CREDIT_NOTES else 1

    @property
    def payment_type(self) -> str:
        """The type of the VMS's documents that settle it."""
        return _TOLD[self.draft.kind][0]

    @property
    def account(self) -> tuple[int, str, str, str]:
        """What bills that one transfer pays have in common: entity, side, partner, currency."""
        return self.owner, self.side, self.partner, self.draft.currency

    @property
    def company_currency(self) -> str:
        """The currency of its company."""
        return COMPANIES[self.draft.company].currency

    @property
    def order(self) -> tuple[date, int]:
        """Its place among the bills that payments fill one after the other."""
        return min((term.due for term in self.draft.terms if term.due is not None), default=TODAY), self.key

    def told(self, size: Decimal) -> Decimal:
        """Give an amount of it as the VMS is told it."""
        return _TOLD[self.draft.kind][1] * size

    def in_company(self, size: Decimal) -> Decimal:
        """Give a part of it in company currency, at the rate it was booked at."""
        return rounded(self.booked * size / self.size, currency=self.company_currency)

    def first_term(self) -> Decimal:
        """Give the size of its first payment term."""
        return rounded(self.size * Decimal(str(self.draft.terms[0].percentage)) / 100, currency=self.draft.currency)

    def part(self, percent: int) -> Decimal:
        """Give a share of it."""
        return rounded(self.size * percent / 100, currency=self.draft.currency)


def ledger_number(draft: Draft) -> str:
    """Give the invoice number of a voucher: the external number before the pipe, the VMS's own for a reversal."""
    external = (draft.external or "").partition("|")[0].strip()
    return draft.number if draft.reverses is not None or not external else external


def bill(key: int, draft: Draft, *, rates: Rates) -> Bill | None:
    """Give an invoice or credit note as it is booked; None for what is neither, and for one of nothing."""
    owner = COMPANIES[draft.company].owner
    size = abs(rounded(draft.total, currency=draft.currency))
    booked = abs(total_in_company(draft, rates=rates))
    if draft.kind not in INVOICES or owner is None or not size or not booked:
        return None
    return Bill(draft, key, owner, ledger_number(draft), size, booked)


def bills_to_come(keyed: Iterable[tuple[int, Draft]], *, rates: Rates) -> Iterator[Bill]:
    """Give what is booked once the first run is through, in step with the VMS to the cent and not dated ahead."""
    for key, draft in keyed:
        is_booked = draft.status == "RFP" and draft.outcome == "posted" and draft.day < TODAY and not draft.members
        found = bill(key, draft, rates=rates) if is_booked else None
        if found is not None:
            yield found


def payment_day(*paid: Bill, after: date | None = None) -> date:
    """Give a day on which these bills may have been paid: after the last of them, in an open period, up to today."""
    last = max(bill.draft.day for bill in paid)
    day = last + timedelta(days=between(4, 30, of=f"payment {paid[0].draft.number}"))
    return min(TODAY, max(day, after or day, _FIRST_OPEN_DAY))


def is_purchase(bill: Bill) -> bool:
    """Tell a supplier's invoice."""
    return bill.draft.kind == "INI"


def is_sale(bill: Bill) -> bool:
    """Tell an invoice to a customer."""
    return bill.draft.kind == "INO"


def is_credit_in(bill: Bill) -> bool:
    """Tell a supplier's credit note."""
    return bill.draft.kind == "CRI"


def is_credit_out(bill: Bill) -> bool:
    """Tell a credit note to a customer."""
    return bill.draft.kind == "CRO"


def is_payable(bill: Bill) -> bool:
    """Tell what stands in the supplier ledger."""
    return bill.side == "AP"


def is_receivable(bill: Bill) -> bool:
    """Tell what stands in the customer ledger."""
    return bill.side == "AR"


def is_reversal(bill: Bill) -> bool:
    """Tell what takes another bill back."""
    return bill.draft.reverses is not None


def is_plain(bill: Bill) -> bool:
    """Tell a bill with one payment term that is large enough to be cut."""
    return len(bill.draft.terms) == 1 and bill.size >= _WORTH_CUTTING


def is_in_terms(bill: Bill) -> bool:
    """Tell a bill with several payment terms."""
    return len(bill.draft.terms) > 1


def is_foreign(bill: Bill) -> bool:
    """Tell a plain bill in another currency than its company's, one with cents."""
    return is_plain(bill) and bill.draft.currency not in {bill.company_currency, "JPY"}


class Pool:
    """Bills not yet paid, in an order of their own; whoever takes some leaves the others as they were."""

    def __init__(self, found: Iterable[Bill]) -> None:
        """Take all; ``shared`` are those that another one shares its number with, and are not among the others."""
        listed = list(found)
        names = [(bill.account[:3], bill.number) for bill in listed]
        self.shared = [bill for bill, name in zip(listed, names, strict=True) if names.count(name) > 1]
        unique = [bill for bill, name in zip(listed, names, strict=True) if names.count(name) == 1]
        self._left = sorted(unique, key=lambda bill: number(10**9, of=f"pool {bill.draft.number}"))

    def take(self, count: int, *tests: Test) -> list[Bill]:
        """Take the next ``count`` bills that pass all tests; raises ValueError where there are too few."""
        found = [bill for bill in self._left if all(test(bill) for test in tests)][:count]
        if len(found) < count:
            raise ValueError(f"{count} bills are wanted, {len(found)} are left")
        self._left = [bill for bill in self._left if bill not in found]
        return found

    def take_alike(self, count: int, *tests: Test) -> list[Bill]:
        """Take ``count`` bills of one partner, entity and currency, in the order in which payments fill them."""
        accounts = [bill.account for bill in self._left if all(test(bill) for test in tests)]
        account = next((own for own in accounts if accounts.count(own) >= count), None)
        return sorted(self.take(count, lambda bill: bill.account == account, *tests), key=lambda bill: bill.order)

    def take_with_credit(self, *tests: Test) -> tuple[Bill, Bill]:
        """Take an invoice, and a smaller credit note of the same partner, entity and currency."""
        own = [bill for bill in self._left if all(test(bill) for test in tests)]
        invoice, credit = next(
            (invoice, credit)
            for credit in own
            for invoice in own
            if credit.sign < 0 < invoice.sign and credit.account == invoice.account and credit.size < invoice.size
        )
        self._left = [bill for bill in self._left if bill not in (invoice, credit)]
        return invoice, credit

    def take_reversed(self) -> list[tuple[Bill, Bill]]:
        """Take every reversal with the bill that it takes back."""
        by_number = {bill.draft.number: bill for bill in self._left}
        pairs = [(by_number.get(str(bill.draft.reverses)), bill) for bill in self._left if is_reversal(bill)]
        taken = [bill for _, bill in pairs] + [original for original, _ in pairs if original is not None]
        self._left = [bill for bill in self._left if bill not in taken]
        return [(original, reversal) for original, reversal in pairs if original is not None]
