"""What the tests of landing share: a context over a fresh folder, and pages of documents as the VMS writes them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

from pipelines.core.settings import load_settings
from pipelines.step.context import Context
from pipelines.stores.control import Control
from pipelines.stores.warehouse import open_warehouse
from pipelines.wire.ledger import LedgerClient
from pipelines.wire.vms import VmsClient

HOST = "https://tenant.dataloy.com/ws/rest"
NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)

Json = dict[str, Any]


def make_context(
    folder: Path,
    *,
    batch_id: str = "b1",
    now: Callable[[], datetime] = lambda: NOW,
    today: date = date(2026, 11, 2),
    vms: VmsClient | None = None,
    ledger: LedgerClient | None = None,
) -> Context:
    """Return a batch's context over a warehouse and a control store in ``folder``."""
    environ = {
        "SPRINGLINE_VMS__BASE_URL": HOST,
        "SPRINGLINE_VMS__USERNAME": "api",
        "SPRINGLINE_VMS__PASSWORD": "secret",
        "SPRINGLINE_LEDGER__TOKEN": "token",
        "SPRINGLINE_WAREHOUSE": str(folder / "springline.duckdb"),
        "SPRINGLINE_PUBLISHED": str(folder / "published"),
    }
    settings = load_settings(None, environ=environ)
    return Context(
        batch_id=batch_id,
        today=today,
        now=now,
        operator="tester",
        settings=settings,
        control=Control(settings.control_path),
        warehouse=open_warehouse(settings.warehouse_path),
        vms=cast("VmsClient", vms),
        ledger=cast("LedgerClient", ledger),
        report=lambda *_: None,
    )


def ref(entity: str, key: int, **members: object) -> Json:
    """Return an object as the VMS refers to it: key and address, and what was asked for."""
    return {"key": key, "self": f"{HOST}/{entity}/{key}", **members}


def vms_document(number: int, *, lines: int = 5, **members: object) -> Json:
    """Return one document with everything that is asked for, the same for the same number."""
    rolls = random.Random(number)  # noqa: S311 test data
    nested = [vms_line(number, place, amount=rolls.randint(100, 10_000_000) / 100) for place in range(lines)]
    total = round(sum(line["documentAmount"] for line in nested), 2)
    document = ref(
        "Document",
        5_200_000 + number,
        documentNo=str(2_700_000 + number),
        externalDocumentNo=f"F-{number}|602243",
        documentDate="2026-11-02T00:00:00",
        documentText="Port call",
        documentAmount=total,
        companyCurrencyAmount=round(total * 10.5, 2),
        sourceCurrencyAmount=total,
        modifiedDate="2026-11-02T08:11:12",
        glAccount=None,
        documentType=ref("DocumentType", 1_000_001, documentType="INI"),
        invoicingStatus=ref("StatusType", 1_000_007, statusTypeCode="RFP"),
        documentCurrency=ref("Currency", 1_000_840, currencyCode="USD"),
        company=ref(
            "Company",
            1_000_010,
            companyCode="28601",
            country=ref("Country", 47, countryCode="NO"),
            currency=ref("Currency", 578, currencyCode="NOK"),
        ),
        businessPartner=ref(
            "BusinessPartner",
            1_045_999,
            businessPartnerCode=f"6{number % 40:04d}",
            businessPartnerName="Nordic Agency AS",
            businessPartnerType=ref("BusinessPartnerType", 9, businessPartnerTypeCode="AG"),
            addresses=[ref("Address", 17, country=ref("Country", 47, countryCode="NO"))],
            bankAccount=ref("BankAccount", 33, iban="NO0286011117947", bankAccountNo="86011117947"),
        ),
        documentPaymentTerms=[
            ref("DocumentPaymentTerm", 2 * number, dueDate="2026-12-01T00:00:00", percentage=95.0),
            ref("DocumentPaymentTerm", 2 * number + 1, dueDate="2027-01-01T00:00:00", percentage=5.0),
        ],
        estimateAmount=None,
        estimateAmountYtd=None,
        estimateAmountTotal=None,
        accountAmount=None,
        accountAmountYtd=None,
        voyageSnapshot=None,
        documentLines=nested,
    )
    return {**document, **members}


def vms_line(number: int, place: int, *, amount: float) -> Json:
    """Return one document line with its voyage, vessel and, on every second, VAT."""
    vat = ref("VatRate", 5, vatRate=0.25, vat=ref("Vat", 6, vatCode="1"))
    return ref(
        "DocumentLine",
        9_000_000 + number * 1000 + place,
        documentAmount=amount,
        companyCurrencyAmount=round(amount * 10.5, 2),
        sourceCurrencyAmount=amount,
        glAccount=str(4300 + place),
        documentLineText=f"Agency fee {place}",
        quantity=1.0,
        unitPrice=amount,
        isAccountsPayable=True,
        vatRate=vat if place % 2 else None,
        businessPartner=None,
        refDocument=None,
        voyage=ref(
            "Voyage",
            7_000_000 + number % 60,
            isTc=bool(number % 2),
            voyageHeader=ref("VoyageHeader", 7_100_000 + number % 60, referenceNo=f"V{number % 12:03d}-2601"),
            vessel=ref(
                "Vessel",
                8_000 + number % 12,
                vesselName=f"Vessel {number % 12}",
                vesselCodes=[ref("VesselCode", 8_100 + number % 12, vesselCode=f"V{number % 12:03d}")],
                pool=ref("Pool", 8_200, poolCode="SUPRA"),
            ),
        ),
    )


def page(*objects: object) -> bytes:
    """Return a page of objects."""
    return json.dumps(objects, separators=(",", ":")).encode()


def vms_pages(count: int, *, lines: int = 5, size: int = 500) -> list[bytes]:
    """Return ``count`` documents, ``size`` a page."""
    return list(each_vms_page(count, lines=lines, size=size))


def each_vms_page(count: int, *, lines: int = 5, size: int = 500) -> Iterator[bytes]:
    """Give the pages one by one."""
    for first in range(0, count, size):
        yield page(*(vms_document(number, lines=lines) for number in range(first, min(count, first + size))))
