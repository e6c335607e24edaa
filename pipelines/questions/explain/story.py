"""Tells the story of a document from the control store and the tables that can be read, and adds the next step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.batch.scratch import verified_models
from pipelines.questions.explain import facts, sends, verdicts
from pipelines.questions.explain.explanation import Explanation
from pipelines.questions.explain.find import find
from pipelines.questions.explain.next_step import advise
from pipelines.questions.explain.origins import field_origins
from pipelines.steering.find_document import Document
from pipelines.stores.control import Control
from pipelines.stores.lost import open_control
from pipelines.stores.open_tables import open_tables

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.stores.open_tables import Tables

AS_SENT, AS_MAPPED, AS_ADOPTED = "as sent", "as it would be sent", "posted by hand, adopted"


def explain_document(
    settings: Settings, name: str, *, now: Callable[[], datetime], is_full: bool = False
) -> Explanation:
    """Tell the story of the document that a name means (`find`); works while a batch runs.

    Raises UsageError when the name means no document, and when it means several: then a line for each, cut where they
    are many and not ``is_full``.
    """
    with closing(open_control(settings, for_reading=True)) as control, open_tables(settings) as tables:
        found, others = find(name, control=control, tables=tables, is_full=is_full)
        story = _read(control, tables, found.document, now=now())
    story.found_as = found.what
    story.also = [f"{other.document.label}, {other.what} {name.strip()}: {other.command}" for other in others]
    if story.voucher is not None:
        # Not before the tables are closed: to verify the models takes seconds, and no batch can begin meanwhile.
        story.voucher["fields"] = field_origins(verified_models(settings.warehouse_path))
    advice = advise(story)
    story.stands, story.next_step, story.who_acts = advice.stands, advice.step, advice.who
    return story


def _read(control: Control, tables: Tables | None, document: Document, *, now: datetime) -> Explanation:
    story = Explanation(document, _as_of(tables, now=now))
    story.vms = facts.vms_state(tables, document)
    story.outbox = sends.intents_of(control, document)
    story.remarks = sends.remarks_of(control, story.outbox)
    story.chain = sends.verdict_on_chain(control, document)
    voucher = story.intent("voucher")
    story.ledger = facts.ledger_state(tables, document, voucher)
    story.payments = facts.payments_of(tables, document, story.ledger["subledger_rows"])
    # As mapped today: beside what was sent it shows whether the document has changed since.
    drafted = facts.draft_lines(tables, document)
    story.voucher = _voucher(control, story, drafted)
    story.holds = verdicts.holds_on(control, document)
    # Nobody records that a document passed: a run that has checked one leaves a hold or a voucher. A draft shows
    # nothing: it is there before the check, and a dry run, which keeps no holds, leaves one too.
    is_checked = bool(story.holds or voucher)
    story.checks = verdicts.verdicts_on(story.holds, is_checked=is_checked)
    story.breaks = verdicts.breaks_on(control, document)
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
        # Springline sent nothing for it, so there are no lines of ours to show.
        return {"state": AS_ADOPTED, "lines": []}
    if intent is not None and (intent["state"] in {"sending", "sent", "unknown"} or not drafted):
        lines = sends.lines_as_sent(control, story.document, intent["look_up"] or {})
        return {"state": AS_SENT, "lines": lines, **sends.file_as_sent(control, story.document, intent)}
    return {"state": AS_MAPPED, "lines": drafted} if drafted else None
