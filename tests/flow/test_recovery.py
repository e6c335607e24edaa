"""A batch killed in its middle, its control store gone: rebuilt or restored, nothing is lost and nothing doubled."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.flow.losing import STORE, kill_in_mid_batch, lose_the_store, settle
from tests.flow.world import World, copies, sample_documents, world

pytestmark = pytest.mark.system

# A voucher has five lines, so a mutation carries twenty vouchers: ten mutations in all.
KEYS = range(6_000_001, 6_000_201)
LIMITS = {"SPRINGLINE_LEDGER__NODES_PER_MUTATION": "100", "SPRINGLINE_LEDGER__TIMEOUT": "4"}
# Where no call was under way, a rebuild need not wait for one.
SHORT = {**LIMITS, "SPRINGLINE_VMS__TIMEOUT": "4"}
HELD = KEYS[-1]


@pytest.fixture
def harbour(tmp_path: Path) -> Iterator[World]:
    documents = copies(len(KEYS), first_key=KEYS[0])
    with world(tmp_path, {"vms/Document": documents}, is_first_day=True, **LIMITS) as harbour:
        assert harbour.run("master-data").exit_code == 0
        assert harbour.command("hold", f"N{HELD}", "--reason", "price disputed").exit_code == 0
        yield harbour


def rebuild(harbour: World) -> list[str]:
    lose_the_store(harbour)
    refused = harbour.command("run", "documents")
    assert refused.exit_code == 10
    assert "`springline rebuild`" in refused.err
    return ["rebuild"]


def restore(harbour: World) -> list[str]:
    return ["restore", str(harbour.folder / "yesterday.sqlite")]


def and_verify_tells_what_is_wrong(harbour: World) -> None:
    """Delete a voucher in the ledger, then edit the record as well."""
    (voucher,) = harbour.sandbox.control("GET", f"ledger/vouchers?trRegNumber={KEYS[0]}")
    harbour.sandbox.control("POST", "ledger/corrupt", {"voucher": voucher["dbId"], "delete": True})
    ended = harbour.command("verify", "--json")
    assert (ended.exit_code, [row["subject"] for row in ended.json()["differences"]]) == (16, [f"N{KEYS[0]}"])
    with closing(sqlite3.connect(harbour.folder / STORE)) as store:
        store.execute("DROP TRIGGER outbox_events_are_final_update")
        store.execute("UPDATE outbox_events SET detail = 'another' WHERE event_no = 5")
        store.commit()
    ended = harbour.command("verify", "--json")
    assert (ended.exit_code, ended.json()["chain_faults"][0]["subject"]) == (10, "event 5")


@pytest.mark.parametrize("way", [rebuild, restore])
def test_nothing_is_lost_or_doubled(harbour: World, way: Callable[[World], list[str]]) -> None:
    assert harbour.command("backup", "yesterday.sqlite").exit_code == 0
    kill_in_mid_batch(harbour, mutations=3, vouchers=60)
    arguments = way(harbour)
    ended = harbour.command(*arguments, "--json")
    assert ended.exit_code == 0, ended
    # With what the killed run had under way, which arrives all the same.
    there = len(harbour.sent())
    assert 60 <= there < len(KEYS)
    told = ended.json()
    assert (told["vouchers"], told["to_acknowledge"], told["doubtful"]) == (there, there, [])
    # Of the copy it is known that a person holds one.
    assert told["held"] == len(KEYS) - there - (arguments[0] == "restore")
    settle(harbour, KEYS, held=HELD)
    if way is rebuild:
        and_verify_tells_what_is_wrong(harbour)


def test_a_damaged_store_stays_until_both_systems_were_read(harbour: World) -> None:
    sound = harbour.command("rebuild")
    assert (sound.exit_code, "is there and sound" in sound.err) == (2, True)
    lose_the_store(harbour)
    store, garbage = harbour.folder / STORE, b"<html>Service unavailable</html>" * 500
    store.write_bytes(garbage)
    assert "`springline rebuild`" in harbour.command("run", "documents").err
    harbour.sandbox.fault("vms", {"kind": "status", "status": 403}, match={"method": "GET"})
    failed = harbour.command("rebuild")
    assert (failed.exit_code, failed.out.startswith("Nothing was changed")) == (11, True), failed
    assert [file.name for file in harbour.folder.glob("springline.ctl*")] == [STORE]
    assert store.read_bytes() == garbage
    harbour.sandbox.control("DELETE", "faults")
    assert harbour.command("rebuild").exit_code == 0
    assert (harbour.folder / f"{STORE}.replaced").read_bytes() == garbage
    assert harbour.command("status").exit_code == 0


ORIGINAL, REVERSAL, SALE = "2707038", "2707039", "2706179"
SUPPLIER, RENAMED, ACCOUNT = "60502", "60502B", "12345678903"
SWIFT_OF_BRANCH = "SPRBNL21"


def put(harbour: World, entity: str, member: str, value: str, **changed: object) -> None:
    """Change an object of the VMS that has this value, as a user does."""
    with harbour.sandbox.vms() as vms:
        answer = vms.get(f"/{entity}", params={"filter": f"{member}(EQ){value}"}, headers={"fields": '{"key":"*"}'})
        for row in answer.json():
            harbour.change(entity, row["key"], **changed)


def bank_details(harbour: World) -> dict[str, tuple[str | None, ...]]:
    """Give account, SWIFT code and routing number of every supplier as the ledger keeps them, which no query shows."""
    with closing(sqlite3.connect(harbour.folder.parent / "sandbox.sqlite")) as file:
        rows = [json.loads(body) for (body,) in file.execute("SELECT body FROM ledger_subledgers")]
    return {row["code"]: tuple(row.get(name) for name in ("bankAccount", "swift", "bankRouting")) for row in rows}


@pytest.fixture
def quay(tmp_path: Path) -> Iterator[World]:
    """Give the ledger all suppliers, and two documents: one reverses the other."""
    with world(tmp_path, {"vms/Document": sample_documents(ORIGINAL, REVERSAL)}, is_first_day=True, **LIMITS) as quay:
        assert quay.run("master-data", "documents").exit_code == 0
        yield quay


def test_no_bank_detail_reaches_the_ledger_that_nobody_released(quay: World) -> None:
    put(quay, "BusinessPartner", "businessPartnerCode", SUPPLIER, businessPartnerCode=RENAMED)
    put(quay, "BankAccount", "iban", "NO0999919341366", iban=None, bankAccountNo=ACCOUNT)
    put(quay, "Bank", "swiftAddress", "SPRBNL2X", swiftAddress=SWIFT_OF_BRANCH)
    lose_the_store(quay)
    before = bank_details(quay)
    told = quay.command("rebuild", "--json").json()
    # A reversal knows what it takes back, as before.
    reverses = "SELECT document_no FROM outbox WHERE json_extract(look_up, '$.reverses[0]') IS NOT NULL"
    assert (told["vouchers"], quay.rows(reverses)) == (2, [(REVERSAL,)])
    assert (told["done"], told["suppliers_taken"] > 20, told["accounts_waiting"]) == (True, True, 1), told
    quay.requests()
    for _ in range(2):
        quay.run("master-data")
    after = bank_details(quay)
    # Under its new code the supplier is there, without any detail of its bank; nobody else has other details.
    assert after == before | {RENAMED: (None, None, None)}
    assert [name for name in quay.requests()["ledger"] if name.startswith("POST update")] == []
    statement = "SELECT document_no FROM holds WHERE rule = 'bank_change' AND until IS NULL"
    assert quay.rows(statement) == [(RENAMED,)]
    assert quay.command("release", RENAMED, "--reason", "called", SPRINGLINE_OPERATOR="ola").exit_code == 0
    quay.run("master-data")
    assert bank_details(quay)[RENAMED][0] == ACCOUNT
    # From here on a SWIFT code that changes is a change.
    put(quay, "Bank", "swiftAddress", SWIFT_OF_BRANCH, swiftAddress="SPRBNL22")
    put(quay, "BankAccount", "iban", "NL30SPRB0975332622", iban="NL30SPRB0975332622")
    quay.run("master-data")
    assert quay.rows(f"{statement} AND document_no = '60505'") == [("60505",)]


def test_a_sales_invoice_that_was_renumbered_meanwhile_is_let_go_by_name_alone(tmp_path: Path) -> None:
    """Its number is all that a voucher of ours has in the books; that one has the old number."""
    documents = copies(1, first_key=KEYS[0], number=SALE) + copies(1, first_key=KEYS[1])
    with world(tmp_path, {"vms/Document": documents}, is_first_day=True, **SHORT) as harbour:
        # The VMS is not told that it was posted.
        harbour.sandbox.fault("vms", {"kind": "status", "status": 503}, match={"method": "PUT"})
        harbour.run("master-data", "documents")
        harbour.sandbox.control("DELETE", "faults")
        harbour.sandbox.control("POST", "ledger/post", {})
        harbour.change("Document", KEYS[0], documentNo="N-NEW")
        lose_the_store(harbour)
        told = harbour.command("rebuild", "--json").json()
        assert (told["done"], told["vouchers"], told["held"]) == (True, 1, 1), told
        assert harbour.command("confirm", "--reason", "all seen").exit_code == 0
        assert harbour.run("documents").exit_code == 14
        [(message,)] = harbour.rows("SELECT message FROM holds WHERE document_no = 'N-NEW' AND until IS NULL")
        assert re.search(r"may be in the ledger already, as voucher \d+ under another number", message)
        assert harbour.booked() == {KEYS[0]: 1, KEYS[1]: 1}


@pytest.mark.parametrize("is_acknowledged", [True, False])
def test_a_document_that_was_renumbered_meanwhile_is_told(tmp_path: Path, is_acknowledged: bool) -> None:  # noqa: FBT001
    """What waits in the import has the document's key, and says under which number it went."""
    documents = copies(1, first_key=KEYS[0], number=SALE) + copies(1, first_key=KEYS[1])
    with world(tmp_path, {"vms/Document": documents}, is_first_day=True, **SHORT) as harbour:
        if not is_acknowledged:
            harbour.sandbox.fault("vms", {"kind": "status", "status": 503}, match={"method": "PUT"})
        harbour.run("master-data", "documents")
        harbour.sandbox.control("DELETE", "faults")
        harbour.change("Document", KEYS[0], documentNo="N-NEW")
        lose_the_store(harbour)
        told = harbour.command("rebuild", "--json").json()
        assert (told["vouchers"], len(told["doubtful"])) == (1, 1), told
        assert told["doubtful"][0].endswith(f"the ledger has a voucher with its key under the number N{KEYS[0]}.")
        subjects = harbour.rows("SELECT subject FROM breaks WHERE kind = 'voucher already in books' AND until IS NULL")
        assert subjects == [(str(KEYS[0]),)]
        assert harbour.command("confirm", "--reason", "all seen").exit_code == 0
        harbour.run("documents")
        held = harbour.rows("SELECT message FROM holds WHERE document_no = 'N-NEW' AND until IS NULL")
        assert len(held) == (0 if is_acknowledged else 1)
        assert all(f"may be in the ledger already, under the number N{KEYS[0]}" in message for (message,) in held)
        assert harbour.booked() == {KEYS[0]: 1, KEYS[1]: 1}
