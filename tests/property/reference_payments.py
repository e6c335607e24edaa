"""Mapping.md section 3 once more, plain and slow: which payment settles what, one match at a time, with loops.

Sizes are whole minor units as seen from the invoice: an invoice is positive, a credit note negative, on both sides; a
payment is positive when it settles invoices and negative when it is a refund.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

FACTORS = {"NOK": 100, "USD": 100, "JPY": 1, "KWD": 1000}

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice or credit note as the ledger shows it in a match; ``is_ours`` when the VMS has it."""

    key: int
    currency: str
    amount: int
    company: int
    settled: int
    due: date | None
    is_ours: bool = True


@dataclass(frozen=True, slots=True)
class Payment:
    """What a payment or refund settles, in its own currency and in the company's."""

    key: int
    currency: str
    source: int
    company: int
    posted: date | None


@dataclass(frozen=True, slots=True)
class Part:
    """A payment's part of one invoice: in the invoice's currency, the payment's and the company's."""

    amount: int
    source: int
    company: int

    def __add__(self, other: Part) -> Part:
        return Part(self.amount + other.amount, self.source + other.source, self.company + other.company)


NOTHING = Part(0, 0, 0)


def transfers(payments: Sequence[Payment], invoices: Sequence[Invoice], sent: Mapping[Pair, Part]) -> dict[Pair, Part]:
    """Return what is still to be transferred for each payment and invoice of a match, of invoices that are ours."""
    if not payments:
        return {}
    payments = sorted(payments, key=lambda payment: (payment.posted is None, payment.posted or date.min, payment.key))
    invoices = sorted(
        invoices, key=lambda invoice: (invoice.due is None, invoice.due or date.min, invoice.key, invoice.is_ours)
    )
    direction = 1 if any(payment.source > 0 for payment in payments) else -1
    left = [direction * _left(invoice, payments, sent) for invoice in invoices]
    capacity = {payment.key: _capacity(payment, invoices, sent, payments) for payment in payments}
    amounts = _allocate(payments, invoices, left, capacity, direction)
    parts: dict[Pair, Part] = {}
    for payment in payments:
        own = [
            (place, amounts[payment.key, place]) for place in range(len(invoices)) if (payment.key, place) in amounts
        ]
        signed = [(invoices[place], direction * amount) for place, amount in own]
        for (invoice, amount), (source, company) in zip(signed, _shares(payment, signed, capacity), strict=True):
            if invoice.is_ours:
                parts[payment.key, invoice.key] = Part(amount, source, company)
    return parts


def _left(invoice: Invoice, payments: Sequence[Payment], sent: Mapping[Pair, Part]) -> int:
    """What is settled less what ever went, never beyond zero."""
    if not invoice.is_ours:
        return invoice.settled
    here = sum(sent.get((payment.key, invoice.key), NOTHING).amount for payment in payments)
    ever = sum(part.amount for (_, key), part in sent.items() if key == invoice.key)
    sign = -1 if invoice.amount < 0 else 1
    return sign * max(0, min(sign * (invoice.settled - here), sign * (invoice.settled - ever)))


def _capacity(
    payment: Payment, invoices: Sequence[Invoice], sent: Mapping[Pair, Part], payments: Sequence[Payment]
) -> tuple[int, int]:
    """What a payment has left, in its own currency and the company's: what went too far has not gone."""
    source, company = payment.source, payment.company
    for invoice in invoices:
        part = sent.get((payment.key, invoice.key), NOTHING) if invoice.is_ours else NOTHING
        here = sum(sent.get((other.key, invoice.key), NOTHING).amount for other in payments) if invoice.is_ours else 0
        if abs(here) > abs(invoice.settled):
            part = Part(
                0,
                int(Fraction(part.source * invoice.settled, here)),
                int(Fraction(part.company * invoice.settled, here)),
            )
        source -= part.source
        company -= part.company
    return source, company


def _allocate(
    payments: Sequence[Payment],
    invoices: Sequence[Invoice],
    left: Sequence[int],
    capacity: Mapping[int, tuple[int, int]],
    direction: int,
) -> dict[tuple[int, int], int]:
    """Share what is left of each invoice (by its place) over the payments; everything is turned by ``direction``."""
    forward = [payment for payment in payments if direction * payment.source > 0]
    backward = [payment for payment in payments if direction * payment.source <= 0]
    able = [payment for payment in forward if _size(payment, capacity, 0) > 0] or forward[-1:]
    refunds = [payment for payment in backward if _size(payment, capacity, 0) > 0]
    currencies = {payment.currency for payment in payments} | {invoice.currency for invoice in invoices}
    if len(currencies) > 1:
        return _share(able, refunds, left, capacity)
    return _fill(able, refunds, left, capacity)


