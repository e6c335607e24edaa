"""What analysts cut amounts by: each line's port call, claim, off-hire, bill of lading and business unit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.world import accounts as gl
from tests.world.choice import pick
from tests.world.fleet import VESSELS, VOYAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.world.drafts import Draft, Line
    from tests.world.encode import Json, Row
    from tests.world.fleet import Voyage

_FIRST_PORT_CALL_KEY = 1600001
_FIRST_CLAIM_KEY = 1610001
_FIRST_OFF_HIRE_KEY = 1620001
_FIRST_BILL_KEY = 1630001
_FIRST_UNIT_KEY = 1640001

_PORTS = ("Bergen", "Rotterdam", "Singapore", "Santos", "Gdansk", "Houston", "Mongstad", "Antwerp")
_REASONS = (("L", "Loading"), ("D", "Discharging"))
# Accounts whose lines belong to a port call, to a bill of lading and to a claim; VAT lines belong to none.
_OF_PORT_CALLS = frozenset({gl.AGENCY, gl.TOWAGE, gl.PORT_DUES, "4330", "4340", "4350", "6700"})
_OF_BILLS = frozenset({gl.FREIGHT, "3030"})
_OF_CLAIMS = frozenset({gl.DEMURRAGE})
_OF_OFF_HIRES = frozenset({gl.OFF_HIRE})
_INVOICES = frozenset({"INI", "CRI", "INO", "CRO"})
_UNITS = (("SHORT", "Short sea"), ("DEEP", "Deep sea"), ("ADMIN", "Administration"))
_SHORT_SEA = frozenset(vessel.code for vessel in VESSELS[:5])
# The vessel whose hire is paid less the time that it was off hire.
_OFF_HIRE_VESSEL = "V006"

SAILING = tuple(voyage for voyage in VOYAGES.values() if voyage.status in {"OPR", "NOM"} and not voyage.marks)
_PLACE = {voyage.reference: place for place, voyage in enumerate(SAILING)}
_ON_HIRE = tuple(voyage for voyage in SAILING if voyage.vessel == _OFF_HIRE_VESSEL and voyage.status == "OPR")


def port_call_rows(*, modified: str) -> Iterator[Row]:
    """Give two port calls of each voyage: where it loads and where it discharges."""
    for place, voyage in enumerate(SAILING):
        for at, (reason, words) in enumerate(_REASONS):
            yield {
                "key": _FIRST_PORT_CALL_KEY + 2 * place + at,
                "voyage": voyage.reference,
                "portCallSequence": at + 1,
                "port": {"portName": pick(_PORTS, of=f"{voyage.reference} port {at}")},
                "reasonForCall": {"reasonForCall": reason, "reasonForCallDesc": words},
                "modifiedDate": modified,
            }


def claim_rows(*, modified: str) -> Iterator[Row]:
    """Give one demurrage claim of each voyage."""
    for place, voyage in enumerate(SAILING):
        key = _FIRST_CLAIM_KEY + place
        yield {"key": key, "claimNo": f"D-{voyage.reference}", "voyage": voyage.reference, "modifiedDate": modified}


def off_hire_rows(*, modified: str) -> Iterator[Row]:
    """Give the time that the hired vessel was off hire."""
    for place, voyage in enumerate(_ON_HIRE):
        yield {
            "key": _FIRST_OFF_HIRE_KEY + place,
            "voyage": voyage.reference,
            "offhireFrom": f"{voyage.start}T06:00:00",
            "offhireTo": f"{voyage.start + timedelta(days=1)}T00:00:00",
            "modifiedDate": modified,
        }


def bill_of_lading_rows(*, modified: str) -> Iterator[Row]:
    """Give one bill of lading of each voyage."""
    for place, voyage in enumerate(SAILING):
        yield {"key": _FIRST_BILL_KEY + place, "billOfLadingNo": f"BL-{voyage.reference}", "modifiedDate": modified}


def business_unit_rows(*, modified: str) -> Iterator[Row]:
    """Give the business units."""
    for place, (code, name) in enumerate(_UNITS):
        key = _FIRST_UNIT_KEY + place
        yield {"key": key, "businessUnitCode": code, "businessUnitName": name, "modifiedDate": modified}


def with_slices(draft: Draft) -> Draft:
    """Give a document whose lines refer to what they belong to; a reversal's to the same as its original's."""
    of = draft.reverses or draft.number
    return replace(draft, lines=tuple(replace(line, slices=dict(_slices(draft, line, of=of))) for line in draft.lines))


def _slices(draft: Draft, line: Line, *, of: str) -> Iterator[tuple[str, Json]]:
    voyage = VOYAGES.get(line.voyage or "")
    if voyage is None or voyage.reference not in _PLACE:
        # Overheads; the VAT of any document stands on no voyage and belongs to no unit.
        if draft.kind in _INVOICES and line.account == "6800":
            yield "businessUnit", "ADMIN"
        return
    yield "businessUnit", "SHORT" if voyage.vessel in _SHORT_SEA else "DEEP"
    if draft.kind in _INVOICES:
        yield from _references(voyage, line, of=of)


def _references(voyage: Voyage, line: Line, *, of: str) -> Iterator[tuple[str, Json]]:
    """Give what only lines of invoices have: accruals and bunkers are of a whole voyage."""
    place = _PLACE[voyage.reference]
    if line.account in _OF_PORT_CALLS:
        yield "portCall", _FIRST_PORT_CALL_KEY + 2 * place + pick((0, 1), of=f"{of} port call")
    elif line.account in _OF_BILLS:
        yield "billOfLading", f"BL-{voyage.reference}"
    elif line.account in _OF_CLAIMS:
        yield "claim", f"D-{voyage.reference}"
    elif line.account in _OF_OFF_HIRES and voyage in _ON_HIRE:
        yield "offhire", _FIRST_OFF_HIRE_KEY + _ON_HIRE.index(voyage)
