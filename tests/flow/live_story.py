"""Six runs on one world, what people decided in between, and what `explain` told of its documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.core.errors import UsageError
from pipelines.extract.books import extract_books
from pipelines.questions.explain.explanation import Explanation
from pipelines.questions.explain.story import explain_document
from pipelines.step.counts import Counts
from pipelines.step.step import Job, Step
from tests.flow.live_world import JOBS, RETRIES, Live

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.steering.steer import SteeringResult

HELD, LEFT_ALONE, REFUSED = "2706035", "2706036", "2706157"
POSTED, WITH_FAULT, SHOWN, BROKEN, WARNED = "2707400", "2708001", "2709101", "2708101", "2707022"
# Its number is longer than the ledger takes.
TOO_LONG, LONG_NUMBER = "2706026", "F-0202-2026-INTERIM-ACCOUNT"
SUPPLIER, OLD_IBAN, NEW_IBAN = "60504", "DE85912608793655424097", "DE02100500000024290661"
# The payee of REFUSED, whose account changes in the VMS before its voucher is corrected.
PAYEE_ACCOUNT, UNCONFIRMED = "990836464588", "990800000001"
PAID = "600.00"


@dataclass(slots=True)
class Story:
    """What was seen after each of six runs, what was said in between, and what was explained."""

    live: Live
    held: list[dict[str, set[str]]] = field(default_factory=list)
    vouchers: list[dict[str, str]] = field(default_factory=list)
    told: list[tuple[str, ...]] = field(default_factory=list)
    items: list[list[dict[str, Any]]] = field(default_factory=list)
    accounts: list[str | None] = field(default_factory=list)
    said: dict[str, SteeringResult] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    changes: list[tuple[Any, ...]] = field(default_factory=list)
    corrections: list[tuple[Any, ...]] = field(default_factory=list)
    sends: list[int] = field(default_factory=list)
    posted: list[dict[str, int]] = field(default_factory=list)
    explained: dict[str, Explanation] = field(default_factory=dict)

    def explanation(self, number: str) -> dict[str, Any]:
        """Give what `explain --json` prints of a document."""
        return dict(json.loads(json.dumps(self.explained[number].as_dict(), default=str)))

    def run(self, *jobs: Job) -> None:
        """Run jobs, both when none are named, and note what is seen afterwards."""
        self.told.append(self.live.batch(jobs=jobs or JOBS).problems)
        self.held.append(self.live.holds())
        self.vouchers.append(self.live.states("voucher"))
        self.items.append(self.live.import_items(REFUSED))
        self.accounts.append(self._account())
        [(count,)] = self.live.ask(
            "SELECT count(*) FROM outbox_events AS events INNER JOIN outbox ON events.outbox_id = outbox.id "
            "WHERE outbox.kind = 'voucher' AND outbox.document_no = ? AND events.to_state = 'sending'",
            TOO_LONG,
        )
        self.sends.append(count)

    def explain(self, *numbers: str) -> None:
        """Explain documents as they stand now."""
        for number in numbers:
            self.explained[number] = explain_document(self.live.settings, number, now=self.live.now)

    def refusal(self, action: str, name: str, **values: str) -> str:
        """Give the words with which a decision is turned down."""
        with pytest.raises(UsageError) as refused:
            self.live.steer(action, name, **values)
        return str(refused.value)

    def pay(self) -> None:
        """Let the ledger part-pay the first term of the posted invoice, and read the books."""
        (voucher,) = self.live.sandbox.control("GET", "ledger/vouchers?trRegNumber=5200777")
        row = next(line["subledgerRow"]["dbId"] for line in voucher["lines"] if line["subledgerRow"])
        payment = {"owner": 28601, "side": "AP", "source": "DR", "date": "2026-11-02", "subledger": "60526"}
        amounts = {"currency": "USD", "amount": PAID, "company_amount": "6300.00"}
        match = [{"row": row, "amount": PAID}]
        self.live.sandbox.control("POST", "ledger/payments", {**payment, **amounts, "match": match})
        step = Step("read rows", lambda ctx: Counts(extracted=extract_books(ctx).landed))
        self.live.batch(jobs=[Job("payments", (step,))])

    def _account(self) -> str | None:
        arguments = f'first: 5, ownerSet: ALL, filter: {{code: "{SUPPLIER}"}}'
        query = f"{{ subledgers({arguments}) {{ edges {{ node {{ bankAccount }} }} }} }}"
        (edge,) = self.live.ledger(query)["subledgers"]["edges"]
        return str(edge["node"]["bankAccount"])


def live_through(folder: Path) -> Iterator[Story]:
    """Live through six runs in a folder; the world is there until the story is put away."""
    with Live(folder, (HELD, LEFT_ALONE, REFUSED, POSTED, WITH_FAULT, SHOWN, BROKEN, WARNED, TOO_LONG)) as live:
        story = Story(live)
        live.put(TOO_LONG, externalDocumentNo=LONG_NUMBER)
        live.steer("hold", HELD, reason="price disputed")
        live.steer("ignore", LEFT_ALONE, reason="skipped to posted")
        live.steer("ignore", "7777777", reason="skipped to posted, long ago")
        story.run()
        [(story.refused["too long"],)] = live.ask(
            "SELECT last_error FROM outbox WHERE kind = 'voucher' AND document_no = ?", TOO_LONG
        )
        story.said["hold again"] = live.steer("hold", HELD, reason="still disputed")
        story.refused["hold sent"] = story.refusal("hold", POSTED)
        story.refused["nobody"] = story.refusal("release", SUPPLIER, operator="unknown")
        live.sandbox.control("POST", "ledger/periods", {"owner": 28602, "period": "2026-10", "closed": True})
        story.posted.append(live.posted())
        story.pay()
        story.explain(HELD, LEFT_ALONE, POSTED, WITH_FAULT, SHOWN, BROKEN, WARNED)
        live.steer("release", HELD)
        live.steer("release", LEFT_ALONE)
        live.steer("release", SUPPLIER, reason="called them", operator="ola")
        live.steer("retry", REFUSED)
        story.run()
        story.explain(REFUSED, TOO_LONG)
        live.change_settings(POSTING__CLOSED_PERIOD="next_open")
        live.put_object("BankAccount", "bankAccountNo", PAYEE_ACCOUNT, bankAccountNo=UNCONFIRMED)
        live.steer("retry", REFUSED)
        no_items = {"kind": "body", "body": '{"data":{"updateGLImportItems":{"edges":null}}}'}
        live.sandbox.fault("ledger", no_items, match={"operation": "updateGLImportItems"}, times=1)
        story.run(RETRIES)
        story.corrections += live.ask("SELECT natural_key, state FROM outbox WHERE kind = 'correction'")
        # Nobody asks again: what became of it is looked up by every run.
        story.run(RETRIES)
        story.corrections += live.ask("SELECT natural_key, state FROM outbox WHERE kind = 'correction'")
        story.posted.append(live.posted())
        live.steer("retry", REFUSED)
        story.run(RETRIES)
        story.said["retry booked"] = live.steer("retry", REFUSED)
        live.put_object("BankAccount", "iban", OLD_IBAN, iban=NEW_IBAN)
        live.put(TOO_LONG, externalDocumentNo="F-0202")
        story.run()
        story.changes = live.ask(
            "SELECT old_account, new_account, decision, decided_by FROM bank_changes WHERE partner_code = ? "
            "ORDER BY change_id",
            SUPPLIER,
        )
        yield story
