"""The ledger's later deeds as a script in stages, and what is to come of them on both sides."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeAlias

from tests.world import resettlements, settlements, unplaced
from tests.world.bills import Pool, bill, bills_to_come
from tests.world.conversions import pay_otherwise
from tests.world.corrections import JOURNALS, correct_rate, type_journals
from tests.world.desk import LATER, STAGES, Desk
from tests.world.encode import encode

if TYPE_CHECKING:
    from tests.world.amounts import Rates
    from tests.world.bills import Bill
    from tests.world.desk import Deed
    from tests.world.drafts import Draft
    from tests.world.encode import Json, Row

Expectation: TypeAlias = "dict[str, Row]"
_HIRES = 4
# Stage, kind, and one thing of a kind, which has a line of its own.
_LEVELS = 3
_CORRECTED_DAY = date(2026, 10, 29)
# What the VMS has of voyages from before, and the ledger's books do not go back to.
_FROM_BEFORE = {"28601 2026-05 V001-2507 5010 NOK": {"gap": "-184200.00", "why": "an actual from before go-live"}}


@dataclass(frozen=True, slots=True)
class Later:
    """The script, and what is to be true after each of its stages."""

    deeds: Sequence[Deed]
    expected: Mapping[str, Expectation]

    def texts(self) -> dict[str, str]:
        """Give both by file name."""
        script = (
            encode({"stage": deed.stage, "call": deed.call, "shows": deed.shows, "body": deed.body})
            for deed in self.deeds
        )
        return {
            "later/deeds.jsonl": "".join(f"{line}\n" for line in script),
            "later/expected.json": _text(self.expected),
        }

    def table(self) -> str:
        """Give what the deeds show, with the number of each, as rows of a page."""
        counts = Counter((deed.stage, deed.shows, deed.call) for deed in self.deeds)
        return "\n".join(f"| {shows} | {stage} | {call} | {count} |" for (stage, shows, call), count in counts.items())


def later_deeds(keyed: Sequence[tuple[int, Draft]], *, rates: Rates) -> Later:
    """Let people pay, match and correct what the documents came to."""
    desk, unfinished = Desk(), settlements.Unfinished()
    pool = Pool(bills_to_come(keyed, rates=rates))
    expected: dict[str, Expectation] = {}
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
    return Later(desk.deeds, expected)


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


def _expectation(desk: Desk, rates: dict[str, str]) -> Expectation:
    """Give what is to be true after a stage: bills that moved, transfers without a place, what differs on purpose."""
    booked = [journal for stage in STAGES[: STAGES.index(desk.stage) + 1] for journal in JOURNALS[stage]]
    meant = {journal.group(): {"gap": journal.amount, "why": journal.why} for journal in booked if journal.why}
    return {
        "invoices": {number: outcome.row() for number, outcome in sorted(desk.outcomes.items())},
        "payments": dict(sorted(desk.unplaced.items())),
        "actuals": {**_FROM_BEFORE, **meant},
        "rates": dict(rates),
    }


def _text(value: Mapping[str, Json], *, depth: int = 1) -> str:
    """Write nested objects as JSON, with a line for each member of the third level."""
    indent = "  " * depth
    members = [
        f"{indent}{json.dumps(name)}: "
        + (_text(member, depth=depth + 1) if depth < _LEVELS and isinstance(member, Mapping) else encode(member))
        for name, member in value.items()
    ]
    end = "\n" if depth == 1 else ""
    return "{\n" + ",\n".join(members) + f"\n{indent[2:]}}}{end}" if members else "{}"
