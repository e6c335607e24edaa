"""Vessels in pools, and their voyages: closed, operational, nominated and estimated, on time and voyage charter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from tests.world.identifiers import imo_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.world.encode import Row

# The ledger has no XGL value for this pool, and holds the last vessel's code twice.
UNKNOWN_POOL = "ICE"
ICE_VESSEL = "V011"
TWICE_VESSEL = "V012"

# A project of the ledger's own, which is no voyage.
OFFICE = "OFFICE-2026"

_FIRST_VESSEL_KEY = 1100001
_FIRST_HEADER_KEY = 1200001
_FIRST_VOYAGE_KEY = 1300001


@dataclass(frozen=True, slots=True)
class FormerCode:
    """A code that a vessel had before, up to and with a day."""

    code: str
    until: date


@dataclass(frozen=True, slots=True)
class Vessel:
    """One vessel, whose code is the cost centre."""

    code: str
    name: str
    pool: str | None
    former: FormerCode | None = None


@dataclass(frozen=True, slots=True)
class Voyage:
    """One voyage, whose reference number is the project; ``marks`` are the header flags that are set."""

    reference: str
    vessel: str
    status: str
    is_tc: bool
    start: date
    end: date
    marks: tuple[str, ...] = ()


VESSELS = (
    Vessel("V001", "Skarvøy Tind", None),
    Vessel("V002", "Skarvøy Fjell", "HANDY"),
    Vessel("V003", "Skarvøy Vidde", "HANDY"),
    Vessel("V004", "Skarvøy Bre", "HANDY"),
    Vessel("V005", "Skarvøy Foss", "SUPRA"),
    Vessel("V006", "Skarvøy Elv", "SUPRA"),
    Vessel("V007", "Skarvøy Sund", "SUPRA"),
    Vessel("V008", "Skarvøy Vik", None),
    Vessel("V009", "Skarvøy Nes", None),
    # Hired in under the owner's code, and taken over in September.
    Vessel("V010", "Skarvøy Holme", "HANDY", FormerCode("H010", date(2026, 8, 31))),
    Vessel(ICE_VESSEL, "Skarvøy Is", UNKNOWN_POOL),
    Vessel(TWICE_VESSEL, "Skarvøy Dobbel", None),
)
POOLS = ("HANDY", "SUPRA")
_ON_TIME_CHARTER = {"V003", "V006", "V009"}

# Each vessel sails these one after the other; the ledger books on a project between its two dates only.
HANDOVER = date(2026, 9, 12)
_SLOTS = (
    ("2507", "CLO", date(2026, 4, 20), date(2026, 6, 30)),
    ("2601", "OPR", date(2026, 7, 1), HANDOVER),
    ("2602", "OPR", HANDOVER, date(2026, 11, 14)),
    ("2603", "NOM", date(2026, 11, 15), date(2026, 12, 28)),
    ("2604", "EST", date(2026, 12, 29), date(2027, 2, 20)),
)
# None of these is a project: the first five for their flag alone.
_NEVER_SAILED = (
    ("V002", "26B1", "OPR", "isBudget"),
    ("V003", "26B1", "OPR", "isBudget"),
    ("V004", "26T1", "NOM", "isTemplate"),
    ("V005", "26T1", "NOM", "isTemplate"),
    ("V006", "26E1", "NOM", "isEstimate"),
    ("V007", "26E2", "EST", "isEstimate"),
)


def _sailed() -> Iterator[Voyage]:
    for vessel in VESSELS:
        for number, status, start, end in _SLOTS:
            # The worked example of the mapping posts to V001-2601 in November, so that charter runs on.
            last = date(2026, 11, 30) if (vessel.code, number) == ("V001", "2601") else end
            is_tc = vessel.code in _ON_TIME_CHARTER or number == "2603"
            marks = ("isEstimate",) if status == "EST" else ()
            yield Voyage(f"{vessel.code}-{number}", vessel.code, status, is_tc, start, last, marks)


def _never_sailed() -> Iterator[Voyage]:
    for vessel, number, status, mark in _NEVER_SAILED:
        yield Voyage(
            f"{vessel}-{number}",
            vessel,
            status,
            is_tc=False,
            start=date(2026, 7, 1),
            end=date(2026, 12, 31),
            marks=(mark,),
        )


VOYAGES = {voyage.reference: voyage for voyage in (*_sailed(), *_never_sailed())}


def voyage_on(vessel: str, day: date) -> str:
    """Give the reference of the voyage that the vessel sails on a day; closed and estimated ones are left out."""
    for number, status, start, end in _SLOTS:
        if status in {"OPR", "NOM"} and start <= day <= end:
            return f"{vessel}-{number}"
    raise ValueError(f"{vessel} sails no open voyage on {day}")


def _code_rows(vessel: Vessel) -> list[Row]:
    """Give a vessel's codes, each with its pool and its days in the fleet; open ends hold every day."""
    pool: Row | None = {"poolCode": vessel.pool} if vessel.pool else None
    if vessel.former is None:
        return [{"vesselCode": vessel.code, "pool": pool}]
    since = vessel.former.until + timedelta(days=1)
    return [
        {"vesselCode": vessel.code, "pool": pool, "fleetEntryDate": f"{since}T00:00:00"},
        {"vesselCode": vessel.former.code, "pool": pool, "fleetExitDate": f"{vessel.former.until}T00:00:00"},
    ]


