"""Hire payable to owners, with broker and co-broker commission withheld on lines of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.world import accounts as gl
from tests.world.amounts import rounded
from tests.world.branches import Numbers
from tests.world.companies import NORWAY, SINGAPORE
from tests.world.drafts import Draft, Line, due_in
from tests.world.fleet import voyage_on

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAYS = 15
_PERIODS = (date(2026, 8, 14), date(2026, 9, 15), date(2026, 10, 1), date(2026, 10, 16))


@dataclass(frozen=True, slots=True)
class Charter:
    """A vessel on hire from an owner; commissions in percent of the hire, by broker."""

    branch: str
    company: str
    owner: str
    vessel: str
    rate: Decimal
    commissions: tuple[tuple[str, str], ...]
    off_hire_days: str = "0"


_CHARTERS = (
    Charter("hire with one broker's commission", NORWAY, "60540", "V003", Decimal("12750.00"), (("60550", "1.25"),)),
    Charter(
        "hire with off-hire, broker's and co-broker's commission",
        NORWAY,
        "60541",
        "V006",
        Decimal("14133.33"),
        (("60551", "1.25"), ("60552", "0.625")),
        off_hire_days="0.75",
    ),
    Charter(
        "hire of the Singapore company with commission",
        SINGAPORE,
        "60542",
        "V009",
        Decimal("13480.00"),
        (("60553", "1.25"),),
    ),
    Charter("hire without commission", NORWAY, "60543", "V007", Decimal("15250.00"), ()),
)


def _lines(charter: Charter, day: date) -> tuple[Line, ...]:
    voyage = voyage_on(charter.vessel, day)
    hire = charter.rate * _DAYS
    lines = [
        Line(gl.HIRE, f"Hire {_DAYS} days in advance", hire, voyage, quantity=Decimal(_DAYS), unit_price=charter.rate),
    ]
    off_hire = Decimal(charter.off_hire_days)
    if off_hire:
        back = rounded(-charter.rate * off_hire, currency="USD")
        lines.append(Line(gl.OFF_HIRE, "Off-hire", back, voyage, quantity=-off_hire, unit_price=charter.rate))
    for broker, percent in charter.commissions:
        share = rounded(-hire * Decimal(percent) / 100, currency="USD")
        lines.append(
            Line(
                gl.COMMISSION_PAYABLE,
                f"Commission {percent} % withheld",
                share,
                voyage,
                partner=broker,
                commission=percent,
            )
        )
    return tuple(lines)


def hire_drafts(*, first_number: int) -> Iterator[Draft]:
    """Give the hire of each charter, period by period."""
    numbers = Numbers(first_number)
    for charter in _CHARTERS:
        for day in _PERIODS:
            number = numbers.next()
            yield Draft(
                number,
                "INI",
                charter.branch,
                day,
                _lines(charter, day),
                company=charter.company,
                partner=charter.owner,
                terms=due_in(day, (3, "100")),
                external=f"HIRE-{charter.vessel}-{day:%m%d}",
                text=f"{charter.branch}, from {day + timedelta(days=1)}",
            )
