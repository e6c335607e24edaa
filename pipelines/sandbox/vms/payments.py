"""What the VMS checks on payments, receipts and actuals that an integration posts.

Source: docs/systems/vms.md#3-4 and #3-9.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.sandbox.vms.errors import ApiError

if TYPE_CHECKING:
    from pipelines.sandbox.vms.json import Obj
    from pipelines.sandbox.vms.store import Unit, VmsStore

PAYMENT_TYPES = frozenset({"PMI", "PMO"})
# Used when no line of the invoice says it.
_PAYABLE = {"INI": True, "CRI": True, "INO": False, "CRO": False}
# (payment type, is accounts payable) -> sign of the amounts, as documented (docs/systems/vms.md#3-4).
_SIGN = {("PMI", True): 1, ("PMO", True): -1, ("PMI", False): -1, ("PMO", False): 1}
_AMOUNTS = ("documentAmount", "companyCurrencyAmount", "sourceCurrencyAmount")
_TOLERANCE = Decimal("0.01")
# Relative, because the few digits of a rate matter more the larger the amount is.
_RATE_TOLERANCE = Decimal("0.0001")
_SETTLED_STATUSES = ("RFP", "POS")


@dataclass(frozen=True, slots=True)
class Payments:
    """The rules of what comes from accounting; ``warnings`` collects what is taken although it looks wrong."""

    store: VmsStore
    unit: Unit
    refuses_signs: bool = True
    warnings: list[str] = field(default_factory=list)

    def check_payment(self, document: Obj, *, document_type: str, status: str | None) -> None:
        """Check a payment or receipt against the invoice it refers to, and take over that invoice's voyage.

        Raises ApiError 400 naming the member.
        """
        line = self._only_line(document, document_type, status)
        payable = line.get("isAccountsPayable")
        reference = line.get("refDocument")
        if reference is None or payable is None:
            raise ApiError(f"'refDocument' and 'isAccountsPayable' are required on the line of a {document_type}.")
        invoice = self.store.find("Document", reference)
        self._check_invoice(document, line, invoice)
        if payable != self._is_payable(invoice):
            raise ApiError(f"'isAccountsPayable' is {int(payable)}, but not on the invoice {invoice['documentNo']}.")
        self._check_signs(document, line, sign=_SIGN[document_type, payable])
        self._check_currency(line)
        # The VMS copies the voyage from the invoice; a payment is sent without one (docs/systems/vms.md#7).
        voyages = (self.store.tables["DocumentLine"][key].get("voyage") for key in invoice.get("documentLines") or [])
        self.unit.set("DocumentLine", line["key"], voyage=next((key for key in voyages if key is not None), None))

    def check_actual(self, document: Obj) -> None:
        """Check an actual: one line with voyage and GL account, dated on the first day of its month."""
        line = self._only_line(document, "ACC", "POS")
        for name in ("voyage", "glAccount"):
            if line.get(name) is None:
                raise ApiError(f"'{name}' is required on the line of an actual.")
        if str(document["documentDate"])[8:10] != "01":
            raise ApiError(f"'documentDate' of an actual is the first of its month, not {document['documentDate']}.")

    def _only_line(self, document: Obj, document_type: str, status: str | None) -> Obj:
        lines = document.get("documentLines") or []
        if len(lines) != 1:
            raise ApiError(f"'documentLines' of a {document_type} must have exactly one line, not {len(lines)}.")
        line = self.store.tables["DocumentLine"][lines[0]]
        of_line = self.store.code_of("StatusType", line.get("invoicingStatus") or 0)
        # A payment is booked already, so it comes as posted. A line may leave its status out.
        for own in (status, of_line or "POS"):
            if own != "POS":
                raise ApiError(f"'invoicingStatus' of a {document_type} and of its line must be POS, not {own}.")
        for name in _AMOUNTS:
            head, part = document.get(name), line.get(name)
            if not isinstance(head, int | Decimal) or not isinstance(part, int | Decimal):
                raise ApiError(f"'{name}' is required on a {document_type} and on its line.")
            if abs(Decimal(head) - part) > _TOLERANCE:
                raise ApiError(f"'{name}' of a {document_type} is {head}, of its only line {part}.")
        return line

    def _check_invoice(self, document: Obj, line: Obj, invoice: Obj) -> None:
        invoice_type = self.store.code_of("DocumentType", invoice.get("documentType") or 0)
        status = self.store.code_of("StatusType", invoice.get("invoicingStatus") or 0)
        if invoice_type not in _PAYABLE or status not in _SETTLED_STATUSES:
            number = invoice["documentNo"]
            raise ApiError(f"'refDocument' {number} is no posted invoice but a {invoice_type} in {status}.")
        # Stricter than the documentation, which only says what each member means (docs/systems/vms.md#8).
        pairs = [(name, document.get(name)) for name in ("company", "businessPartner", "documentCurrency")]
        own = (name for name in ("businessPartner", "documentCurrency") if line.get(name) is not None)
        pairs += [(name, line[name]) for name in own]
        for name, value in pairs:
            if value != invoice.get(name):
                raise ApiError(f"'{name}' is not that of the invoice {invoice['documentNo']}.")

    def _check_currency(self, line: Obj) -> None:
        """Check what was paid in: a currency that there is, at the rate that makes its amount of the invoice's."""
        code = line.get("sourceCurrencyCode")
        if code is not None and not self.store.keys_of("Currency", code):
            raise ApiError(f"'sourceCurrencyCode': there is no Currency with the code {code!r}.")
        rate = line.get("exchangeRate")
        if not isinstance(rate, int | Decimal):
            return
        made, given = Decimal(rate) * line["documentAmount"], Decimal(line["sourceCurrencyAmount"])
        if abs(made - given) > max(_TOLERANCE, abs(given) * _RATE_TOLERANCE):
            raise ApiError(f"'exchangeRate' {rate} makes 'documentAmount' {made:f}, 'sourceCurrencyAmount' is {given}.")

    def _is_payable(self, invoice: Obj) -> bool:
        lines = (self.store.tables["DocumentLine"][key] for key in invoice.get("documentLines") or [])
        given = (line["isAccountsPayable"] for line in lines if line.get("isAccountsPayable") is not None)
        return bool(next(given, _PAYABLE[self.store.code_of("DocumentType", invoice["documentType"])]))

    def _check_signs(self, document: Obj, line: Obj, *, sign: int) -> None:
        wanted = "positive" if sign > 0 else "negative"
        for name in _AMOUNTS:
            for amount in (document[name], line[name]):
                # Zero has no wrong sign.
                if amount * sign < 0:
                    self._refuse_or_warn(f"'{name}' must be {wanted} here, not {amount}.")

    def _refuse_or_warn(self, message: str) -> None:
        if self.refuses_signs:
            raise ApiError(message)
        self.warnings.append(message)