def vessel_rows(vessels: Iterable[Vessel], *, modified: str) -> Iterator[Row]:
    """Give the vessels of the VMS."""
    for place, vessel in enumerate(vessels):
        yield {
            "key": _FIRST_VESSEL_KEY + place,
            "vesselName": vessel.name,
            "imoNumber": imo_number(f"{971000 + place * 37:06d}"),
            "vesselCodes": _code_rows(vessel),
            "flag": "NO",
            "voyageCurrency": "USD",
            "builtYear": 2008 + place,
            "modifiedDate": modified,
        }


def voyage_header_rows(voyages: Iterable[Voyage], *, modified: str) -> Iterator[Row]:
    """Give the voyage headers of the VMS."""
    for place, voyage in enumerate(voyages):
        yield {
            "key": _FIRST_HEADER_KEY + place,
            "referenceNo": voyage.reference,
            "voyageStartYear": voyage.start.year,
            "voyageStatus": voyage.status,
            "isBudget": "isBudget" in voyage.marks,
            "isTemplate": "isTemplate" in voyage.marks,
            "isEstimate": "isEstimate" in voyage.marks,
            "modifiedDate": modified,
        }


def voyage_rows(voyages: Iterable[Voyage], *, modified: str) -> Iterator[Row]:
    """Give the voyages of the VMS; each is found by its header's reference number."""
    for place, voyage in enumerate(voyages):
        yield {
            "key": _FIRST_VOYAGE_KEY + place,
            "voyageHeader": voyage.reference,
            "vessel": voyage.vessel,
            "isTc": voyage.is_tc,
            "voyageStartDateGMT": f"{voyage.start}T18:00:00",
            "voyageEndDateGMT": f"{voyage.end}T18:00:00",
            "modifiedDate": modified,
        }


def vessel_value_row(vessel: Vessel, *, owner: int) -> Row:
    """Give the cost centre of a vessel in the ledger."""
    return {"kind": "VESSEL", "code": vessel.code, "description": vessel.name, "owner": owner}


def project_row(voyage: Voyage, *, vessel_name: str, owner: int) -> Row:
    """Give the project of a voyage in the ledger, in step with the VMS, as input of addProjects."""
    return {
        "owner": owner,
        "code": voyage.reference,
        "description": f"{vessel_name} {voyage.reference}",
        "fromDate": voyage.start.isoformat(),
        "toDate": voyage.end.isoformat(),
        "glObject1": {"code": voyage.vessel},
    }
