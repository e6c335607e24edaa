"""The VMS contracts: what is asked for is what the mapping needs, in a form that the header takes."""

from __future__ import annotations

import json

import pytest

from pipelines.contracts import ledger as ledger_contracts
from pipelines.contracts import vms as vms_contracts
from pipelines.contracts.contract import Contract, MemberKind
from pipelines.contracts.shape import paths, tables_of
from pipelines.wire.filters import fields_header

ALL = (*vms_contracts.ALL, *ledger_contracts.ALL)
# docs/mapping.md#0, document by document and line by line.
DOCUMENT_PATHS = [
    "documentNo",
    "externalDocumentNo",
    "documentDate",
    "documentText",
    "documentAmount",
    "companyCurrencyAmount",
    "sourceCurrencyAmount",
    "modifiedDate",
    "glAccount",
    "documentType.documentType",
    "invoicingStatus.statusTypeCode",
    "documentCurrency.currencyCode",
    "estimateAmount",
    "estimateAmountYtd",
    "estimateAmountTotal",
    "accountAmount",
    "accountAmountYtd",
    "voyageSnapshot.key",
    "company.companyCode",
    "company.country.countryCode",
    "company.currency.currencyCode",
    "businessPartner.businessPartnerCode",
    "businessPartner.businessPartnerName",
    "businessPartner.businessPartnerType.businessPartnerTypeCode",
    "businessPartner.addresses.country.countryCode",
    "businessPartner.bankAccount.iban",
    "businessPartner.bankAccount.bankAccountNo",
    "documentPaymentTerms.dueDate",
    "documentPaymentTerms.percentage",
    "documentLines.key",
    "documentLines.documentAmount",
    "documentLines.companyCurrencyAmount",
    "documentLines.sourceCurrencyAmount",
    "documentLines.glAccount",
    "documentLines.documentLineText",
    "documentLines.quantity",
    "documentLines.unitPrice",
    "documentLines.isAccountsPayable",
    "documentLines.vatRate.vatRate",
    "documentLines.vatRate.vat.vatCode",
    "documentLines.businessPartner.businessPartnerCode",
    "documentLines.refDocument.documentNo",
    "documentLines.voyage.isTc",
    "documentLines.voyage.voyageHeader.referenceNo",
    "documentLines.voyage.vessel.vesselName",
    "documentLines.voyage.vessel.vesselCodes.vesselCode",
    "documentLines.voyage.vessel.pool.poolCode",
]


def test_a_document_comes_with_all_that_the_mapping_reads() -> None:
    assert set(DOCUMENT_PATHS) <= set(paths(vms_contracts.DOCUMENTS))


@pytest.mark.parametrize("contract", vms_contracts.ALL, ids=lambda contract: f"{contract.entity}.{contract.table}")
def test_the_fields_header_is_plain_and_short(contract: Contract) -> None:
    header = fields_header(paths(contract))
    assert header.isascii()
    assert len(header) < 4096
    assert json.loads(header)["key"] == "*"


@pytest.mark.parametrize("contract", ALL, ids=lambda contract: f"{contract.entity}.{contract.table}")
def test_a_key_is_a_required_whole_number(contract: Contract) -> None:
    [key] = [member for member in contract.members if member.column == contract.key]
    assert key.required
    assert key.kind in {MemberKind.INTEGER, MemberKind.ID}
    assert "." not in key.path


@pytest.mark.parametrize("contract", ALL, ids=lambda contract: f"{contract.entity}.{contract.table}")
def test_no_column_stands_twice(contract: Contract) -> None:
    for columns in tables_of(contract).values():
        names = [name for name, _ in columns]
        assert len(names) == len(set(names))


def test_no_table_stands_twice() -> None:
    for contracts in (vms_contracts.ALL, ledger_contracts.ALL):
        names = [c.table for c in contracts] + [children.table for c in contracts for children in c.children]
        assert len(names) == len(set(names))
