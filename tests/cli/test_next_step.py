"""Where a document stands, what to do and by whom: the advice fits its state."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from pipelines.questions.explain import next_step as cases
from pipelines.questions.explain.explanation import Explanation
from pipelines.questions.explain.next_step import CASES, Advice, advise
from pipelines.steering.find_document import Document

Change = Callable[[Explanation], None]
Case = Callable[[Explanation], Advice | None]


def _story(*changes: Change) -> Explanation:
    """Tell of an invoice that is ready for posting and that nothing holds."""
    story = Explanation(Document("2707400", 5200777, "28601", "INI"), {"origin": "warehouse"})
    story.vms = {"document_type": "INI", "status_code": "RFP"}
    story.ledger = {"import_items": [], "subledger_rows": [], "transactions": []}
    story.payments = {"open": None, "settled": None, "matched_rows": [], "transferred": []}
    for change in changes:
        change(story)
    return story


def _intent(kind: str, state: str, **values: object) -> Change:
    intent = {"kind": kind, "state": state, "last_error": None, "remote_ids": None, "look_up": None, **values}
    return lambda story: story.outbox.append(intent)


def _vms(**values: object) -> Change:
    return lambda story: story.vms.update(values) if story.vms is not None else None


def _item(job_level: int, errors: str | None = None) -> Change:
    item = {"import_item_db_id": 901, "job_level": job_level, "errors": errors}
    return lambda story: story.ledger["import_items"].append(item)


def _booked(still_open: int) -> Change:
    def change(story: Explanation) -> None:
        story.ledger["subledger_rows"].append({"voucher_no": 120045, "currency_code": "USD"})
        story.payments["open"] = still_open

    return change


def _set(**values: Any) -> Change:  # noqa: ANN401 the fields of an Explanation
    def change(story: Explanation) -> None:
        for name, value in values.items():
            setattr(story, name, value)

    return change


SENT = _intent("voucher", "sent")
ACKNOWLEDGED = _intent("acknowledgement", "sent")
HOLD = {
    "rule": "no_lines",
    "severity": "critical",
    "message": "INI 2707400 (Nordic Agency AS): document has no lines. In the VMS, enter the lines of the document.",
    "since": "",
    "until": None,
}

HOLD_2 = {
    **HOLD,
    "rule": "supplier_missing",
    "message": "INI 2707400: supplier missing in Xledger (7). In Xledger, create the supplier with this code.",
}
BREAK = {
    "break_id": 12,
    "kind": "document amount differs",
    "message": "The VMS has NOK 5",
    "next_step": "undo the change.",
    "is_accepted": False,
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((), "Ready: nothing holds it. `springline run documents` sends it. (operator)"),
        (
            (_set(checks=[{"verdict": "not checked"}]),),
            "no run has checked it yet. `springline run documents` checks it",
        ),
        ((_set(vms=None),), "It has not been read yet"),
        (
            (_set(holds=[HOLD]),),
            "Held: document has no lines. in the VMS, enter the lines of the document. (operations)",
        ),
        (
            (_set(holds=[HOLD, HOLD_2]),),
            "no lines; supplier missing in Xledger (7). in the VMS, enter the lines of the document. In Xl",
        ),
        ((_set(holds=[{**HOLD, "until": "2026"}]),), "nothing holds it"),
        ((_set(holds=[{**HOLD, "severity": "warning"}]),), "nothing holds it"),
        ((_set(decisions=[{"action": "hold", "operator": "kari", "reason": "x"}]),), "(x). `springline release key:52"),
        (
            (_set(ignored={"operator": "kari", "reason": "x", "since": "2026-11-01T12:00:00"}),),
            "kari put it on the ignore list at 2026-11-01 13:00 (Oslo) (x). nothing.",
        ),
        (
            (_set(set_aside="No currency. Next: x."),),
            "No currency. correct it in the VMS; the next run reads it again.",
        ),
        (
            (SENT, ACKNOWLEDGED, _booked(0), _set(breaks=[BREAK])),
            "The VMS has NOK 5. undo the change (break no:12). (accounting)",
        ),
        ((SENT, ACKNOWLEDGED, _booked(0), _set(breaks=[BREAK, BREAK])), "1 more of its breaks is open."),
        ((SENT, ACKNOWLEDGED, _booked(0), _set(breaks=[{**BREAK, "is_accepted": True}])), "The ledger has booked it"),
        ((_vms(status_code="POS"), _set(breaks=[BREAK])), "undo the change (break no:12)."),
        # A close notes that it is held as well; the rule says what to do.
        ((_set(holds=[HOLD], breaks=[{**BREAK, "kind": "document held"}]),), "Held: document has no lines. in the VMS"),
        ((_set(breaks=[{**BREAK, "kind": "document held"}]),), "undo the change (break no:12)."),
        ((_vms(document_type="APR"),), "Documents of type APR are read and shown, never posted. nothing. ()"),
        ((_vms(status_code="PEN"),), "`springline preflight` says what to mend"),
        ((_vms(status_code="INV"),), "It is up for approval in the VMS"),
        ((_vms(status_code="POS"),), "Springline never sent it"),
        ((_vms(status_code="GONE"),), "The VMS no longer has it. nothing."),
        ((_intent("voucher", "todo"),), "nothing holds it"),
        ((_intent("voucher", "unknown"),), "looks it up in the ledger before anything is sent. (operator)"),
        ((_intent("voucher", "sending"),), "looks it up in the ledger before anything is sent"),
        (
            (_intent("voucher", "failed", last_error="No project."),),
            "Not sent: No project. see to that; `springline run",
        ),
        ((SENT, ACKNOWLEDGED), "the ledger's import has it"),
        ((SENT, ACKNOWLEDGED, _item(3)), "The ledger has booked it. nothing."),
        ((SENT, ACKNOWLEDGED, _booked(-600)), "as voucher 120045; USD 600.00 of it is open. nothing. ()"),
        ((SENT, ACKNOWLEDGED, _booked(0)), "as voucher 120045; it is settled. nothing. ()"),
        ((SENT, _item(9, "ERROR: Period is closed.")), "item 901: ERROR: Period is closed."),
        ((SENT, _intent("acknowledgement", "todo")), "sets it to posted in the VMS"),
        ((SENT, _intent("acknowledgement", "failed", last_error="It is INV.")), "the VMS was not told: It is INV."),
        ((_intent("voucher", "sent", remote_ids={"adopted": True, "voucher_no": "7"}),), "by hand as voucher 7"),
    ],
)
def test_the_advice_fits(changes: tuple[Change, ...], words: str) -> None:
    advice = advise(_story(*changes))
    assert words in f"{advice.stands} {advice.step} ({advice.who})"


@pytest.mark.parametrize("action", ["release", "retry"])
def test_a_command_that_asks_for_a_reason_is_told_with_it(action: str) -> None:
    stories = [_story(IGNORED), _story(DECIDED), _story(SENT, _item(9, "ERROR: Period is closed."))]
    steps = [advise(story).step for story in stories]
    told = [step for step in steps if f"springline {action}" in step]
    assert told
    assert all(f"springline {action} key:5200777 --reason …`" in step for step in told)


ADOPTED = _intent("voucher", "sent", remote_ids={"adopted": True, "voucher_no": "7"})
FAILED = _intent("voucher", "failed", last_error="No project.")
IGNORED = _set(ignored={"operator": "kari", "reason": "x", "since": "2026-11-01"})
SET_ASIDE = _set(set_aside="No currency.")
DECIDED = _set(decisions=[{"action": "hold", "operator": "kari", "reason": "x"}])
# Two cases, and a document to which both apply.
PAIRS: dict[tuple[Case, Case], tuple[Change, ...]] = {
    (cases._ignored, cases._refused): (IGNORED, SENT, _item(9, "ERROR: Period is closed.")),
    (cases._refused, cases._differs): (SENT, _item(9, "ERROR: Period is closed."), _set(breaks=[BREAK])),
    (cases._differs, cases._adopted): (_set(breaks=[BREAK]), ADOPTED),
    (cases._adopted, cases._sent): (ADOPTED,),
    (cases._sent, cases._set_aside): (SENT, SET_ASIDE),
    (cases._unknown, cases._set_aside): (_intent("voucher", "unknown"), SET_ASIDE),
    (cases._set_aside, cases._held): (SET_ASIDE, _set(holds=[HOLD])),
    (cases._held, cases._decided_to_hold): (_set(holds=[HOLD]), DECIDED),
    (cases._decided_to_hold, cases._failed): (DECIDED, FAILED),
    (cases._failed, cases._never_posted): (FAILED, _vms(document_type="APR")),
    (cases._never_posted, cases._by_status): (_vms(document_type="APR", status_code="PEN"),),
    (cases._by_status, cases._ready): (_vms(status_code="PEN"),),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_of_two_cases_that_apply_the_first_wins(
    pair: tuple[Case, Case],
) -> None:
    story = _story(*PAIRS[pair])
    first, second = (case(story) for case in pair)
    assert first is not None
    assert second is not None
    assert first != second
    assert advise(story) == first


def test_every_two_neighbouring_cases_are_tried() -> None:
    # One voucher is in one state: these two never apply together, so their order decides nothing.
    exclusive = {(cases._sent, cases._unknown)}
    assert set(pairwise(CASES)) - exclusive <= PAIRS.keys()
