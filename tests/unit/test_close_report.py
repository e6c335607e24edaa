"""What a close says in words: singular and plural, sealed and late, long lists cut with the rest in the pack."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipelines.close.run import CloseResult
from pipelines.close.show import SHOWN, question, show_close, verdict
from pipelines.stores.seals import Close, Preparer

PACK = Path("published/close/2026-10")
DRAWN_UP = Close("2026-10", "draft", 0, None, None, None)
REOPENED = Close("2026-10", "reopened", 1, "2026-11-03T09:00:00.000000+00:00", "per", "hash")
SEALED = replace(REOPENED, state="sealed")
NOTHING = CloseResult(
    period="2026-10",
    close=DRAWN_UP,
    is_over=True,
    was_sealed=False,
    pack=PACK,
    stops=(),
    faults=(),
    problems=(),
    exit_code=0,
    seen="hash",
)


def stop(number: int, **more: object) -> dict[str, Any]:
    row: dict[str, Any] = {
        "rank_no": number,
        "break_id": 40 + number,
        "kind": "document held",
        "subject": f"2026-10 {number}",
        "company_code": "28601",
        "document_no": f"27{number:05d}",
        "voyage_no": None,
        "account": None,
        "amount": Decimal("1234.5000"),
        "currency_code": "JPY",
        "company_amount": Decimal("99.0000"),
        "reason": "due date missing [INI]",
        "next_step": "add a payment term.",
        "since": None,
        "age_days": 3,
        "is_accepted": False,
        "accepted_by": None,
    }
    return row | more


def shown(closed: CloseResult) -> str:
    out = StringIO()
    show_close(closed, Console(file=out, width=400))
    return out.getvalue()


@pytest.mark.parametrize(
    ("closed", "words"),
    [
        (replace(NOTHING, close=None), "was not closed"),
        (replace(NOTHING, is_over=False), "Nothing stops 2026-10, but it is not over yet."),
        (
            NOTHING,
            "Nothing stops 2026-10. Its pack is published/close/2026-10, a draft of version 1; nothing",
        ),
        (NOTHING, "Next: springline close 2026-10 --seal."),
        (replace(NOTHING, stops=(stop(1),)), "One thing stops the close of 2026-10."),
        (replace(NOTHING, stops=(stop(1), stop(2))), "2 things stop the close of 2026-10."),
        (replace(NOTHING, has_moved=True), "2026-10 was not sealed: it has moved since you looked at it."),
        (replace(NOTHING, close=SEALED, stops=(stop(1, is_accepted=True),)), "closed and sealed by per, version 1."),
        (
            replace(NOTHING, close=SEALED, was_sealed=True, prepared=(Preparer("kari", ""), Preparer("ola", ""))),
            "sealed since 2026-11-03 10:00 (Oslo) by per, version 1, drawn up by kari, ola; its pack",
        ),
        (replace(NOTHING, close=SEALED, was_sealed=True, stops=(stop(1),)), "One thing came since."),
        (replace(NOTHING, close=SEALED, was_sealed=True, stops=(stop(1),)), "springline close reopen 2026-10 --reason"),
        (replace(NOTHING, close=SEALED, was_sealed=True, seen=None), "nobody knows what came since"),
        (
            replace(
                NOTHING,
                close=REOPENED,
                reopened=({"version": 2, "operator": "per", "at": "2026-11-04T09:00:00+00:00", "reason": "late"},),
            ),
            "2026-10 was reopened by per at 2026-11-04 10:00 (Oslo): late (version 1 of its pack stays as",
        ),
    ],
)
def test_the_verdict_says_where_the_period_stands(closed: CloseResult, words: str) -> None:
    assert words in verdict(closed)


def test_each_thing_has_its_amount_reason_and_next_step() -> None:
    told = shown(
        replace(NOTHING, stops=(stop(1), stop(2, amount=None, document_no=None, voyage_no="V001", account="4300")))
    )
    assert "no:41: document held, 28601, 2700001, JPY 1,234" in told
    assert "   due date missing [INI]\n   Next: add a payment term.\n" in told
    assert "V001 4300" in told


def test_a_long_list_is_cut_and_the_rest_is_in_the_pack() -> None:
    told = shown(replace(NOTHING, stops=tuple(stop(number) for number in range(SHOWN + 5))))
    assert f"… and 5 more, in {PACK}." in told
    assert f"2700{SHOWN:03d}" not in told


def test_accepted_ones_are_counted_and_not_listed() -> None:
    closed = replace(
        NOTHING, stops=(stop(1), stop(2, is_accepted=True), stop(3, kind="rate missing", is_accepted=True))
    )
    assert closed.totals() == {"document held": {"open": 1, "accepted": 1}, "rate missing": {"open": 0, "accepted": 1}}
    assert "2700002" not in shown(closed)


def test_faults_of_the_pack_and_problems_are_printed() -> None:
    told = shown(replace(NOTHING, faults=("summary.json is not the one.",), problems=("The ledger is away.",)))
    assert "! summary.json is not the one." in told
    assert "! The ledger is away." in told


def test_what_is_to_be_sealed_is_said_with_who_accepted_what() -> None:
    by = [("kari", 1), ("per", 2), ("kari", 3)]
    accepted = tuple(stop(number, is_accepted=True, accepted_by=name) for name, number in by)
    told = question(replace(NOTHING, stops=accepted))
    assert "Nothing stops 2026-10: 3 things are accepted (2 by kari, 1 by per)." in told
    assert "Sealed as version 1, this pack stays for good" in told
    assert "nothing was accepted" in question(NOTHING)
