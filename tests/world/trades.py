"""The everyday invoices and credit notes of a shipping company, table by table, all of them fit to be posted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.world import accounts as gl
from tests.world.amounts import from_cents, rounded
from tests.world.choice import between, digits, number, pick
from tests.world.companies import GROUP, LINKED, NORWAY, SINGAPORE
from tests.world.drafts import Draft, Line, due_in, with_vat
from tests.world.fleet import VESSELS, voyage_on
from tests.world.identifiers import kid_mod10, kid_mod11

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST_DAY = date(2026, 8, 3)
LAST_DAY = date(2026, 10, 30)
# The last two vessels are kept for the documents that are held.
OPEN_VESSELS = tuple(vessel.code for vessel in VESSELS[:10])

# How many units of a currency stand for one US dollar, roughly: the tables below are in dollars.
_SCALE = {"USD": 1, "EUR": 1, "GBP": 1, "NOK": 9, "SEK": 9, "DKK": 7, "JPY": 155, "SGD": 1, "HKD": 8, "CHF": 1}


@dataclass(frozen=True, slots=True)
class Item:
    """What a line is for: account, text, and the range of its amount, or of its unit price where it has units."""

    account: str
    text: str
    low: int
    high: int
    units: tuple[int, int] | None = None


ITEMS = {
    "agency": Item(gl.AGENCY, "Agency fee", 600, 4200),
    "towage": Item(gl.TOWAGE, "Towage in and out", 900, 9800),
    "dues": Item(gl.PORT_DUES, "Port dues and quay hire", 1200, 16000),
    "pilot": Item("4330", "Pilotage inbound", 700, 5200),
    "canal": Item("4340", "Canal dues", 38000, 210000),
    "cargo": Item("4350", "Stevedoring and tallying", 2500, 31000),
    "vlsfo": Item(gl.BUNKERS, "VLSFO 0.5 %", 480, 640, (120, 900)),
    "mgo": Item(gl.BUNKERS, "Marine gas oil 0.1 %", 690, 860, (20, 160)),
    "lubes": Item("4110", "Cylinder oil", 4, 9, (900, 6000)),
    "supplies": Item("6551", "Deck and engine stores", 150, 5600),
    "survey": Item("6700", "Draught survey", 450, 2900),
    "meals": Item("6800", "Meals for attending crew", 60, 900),
    "office": Item("6800", "Office rent and IT", 1500, 9000),
    "insurance": Item("7500", "Hull and machinery premium, instalment", 9000, 64000),
    "freight": Item(gl.FREIGHT, "Freight", 14, 42, (12000, 52000)),
    "deadfreight": Item("3030", "Deadfreight", 8, 20, (200, 1800)),
    "demurrage": Item(gl.DEMURRAGE, "Demurrage at discharge port", 9000, 18500, (1, 9)),
    "hire_out": Item(gl.HIRE_REVENUE, "Time charter hire in advance", 11500, 19800, (15, 15)),
    "service": Item("3090", "Cargo hold cleaning", 2200, 9400),
    "passage": Item("3090", "Carriage of passengers and mail", 400, 2600),
}


@dataclass(frozen=True, slots=True)
class Trade:
    """One kind of invoice: who sends it to whom, in which currencies, for what, and how often."""

    branch: str
    kind: str
    company: str
    partners: tuple[str, ...]
    currencies: tuple[str, ...]
    items: tuple[str, ...]
    count: int
    vat: str | None = None
    terms: tuple[tuple[int, str], ...] = ((30, "100"),)
    kid: str | None = None
    most_lines: int = 4
    has_voyage: bool = True


_THIRDS = ((30, "33.3"), (60, "33.3"), (90, "33.4"))
_ADVANCE = ((5, "95"), (45, "5"))
_PORT = ("agency", "towage", "dues", "pilot", "cargo", "survey")
_NORWEGIAN_AGENTS = ("60526", "60501", "60502", "60503")
_FOREIGN_AGENTS = ("60504", "60505", "60507", "60508", "60510")

# fmt: off
TRADES = (
    Trade("Norwegian port costs with 25 % VAT", "INI", NORWAY, _NORWEGIAN_AGENTS, ("NOK",), _PORT, 24, vat="1",
          kid="10", most_lines=8),
    Trade("Norwegian port costs in dollars with 25 % VAT", "INI", NORWAY, _NORWEGIAN_AGENTS, ("USD", "EUR"), _PORT, 10,
          vat="1", kid="11"),
    Trade("port costs abroad without VAT", "INI", NORWAY, _FOREIGN_AGENTS, ("USD", "EUR", "GBP"), _PORT, 30,
          most_lines=8),
    Trade("port dues paid in thirds", "INI", NORWAY, ("60530", "60531"), ("NOK", "GBP"), ("dues", "pilot"), 10,
          terms=_THIRDS),
    Trade("canal dues, split 95/5", "INI", NORWAY, ("60532", "60533"), ("USD",), ("canal", "agency"), 10, vat="0",
          terms=_ADVANCE),
    Trade("bunkers abroad", "INI", NORWAY, ("60520", "60521", "60522"), ("USD", "EUR"), ("vlsfo", "mgo"), 16, vat="0"),
    Trade("bunkers in Norway", "INI", NORWAY, ("60523",), ("USD", "NOK"), ("vlsfo", "mgo", "lubes"), 6, vat="1"),
    Trade("stores in yen", "INI", NORWAY, ("60509",), ("JPY",), ("supplies", "survey", "lubes"), 8),
    Trade("meals at 15 % VAT, account number without IBAN", "INI", NORWAY, ("60511",), ("NOK",), ("meals",), 8,
          vat="11", most_lines=3),
    Trade("services from abroad, reverse charge", "INI", NORWAY, ("60504", "60562"), ("EUR", "SEK"),
          ("survey", "service"), 8, vat="86"),
    Trade("insurance in Swiss francs and pounds", "INI", NORWAY, ("60551",), ("CHF", "GBP"), ("insurance",), 6,
          most_lines=1),
    Trade("group overheads without voyage", "INI", GROUP, ("60501", "60511"), ("NOK",), ("office", "meals"), 6, vat="1",
          has_voyage=False),
    Trade("Singapore local services, 9 % tax, LS", "INI", SINGAPORE, ("60506", "60534"), ("SGD", "USD"), _PORT, 14,
          vat="TX9"),
    Trade("Singapore company, foreign supplier, FS", "INI", SINGAPORE, ("60505", "60508", "60520"), ("USD", "EUR"),
          _PORT, 12),
    Trade("company linked into another entity", "INI", LINKED, ("60502", "60503"), ("NOK", "USD"), _PORT, 10, vat="1"),
    Trade("freight, split 95/5", "INO", NORWAY, ("61001", "61002", "61004"), ("USD", "EUR"), ("freight", "deadfreight"),
          26, terms=_ADVANCE, most_lines=3),
    Trade("freight in yen", "INO", NORWAY, ("61003",), ("JPY",), ("freight", "deadfreight"), 6, terms=_ADVANCE),
    Trade("time charter hire out", "INO", NORWAY, ("60560", "61006", "61002"), ("USD",), ("hire_out",), 20,
          most_lines=1),
    Trade("demurrage", "INO", NORWAY, ("61001", "61012", "61014"), ("USD", "EUR", "SEK", "DKK"), ("demurrage",), 14,
          most_lines=2),
    Trade("sale in Norway with 25 % VAT and KID", "INO", NORWAY, ("61010", "61011"), ("NOK",), ("service", "freight"),
          12, vat="2", kid="10"),
    Trade("sale in Norway with 15 % VAT", "INO", NORWAY, ("61011",), ("NOK",), ("passage",), 6, vat="21"),
    Trade("sale to a foreign customer, VAT code at 0 %", "INO", NORWAY, ("61015", "60562"), ("HKD", "USD"),
          ("service", "freight"), 8, vat="27"),
    Trade("Singapore sale, 9 % tax, LS", "INO", SINGAPORE, ("61005", "61013", "60561"), ("SGD", "USD"),
          ("service", "freight"), 10, vat="SR9"),
    Trade("Singapore company, foreign customer, FS", "INO", SINGAPORE, ("61003", "61006"), ("USD", "JPY"),
          ("freight", "demurrage"), 8, terms=((10, "100"),)),
    Trade("credit note from a Norwegian supplier with VAT", "CRI", NORWAY, _NORWEGIAN_AGENTS, ("NOK", "USD"),
          ("dues", "towage", "agency"), 8, vat="1", kid="10"),
    Trade("credit note from a supplier abroad", "CRI", NORWAY, ("60504", "60520"), ("USD", "EUR"), ("dues", "vlsfo"), 6,
          terms=_ADVANCE),
    Trade("credit note to a customer", "CRO", NORWAY, ("61001", "61010", "61014"), ("USD", "NOK", "DKK"),
          ("demurrage", "freight"), 12),
    Trade("credit note to a customer in Singapore, LS", "CRO", SINGAPORE, ("61013",), ("SGD",), ("service",), 4,
          vat="SR9"),
)
# fmt: on


def _amount(item: Item, *, currency: str, of: str) -> tuple[Decimal, Decimal | None, Decimal | None]:
    """Give amount, quantity and unit price; the latter two only where the item is counted in units."""
    scale = _SCALE[currency]
    cents = between(item.low * scale * 100, item.high * scale * 100, of=f"{of} price")
    price = rounded(from_cents(cents), currency=currency)
    if item.units is None:
        return price, None, None
    quantity = Decimal(between(*item.units, of=f"{of} units"))
    return rounded(price * quantity, currency=currency), quantity, price


def _voyages(day: date, *, count: int, of: str) -> list[str | None]:
    """Give the voyage of each line: mostly one and the same, sometimes two vessels, sometimes one line without."""
    vessel = number(len(OPEN_VESSELS), of=f"{of} vessel")
    voyages: list[str | None] = [voyage_on(OPEN_VESSELS[vessel], day)] * count
    kind = number(6, of=f"{of} voyages")
    if count > 1 and kind == 0:
        voyages[-1] = voyage_on(OPEN_VESSELS[vessel - 1], day)
    if count > 1 and kind == 1:
        voyages[-1] = None
    return voyages


def trade_lines(trade: Trade, day: date, *, currency: str, of: str) -> tuple[Line, ...]:
    """Give the lines of one document, VAT lines included."""
    count = between(1, trade.most_lines, of=f"{of} lines")
    voyages = _voyages(day, count=count, of=of) if trade.has_voyage else [None] * count
    sign = -1 if trade.kind in {"CRI", "CRO"} else 1
    lines = []
    for place, voyage in enumerate(voyages):
        item = ITEMS[trade.items[place % len(trade.items)]]
        amount, quantity, price = _amount(item, currency=currency, of=f"{of} {place}")
        lines.append(
            Line(
                item.account,
                item.text,
                sign * amount,
                voyage,
                trade.vat,
                quantity=quantity and sign * quantity,
                unit_price=price,
            )
        )
    return with_vat(lines, currency=currency, in_one_line=number(4, of=f"{of} VAT") == 0)


def external_number(trade: Trade, *, of: str) -> str | None:
    """Give the supplier's invoice number, with the KID behind a pipe; sales have none but for a KID alone."""
    base = digits(6, of=f"{of} KID")
    kid = {"10": kid_mod10(base), "11": kid_mod11(base)}.get(trade.kid or "")
    if trade.kind in {"INO", "CRO"}:
        return f"|{kid}" if kid else None
    invoice = f"F-{of}"
    return f"{invoice}|{kid}" if kid else invoice


def trade_draft(trade: Trade, *, of: str, day: date, document_number: str) -> Draft:
    """Give one document of a trade; ``of`` names it, and so decides its amounts, partner and voyage."""
    currency = pick(trade.currencies, of=f"{of} currency")
    return Draft(
        document_number,
        trade.kind,
        trade.branch,
        day,
        trade_lines(trade, day, currency=currency, of=of),
        company=trade.company,
        partner=pick(trade.partners, of=f"{of} partner"),
        currency=currency,
        terms=due_in(day, *trade.terms),
        external=external_number(trade, of=of),
        text=trade.branch,
    )


def trade_drafts(*, first_number: int) -> Iterator[Draft]:
    """Give all everyday documents, dated August to October."""
    span = (LAST_DAY - FIRST_DAY).days
    for trade_place, trade in enumerate(TRADES):
        for place in range(trade.count):
            of = f"{trade_place + 1:02d}{place + 1:02d}"
            day = FIRST_DAY + timedelta(days=number(span + 1, of=f"{of} day"))
            yield trade_draft(trade, of=of, day=day, document_number=str(first_number))
            first_number += 1
