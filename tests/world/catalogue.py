"""What every VMS installation holds before the first voyage: countries, currencies, statuses, types, VAT codes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.world.encode import Row

COUNTRIES = {
    "NO": ("Norway", "NOK"),
    "SG": ("Singapore", "SGD"),
    "US": ("United States", "USD"),
    "DE": ("Germany", "EUR"),
    "NL": ("Netherlands", "EUR"),
    "GR": ("Greece", "EUR"),
    "CY": ("Cyprus", "EUR"),
    "GB": ("United Kingdom", "GBP"),
    "DK": ("Denmark", "DKK"),
    "SE": ("Sweden", "SEK"),
    "JP": ("Japan", "JPY"),
    "CH": ("Switzerland", "CHF"),
    "HK": ("Hong Kong", "HKD"),
    "CN": ("China", "CNY"),
    "BR": ("Brazil", "USD"),
    "AE": ("United Arab Emirates", "USD"),
    "EG": ("Egypt", "USD"),
    "PA": ("Panama", "USD"),
}
CURRENCIES = {
    "NOK": "Norwegian krone",
    "USD": "US dollar",
    "EUR": "Euro",
    "GBP": "Pound sterling",
    "SGD": "Singapore dollar",
    "JPY": "Yen",
    "DKK": "Danish krone",
    "SEK": "Swedish krona",
    "CHF": "Swiss franc",
    "HKD": "Hong Kong dollar",
    "CNY": "Renminbi",
}
BASE_COUNTRY = "US"

_STATUSES = (
    ("Document", "PEN", "Pending"),
    ("Document", "INV", "Approval"),
    ("Document", "RFP", "Ready for posting"),
    ("Document", "POS", "Posted"),
    ("Voyage", "EST", "Estimate"),
    ("Voyage", "NOM", "Nominated"),
    ("Voyage", "OPR", "Operational"),
    ("Voyage", "CLO", "Closed"),
)
_DOCUMENT_TYPES = {
    "INI": "Invoice In",
    "INO": "Invoice Out",
    "CRI": "Credit In",
    "CRO": "Credit Out",
    "PMI": "Receipt",
    "PMO": "Payment",
    "ACC": "Accounting",
    "ACP": "Accrual Posted",
    "ACR": "Accrual Reversed",
    "CAP": "Company Accrual Posted",
    "CAR": "Company Accrual Reversed",
    "APR": "Advance Payment Request",
    "BAP": "Bunker Adjustment Posting",
    "BAR": "Bunker Adjustment Reversal",
}
_PARTNER_TYPES = {
    "AG": "Agent",
    "BR": "Broker",
    "BU": "Bunker supplier",
    "OW": "Owner",
    "CH": "Charterer",
    "CU": "Customer",
    "BO": "Supplier and customer",
    "PO": "Port authority",
    "TE": "Terminal",
}


@dataclass(frozen=True, slots=True)
class Vat:
    """One VAT code: its rate as a fraction, and the account that its VAT lines stand on."""

    description: str
    rate: Decimal
    account: str | None


VATS = {
    "0": Vat("Purchase without VAT", Decimal("0.00"), None),
    "1": Vat("Purchase 25 %", Decimal("0.25"), "2710"),
    "11": Vat("Purchase 15 %", Decimal("0.15"), "2710"),
    "31": Vat("Purchase 12 %, unknown to the ledger", Decimal("0.12"), "2710"),
    "86": Vat("Services from abroad, reverse charge", Decimal("0.25"), None),
    "2": Vat("Sale 25 %", Decimal("0.25"), "2700"),
    "21": Vat("Sale 15 %", Decimal("0.15"), "2700"),
    "27": Vat("Sale to a foreign customer", Decimal("0.00"), None),
    "TX9": Vat("Singapore purchase 9 %", Decimal("0.09"), "2710"),
    "SR9": Vat("Singapore sale 9 %", Decimal("0.09"), "2700"),
}
REVERSE_CHARGE = ("86",)


def countries() -> Iterator[Row]:
    """Give the countries, each with its currency."""
    for place, (code, (name, currency)) in enumerate(COUNTRIES.items()):
        yield {"key": 1000100 + place, "countryCode": code, "countryName": name, "currency": currency}


def currencies() -> Iterator[Row]:
    """Give the currencies."""
    for place, (code, name) in enumerate(CURRENCIES.items()):
        yield {"key": 1000200 + place, "currencyCode": code, "currencyName": name}


def status_types() -> Iterator[Row]:
    """Give the statuses of documents and of voyages, told apart by their class."""
    for place, (status_class, code, description) in enumerate(_STATUSES):
        yield {
            "key": 1000300 + place,
            "statusTypeCode": code,
            "statusTypeDesc": description,
            "statusClass": status_class,
            "statusTypeSequence": place + 1,
            "isFixed": True,
        }


def document_types() -> Iterator[Row]:
    """Give the document types."""
    for place, (code, description) in enumerate(_DOCUMENT_TYPES.items()):
        yield {"key": 1000400 + place, "documentType": code, "documentTypeDesc": description}


def partner_types() -> Iterator[Row]:
    """Give the partner types; TE is mapped to neither suppliers nor customers."""
    for place, (code, description) in enumerate(_PARTNER_TYPES.items()):
        yield {"key": 1000500 + place, "businessPartnerType": code, "businessPartnerTypeDesc": description}


def vats() -> Iterator[Row]:
    """Give the VAT codes."""
    for place, (code, vat) in enumerate(VATS.items()):
        yield {"key": 1000600 + place, "vatCode": code, "vatDesc": vat.description}


def system() -> Iterator[Row]:
    """Give the system, whose country's currency (USD) is another base than the ledger's (NOK)."""
    yield {"key": 1000000, "country": BASE_COUNTRY}
