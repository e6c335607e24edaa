"""What the ledger holds at the start: entities, chart, tax rules, dimensions, and a little master data."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from tests.world import accounts, catalogue, companies, fleet, partner_rows
from tests.world.partners import PARTNERS, TWICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.world.amounts import Rates
    from tests.world.encode import Json, Row

GROUP = int(companies.GROUP)
# The ledger does not know this currency and this tax rule, so documents with them are held.
_UNKNOWN_CURRENCY = "CNY"
_UNKNOWN_TAX_RULE = "31"
# Quoted for a hundred units, as the central bank does.
_PER_HUNDRED = ("JPY", "SEK", "DKK", "HKD")
_RATE_DIGITS = Decimal("0.000001")
# The dbIds of AR, SO and OS are those of the real system.
_SOURCES = {
    "AP": 796,
    "AR": 797,
    "SO": 600,
    "OS": 3536,
    "GL": 795,
    "DR": 801,
    "AB": 802,
    "OCR": 803,
    "BA": 804,
    "CHD": 805,
    "EFT": 806,
    "DGL": 807,
}

SUPPLIERS_THERE = ("60501", "60502", "60520", "60540", "61001")
CUSTOMERS_THERE = ("61010", "61011")
# In the ledger under an old name, at an old address, with an old bank account.
_OLD_NAME = "60503"
_OLD_ADDRESS = "60530"
_OLD_BANK_ACCOUNT = "60504"
_PROJECTS_THERE = (
    *(f"V{place:03d}-{number}" for place in range(1, 7) for number in ("2507", "2601")),
    *(f"V{place:03d}-2602" for place in range(3, 7)),
)


def object_values() -> Iterator[Row]:
    """Give tax rules, the two locations, and a few cost centres, one of them twice.

    A reverse-charge rule has no percent here: its line is net, and nothing is to be split out of it.
    """
    for code, vat in catalogue.VATS.items():
        if code != _UNKNOWN_TAX_RULE:
            percent = Decimal(0) if code in catalogue.REVERSE_CHARGE else vat.rate * 100
            yield {
                "kind": "TAX_RULE",
                "code": code,
                "description": vat.description,
                "owner": GROUP,
                "percent": f"{percent:.0f}",
            }
    for code, name in (("FS", "Foreign-sourced"), ("LS", "Local-sourced")):
        yield {"kind": "LOCATION", "code": code, "description": name, "owner": GROUP}
    there = {reference.partition("-")[0] for reference in _PROJECTS_THERE} | {fleet.TWICE_VESSEL}
    for vessel in fleet.VESSELS:
        if vessel.code in there:
            yield fleet.vessel_value_row(vessel, owner=GROUP)
    again = next(vessel for vessel in fleet.VESSELS if vessel.code == fleet.TWICE_VESSEL)
    yield {**fleet.vessel_value_row(again, owner=GROUP), "description": f"{again.name} (old)"}


def supplier_rows() -> Iterator[Row]:
    """Give the suppliers that are there: in step, out of step, and one code twice."""
    for code in (*SUPPLIERS_THERE, _OLD_NAME, _OLD_ADDRESS, _OLD_BANK_ACCOUNT, TWICE, TWICE):
        row = partner_rows.supplier_row(PARTNERS[code], owner=GROUP)
        changed: dict[str, Row] = {
            _OLD_NAME: {"description": "Hålogaland Taubåter AS"},
            _OLD_ADDRESS: {"streetAddress": "Gate 2 nr. 40", "email": "post@maloyhavn.example"},
            _OLD_BANK_ACCOUNT: {"bankAccount": "DE02120300000000202051"},
        }
        yield {**row, **changed.get(code, {})}


def company_rows() -> Iterator[Row]:
    """Give the legal parties behind the customers that are there."""
    for code in CUSTOMERS_THERE:
        yield partner_rows.company_row(PARTNERS[code], owner=GROUP)


def customer_rows() -> Iterator[Row]:
    """Give the customers that are there."""
    for code in CUSTOMERS_THERE:
        yield partner_rows.customer_row(PARTNERS[code], owner=GROUP)


def project_rows() -> Iterator[Row]:
    """Give the voyages that are projects already, and a project that is none."""
    names = {vessel.code: vessel.name for vessel in fleet.VESSELS}
    for reference in _PROJECTS_THERE:
        voyage = fleet.VOYAGES[reference]
        yield fleet.project_row(voyage, vessel_name=names[voyage.vessel], owner=GROUP)
    yield {
        "owner": GROUP,
        "code": fleet.OFFICE,
        "description": "Office and administration",
        "fromDate": "2026-01-01",
        "toDate": "2026-12-31",
    }


def exchange_rate_rows(rates: Rates, *, owner: int, base: str) -> Iterator[Row]:
    """Give the daily rates of an entity: each from its bank day until the day before the next, the last one open."""
    for place, day in enumerate(rates.days):
        until = rates.days[place + 1] - timedelta(days=1) if place + 1 < len(rates.days) else None
        for currency in catalogue.CURRENCIES:
            if currency in {base, _UNKNOWN_CURRENCY}:
                continue
            unit = 100 if currency in _PER_HUNDRED else 1
            rate = (rates.cross(day, of=currency, to=base) * unit).quantize(_RATE_DIGITS, rounding=ROUND_HALF_UP)
            yield {
                "owner": owner,
                "from": currency,
                "to": base,
                "unit": unit,
                "rate": str(rate),
                "fromDate": day.isoformat(),
                "toDate": None if until is None else until.isoformat(),
                "type": "DAILY",
            }


def reference_files() -> dict[str, list[Row]]:
    """Give what every world's ledger holds, by file name, but for partners, voyages, rates and vouchers."""
    currencies: list[Row] = [
        {"code": code, "minor": 0 if code == "JPY" else 2} for code in catalogue.CURRENCIES if code != _UNKNOWN_CURRENCY
    ]
    kinds: list[Json] = ["TAX_RULE", "VESSEL", "LOCATION"]
    dimensions = ("DLVMS", *fleet.POOLS, "TC", "VC")
    return {
        "entities": list(companies.entity_rows()),
        "object_kinds": [{"name": kind} for kind in kinds],
        "object_values": list(object_values()),
        "accounts": list(accounts.ledger_account_rows(owner=GROUP)),
        "xgl_dimensions": [{"code": code, "owner": GROUP} for code in dimensions],
        "currencies": currencies,
        "countries": [{"code": code} for code in catalogue.COUNTRIES],
        "transaction_sources": [{"code": code, "dbId": db_id} for code, db_id in _SOURCES.items()],
        "periods_closed": [{"owner": int(companies.NORWAY), "period": "2026-07"}],
    }
