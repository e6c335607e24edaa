"""Generated matches for the allocation's property test: refunds, credit notes, currencies, payments that come late."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from hypothesis import strategies as st

from tests.property.reference_payments import Invoice, Pair, Part, Payment

START = date(2026, 10, 1)


@dataclass(frozen=True, slots=True)
class Match:
    """What the ledger shows under one match id; number 0 holds what is not matched."""

    side: str
    number: int
    payments: tuple[Payment, ...] = ()
    invoices: tuple[Invoice, ...] = ()


# Small amounts meet each other exactly, which is where one payment ends and the next begins.
AMOUNTS = st.integers(1, 4) | st.integers(1, 100) | st.integers(1, 5_000_000)


@st.composite
def invoices(draw: st.DrawFn, *, key: int, currency: str) -> Invoice:
    amount = draw(AMOUNTS) * draw(st.sampled_from((1, 1, 1, -1)))
    rate = draw(st.integers(1, 30))
    return Invoice(
        key=key,
        currency=currency,
        amount=amount,
        company=amount * rate + draw(st.integers(0, 3)) * (1 if amount > 0 else -1),
        settled=draw(st.just(amount) | st.integers(min(amount, 0), max(amount, 0))),
        due=draw(st.none() | st.integers(0, 9).map(lambda day: START + timedelta(day))),
        is_ours=draw(st.sampled_from((True, True, True, False))),
    )


@st.composite
def payments(draw: st.DrawFn, *, key: int, currency: str) -> Payment:
    source = draw(AMOUNTS) * draw(st.sampled_from((1, 1, 1, 1, -1)))
    return Payment(
        key=key,
        currency=currency,
        source=source,
        company=source * draw(st.integers(1, 30)) or 1,
        posted=draw(st.none() | st.integers(0, 9).map(lambda day: START + timedelta(day))),
    )


@st.composite
def matches(draw: st.DrawFn, *, number: int) -> Match:
    currencies = draw(st.sampled_from((("USD",), ("USD",), ("JPY",), ("USD", "NOK"), ("USD", "JPY", "KWD"))))
    currency = st.sampled_from(currencies)
    return Match(
        side=draw(st.sampled_from(("AP", "AR"))),
        number=number,
        payments=tuple(
            draw(payments(key=number * 100 + place, currency=draw(currency)))
            for place in range(draw(st.integers(0, 4)))
        ),
        invoices=tuple(
            draw(invoices(key=number * 100 + 50 + place, currency=draw(currency)))
            for place in range(draw(st.integers(1, 5)))
        ),
    )


@st.composite
def ledgers(draw: st.DrawFn) -> tuple[list[Match], dict[Pair, Part]]:
    """Draw matches, and parts of them that were sent before, wildly: too much, too little, of other matches."""
    shown = [draw(matches(number=number)) for number in range(1, draw(st.integers(2, 12)))]
    sent: dict[Pair, Part] = {}
    for match in shown:
        for payment in match.payments:
            for invoice in match.invoices:
                if invoice.is_ours and draw(st.integers(0, 4)) == 0:
                    amount = draw(st.integers(1, abs(invoice.amount))) * (1 if invoice.amount > 0 else -1)
                    sent[payment.key, invoice.key] = Part(amount, amount, amount * 10)
    return shown, sent


@dataclass(frozen=True, slots=True)
class Story:
    """One match in the order in which its payments arrive: what each settles of which invoice, and where a run is."""

    side: str
    number: int
    invoices: tuple[Invoice, ...]
    arrivals: tuple[tuple[Payment, tuple[int, ...]], ...]

    def after(self, arrival: int) -> Match:
        """What the ledger shows once so many payments have arrived."""
        here = self.arrivals[:arrival]
        settled = [sum(shares[place] for _, shares in here) for place in range(len(self.invoices))]
        shown = tuple(replace(i, settled=size) for i, size in zip(self.invoices, settled, strict=True) if size)
        return Match(self.side, self.number if here else 0, tuple(payment for payment, _ in here), shown)


@st.composite
def stories(draw: st.DrawFn, *, number: int) -> Story:
    currencies = draw(st.sampled_from((("USD",), ("USD",), ("USD", "NOK"))))
    drawn = [
        draw(invoices(key=number * 100 + 50 + place, currency=draw(st.sampled_from(currencies))))
        for place in range(draw(st.integers(1, 4)))
    ]
    left = [invoice.amount for invoice in drawn]
    arrivals = []
    for place in range(draw(st.integers(1, 4))):
        shares = [draw(st.just(0) | st.just(rest) | st.integers(min(rest, 0), max(rest, 0))) for rest in left]
        left = [rest - share for rest, share in zip(left, shares, strict=True)]
        charge = draw(st.sampled_from((0, 0, 0, -3, 5)))
        source = sum(shares) + charge or 1
        currency = draw(st.sampled_from(currencies))
        payment = Payment(
            number * 100 + place, currency, source, source * 10, START + timedelta(draw(st.integers(0, 9)))
        )
        arrivals.append((payment, tuple(shares)))
    order = draw(st.permutations(arrivals))
    return Story(draw(st.sampled_from(("AP", "AR"))), number, tuple(drawn), tuple(order))


@st.composite
def upheavals(draw: st.DrawFn) -> list[list[Match]]:
    """Draw a few matches, and states of them in which payments come and go and more or less is settled."""
    drawn = [draw(matches(number=number)) for number in range(1, draw(st.integers(2, 7)))]
    share = st.sampled_from((0, 1, 2, 2))
    return [
        [
            replace(
                match,
                payments=tuple(payment for payment in match.payments if draw(st.integers(0, 3))),
                invoices=tuple(replace(i, settled=int(i.amount / 2 * draw(share))) for i in match.invoices),
            )
            for match in drawn
        ]
        for _ in range(3)
    ]
