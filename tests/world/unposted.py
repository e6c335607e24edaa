"""Documents that no batch may post: not due yet, already posted, or of a type that is only shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.world import accounts as gl
from tests.world.amounts import from_cents
from tests.world.branches import Numbers, cost, payable, receivable
from tests.world.choice import between, number
from tests.world.companies import SINGAPORE
from tests.world.drafts import Draft, Line, due_in, negated
from tests.world.trades import TRADES, trade_draft

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_YET_DUE = 20
_POSTED_BEFORE = 8


def pending_drafts(*, first_number: int) -> Iterator[Draft]:
    """Give documents in PEN and INV, some of which would be held: what preflight is for."""
    numbers = Numbers(first_number)
    for place in range(_NOT_YET_DUE):
        trade = TRADES[place % len(TRADES)]
        status = "PEN" if place % 2 else "INV"
        day = date(2026, 10, 26) + timedelta(days=number(14, of=f"pending {place}"))
        draft = trade_draft(trade, of=f"P{place:03d}", day=day, document_number=numbers.next())
        yield replace(draft, status=status, outcome="ignored", branch="not ready for posting yet")
    for branch, rule, draft in (
        ("pending without external number", "external_document_no_missing", payable(numbers, "", external=None)),
        ("pending without GL account", "gl_account_missing", payable(numbers, "", cost("44.00", account=None))),
        ("pending purchase from a charterer", "partner_is_charterer", payable(numbers, "", partner="61001")),
        ("pending on an estimated voyage", "voyage_missing", payable(numbers, "", cost("71.00", voyage="V007-26E2"))),
        (
            "pending with terms of 90 %",
            "payment_terms_not_100",
            payable(numbers, "", terms=due_in(date(2026, 10, 20), (10, "90"))),
        ),
        ("pending sale without terms", "due_date_missing", receivable(numbers, "", terms=())),
    ):
        yield replace(draft, branch=branch, text=branch, status="PEN", outcome="ignored", rules=(rule,))
    # The ledger's import refuses what is longer, so these two stay pending: preflight warns of them in time.
    for branch, external, warning in (
        ("pending with a KID over 30 characters", f"K-1009|{'0' * 26}602243", "kid_too_long"),
        (
            "pending with an external number over 25 characters",
            "K-1010-2026-10-20-BERGEN-SKOLTEN-7",
            "external_document_no_too_long",
        ),
    ):
        long = payable(numbers, branch, external=external, warnings=(warning,))
        yield replace(long, status="PEN", outcome="ignored")


def posted_before_drafts(*, first_number: int) -> Iterator[Draft]:
    """Give invoices that people posted in both systems before go-live, and one actual that the ledger sent."""
    numbers = Numbers(first_number)
    for place in range(_POSTED_BEFORE):
        day = date(2026, 7, 2) + timedelta(days=2 * place)
        voyage = f"V{place // 2 + 1:03d}-2601"
        amount = from_cents(between(100_000, 999_999, of=f"before {place}"))
        if place % 2:
            freight = Line(gl.FREIGHT, "Freight", amount * 20, voyage)
            draft = receivable(
                numbers, "", freight, partner="61010", currency="NOK", day=day, terms=due_in(day, (30, "100"))
            )
        else:
            draft = payable(
                numbers,
                "",
                cost(str(amount), voyage=voyage),
                partner="60501",
                currency="NOK",
                day=day,
                terms=due_in(day, (30, "100")),
            )
        yield replace(draft, branch="posted before go-live", status="POS", outcome="ignored", text="Posted by hand")
    voyage_cost = Line("5010", "Crew cost May", Decimal("184200.00"), "V001-2507")
    yield Draft(
        "900101",
        "ACC",
        "an actual that the ledger sent",
        date(2026, 5, 1),
        (voyage_cost,),
        currency="NOK",
        status="POS",
        control="5010",
        outcome="ignored",
    )


def after_go_live_drafts(posted_before: list[Draft], *, first_number: int) -> Iterator[Draft]:
    """Give reversals in RFP of invoices that were posted before go-live."""
    numbers = Numbers(first_number)
    purchase, sale = posted_before[:2]
    for original, kind in ((purchase, "CRI"), (sale, "CRO")):
        branch = f"{kind} that reverses an invoice posted before go-live"
        reversal = negated(original, number=numbers.next(), kind=kind, branch=branch, day=date(2026, 10, 14))
        yield replace(reversal, warnings=("original_unknown",))


def shown_drafts(posted_before: list[Draft], *, first_number: int) -> Iterator[Draft]:
    """Give documents in RFP of types that are read and shown, never posted and never held."""
    numbers = Numbers(first_number)
    for branch, partner, company in (
        ("advance payment request", "60504", "28601"),
        ("advance payment request in Singapore", "60506", SINGAPORE),
    ):
        advance = cost("25000.00", text="Advance on port costs")
        request = payable(numbers, branch, advance, partner=partner, company=company)
        yield replace(request, kind="APR", outcome="shown", external=None)
    branch, day = "a payment typed into the VMS", date(2026, 10, 9)
    payment = negated(posted_before[2], number=numbers.next(), kind="PMO", branch=branch, day=day)
    yield replace(payment, outcome="shown", external=None, terms=())
