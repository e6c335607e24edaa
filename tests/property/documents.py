"""Generated VMS documents: every branch of docs/mapping.md#1, and awkward amounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from tests.property.reference_mapping import Document, Line, Tenant, Term, VesselCode, rounded

TODAY = date(2026, 11, 2)
RATES = {"USD": Decimal("10.5012"), "NOK": Decimal(1), "EUR": Decimal("11.6313"), "JPY": Decimal("0.0703")}
VAT_RATES = (Decimal("0.25"), Decimal("0.15"), Decimal("0.12"), Decimal("0.077"))
# Reference number, its vessel's codes, the vessel's own pool, a time charter or not.
VOYAGES = (
    ("V001-2601", (VesselCode(3, "V001", pool="PANMAX"),), None, True),
    ("V002-2602", (VesselCode(5, "V002"), VesselCode(4, "T002", exit=date(2026, 6, 30), pool="HANDY")), None, False),
    (
        "V003-2603",
        (
            VesselCode(9, "N003", entry=date(2026, 3, 1), company="28699", pool="SUPRA"),
            VesselCode(8, "M003", entry=date(2026, 3, 1), exit=date(2026, 10, 31), company="28601"),
            VesselCode(7, "L003", exit=date(2026, 2, 28), company="28601"),
        ),
        "VESSEL",
        None,
    ),
    ("V004-2604", (), "VESSEL", None),
)
TERMS = (
    (),
    ("100",),
    ("95", "5"),
    ("33.3", "33.3", "33.4"),
    ("33.333333333", "66.666666667"),
    ("60", "30"),
    ("50", None),
)

text = st.text(alphabet="abcæøåABC 0123456789", max_size=130)


@st.composite
def lines(draw: st.DrawFn, *, currency: str, key: int) -> Line:
    """Draw one line that is no VAT line."""
    cents = draw(st.integers(-2_000_000, 5_000_000) | st.integers(1, 99))
    amount = Decimal(cents) / 100
    if draw(st.booleans()):
        amount += Decimal(draw(st.integers(0, 9999))) / 1_000_000
    rest = Decimal(draw(st.integers(-2, 2))) / 100
    voyage = draw(st.sampled_from((None, *VOYAGES)) | st.just(VOYAGES[0]))
    vat_rate = draw(st.none() | st.sampled_from((*VAT_RATES, Decimal(0))))
    return Line(
        key=key,
        amount=amount,
        company_amount=rounded(amount * RATES[currency], "NOK") + rest,
        account=draw(st.sampled_from(("4300", "4310", "6551", None)) | st.just("4300")),
        text=draw(st.none() | text.map(str.strip)),
        vat_rate=vat_rate,
        vat_code=None if vat_rate is None else draw(st.sampled_from(("1", "13", "RC"))),
        partner=draw(st.sampled_from((None, None, "60526", "70001"))),
        reference=draw(st.sampled_from((None,) * 9 + ("2700001",))),
        voyage=voyage[0] if voyage else None,
        codes=voyage[1] if voyage else (),
        vessel_pool=voyage[2] if voyage else None,
        is_tc=voyage[3] if voyage else None,
        own_code=draw(st.sampled_from((None,) * 5 + ("W009",))),
        own_pool=draw(st.sampled_from((None, "OWN"))),
        currency=draw(st.sampled_from((None,) * 14 + (currency, "SGD"))),
        commission=draw(st.sampled_from((None, None, None, 77))),
        partner_type=draw(st.sampled_from((None, "BR", "AG"))),
        account_code=draw(st.sampled_from((None, "FRT"))),
        is_revenue=draw(st.sampled_from((None, None, True, False))),
        balance=draw(st.sampled_from((None, "2961", "4310"))),
        asset=draw(st.sampled_from((None, "1761"))),
    )


def _vat_lines(drawn: list[Line], *, currency: str, off: Decimal) -> list[Line]:
    vat = sum(((line.vat_rate or 0) * line.amount for line in drawn if line.vat_code != "RC"), Decimal(0))
    company = sum(((line.vat_rate or 0) * line.company_amount for line in drawn if line.vat_code != "RC"), Decimal(0))
    first = rounded(vat / 3, currency)
    return [
        Line(90, first, rounded(company / 3, "NOK"), account="2710"),
        Line(5, rounded(vat - first, currency) + off, rounded(company * 2 / 3, "NOK"), account="2700"),
    ]


def _carriers(drawn: list[Line], *, currency: str, draw: st.DrawFn) -> list[Line]:
    """Draw VAT lines that carry the rate themselves: over all lines, one of them, or a base that fits nothing."""
    nets = [rounded(line.amount, currency) for line in drawn if line.vat_rate is None]
    bases = [sum(nets, Decimal(0)), *nets[:2], Decimal("1.11")]
    made = []
    for n in range(draw(st.integers(1, 2))):
        base = draw(st.sampled_from(bases))
        rate = draw(st.sampled_from((*VAT_RATES, None)))
        vat = rounded(base * (rate or 0), currency) + Decimal(draw(st.sampled_from((0, 0, 0, 4, -9)))) / 100
        company = rounded(vat * RATES[currency], "NOK")
        made.append(Line(91 + n, vat, company, account="2710", vat_rate=rate, vat_code="1", quantity=base))
    return made


@st.composite
def documents(draw: st.DrawFn, *, key: int) -> Document:
    """Draw one document of any posting type."""
    kind = draw(st.sampled_from(("INI", "INO", "CRI", "CRO", "INI", "INO", "ACC", "ACP", "CAR", "BAR")))
    currency = draw(st.sampled_from(tuple(RATES)))
    drawn = [draw(lines(currency=currency, key=10 + n)) for n in range(draw(st.integers(0, 6)))]
    off = Decimal(draw(st.integers(-12, 12))) / 100
    carries = draw(st.integers(0, 4)) == 0
    if carries:
        drawn = [replace(line, vat_rate=None, vat_code=None) for line in drawn]
        vat = _carriers(drawn, currency=currency, draw=draw)
    else:
        vat = _vat_lines(drawn, currency=currency, off=off) if draw(st.booleans()) else []
        vat += _carriers(drawn, currency=currency, draw=draw) if draw(st.integers(0, 9)) == 0 else []
    if drawn and draw(st.integers(0, 5)) == 0:
        # A GL document may carry both sides itself.
        drawn.append(replace(drawn[0], key=60, amount=-drawn[0].amount, company_amount=-drawn[0].company_amount))
    every = [*drawn, *vat]
    gap = Decimal(draw(st.sampled_from((0, 0, 0, 1, -3, 12, 40)))) / 100
    terms = tuple(
        Term(n, draw(st.none() | st.dates(TODAY, TODAY + timedelta(60))) if n == 3 else TODAY + timedelta(30 - n),
             None if p is None else Decimal(p))
        for n, p in enumerate(draw(st.sampled_from(TERMS)), 1)
    )  # fmt: skip
    return Document(
        key=key,
        number=f"27{key:05d}",
        type=kind,
        day=draw(st.dates(date(2026, 1, 1), date(2026, 12, 31))),
        currency=currency,
        amount=sum((line.amount for line in every), Decimal(0)) + gap,
        company_amount=sum((line.company_amount for line in every), Decimal(0)) - gap,
        external=draw(st.sampled_from((None, "", " ", "F-881", " F-881 | 602243 ", "|602243", "F|", "A|B|C"))),
        gl_account=draw(st.sampled_from((None, "2960", "4300"))),
        partner=draw(st.sampled_from((None, "60526", "60526", "60527"))),
        partner_name=draw(st.none() | st.just("Nordic Agency AS") | st.just("Æ" * 99)),
        partner_country=draw(st.sampled_from((None, "NO", "SG"))),
        company_country=draw(st.sampled_from(("NO", "SG"))),
        iban=draw(st.sampled_from((None, "NO02 8601 1117 947", "gb29nwbk60161331926819"))),
        bank_account=draw(st.sampled_from((None, "12345678903"))),
        terms=terms,
        lines=tuple(draw(st.permutations(every))),
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Tenant, list[Document]]:
    """Draw a tenant and a handful of documents."""
    tenant = Tenant(
        today=TODAY,
        xgl=draw(st.sampled_from((None, "poolCode", "isTc"))),
        reverse_charge=draw(st.sampled_from(((), ("RC",)))),
        tax_rules=draw(st.sampled_from(({}, {"13": "31"}))),
        accrual_control=draw(st.sampled_from(({}, {"ACP": "2965"}))),
        gl_sign=draw(st.sampled_from(("1", "-1", "revenue"))),
        line_currency=draw(st.sampled_from(("hold", "convert"))),
        broker_types=draw(st.sampled_from(((), ("BR",)))),
        revenue_accounts=draw(st.sampled_from(((), ("4310",)))),
    )
    count = draw(st.integers(1, 25))
    drawn = [draw(documents(key=key)) for key in range(1, count + 1)]
    has_commissions = any(line.commission is not None for document in drawn for line in document.lines)
    return replace(tenant, has_commissions=has_commissions), drawn
