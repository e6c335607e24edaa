"""Reads what each side itself holds, without Springline's tables: the VMS by REST, the ledger by its books."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.demo.compared import Row
from pipelines.wire.vms import VmsClient

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.demo.server import SandboxControl

# Every transfer of money in the ledger has one of these sources (docs/mapping.md#3), and a type that is no invoice's.
_PAYMENT_SOURCES = frozenset({"DR", "AB", "OCR", "BA", "GL", "CHD", "EFT", "DGL"})
_NO_PAYMENT = frozenset({None, "INVOICE", "CREDIT_MEMO"})
# Where the members of a VmsDocument stand in the VMS's object; of its lines the first counts.
_TEXTS = {
    "number": "documentNo",
    "type": "documentType.documentType",
    "status": "invoicingStatus.statusTypeCode",
    "day": "documentDate",
    "company": "company.companyCode",
    "partner": "businessPartner.businessPartnerCode",
    "currency": "documentCurrency.currencyCode",
    "external_number": "externalDocumentNo",
    "account": "documentLines.glAccount",
    "voyage": "documentLines.voyage.voyageHeader.referenceNo",
}
_NUMBERS = {
    "amount": "documentAmount",
    "company_amount": "companyCurrencyAmount",
    "source_amount": "sourceCurrencyAmount",
}
_SETTLES = "documentLines.refDocument.key"
_RATE_FIELDS = ("exchangeRate", "exchangeRateDate", "fromCurrency.currencyCode", "currency.currencyCode")


@dataclass(frozen=True, slots=True)
class VmsDocument:
    """A document of the VMS; ``settles`` is the key of the one that its first line refers to."""

    key: int
    number: str
    type: str
    status: str
    day: str
    company: str
    partner: str
    currency: str
    external_number: str
    amount: Decimal
    company_amount: Decimal
    source_amount: Decimal
    account: str
    voyage: str
    settles: int


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A row of the ledger's books with what its voucher says; ``match`` is 0 where it has no subledger row."""

    row: int
    owner: int
    source: str
    voucher_text: str
    imported_as: int
    day: str
    account: str
    is_balance_sheet: bool
    project: str
    currency: str
    text: str
    amount: Decimal
    company_amount: Decimal
    side: str
    partner: str
    type: str | None
    match: int
    remaining: Decimal

    @property
    def is_payment(self) -> bool:
        """Tell whether it is a transfer of money: a subledger row of a payment's source and type."""
        return bool(self.side) and self.source in _PAYMENT_SOURCES and self.type not in _NO_PAYMENT

    @property
    def in_match(self) -> tuple[int, str, int]:
        """Return entity, side and number of its match; number 0: not matched."""
        return self.owner, self.side, self.match


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that is compared.

    Rates are by day, base currency and other currency: so many of the other are worth one of the base.
    """

    documents: Mapping[int, VmsDocument]
    rows: Sequence[LedgerRow]
    vouchers: Mapping[int, Sequence[Row]]
    vms_rates: Mapping[tuple[str, str, str], Decimal]
    ledger_rates: Mapping[tuple[str, str, str], Decimal]


def read_books(settings: Settings, control: SandboxControl, *, now: Callable[[], datetime]) -> Books:
    """Read both sides; raises SpringlineError when one of them does not answer."""
    client = VmsClient(settings.vms, count=lambda _side, _operation: None, now=now)
    try:
        documents = client.find("Document", filters=(), fields=(*_TEXTS.values(), *_NUMBERS.values(), _SETTLES))
        vms_rates = client.find("ExchangeRate", filters=(), fields=_RATE_FIELDS)
    finally:
        client.close()
    # From the sandbox's own interface, not through our client: what the product reads wrongly must not prove itself.
    vouchers = control.call("ledger/vouchers")
    imported: dict[int, list[Row]] = {}
    for voucher in vouchers:
        if voucher["importedAt"] and voucher["trRegNumber"]:
            imported.setdefault(voucher["trRegNumber"], []).append(voucher)
    return Books(
        documents={row["key"]: _document(row) for row in documents},
        rows=[_ledger_row(voucher, line) for voucher in vouchers for line in voucher["lines"]],
        vouchers=imported,
        vms_rates={
            (
                row["exchangeRateDate"][:10],
                row["fromCurrency"]["currencyCode"],
                row["currency"]["currencyCode"],
            ): number(row["exchangeRate"])
            for row in vms_rates
        },
        ledger_rates=_quoted(control.call("ledger/rates"), owner=_whose_rates(settings)),
    )


def number(value: object) -> Decimal:
    """Return a number of JSON with the digits it was written with; 0 for anything else."""
    return Decimal(str(value)) if isinstance(value, int | Decimal) else Decimal(0)


def _whose_rates(settings: Settings) -> int:
    """Return the entity whose rates the VMS gets: that of the settings, else the group, else the first company's."""
    links = [company.link for company in settings.companies if company.link is not None]
    return settings.rates.owner or min(links, default=None) or settings.companies[0].owner


def _quoted(rows: Sequence[Row], *, owner: int) -> dict[tuple[str, str, str], Decimal]:
    """Turn the ledger's rates round: 1 unit costs `rate` of the base, so 1 of the base is worth unit / rate."""
    # In exact decimals and unrounded; what the VMS rounds away is allowed for where both are compared.
    return {
        (row["fromDate"], row["to"], row["from"]): Decimal(row["unit"]) / Decimal(row["rate"])
        for row in rows
        if int(row["owner"]) == owner
    }


def _document(row: Row) -> VmsDocument:
    members: dict[str, Any] = {name: str(_at(row, path) or "") for name, path in _TEXTS.items()}
    members |= {name: number(_at(row, path)) for name, path in _NUMBERS.items()}
    # 0 where it refers to none: no document has that key.
    return VmsDocument(key=row["key"], settles=int(_at(row, _SETTLES) or 0), **members)


# Written a second time on purpose: the product finds members in another way, and that must not prove itself.
def _at(row: Row, path: str) -> Any:  # noqa: ANN401 JSON of any shape
    value: Any = row
    for name in path.split("."):
        value = (value or {}).get(name)
        if isinstance(value, list):
            value = value[0] if value else None
    return value


def _ledger_row(voucher: Row, line: Row) -> LedgerRow:
    behind = line["subledgerRow"] or {}
    return LedgerRow(
        row=behind.get("dbId") or line["dbId"],
        owner=int(voucher["owner"]),
        source=voucher["source"],
        voucher_text=voucher["text"] or "",
        imported_as=(voucher["importedAt"] and voucher["trRegNumber"]) or 0,
        day=voucher["postedDate"],
        account=line["account"],
        is_balance_sheet=line["balanceSheet"],
        project=line["project"] or "",
        currency=line["currency"],
        text=line["text"] or "",
        amount=Decimal(line["invoiceAmount"]),
        company_amount=Decimal(line["amount"]),
        side=behind.get("side", ""),
        partner=line["subledger"] or "",
        type=behind.get("slTransactionType"),
        match=behind.get("matchId") or 0,
        remaining=Decimal(behind.get("invoiceRemaining") or 0),
    )
