"""A sandbox world for delivery: two companies below a group, a supplier, and documents that wait to be acknowledged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.sandbox_server import write_seed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NO_LIMITS = {"burst_requests": None, "concurrency": None, "credits_per_hour": None, "posting_every_minutes": None}

_LEDGER: dict[str, list[dict[str, object]]] = {
    "currencies": [{"code": "NOK", "minor": 2}, {"code": "USD", "minor": 2}],
    "countries": [{"code": "NO"}],
    "entities": [
        {"ownerCode": 28600, "description": "Group", "currency": "NOK", "glObjects": {"glObject1": "VESSEL"}},
        {"ownerCode": 28601, "description": "Norway", "currency": "NOK", "parent": 28600},
        {"ownerCode": 28602, "description": "Singapore", "currency": "NOK", "parent": 28600},
    ],
    "accounts": [
        {"code": "2400", "description": "Payables", "owner": 28600, "balanceSheet": True, "ledgerType": "AP"},
        {"code": "4300", "description": "Agency", "owner": 28600},
    ],
    "transaction_sources": [{"code": code} for code in ("AP", "AR", "GL")],
    "suppliers": [{"code": "60526", "description": "Nordic", "owner": 28600}],
}  # fmt: skip
_VMS: dict[str, list[dict[str, object]]] = {
    "Currency": [{"key": 1, "currencyCode": "USD"}, {"key": 2, "currencyCode": "NOK"}],
    "Country": [{"key": 3, "countryCode": "NO", "currency": "NOK"}],
    "StatusType": [
        {"key": 10 + place, "statusTypeCode": code, "statusTypeDesc": code, "statusClass": "Document"}
        for place, code in enumerate(("PEN", "INV", "RFP", "POS"))
    ],
    "DocumentType": [{"key": 20, "documentType": "INI", "documentTypeDesc": "Invoice In"}],
    "Company": [{"key": 30, "companyCode": "28601", "companyName": "Norway", "country": "NO", "currency": "NOK"}],
    "System": [{"key": 1000000, "country": "NO"}],
    "BusinessPartner": [
        {"key": 40, "businessPartnerCode": "60526", "businessPartnerName": "Nordic", "businessPartnerSort": "NORDIC"}
    ],
}


def _document(key: int) -> dict[str, object]:
    return {
        "key": key,
        "documentType": "INI",
        "documentNo": f"27{key}",
        "documentDate": "2026-11-02T00:00:00",
        "documentAmount": 100,
        "companyCurrencyAmount": 1000,
        "documentCurrency": "USD",
        "company": "28601",
        "businessPartner": "60526",
        "invoicingStatus": "RFP",
        "documentLines": [
            {"documentAmount": 100, "companyCurrencyAmount": 1000, "glAccount": "4300", "documentLineText": "Towage"}
        ],
    }


def seed(folder: Path, *, keys: Iterable[int]) -> Path:
    """Write a seed with these documents ready for posting."""
    vms = _VMS | {"Document": [_document(key) for key in keys]}
    return write_seed(folder, _lines(vms), _lines(_LEDGER))


def _lines(objects: dict[str, list[dict[str, object]]]) -> dict[str, str]:
    return {name: "\n".join(json.dumps(item) for item in items) for name, items in objects.items()}
