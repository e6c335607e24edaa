"""A supplier's SWIFT code or ABA number that changes waits for a second person, as its bank account does."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from pipelines.core.errors import UsageError
from tests.flow.live_world import MASTER, Live

# A supplier that the ledger has with its account, and one that it does not have yet.
SUPPLIER, NEW = "60502", "60505"
IBAN, ACCOUNT = "NO0999919341366", "99919341366"
# The same supplier under another code and with another account, both in one run.
RENAMED, OTHER_ACCOUNT = "60502B", "12345678903"
SWIFT, SWIFT_OF_BRANCH = "SPRBNO2X", "SPRBNO22OSL"
ABA, OTHER_ABA = "021000089", "111000025"
Bank = tuple[str | None, str | None]


@dataclass(slots=True)
class World:
    """What the ledger had of both suppliers after each run, and what waited."""

    live: Live
    banks: list[dict[str, Bank]] = field(default_factory=list)
    held: list[set[str]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)
    changes: list[tuple[Any, ...]] = field(default_factory=list)
    refused: str = ""
    renamed: list[str | None] = field(default_factory=list)
    asked: str = ""
    told: str = ""

    def run(self) -> None:
        """Send master data, and note what is seen afterwards."""
        self.live.batch(jobs=[MASTER])
        self.banks.append({code: self._bank(code) for code in (SUPPLIER, NEW)})
        self.held.append({code for code, rules in self.live.holds().items() if "bank_change" in rules})
        message = "SELECT message FROM holds WHERE document_no = ? AND rule = 'bank_change' AND until IS NULL"
        self.messages.append(" ".join(words for (words,) in self.live.ask(message, SUPPLIER)))
        [(count,)] = self.live.ask("SELECT count(*) FROM outbox WHERE kind = 'supplier' AND state = 'sent'")
        self.writes.append(count)

    def refusal(self, **values: str) -> str:
        """Give the words with which a release is turned down."""
        with pytest.raises(UsageError) as refused:
            self.live.steer("release", SUPPLIER, **values)
        return str(refused.value)

    def change_bank(self, **members: object) -> None:
        """Change the supplier's bank, which its bank account names."""
        self.live.put_object("BankAccount", "iban", IBAN, bank=members)

    def rename(self) -> None:
        """Give the supplier another code and another account at once, and let the jobs run until it is released."""
        self.live.put_object("BusinessPartner", "businessPartnerCode", SUPPLIER, businessPartnerCode=RENAMED)
        self.live.put_object("BankAccount", "iban", IBAN, iban=None, bankAccountNo=OTHER_ACCOUNT)
        for _ in range(2):
            self.live.batch(jobs=[MASTER])
            self.renamed.append(self._row(RENAMED).get("bankAccount"))
        message = "SELECT message FROM holds WHERE rule = 'bank_change' AND document_no = ? AND until IS NULL"
        self.asked = " ".join(words for (words,) in self.live.ask(message, RENAMED))
        [(self.told,)] = self.live.ask("SELECT message FROM breaks WHERE kind = 'supplier renamed' AND until IS NULL")
        self.live.steer("release", RENAMED, reason="called them", operator="ola")
        self.live.batch(jobs=[MASTER])
        self.renamed.append(self._row(RENAMED).get("bankAccount"))

    def _bank(self, code: str) -> Bank:
        """Give SWIFT code and ABA number of a supplier in the ledger."""
        row = self._row(code)
        return row.get("swift"), row.get("bankRouting")

    def _row(self, code: str) -> dict[str, Any]:
        """Give a supplier as the ledger keeps it; no query of its API shows SWIFT code and ABA number."""
        [db_id] = self.live.ids("suppliers", code)
        with closing(sqlite3.connect(self.live.folder / "sandbox.sqlite")) as file:
            [(body,)] = file.execute("SELECT body FROM ledger_subledgers WHERE db_id = ?", (db_id,)).fetchall()
        return dict(json.loads(body))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Live(tmp_path_factory.mktemp("banks"), {"2707400"}) as live:
        world = World(live)
        world.run()
        world.change_bank(bankName="Spring Bank NO, Oslo", swiftAddress=SWIFT_OF_BRANCH)
        live.put_object("BusinessPartner", "businessPartnerCode", SUPPLIER, companyRegistrationNo="974760673")
        world.run()
        world.refused = world.refusal(operator="unknown")
        live.steer("release", SUPPLIER, reason="called them", operator="ola")
        world.run()
        live.put_object("Bank", "swiftAddress", SWIFT_OF_BRANCH, abaNumber=ABA)
        live.put_object("BankAccount", "iban", IBAN, iban=IBAN)
        world.run()
        live.put_object("Bank", "swiftAddress", SWIFT_OF_BRANCH, abaNumber=OTHER_ABA)
        live.put_object("BankAccount", "iban", IBAN, iban=IBAN)
        world.run()
        world.run()
        live.steer("release", SUPPLIER, reason="called them again", operator="kari")
        world.run()
        world.run()
        world.changes = live.ask(
            "SELECT old_account, new_account, decision, decided_by FROM bank_changes WHERE partner_code = ? "
            "ORDER BY change_id",
            SUPPLIER,
        )
        world.rename()
        yield world


