"""A world as files: what each server loads, the settings that belong to it, and how it is written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.world import accounts, catalogue, companies, partners
from tests.world.books import exchange_rate_rows
from tests.world.encode import Row, write_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.world.amounts import Rates

_FIRST_RATE_KEY = 1900001
# The last day of it lies within the rates job's window: its rates must not arrive twice.
_LAST_RATE_DAY = date(2026, 10, 26)
_RATE_DIGITS = Decimal("0.0000000001")


@dataclass(frozen=True, slots=True)
class World:
    """Rows by file name for either side, and texts that lie beside them."""

    vms: dict[str, Iterable[Row]]
    ledger: dict[str, Iterable[Row]]
    texts: dict[str, str] = field(default_factory=dict)


def settings_text() -> str:
    """Give the settings that fit the world, one NAME=value a line."""
    values = {
        "COMPANIES": companies.company_settings(),
        "PARTNERS__SUPPLIER_TYPES": partners.SUPPLIER_TYPES,
        "PARTNERS__CUSTOMER_TYPES": partners.CUSTOMER_TYPES,
        "PARTNERS__CHARTERER_TYPES": partners.CHARTERER_TYPES,
        "POSTING__REVERSE_CHARGE": catalogue.REVERSE_CHARGE,
    }
    lines = [f"SPRINGLINE_{name}={json.dumps(value, separators=(',', ':'))}" for name, value in values.items()]
    return "\n".join([*lines, "SPRINGLINE_POSTING__XGL=poolCode", ""])


def vms_exchange_rate_rows(rates: Rates) -> Iterator[Row]:
    """Give the rates that earlier runs left in the VMS: those from July to the last Monday of October.

    One krone, the ledger's base, in each currency: 1 / rate, to 10 decimals.
    """
    key = _FIRST_RATE_KEY
    ledger_rows = exchange_rate_rows(rates, owner=int(companies.GROUP), base="NOK")
    for row in ledger_rows:
        day = date.fromisoformat(str(row["fromDate"]))
        if day > _LAST_RATE_DAY:
            continue
        unit, rate = Decimal(str(row["unit"])), Decimal(str(row["rate"]))
        yield {
            "key": key,
            "fromCurrency": "NOK",
            "currency": row["from"],
            "exchangeRate": (unit / rate).quantize(_RATE_DIGITS),
            "exchangeRateDate": f"{day}T00:00:00",
        }
        key += 1


def vms_reference_files() -> dict[str, Iterable[Row]]:
    """Give what every world's VMS holds before partners, vessels and voyages."""
    return {
        "Country": catalogue.countries(),
        "Currency": catalogue.currencies(),
        "StatusType": catalogue.status_types(),
        "DocumentType": catalogue.document_types(),
        "Company": companies.company_rows(),
        "System": catalogue.system(),
        "BusinessPartnerType": catalogue.partner_types(),
        "Account": accounts.vms_account_rows(),
        "Vat": catalogue.vats(),
    }


def write_world(world: World, out: Path) -> dict[str, int]:
    """Write a world into a directory and give the number of rows by file; rows of an earlier world are removed."""
    counts: dict[str, int] = {}
    for side, files in (("vms", world.vms), ("ledger", world.ledger)):
        folder = out / side
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob("*.jsonl"):
            stale.unlink()
        for name, rows in files.items():
            counts[f"{side}/{name}"] = write_lines(folder / f"{name}.jsonl", rows)
    for name, text in world.texts.items():
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text(text, encoding="utf-8", newline="\n")
    return counts
