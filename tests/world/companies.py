"""The own companies: who they are in the VMS, and which ledger entity each one posts to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.world.encode import Row

GROUP = "28600"
NORWAY = "28601"
SINGAPORE = "28602"
LINKED = "28603"
LEFT_OUT = "28604"
UNKNOWN = "28699"


@dataclass(frozen=True, slots=True)
class Company:
    """One VMS company; ``owner`` is the ledger entity of its vouchers, None where nobody has set one up."""

    code: str
    name: str
    country: str
    currency: str
    owner: int | None
    payables: str | None
    receivables: str | None
    is_configured: bool = True


# 28604 is an entity of the ledger and no setting names it.
# 28603 has no ARX account, so its sales have no control account; 28699 stands in the VMS only.
_COMPANIES = (
    Company(GROUP, "Skarvøy Shipping Group AS", "NO", "NOK", 28600, "2400", "1500"),
    Company(NORWAY, "Skarvøy Shipping AS", "NO", "NOK", 28601, "2400", "1500"),
    Company(SINGAPORE, "Skarvøy Shipping Pte. Ltd.", "SG", "SGD", 28602, "2405", "1505"),
    Company(LINKED, "Skarvøy Bulk AS", "NO", "NOK", 28601, "2400", None),
    Company(LEFT_OUT, "Skarvøy Tank AS", "NO", "NOK", 28604, "2400", "1500", is_configured=False),
    Company(UNKNOWN, "Skarvøy Ventures AS", "NO", "NOK", None, "2400", "1500"),
)
COMPANIES = {company.code: company for company in _COMPANIES}


def company_rows() -> Iterator[Row]:
    """Give the VMS companies; all but the group are tied to it by the company link."""
    for place, company in enumerate(_COMPANIES):
        yield {
            "key": 1000010 + place,
            "companyCode": company.code,
            "companyName": company.name,
            "country": company.country,
            "currency": company.currency,
            "companyLink": None if company.code == GROUP else GROUP,
        }


def entity_rows() -> Iterator[Row]:
    """Give the ledger entities: the group, and below it the two that are posted to and one that is left out."""
    for company in _COMPANIES:
        if company.owner is None or company.code == LINKED:
            continue
        yield {
            "ownerCode": company.owner,
            "description": company.name,
            "currency": company.currency,
            "country": company.country,
            "parent": None if company.code == GROUP else int(GROUP),
            "glObjects": {"glObject1": "VESSEL", "glObject3": "LOCATION"},
        }


def company_settings() -> list[Row]:
    """Give the setting ``companies``: the entity of each company and the group its master data is created in."""
    rows: list[Row] = []
    for company in _COMPANIES:
        if company.owner is not None and company.is_configured:
            link: Row = {} if company.code == GROUP else {"link": int(GROUP)}
            rows.append({"code": company.code, "owner": company.owner, **link})
    return rows
