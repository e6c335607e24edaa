"""All that is known of one document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipelines.questions.explain.next_step import next_step
from pipelines.steering.find_document import Document


@dataclass(slots=True)
class Explanation:
    """All that is known of one document; ``as_of`` tells which file it was read from and when that was written."""

    document: Document
    as_of: dict[str, Any]
    vms: dict[str, Any] | None = None
    voucher: dict[str, Any] | None = None
    checks: list[dict[str, Any]] = field(default_factory=list)
    holds: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    ignored: dict[str, Any] | None = None
    set_aside: str | None = None
    bank_change: str | None = None
    outbox: list[dict[str, Any]] = field(default_factory=list)
    chain: dict[str, Any] = field(default_factory=dict)
    ledger: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    payments: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What a command takes that means this document."""
        return self.document.name

    @property
    def voucher_numbers(self) -> list[str]:
        """The ledger's numbers of the vouchers it has booked for it."""
        rows = [*self.ledger["subledger_rows"], *self.ledger["transactions"]]
        return sorted({str(row["voucher_no"]) for row in rows if row["voucher_no"] is not None})

    def intent(self, kind: str) -> dict[str, Any] | None:
        """Return the document's intent of a kind, the latest where there are several."""
        found = [intent for intent in self.outbox if intent["kind"] == kind]
        return found[-1] if found else None

    def state(self, kind: str) -> str | None:
        """Return where that intent stands."""
        intent = self.intent(kind)
        return None if intent is None else str(intent["state"])

    def as_dict(self) -> dict[str, object]:
        """Return the object that `explain --json` prints."""
        return {
            "document_no": self.document.number,
            "document_key": self.document.key,
            "document_type": self.document.type,
            "company": self.document.company,
            "as_of": self.as_of,
            "vms": self.vms,
            "voucher": self.voucher,
            "checks": self.checks,
            "holds": self.holds,
            "decisions": self.decisions,
            "ignored": self.ignored,
            "set_aside": self.set_aside,
            "bank_change": self.bank_change,
            "outbox": self.outbox,
            "chain": self.chain,
            "ledger": self.ledger,
            "payments": self.payments,
            "next_step": next_step(self),
        }
