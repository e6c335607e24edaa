"""Both sides of a small world in which invoices are booked already, and the vouchers that were sent for them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.outbox.intent import Intent, Json, Kind
from tests.support.sandbox_server import write_seed

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, Any]
FIRST_KEY = 5_200_000
SIDES = {"INI": "AP", "CRI": "AP", "INO": "AR", "CRO": "AR"}
PARTNERS = {"AP": "60526", "AR": "70001"}
PARTNER_KEYS = {"AP": 1_400_001, "AR": 1_400_002}
PARTNER_TYPES = {"AP": "AG", "AR": "CH"}
CONTROL = {"AP": "2400", "AR": "1500"}


@dataclass(frozen=True, slots=True)
class Invoice:
    """A document of the VMS whose voucher is in the books; amounts in its currency, credit notes negative."""

    number: str
    type: str
    amounts: tuple[str, ...]
    currency: str = "USD"
    rate: str = "10"
    external: str | None = None
    is_typed: bool = False

    @property
    def side(self) -> str:
        return SIDES[self.type]

    @property
    def invoice_number(self) -> str:
        return self.external or self.number

    @property
    def text(self) -> str:
        return f"{self.number} {'Nordic Agency AS' if self.side == 'AP' else 'Both Ltd'}"

    @property
    def total(self) -> Decimal:
        return sum(map(Decimal, self.amounts), Decimal(0))


def _lines(objects: Mapping[str, Iterable[Row]]) -> dict[str, str]:
    return {name: "\n".join(json.dumps(item, default=str) for item in items) for name, items in objects.items()}


def _ledger(invoices: Iterable[Invoice], rates: Iterable[Row]) -> dict[str, list[Row]]:
    vessels = [{"kind": "VESSEL", "code": "V001", "description": "Alpha", "owner": 28600}]
    codes = ("AP", "AR", "GL", "DR", "OCR", "BA", "XX")
    return {
        "currencies": [{"code": c, "minor": 0 if c == "JPY" else 2} for c in ("NOK", "USD", "EUR", "SGD", "JPY")],
        "countries": [{"code": "NO"}],
        "entities": [
            {"ownerCode": 28600, "description": "Group", "currency": "NOK", "glObjects": {"glObject1": "VESSEL"}},
            {"ownerCode": 28601, "description": "Norway", "currency": "NOK", "parent": 28600},
        ],
        "object_values": vessels,
        "accounts": [
            {"code": "1500", "description": "Receivables", "owner": 28600, "balanceSheet": True, "ledgerType": "AR"},
            {"code": "1920", "description": "Bank", "owner": 28600, "balanceSheet": True},
            {"code": "2400", "description": "Payables", "owner": 28600, "balanceSheet": True, "ledgerType": "AP"},
            {"code": "2960", "description": "Accruals", "owner": 28600, "balanceSheet": True},
            *({"code": code, "description": code, "owner": 28600} for code in ("3000", "4300", "4999", "7770", "8160")),
        ],
        "transaction_sources": [{"code": code} for code in codes],
        "suppliers": [{"code": "60526", "description": "Nordic Agency AS", "owner": 28600}],
        "companies": [{"code": "70001", "description": "Both Ltd", "owner": 28600}],
        "customers": [{"code": "70001", "description": "Both Ltd", "owner": 28600, "company": "70001"}],
        "projects": [
            {"code": code, "description": code, "owner": 28600, "fromDate": "2026-01-01", "toDate": "2027-12-31"}
            for code in ("V001-2601", "V001-2602", "OFFICE")
        ],
        "exchange_rates": list(rates),
        "vouchers": [booked(invoice) for invoice in invoices],
    }  # fmt: skip


def booked(invoice: Invoice) -> Row:
    sign = -1 if invoice.side == "AP" else 1
    common = {"currency": invoice.currency, "text": invoice.text}
    control = [
        {
            "account": CONTROL[invoice.side],
            "subledger": PARTNERS[invoice.side],
            "invoiceNumber": invoice.invoice_number,
            "invoiceAmount": str(sign * Decimal(amount)),
            "amount": str(sign * Decimal(amount) * Decimal(invoice.rate)),
            "dueDate": f"2026-11-{10 + place}",
            **common,
        }
        for place, amount in enumerate(invoice.amounts)
    ]
    total = -sign * invoice.total
    cost = {"account": "4300", "invoiceAmount": str(total), "amount": str(total * Decimal(invoice.rate)), **common}
    return {
        "owner": 28601,
        "source": invoice.side,
        "postedDate": "2026-10-05",
        "text": f"{invoice.number} typed by hand" if invoice.is_typed else invoice.text,
        "imported": not invoice.is_typed,
        "lines": [*control, cost],
    }


def _vms(invoices: Iterable[Invoice]) -> dict[str, list[Row]]:
    statuses = [("PEN", "D"), ("INV", "D"), ("RFP", "D"), ("POS", "D"), ("OPR", "V")]
    types = ("INI", "INO", "CRI", "CRO", "PMI", "PMO", "ACC", "ACP", "ACR")
    return {
        "Currency": [{"currencyCode": code} for code in ("NOK", "USD", "EUR", "SGD", "JPY")],
        "Country": [{"countryCode": "NO", "currency": "NOK"}, {"countryCode": "US", "currency": "USD"}],
        "StatusType": [{"statusTypeCode": c, "statusTypeDesc": c, "statusClass": kind} for c, kind in statuses],
        "DocumentType": [{"documentType": code, "documentTypeDesc": code} for code in types],
        "Company": [{"companyCode": "28601", "companyName": "Norway", "country": "NO", "currency": "NOK"}],
        "System": [{"key": 1000000, "country": "US"}],
        "BusinessPartnerType": [
            {"businessPartnerType": code, "businessPartnerTypeDesc": code} for code in PARTNER_TYPES.values()
        ],
        "BusinessPartner": [
            {
                "key": PARTNER_KEYS[side],
                "businessPartnerCode": code,
                "businessPartnerName": code,
                "businessPartnerSort": code,
                "businessPartnerType": PARTNER_TYPES[side],
            }
            for side, code in PARTNERS.items()
        ],
        "Vessel": [{"vesselName": "Alpha", "vesselCodes": [{"vesselCode": "V001"}]}],
        "VoyageHeader": [{"referenceNo": "V001-2601", "voyageStatus": "OPR"}],
        "Voyage": [{"voyageHeader": "V001-2601", "vessel": "V001"}],
        "Account": [{"accountCode": code, "glAccount": code} for code in ("3000", "4300")],
        "Document": [_document(FIRST_KEY + place, invoice) for place, invoice in enumerate(invoices)],
    }


def _document(key: int, invoice: Invoice) -> Row:
    amounts = {
        "documentAmount": float(invoice.total),
        "companyCurrencyAmount": float(invoice.total * Decimal(invoice.rate)),
    }
    return {
        "key": key,
        "documentType": invoice.type,
        "documentNo": invoice.number,
        "documentDate": "2026-10-05T00:00:00",
        "documentCurrency": invoice.currency,
        "company": "28601",
        "businessPartner": PARTNERS[invoice.side],
        "invoicingStatus": "POS",
        **amounts,
        "documentLines": [{**amounts, "glAccount": "4300", "voyage": "V001-2601"}],
    }


def returns_seed(folder: Path, invoices: Iterable[Invoice], rates: Iterable[Row]) -> Path:
    """Write the seed directory."""
    listed = list(invoices)
    return write_seed(folder, _lines(_vms(listed)), _lines(_ledger(listed, rates)))


def sent(key: int, invoice: Invoice) -> Intent:
    sign = -1 if invoice.side == "AP" else 1
    look_up: Json = {
        "lines": len(invoice.amounts) + 1,
        "source": invoice.side,
        "ext_order_number": invoice.number,
        "posted_date": "2026-10-05",
        "text": invoice.text,
        "invoice_number": invoice.invoice_number,
        "subledger": PARTNERS[invoice.side],
        "partner_key": PARTNER_KEYS[invoice.side],
        "currency": invoice.currency,
        "control_amount": str(sign * invoice.total),
    }
    return Intent(
        Kind.VOUCHER,
        str(key),
        "ledger",
        payload=[],
        source_hash="hash",
        look_up=look_up,
        company_code="28601",
        owner_code=28601,
        document_key=key,
        document_no=invoice.number,
    )
