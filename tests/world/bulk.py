"""A large world of plain invoices, partners and voyages, for measuring: nothing is held, master data is in step."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from tests.world import accounts as gl
from tests.world import books, fleet
from tests.world.amounts import from_cents
from tests.world.choice import between
from tests.world.drafts import Draft, Line, document_row, due_in
from tests.world.fleet import Vessel, Voyage
from tests.world.partner_rows import supplier_row, vms_partner_rows
from tests.world.partners import Partner
from tests.world.worlds import World, settings_text, vms_exchange_rate_rows, vms_reference_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.world.amounts import Rates
    from tests.world.encode import Row

_MODIFIED = "2026-10-01T12:00:00"
# Vessels were there long before their voyages; where one changes, all its voyages are read again.
_VESSELS_MODIFIED = "2025-12-01T12:00:00"
_BETWEEN_CHANGES = timedelta(minutes=1)
_FIRST_PARTNER_KEY = 2000001
_FIRST_DOCUMENT_KEY = 10000001
_FIRST_NUMBER = 4000001
_VESSELS = tuple(Vessel(f"B{place:03d}", f"Bulk Carrier {place}", fleet.POOLS[place % 2]) for place in range(1, 13))
_START, _END = date(2026, 7, 1), date(2026, 12, 31)
_FIRST_DAY = date(2026, 8, 3)
_ACCOUNTS = (gl.AGENCY, gl.TOWAGE, gl.PORT_DUES, "4330", "4350")
_CURRENCIES = ("USD", "EUR", "NOK")


def _partner(place: int) -> Partner:
    return Partner(f"7{place:07d}", f"Supplier {place} AS", "AG", "NO", "Bergen", f"Kaigata {place}", "5003")


def _voyage(place: int) -> Voyage:
    vessel = _VESSELS[place % len(_VESSELS)].code
    return Voyage(f"{vessel}-{place:06d}", vessel, "OPR", is_tc=False, start=_START, end=_END)


def _entered(rows: Iterable[Row], *, count: int) -> Iterator[Row]:
    """Let rows have been entered one after the other, the last of ``count`` when all else was."""
    last = datetime.fromisoformat(_MODIFIED)
    for place, row in enumerate(rows):
        yield {**row, "modifiedDate": (last - (count - 1 - place) * _BETWEEN_CHANGES).isoformat()}


def _draft(place: int, *, lines: int, partners: int, voyages: int) -> Draft:
    """Give one invoice; every line stands on one and the same voyage, and there is no VAT."""
    day = _FIRST_DAY + timedelta(days=place % 89)
    voyage = _voyage(place % voyages).reference
    of = f"bulk {place}"
    line = tuple(
        Line(
            _ACCOUNTS[at % len(_ACCOUNTS)],
            f"Port cost {at + 1}",
            from_cents(between(1_000, 900_000, of=f"{of} {at}")),
            voyage,
        )
        for at in range(lines)
    )
    return Draft(
        str(_FIRST_NUMBER + place),
        "INI",
        "",
        day,
        line,
        partner=_partner(place % partners).code,
        currency=_CURRENCIES[place % len(_CURRENCIES)],
        terms=due_in(day, (30, "100")),
        external=f"X-{place}",
    )


def _document_rows(count: int, *, lines: int, partners: int, voyages: int, rates: Rates) -> Iterator[Row]:
    for place in range(count):
        draft = _draft(place, lines=lines, partners=partners, voyages=voyages)
        yield document_row(draft, key=_FIRST_DOCUMENT_KEY + place, rates=rates)


def bulk_world(*, rates: Rates, documents: int, lines: int, partners: int, voyages: int) -> World:
    """Give a world of ``documents`` invoices with ``lines`` lines each, spread over ``partners`` and ``voyages``.

    The ledger has every partner, vessel and voyage already, with the same fields, so a master-data run writes nothing.
    """
    names = {vessel.code: vessel.name for vessel in _VESSELS}
    all_voyages = [_voyage(place) for place in range(voyages)]
    reference = books.reference_files()
    vessels = [fleet.vessel_value_row(vessel, owner=books.GROUP) for vessel in _VESSELS]
    values = [row for row in reference["object_values"] if row["kind"] != "VESSEL"] + vessels
    return World(
        vms={
            **vms_reference_files(),
            "BusinessPartner": _entered(
                vms_partner_rows(map(_partner, range(partners)), modified=_MODIFIED, first_key=_FIRST_PARTNER_KEY),
                count=partners,
            ),
            "Vessel": fleet.vessel_rows(_VESSELS, modified=_VESSELS_MODIFIED),
            "VoyageHeader": _entered(fleet.voyage_header_rows(all_voyages, modified=_MODIFIED), count=voyages),
            "Voyage": _entered(fleet.voyage_rows(all_voyages, modified=_MODIFIED), count=voyages),
            "ExchangeRate": vms_exchange_rate_rows(rates),
            "Document": _document_rows(documents, lines=lines, partners=partners, voyages=voyages, rates=rates),
        },
        ledger={
            **reference,
            "object_values": values,
            "suppliers": (supplier_row(_partner(place), owner=books.GROUP) for place in range(partners)),
            "projects": (
                fleet.project_row(voyage, vessel_name=names[voyage.vessel], owner=books.GROUP) for voyage in all_voyages
            ),
            "exchange_rates": books.exchange_rate_rows(rates, owner=books.GROUP, base="NOK"),
        },
        texts={"settings.env": settings_text()},
    )
