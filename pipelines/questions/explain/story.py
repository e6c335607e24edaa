"""Puts the story of a document together from the control store and what can be read of the tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.batch.scratch import verified_models
from pipelines.core.errors import UsageError
from pipelines.questions.explain import facts, sends, verdicts
from pipelines.questions.explain.explanation import Explanation
from pipelines.questions.explain.origins import field_origins
from pipelines.steering.find_document import Document, find_document
from pipelines.stores.control import Control
from pipelines.stores.open_tables import open_tables

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.stores.open_tables import Tables

AS_SENT, AS_MAPPED, AS_ADOPTED = "as sent", "as it would be sent", "posted by hand, adopted"


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
