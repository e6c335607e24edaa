"""A member that the VMS calls otherwise from one day on is told, with what goes out without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.contracts.tables import create_staging_tables
from pipelines.contracts.vms import DOCUMENTS
from pipelines.extract.absent import tell_absent
from pipelines.extract.land import land
from pipelines.step.context import Context
from tests.support.landing import make_context, page, ref, vms_document

Row = dict[str, Any]
COUNTRY = "businessPartner.addresses.country.countryCode"
IBAN, ACCOUNT = "businessPartner.bankAccount.iban", "businessPartner.bankAccount.bankAccountNo"
TYPE = "businessPartner.businessPartnerType.businessPartnerType"


def document(number: int, partner: int = 1, status: str = "RFP") -> Row:
    """Give a document with every member whose name is decided."""
    named = ref("Country", 1, countryCode="SG")
    company = ref("Company", 1, companyCode="28602", country=named, currency=ref("Currency", 1, currencyCode="SGD"))
    who = ref(
        "BusinessPartner",
        partner,
        businessPartnerCode=f"605{partner}",
        businessPartnerName="Straits Agency",
        businessPartnerType=ref("BusinessPartnerType", 1, businessPartnerType="AG"),
        addresses=[ref("Address", 1, country=named)],
        bankAccount=ref("BankAccount", 1, iban="GB82WEST12345698765432", bankAccountNo="1"),
    )
    state = ref("StatusType", 1, statusTypeCode=status)
    return vms_document(number, lines=1, company=company, businessPartner=who, invoicingStatus=state)


def without(*names: str) -> Callable[[Row], Row]:
    def renamed(found: Row) -> Row:
        partner = {name: value for name, value in found["businessPartner"].items() if name not in names}
        company = {name: value for name, value in found["company"].items() if name not in names}
        return found | {"businessPartner": partner, "company": company}

    return renamed


@pytest.fixture
def told(tmp_path: Path) -> Iterator[tuple[Context, list[str]]]:
    lines: list[str] = []
    ctx = replace(make_context(tmp_path), tell=lines.append)
    create_staging_tables(ctx.warehouse)
    land(ctx, DOCUMENTS, [page(document(1, status="POS"), document(2, partner=2, status="POS"))], side="vms")
    yield ctx, lines
    ctx.warehouse.close()
    ctx.control.close()


@pytest.mark.parametrize(
    ("names", "paths"),
    [
        (["addresses"], [COUNTRY]),
        (["bankAccount"], [IBAN, ACCOUNT]),
        (["businessPartnerType"], [TYPE]),
        (["businessPartnerName"], ["businessPartner.businessPartnerName"]),
        (["country"], ["company.country.countryCode"]),
        (["currency"], ["company.currency.currencyCode"]),
        (["addresses", "bankAccount"], [COUNTRY, IBAN, ACCOUNT]),
    ],
)
def test_a_member_that_was_there_before_is_told(
    told: tuple[Context, list[str]], names: list[str], paths: list[str]
) -> None:
    ctx, lines = told
    land(ctx, DOCUMENTS, [page(*(without(*names)(document(n)) for n in (3, 4)))], side="vms")
    tell_absent(ctx, DOCUMENTS)
    lost = [line for line in lines if "though it was there before" in line]
    assert [line.split()[1] for line in lost] == paths
    assert all("none of 2 open documents" in line and "in 2 cases" in line for line in lost)


def test_one_open_document_that_has_it_is_enough(told: tuple[Context, list[str]]) -> None:
    ctx, lines = told
    land(ctx, DOCUMENTS, [page(without("addresses", "bankAccount")(document(3)), document(4))], side="vms")
    tell_absent(ctx, DOCUMENTS)
    assert not [line for line in lines if "there before" in line]


def test_a_partner_that_never_had_it_proves_nothing(told: tuple[Context, list[str]]) -> None:
    ctx, lines = told
    land(ctx, DOCUMENTS, [page(without("addresses", "bankAccount")(document(3, partner=9)))], side="vms")
    tell_absent(ctx, DOCUMENTS)
    assert not [line for line in lines if "there before" in line]
