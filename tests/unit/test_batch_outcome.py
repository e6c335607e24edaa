"""A run ends in words: what was sent, what stands, and the command that says more."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from pipelines.batch.outcome import OTHER_KINDS, Outcome, Standing, show_outcome
from pipelines.batch.run import BatchResult
from pipelines.outbox.intent import Kind


def said(outcome: Outcome, *, is_dry_run: bool = False) -> list[str]:
    out = StringIO()
    show_outcome(outcome, is_dry_run=is_dry_run, console=Console(file=out, width=80, soft_wrap=True))
    return out.getvalue().splitlines()


@pytest.mark.parametrize(
    ("sent", "first"),
    [
        ({"voucher": 87, "acknowledgement": 87}, "87 vouchers sent and acknowledged, 20 held, 3 breaks."),
        ({"voucher": 2, "acknowledgement": 1}, "2 vouchers sent, 1 acknowledged, 20 held, 3 breaks."),
        ({"rate": 36, "payment": 1}, "Sent: 36 exchange rates, 1 payment, 20 held, 3 breaks."),
        ({}, "Nothing sent, 20 held, 3 breaks."),
    ],
)
def test_the_first_line_counts_what_matters(sent: dict[str, int], first: str) -> None:
    assert said(Outcome(sent, Standing(held=20, breaks=3)))[0] == first


def test_what_went_besides_vouchers_has_its_own_line() -> None:
    sent = {"voucher": 1, "acknowledgement": 1, "supplier": 2, "company": 1}
    assert said(Outcome(sent))[1] == "Sent: 1 company, 2 suppliers."


def test_all_that_waits_is_named_with_a_command() -> None:
    standing = Standing(held=20, set_aside=4, bank_changes=1, unknown=2, failed=1, breaks=3)
    _, title, *steps = said(Outcome({}, standing))
    assert title == "Needs a person:"
    assert len(steps) == 6
    assert all("springline " in step and len(step) <= 80 for step in steps)
    # A program that reads the answer is told no less than a person.
    told = BatchResult("b1", {}, (), 11, Outcome({}, standing)).as_dict()["next_steps"]
    assert told == [step.strip() for step in steps]


def test_what_a_dry_run_would_hold_is_not_looked_for_in_status() -> None:
    first, _, held = said(Outcome({}, Standing(held=20)), is_dry_run=True)
    assert first.startswith("20 held")
    assert "springline preflight" in held


def test_a_clean_run_needs_nobody() -> None:
    assert said(Outcome({}, Standing())) == ["Nothing sent, 0 held, 0 breaks.", "Nothing needs a person."]


def test_every_kind_of_the_outbox_has_its_words() -> None:
    assert {*OTHER_KINDS, "voucher", "acknowledgement"} == {*Kind}
