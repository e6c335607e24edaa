"""What the VMS checks on documents: statuses, numbers, reversal and dissolution (docs/systems/vms.md#3-1 to #3-3)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.sandbox.vms.errors import ApiError
from pipelines.sandbox.vms.payments import PAYMENT_TYPES, Payments

if TYPE_CHECKING:
    from pipelines.sandbox.vms.json import Obj
    from pipelines.sandbox.vms.store import VmsStore
    from pipelines.sandbox.vms.write import Writer

INVOICE_TYPES = frozenset({"INI", "INO", "CRI", "CRO", "APR"})
_ACTUAL = ("ACC", "POS")
_POSTED_SECTION = ("RFP", "POS")
# Assembling, dissolving and posting are a user's steps, INV to POS too, which goes past accounting; RFP to POS is the
# integration's. Nothing leads back from RFP or POS (docs/systems/vms.md#3-1). Accruals have no INV.
_STEPS = frozenset({("PEN", "INV"), ("INV", "PEN"), ("INV", "RFP"), ("INV", "POS"), ("RFP", "POS")})
_STEPS_WITHOUT_ASSEMBLY = _STEPS | {("PEN", "RFP")}
_USER_STEPS = ("PEN", "INV")
# That a closed voyage blocks status changes is documented; its code is not.
_CLOSED = "CLO"
# Assumed (docs/systems/vms.md#a15): an invoice is reversed by the credit note of its side and the other way round.
_REVERSED_BY = {"INI": "CRI", "CRI": "INI", "INO": "CRO", "CRO": "INO", "ACC": "ACC"}
_NEGATED = ("documentAmount", "companyCurrencyAmount", "sourceCurrencyAmount", "quantity")
_NOT_COPIED = ("key", "documentLines", "documentPaymentTerms", "remarks", "invoiced", "assembled", "reversed")


@dataclass(frozen=True, slots=True)
class Documents:
    """The rules of documents within one unit of work."""

    store: VmsStore
    writer: Writer
    payments: Payments

    def check_new(self, key: int) -> None:
        """Complete and check a document that was just inserted; raises ApiError 400."""
        document = self._document(key)
        pending = self.store.keys_of("StatusType", "PEN")
        if document.get("invoicingStatus") is None:
            self.writer.unit.set("Document", key, invoicingStatus=pending[0] if pending else None)
        document = self._document(key)
        self._check_number(document)
        document_type, status = self._type(document), self._status(document)
        if document_type in PAYMENT_TYPES:
            self.payments.check_payment(document, document_type=document_type, status=status)
        elif (document_type, status) == _ACTUAL:
            self.payments.check_actual(document)

    def check_changed(self, before: Obj) -> None:
        """Check a document that was just changed; raises ApiError 400."""
        after = self._document(before["key"])
        old, new = self._status(before), self._status(after)
        if old != new and old is not None:
            self._check_step(before, old, new)
        self._check_number(after)
        document_type = self._type(after)
        if document_type in PAYMENT_TYPES:
            self.payments.check_payment(after, document_type=document_type, status=new)

    def reverse(self, key: int) -> int:
        """Reverse a document of the Posted section and give the key of the reversing document, which is RFP.

        It keeps the due dates, carries negated amounts, and its lines point to the original (docs/systems/vms.md#v12).
        """
        original = self._document(key)
        document_type, status = self._type(original), self._status(original)
        reversing = _REVERSED_BY.get(document_type)
        if reversing is None:
            raise ApiError(f"Document {original['documentNo']} of type {document_type} cannot be reversed.")
        if status not in _POSTED_SECTION or original.get("reversed") is not None:
            raise ApiError(f"Document {original['documentNo']} is not posted, or is reversed already.")
        self._refuse_closed_voyages(original)
        new_key = self._copy(original, reversing)
        # The status stays as it is. Only this member says that the document is reversed, and the product does not use
        # it (docs/systems/vms.md#v18).
        self.writer.unit.set("Document", key, reversed=self.writer.stamp, modifiedDate=self.writer.stamp)
        return new_key

    def dissolve(self, key: int) -> None:
        """Send an assembled document back to Pending; raises ApiError 400 for any other."""
        document = self._document(key)
        if self._status(document) != "INV":
            raise ApiError(f"Document {document['documentNo']} is not assembled and cannot be dissolved.")
        self._refuse_closed_voyages(document)
        self.writer.update("Document", key, {"invoicingStatus": "PEN"})

    def next_number(self) -> str:
        """Give the number after the highest that is all digits."""
        numbers = [str(document.get("documentNo")) for document in self.store.tables["Document"].values()]
        return str(max((int(number) for number in numbers if number.isascii() and number.isdigit()), default=0) + 1)

    def _check_number(self, document: Obj) -> None:
        number = document["documentNo"]
        # Another type or company may use the same number (docs/systems/vms.md#a11).
        for key in self.store.indexes.find("Document", "documentNo", value=number) - {document["key"]}:
            other = self._document(key)
            if all(other.get(name) == document.get(name) for name in ("documentType", "company")):
                raise ApiError(
                    f"'documentNo': {number!r} of type {self._type(document)} exists already as Document {key}."
                )

    def _check_step(self, before: Obj, old: str, new: str | None) -> None:
        steps = _STEPS if self._type(before) in INVOICE_TYPES else _STEPS_WITHOUT_ASSEMBLY
        if (old, new) not in steps:
            raise ApiError(f"'invoicingStatus' of Document {before['documentNo']} cannot change from {old} to {new}.")
        # The manual speaks of users. If this also stopped the integration, a document whose voyage was closed meanwhile
        # could never be acknowledged.
        if old in _USER_STEPS:
            self._refuse_closed_voyages(before)

    def _refuse_closed_voyages(self, document: Obj) -> None:
        for line in self.lines(document):
            voyage = self.store.tables["Voyage"].get(line.get("voyage") or 0, {})
            header = self.store.tables["VoyageHeader"].get(voyage.get("voyageHeader") or 0, {})
            if self.store.code_of("StatusType", header.get("voyageStatus") or 0) == _CLOSED:
                raise ApiError(f"Voyage {header.get('referenceNo')} of Document {document['documentNo']} is closed.")

    def lines(self, document: Obj) -> list[Obj]:
        """Give a document's lines."""
        return [self.store.tables["DocumentLine"][key] for key in document.get("documentLines") or []]

    def _copy(self, original: Obj, reversing: str) -> int:
        status = self.store.keys_of("StatusType", "RFP")[0]
        # externalDocumentNo is copied too: the ledger gets the VMS number of a reversal instead (docs/mapping.md#1-1).
        # The date of a reversal is not documented.
        head = self._negated(original) | {
            "documentType": self.store.keys_of("DocumentType", reversing)[0],
            "documentNo": self.next_number(),
            "documentDate": f"{self.writer.stamp[:10]}T00:00:00",
            "invoicingStatus": status,
        }
        back = {"document": head["key"]}
        lines = [self._negated(line) | back for line in self.lines(original)]
        for line in lines:
            self.writer.unit.put("DocumentLine", line | {"invoicingStatus": status, "refDocument": original["key"]})
        # The documentation says that a reversal keeps the due dates.
        terms = self.store.tables["DocumentPaymentTerm"]
        copied = original.get("documentPaymentTerms") or []
        copies = [{**terms[key], "key": self.store.new_key(), **back} for key in copied]
        for term in copies:
            self.writer.unit.put("DocumentPaymentTerm", term)
        head["documentLines"] = [line["key"] for line in lines]
        head["documentPaymentTerms"] = [term["key"] for term in copies]
        self.writer.unit.put("Document", head)
        return int(head["key"])

    def _negated(self, obj: Obj) -> Obj:
        copied = {name: value for name, value in obj.items() if name not in _NOT_COPIED}
        for name in _NEGATED:
            amount = copied.get(name)
            if isinstance(amount, Decimal):
                # The minus sign would round to 28 digits.
                copied[name] = amount.copy_negate()
            elif isinstance(amount, int):
                copied[name] = -amount
        stamps = {"createdDate": self.writer.stamp, "modifiedDate": self.writer.stamp}
        return {"key": self.store.new_key(), **copied, **stamps, "createdById": self.writer.user}

    def _document(self, key: int) -> Obj:
        return self.store.find("Document", key)

    def _type(self, document: Obj) -> str:
        return self.store.code_of("DocumentType", document.get("documentType") or 0)

    def _status(self, document: Obj) -> str | None:
        status = document.get("invoicingStatus")
        return None if status is None else self.store.code_of("StatusType", status)
