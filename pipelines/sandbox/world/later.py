"""The ledger's later deeds as a script in stages, and what is to come of them on both sides."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

from pipelines.sandbox.world import resettlements, settlements, unplaced
from pipelines.sandbox.world.bills import Pool, bill, bills_to_come
from pipelines.sandbox.world.conversions import pay_otherwise
from pipelines.sandbox.world.corrections import JOURNALS, correct_rate, type_journals
from pipelines.sandbox.world.desk import LATER, STAGES, Desk
from pipelines.sandbox.world.encode import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.sandbox.world.amounts import Rates
    from pipelines.sandbox.world.bills import Bill
    from pipelines.sandbox.world.drafts import Draft
    from pipelines.sandbox.world.encode import Row

_HIRES = 4
_CORRECTED_DAY = date(2026, 10, 29)
# What the VMS has of voyages from before, and the ledger's books do not go back to.
_FROM_BEFORE = {"28601 2026-05 V001-2507 5010 NOK": {"gap": "-184200.00", "why": "an actual from before go-live"}}


def later_texts(keyed: Sequence[tuple[int, Draft]], *, rates: Rates) -> dict[str, str]:
    """Give the script and the expectation by file name."""
    desk, unfinished = Desk(), settlements.Unfinished()
    pool = Pool(bills_to_come(keyed, rates=rates))
    expected: dict[str, Row] = {}
    corrected: dict[str, str] = {}
    for stage in STAGES:
        desk.stage = stage
        if stage == LATER:
            _do_later(desk, pool, unfinished)
            corrected = {correct_rate(desk, _CORRECTED_DAY, rates=rates): "exchange rate differs"}
        else:
            _do_first(desk, pool, unfinished, keyed, rates=rates)
        type_journals(desk)
        expected[stage] = _expectation(desk, corrected)
    script = "".join(
        f"{encode({'stage': deed.stage, 'call': deed.call, 'shows': deed.shows, 'body': deed.body})}\n"
        for deed in desk.deeds
    )
    return {"later/deeds.jsonl": script, "later/expected.json": _as_text(expected)}


def _do_first(
    desk: Desk,
    pool: Pool,
    unfinished: settlements.Unfinished,
    keyed: Sequence[tuple[int, Draft]],
    *,
    rates: Rates,
) -> None:
    hires = [bill for bill in bills_to_come(keyed, rates=rates) if unplaced.has_commission(bill)]
    settlements.net(desk, pool)
    settlements.refund(desk, pool)
    settlements.pay_many(desk, pool)
    settlements.settle_for_now(desk, pool, unfinished)
    settlements.pay_in_part(desk, pool, unfinished)
    settlements.leave_open(desk, pool, unfinished)
    pay_otherwise(desk, pool, rates=rates)
    settlements.pay_in_full(desk, pool)
    settlements.tell_apart(desk, pool)
    unplaced.pay_commissions(desk, hires[:_HIRES])
    unplaced.pay_from_before(desk, _from_before(keyed, rates=rates))
    unplaced.send_back(desk, pool)


def _do_later(desk: Desk, pool: Pool, unfinished: settlements.Unfinished) -> None:
    resettlements.finish(desk, unfinished)
    resettlements.change_matches(desk, pool, unfinished)
    resettlements.pay_on(desk, pool)


def _from_before(keyed: Sequence[tuple[int, Draft]], *, rates: Rates) -> list[Bill]:
    """Give an invoice of each side that people typed into both systems, the first that nothing takes back."""
    reversed_ones = {draft.reverses for _, draft in keyed}
    typed = [
        (key, draft)
        for key, draft in keyed
        if draft.status == "POS" and draft.number not in reversed_ones and draft.terms
    ]
    found = (bill(key, draft, rates=rates) for key, draft in typed)
    by_side = {one.side: one for one in reversed([one for one in found if one is not None])}
    return list(by_side.values())


def _expectation(desk: Desk, rates: dict[str, str]) -> dict[str, Row]:
    """Give what is to be true after a stage: bills that moved, transfers without a place, what differs on purpose."""
    booked = [journal for stage in STAGES[: STAGES.index(desk.stage) + 1] for journal in JOURNALS[stage]]
    meant = {journal.group(): {"gap": journal.amount, "why": journal.why} for journal in booked if journal.why}
    return {
        "invoices": {number: outcome.row() for number, outcome in sorted(desk.outcomes.items())},
        "payments": dict(sorted(desk.unplaced.items())),
        "actuals": {**_FROM_BEFORE, **meant},
        "rates": dict(rates),
    }


def _as_text(expected: dict[str, Row]) -> str:
    """Write it with a line for each thing."""
    stages = []
    for stage, kinds in expected.items():
        parts = []
        for kind, rows in kinds.items():
            lines = [f"      {json.dumps(name)}: {json.dumps(row, ensure_ascii=False)}" for name, row in rows.items()]  # type: ignore[union-attr]
            parts.append(f'    "{kind}": {{\n' + ",\n".join(lines) + "\n    }" if lines else f'    "{kind}": {{}}')
        stages.append(f'  "{stage}": {{\n' + ",\n".join(parts) + "\n  }")
    return "{\n" + ",\n".join(stages) + "\n}\n"
