"""Partners as the VMS holds them, and as a master-data run leaves them in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.world.catalogue import COUNTRIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.world.encode import Row
    from tests.world.partners import Partner

_SORT_LENGTH = 20
# One bank a country: the same object by its key wherever it stands.
_FIRST_BANK_KEY = 1500001


def _addresses(partner: Partner) -> list[Row]:
    if partner.country is None:
        return []
    return [
        {"address1": partner.street, "zipCode": partner.zip_code, "city": partner.city, "country": partner.country},
    ]


def _bank_account(partner: Partner) -> Row | None:
    if partner.account_number is None or partner.country is None:
        return None
    bank: Row = {
        "key": _FIRST_BANK_KEY + tuple(COUNTRIES).index(partner.country),
        "bankName": f"Spring Bank {partner.country}",
        "swiftAddress": f"SPRB{partner.country}2X",
    }
    return {"bankAccountNo": partner.account_number, "iban": partner.iban, "bank": bank}


def vms_partner_rows(partners: Iterable[Partner], *, modified: str, first_key: int) -> Iterator[Row]:
    """Give the partners with address, e-mail and bank account inline; ``modified`` is their modifiedDate."""
    for place, partner in enumerate(partners):
        sort = f"{partner.code}.{partner.name}"[:_SORT_LENGTH].upper()
        yield {
            "key": first_key + place,
            "businessPartnerCode": partner.code,
            "businessPartnerName": partner.name,
            "businessPartnerSort": sort,
            "businessPartnerType": partner.type,
            "addresses": _addresses(partner),
            "contactInfo": [{"email": partner.email}] if partner.email else [],
            "bankAccount": _bank_account(partner),
            "companyRegistrationNo": partner.registration_number,
            "vatNumber": partner.vat_number,
            "isInterCompany": False,
            "modifiedDate": modified,
        }


def ledger_bank_account(partner: Partner) -> str | None:
    """Give the account number that the ledger holds: the national number for a Norwegian IBAN, else the IBAN."""
    return partner.account_number if partner.country == "NO" else partner.iban or partner.account_number


def supplier_row(partner: Partner, *, owner: int) -> Row:
    """Give the supplier, in step with the VMS, as input of addSuppliers."""
    return {
        "owner": owner,
        "code": partner.code,
        "description": partner.name,
        "companyNumber": partner.registration_number,
        "taxNumber": partner.vat_number,
        "streetAddress": partner.street or None,
        "zipCode": partner.zip_code or None,
        "place": partner.city or None,
        "country": {"code": partner.country} if partner.country else None,
        "email": partner.email,
        "bankAccount": ledger_bank_account(partner),
    }


def company_row(partner: Partner, *, owner: int) -> Row:
    """Give the legal party behind a customer, as input of addCompanies."""
    return {
        "owner": owner,
        "code": partner.code,
        "description": partner.name,
        "companyNumber": partner.registration_number,
        "taxNumber": partner.vat_number,
        "email": partner.email,
        "country": {"code": partner.country} if partner.country else None,
        "address": {
            "streetAddress": partner.street or None,
            "zipCode": partner.zip_code or None,
            "place": partner.city or None,
            "country": partner.country,
        },
    }


def customer_row(partner: Partner, *, owner: int) -> Row:
    """Give the customer, in step with the VMS, as input of addCustomers."""
    return {**supplier_row(partner, owner=owner), "company": {"code": partner.code}}