FIRST, CHANGED_SWIFT, SENT_SWIFT, FIRST_ABA, CHANGED_ABA, STILL, SENT_ABA, IDLE = range(8)


def test_a_first_swift_code_goes_by_itself(world: World) -> None:
    assert world.banks[FIRST] == {SUPPLIER: (SWIFT, None), NEW: ("SPRBNL2X", None)}
    assert SUPPLIER not in world.held[FIRST]


def test_another_swift_code_waits_for_a_second_person(world: World) -> None:
    assert world.held[CHANGED_SWIFT] == world.held[FIRST] | {SUPPLIER}
    assert world.banks[CHANGED_SWIFT][SUPPLIER] == (SWIFT, None)
    assert f"(SWIFT {SWIFT}) to …1366 (SWIFT {SWIFT_OF_BRANCH})" in world.messages[CHANGED_SWIFT]
    assert "SPRINGLINE_OPERATOR" in world.refused


def test_what_else_has_changed_goes_meanwhile(world: World) -> None:
    assert world.writes[CHANGED_SWIFT] > world.writes[FIRST]


def test_a_released_swift_code_is_sent(world: World) -> None:
    assert world.banks[SENT_SWIFT][SUPPLIER] == (SWIFT_OF_BRANCH, None)
    assert SUPPLIER not in world.held[SENT_SWIFT]


def test_a_first_aba_number_goes_by_itself(world: World) -> None:
    assert world.banks[FIRST_ABA][SUPPLIER] == (SWIFT_OF_BRANCH, ABA)
    assert SUPPLIER not in world.held[FIRST_ABA]


def test_another_aba_number_waits_as_long_as_it_takes(world: World) -> None:
    for run in (CHANGED_ABA, STILL):
        assert SUPPLIER in world.held[run]
        assert world.banks[run][SUPPLIER] == (SWIFT_OF_BRANCH, ABA)
    assert f"(ABA {ABA}) to …1366 (ABA {OTHER_ABA})" in world.messages[STILL]
    assert world.writes[STILL] == world.writes[CHANGED_ABA] == world.writes[FIRST_ABA]


def test_a_released_aba_number_is_sent_once(world: World) -> None:
    for run in (SENT_ABA, IDLE):
        assert world.banks[run][SUPPLIER] == (SWIFT_OF_BRANCH, OTHER_ABA)
        assert SUPPLIER not in world.held[run]
    assert world.writes[IDLE] == world.writes[SENT_ABA] == world.writes[STILL] + 1


def test_who_released_what_stays_on_record(world: World) -> None:
    swifts = (f"{ACCOUNT} (SWIFT {SWIFT})", f"{ACCOUNT} (SWIFT {SWIFT_OF_BRANCH})")
    numbers = (f"{ACCOUNT} (ABA {ABA})", f"{ACCOUNT} (ABA {OTHER_ABA})")
    assert world.changes == [(*swifts, "applied", "ola"), (*numbers, "applied", "kari")]


def test_a_rename_in_the_same_run_lets_no_account_through(world: World) -> None:
    assert world.renamed == [None, None, OTHER_ACCOUNT]
    assert "changes from …1366" in world.asked
    assert world.told.startswith(f"The supplier {SUPPLIER} of the ledger is {RENAMED} ")
