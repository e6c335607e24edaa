"""What people correct in the ledger's books: costs taken back, posted late or on the wrong thing, and a rate."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.world import accounts as gl
from tests.world.companies import COMPANIES, GROUP, NORWAY, SINGAPORE
from tests.world.desk import FIRST, LATER
from tests.world.fleet import OFFICE, VOYAGES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from tests.world.amounts import Rates
    from tests.world.desk import Desk
    from tests.world.encode import Row

_CHARGES, _INSURANCE, _SURVEYS, _MEALS = "7770", "7500", "6700", "6800"
# No document and no other journal books charges there, so what is taken back leaves nothing.
_VOYAGE = "V008-2602"
_ACCRUAL = "ACP2609-001"
_CORRECTED = "GBP"
_DIGITS = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Journal:
    """A cost of a voyage that people type in against the bank, in company currency; ``why`` it is no actual."""

    shows: str
    day: str
    voyage: str
    account: str
    amount: str
    company: str = NORWAY
    text: str = "Costs by hand"
    why: str | None = None

    def group(self) -> str:
        """Name what its actual is added to: entity, month, voyage, account, currency."""
        currency = COMPANIES[self.company].currency
        return f"{self.company} {self.day[:7]} {self.voyage} {self.account} {currency}"


JOURNALS: Mapping[str, tuple[Journal, ...]] = {
    FIRST: (
        Journal("a cost that is taken back later", "2026-10-22", _VOYAGE, _CHARGES, "4180.00"),
        Journal("a cost that is lowered later", "2026-10-22", _VOYAGE, _INSURANCE, "91200.50"),
        Journal(
            "a cost on a project that is no voyage",
            "2026-10-22",
            OFFICE,
            _MEALS,
            "12640.00",
            why="voyage unknown in VMS",
        ),
    ),
    LATER: (
        Journal("a correction down to zero", "2026-10-22", _VOYAGE, _CHARGES, "-4180.00"),
        Journal("a correction downwards", "2026-10-22", _VOYAGE, _INSURANCE, "-11200.50"),
        Journal("a late posting in an earlier period", "2026-08-27", "V008-2601", _CHARGES, "2215.75"),
        Journal(
            "a late posting of the Singapore company", "2026-09-25", "V009-2602", _SURVEYS, "1830.40", company=SINGAPORE
        ),
        Journal(
            "a correction typed against an accrual of ours",
            "2026-09-30",
            "V002-2602",
            gl.AGENCY,
            "15000.00",
            text=f"{_ACCRUAL} corrected",
            why="accrual booked by hand",
        ),
    ),
}


def type_journals(desk: Desk) -> None:
    """Book the journals of the desk's stage."""
    for journal in JOURNALS[desk.stage]:
        desk.do("vouchers", journal.shows, _body(journal))


def correct_rate(desk: Desk, day: date, *, rates: Rates) -> str:
    """Publish a rate of a day anew, by half a percent more, and name day and pair."""
    base = COMPANIES[GROUP].currency
    rate = (rates.cross(day, of=_CORRECTED, to=base) * Decimal("1.005")).quantize(_DIGITS)
    body: Row = {"owner": int(GROUP), "from": _CORRECTED, "to": base, "rate": str(rate), "fromDate": day.isoformat()}
    desk.do("rates", "a rate that is corrected after it was transferred", body)
    return f"{day} {base} {_CORRECTED}"


def _body(journal: Journal) -> Row:
    voyage = VOYAGES.get(journal.voyage)
    common: Row = {"currency": COMPANIES[journal.company].currency, "text": journal.text}
    place: Row = {"project": journal.voyage, **({"glObject1": voyage.vessel} if voyage else {})}
    lines: list[Row] = [
        {"account": account, "amount": amount, "invoiceAmount": amount, **common, **where}
        for account, amount, where in (
            (journal.account, journal.amount, place),
            (gl.BANK, str(-Decimal(journal.amount)), {}),
        )
    ]
    voucher: Row = {"owner": int(journal.company), "source": "GL", "postedDate": journal.day, "text": journal.text}
    return {**voucher, "lines": lines}