def _size(payment: Payment, capacity: Mapping[int, tuple[int, int]], which: int) -> int:
    size = payment.source if which == 0 else payment.company
    return max(0, capacity[payment.key][which] * (1 if size > 0 else -1 if size < 0 else 0))


def _fill(
    able: Sequence[Payment], refunds: Sequence[Payment], left: Sequence[int], capacity: Mapping[int, tuple[int, int]]
) -> dict[tuple[int, int], int]:
    """In one currency: refunds fill credit notes, the other payments fill invoices, in turn."""
    parts: dict[tuple[int, int], int] = {}
    left = list(left)
    purse = {payment.key: _size(payment, capacity, 0) for payment in (*able, *refunds)}
    queue = [payment.key for payment in refunds]
    for place, amount in enumerate(left):
        while amount < 0 and queue:
            taken = min(-amount, purse[queue[0]])
            parts[queue[0], place] = -taken
            amount += taken  # noqa: PLW2901 what is left of it
            purse[queue[0]] -= taken
            if not purse[queue[0]]:
                queue.pop(0)
        left[place] = amount if left[place] < 0 else left[place]
    queue = [payment.key for payment in able]
    for place, amount in enumerate(left):
        if amount < 0:
            parts[queue[0], place] = parts.get((queue[0], place), 0) + amount
            purse[queue[0]] -= amount
        while amount > 0:
            taken = amount if len(queue) == 1 else min(amount, purse[queue[0]])
            parts[queue[0], place] = taken
            amount -= taken  # noqa: PLW2901 what is left of it
            purse[queue[0]] -= taken
            if len(queue) > 1 and not purse[queue[0]]:
                queue.pop(0)
    return parts


def _share(
    able: Sequence[Payment], refunds: Sequence[Payment], left: Sequence[int], capacity: Mapping[int, tuple[int, int]]
) -> dict[tuple[int, int], int]:
    """In several currencies: each amount is shared in proportion to company amounts, the rest on the last."""
    parts: dict[tuple[int, int], int] = {}
    for place, amount in enumerate(left):
        payers = refunds if amount < 0 and refunds else able
        weights = [_size(payment, capacity, 1) for payment in payers]
        if not any(weights):
            weights = [1] * len(payers)
        for payment, share in zip(payers, _rounded(amount, weights), strict=True):
            if share:
                parts[payment.key, place] = share
    return parts


def _rounded(amount: int, weights: Sequence[int]) -> list[int]:
    """Round each share half away from zero, the last takes the rest; cut them where that would be too much."""
    exact = [Fraction(abs(amount) * weight, sum(weights)) for weight in weights[:-1]]
    shares = [half_up(share) for share in exact]
    if sum(shares) > abs(amount):
        shares = [int(share) for share in exact]
    return [share * (1 if amount > 0 else -1) for share in (*shares, abs(amount) - sum(shares))]


def _shares(
    payment: Payment, parts: Sequence[tuple[Invoice, int]], capacity: Mapping[int, tuple[int, int]]
) -> list[tuple[int, int]]:
    """Share what the payment has left over its parts, so that they add up; else give each part its own value."""
    booked = [half_up(Fraction(amount * invoice.company, invoice.amount)) for invoice, amount in parts]
    is_one_currency = len({invoice.currency for invoice, _ in parts}) == 1
    weights = [amount for _, amount in parts] if is_one_currency else booked
    total = sum(weights)
    shared: list[list[int]] = []
    for left in capacity[payment.key]:
        if total * left <= 0:
            break
        shares = [half_up(Fraction(left * weight, total)) for weight in weights[:-1]]
        shares.append(left - sum(shares))
        if any(share * amount < 0 for share, (_, amount) in zip(shares, parts, strict=True)):
            break
        shared.append(shares)
    else:
        return list(zip(*shared, strict=True))
    own = []
    for (invoice, amount), value in zip(parts, booked, strict=True):
        source = amount
        if invoice.currency != payment.currency:
            source = half_up(Fraction(value * payment.source, payment.company)) if payment.company else 0
        own.append((source, half_up(Fraction(source * payment.company, payment.source))))
    return own


def half_up(value: Fraction) -> int:
    """Round half away from zero."""
    size = int(abs(value) * 2 + 1) // 2
    return size if value >= 0 else -size
