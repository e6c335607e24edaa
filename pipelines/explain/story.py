"""Puts the story of a document together from the control store and what can be read of the tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.control import Control
from pipelines.documents_seen import Document, find_document
from pipelines.errors import UsageError
from pipelines.explain import facts, sends, verdicts
from pipelines.explain.next_step import next_step
from pipelines.explain.origins import field_origins
from pipelines.reading import open_tables
from pipelines.scratch import verified_models

if TYPE_CHECKING:
    from pipelines.reading import Tables
    from pipelines.settings import Settings

AS_SENT, AS_MAPPED, AS_ADOPTED = "as sent", "as it would be sent", "posted by hand, adopted"


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


def explain_document(settings: Settings, name: str, *, now: Callable[[], datetime]) -> Explanation:
    """Tell the story of the document that ``name`` means, number first, else key; works while a batch runs.

    Raises UsageError for a name nobody has seen, and for one of several documents.
    """
    control = Control(settings.control_path)
    try:
        with open_tables(settings) as tables:
            document = find_document(name, control=control, tables=tables)
            if document is None:
                raise UsageError(
                    f"No document {name.strip()} has been read yet.",
                    next_step="check its number in the VMS. `springline run documents` reads what is ready for posting "
                    "there, `springline preflight` what is not yet.",
                )
            story = _read(control, tables, document, now=now())
    finally:
        control.close()
    if story.voucher is not None:
        story.voucher["fields"] = field_origins(verified_models(settings.control_path))
    return story


def _read(control: Control, tables: Tables | None, document: Document, *, now: datetime) -> Explanation:
    story = Explanation(document, _as_of(tables, now=now))
    story.vms = facts.vms_state(tables, document)
    story.outbox = sends.intents_of(control, document)
    story.chain = sends.verdict_on_chain(control, document)
    voucher = story.intent("voucher")
    story.ledger = facts.ledger_state(tables, document, voucher)
    story.payments = facts.payments_of(tables, document, story.ledger["subledger_rows"])
    drafted = facts.draft_lines(tables, document)
    story.voucher = _voucher(control, story, drafted)
    holds = verdicts.holds_on(control, document)
    story.holds = [{name: row[name] for name in row.keys()} for row in holds]  # noqa: SIM118 a Row has values
    is_checked = bool(holds or drafted or voucher)
    story.checks = verdicts.verdicts_on(control, document, is_checked=is_checked)
    story.decisions = verdicts.decided_on(control, document)
    story.ignored = verdicts.ignored_since(control, document)
    story.set_aside = verdicts.set_aside(control, document)
    story.bank_change = verdicts.waiting_bank_change(control, (story.vms or {}).get("partner_code"))
    return story


def _as_of(tables: Tables | None, *, now: datetime) -> dict[str, Any]:
    if tables is None:
        return {"origin": "control store alone", "at": None, "minutes": None}
    minutes = int((now - tables.as_of).total_seconds() // 60)
    return {"origin": tables.origin, "at": tables.as_of.isoformat(timespec="seconds"), "minutes": max(minutes, 0)}


def _voucher(control: Control, story: Explanation, drafted: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the voucher's lines: as sent once a call has begun, else as the document is mapped today."""
    intent = story.intent("voucher")
    if intent is not None and (intent["remote_ids"] or {}).get("adopted"):
        return {"state": AS_ADOPTED, "lines": []}
    if intent is not None and (intent["state"] in {"sending", "sent", "unknown"} or not drafted):
        return {"state": AS_SENT, "lines": sends.lines_as_sent(control, story.document)}
    return {"state": AS_MAPPED, "lines": drafted} if drafted else None
