"""What a person decides takes effect with the next run: holds, ignores, releases, retries, changed bank accounts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from pipelines.errors import UsageError
from pipelines.jobs import Job
from pipelines.steering import Steered
from tests.flow.live_world import JOBS, MASTER, RETRIES, Live

HELD, LEFT_ALONE, FREE, REFUSED = "2706035", "2706036", "2706085", "2706157"
SUPPLIER = "60504"
SUPPLIER_DOCUMENT = "2709101"
IBAN = "DE85912608793655424097"


@dataclass(slots=True)
class Story:
    """What was seen after each of five runs, and what was said in between."""

    held: list[dict[str, set[str]]] = field(default_factory=list)
    vouchers: list[dict[str, str]] = field(default_factory=list)
    told: list[tuple[str, ...]] = field(default_factory=list)
    items: list[list[dict[str, Any]]] = field(default_factory=list)
    accounts: list[str | None] = field(default_factory=list)
    said: dict[str, Steered] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    changes: list[tuple[Any, ...]] = field(default_factory=list)
    corrections: list[tuple[Any, ...]] = field(default_factory=list)
    posted: list[dict[str, int]] = field(default_factory=list)


def _run(live: Live, story: Story, *jobs: Job) -> None:
    result = live.batch(jobs=jobs or JOBS)
    story.told.append(result.problems)
    story.held.append(live.held())
    story.vouchers.append(live.states("voucher"))
    story.items.append(live.import_items(REFUSED))
    story.accounts.append(_account(live))


def _account(live: Live) -> str | None:
    arguments = f'first: 5, ownerSet: ALL, filter: {{code: "{SUPPLIER}"}}'
    query = f"{{ subledgers({arguments}) {{ edges {{ node {{ bankAccount }} }} }} }}"
    (edge,) = live.ledger(query)["subledgers"]["edges"]
    return str(edge["node"]["bankAccount"])


def _refusal(live: Live, action: str, name: str, **values: str) -> str:
    with pytest.raises(UsageError) as refused:
        live.steer(action, name, **values)
    return str(refused.value)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Live through five runs."""
    numbers = (HELD, LEFT_ALONE, FREE, REFUSED, SUPPLIER_DOCUMENT)
    with Live(tmp_path_factory.mktemp("steering"), numbers) as live:
        story = Story()
        live.steer("hold", HELD, reason="price disputed")
        live.steer("ignore", LEFT_ALONE, reason="skipped to posted")
        live.steer("ignore", "7777777", reason="skipped to posted, long ago")
        _run(live, story)
        story.said["hold again"] = live.steer("hold", HELD, reason="still disputed")
        story.refused["hold sent"] = _refusal(live, "hold", FREE)
        story.refused["nobody"] = _refusal(live, "release", SUPPLIER, operator="unknown")
        live.sandbox.control("POST", "ledger/periods", {"owner": 28602, "period": "2026-10", "closed": True})
        story.posted.append(live.posted())
        live.steer("release", HELD)
        live.steer("release", LEFT_ALONE)
        live.steer("release", SUPPLIER, reason="called them", operator="ola")
        live.steer("retry", REFUSED)
        _run(live, story)
        live.set(POSTING__CLOSED_PERIOD="next_open")
        live.steer("retry", REFUSED)
        _run(live, story, RETRIES)
        story.corrections = live.ask("SELECT natural_key, state FROM outbox WHERE kind = 'correction'")
        story.posted.append(live.posted())
        live.steer("retry", REFUSED)
        _run(live, story, RETRIES)
        story.said["retry booked"] = live.steer("retry", REFUSED)
        live.put_object("BankAccount", "iban", IBAN, iban="DE02100500000024290661")
        _run(live, story, MASTER)
        story.changes = live.ask(
            "SELECT old_account, new_account, decision, decided_by FROM bank_changes ORDER BY change_id"
        )
        yield story


def test_a_held_document_stays_until_it_is_released(story: Story) -> None:
    assert story.held[0][HELD] == {"held_by_person"}
    assert HELD not in story.vouchers[0]
    assert HELD not in story.held[1]
    assert story.vouchers[1][HELD] == "sent"


def test_an_ignored_document_is_neither_held_nor_sent(story: Story) -> None:
    assert (LEFT_ALONE in story.held[0], LEFT_ALONE in story.vouchers[0]) == (False, False)
    assert story.vouchers[1][LEFT_ALONE] == "sent"


def test_the_same_decision_twice_is_one(story: Story) -> None:
    assert not story.said["hold again"].is_new
    assert "price disputed" in story.said["hold again"].message


def test_a_hold_cannot_call_a_sent_voucher_back(story: Story) -> None:
    assert "cannot call it back" in story.refused["hold sent"]


def test_a_retry_of_a_refused_voucher_names_what_to_see_to(story: Story) -> None:
    assert story.posted[0]["failed"] == 1
    (told,) = [told for told in story.told[1] if REFUSED in told]
    assert all(f"item {item['dbId']}" in told for item in story.items[1] if item["errors"])
    assert "is closed" in told


def test_a_retry_never_adds_an_item(story: Story) -> None:
    assert {tuple(item["dbId"] for item in items) for items in story.items} == {
        tuple(item["dbId"] for item in story.items[0])
    }


def test_a_retry_corrects_what_is_mapped_otherwise_now(story: Story) -> None:
    assert {item["node"]["postedDate"] for item in story.items[1]} == {"2026-10-15"}
    assert {item["node"]["postedDate"] for item in story.items[2]} == {"2026-11-01"}
    assert [state for _, state in story.corrections] == ["sent"]
    assert story.posted[1]["failed"] == 0


def test_a_retry_of_a_booked_voucher_does_nothing(story: Story) -> None:
    assert any("has been booked" in told for told in story.told[3] if REFUSED in told)
    assert not story.said["retry booked"].is_new
    assert "nothing to do" in story.said["retry booked"].message


def test_a_changed_bank_account_waits_for_a_named_person(story: Story) -> None:
    assert story.held[0][SUPPLIER] == {"bank_change"}
    assert story.accounts[0] != IBAN
    assert "SPRINGLINE_OPERATOR" in story.refused["nobody"]


def test_a_released_bank_account_is_sent_and_stays_on_record(story: Story) -> None:
    assert story.accounts[1] == IBAN
    assert SUPPLIER not in story.held[1]
    assert story.changes[0][1:] == (IBAN, "applied", "ola")


def test_another_change_needs_another_release(story: Story) -> None:
    assert story.held[4][SUPPLIER] == {"bank_change"}
    assert story.changes[-1] == (IBAN, "DE02100500000024290661", None, None)
    assert story.accounts[4] == IBAN
