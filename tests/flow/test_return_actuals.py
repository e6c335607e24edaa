"""Actuals on their way back: as differences, down to zero, without what the VMS has already."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pipelines.core.errors import UsageError
from pipelines.outbox.entry import Move
from pipelines.outbox.intent import Intent, Kind
from pipelines.outbox.states import State
from pipelines.steering.ignored_subjects import ignore_subject, ignored_subjects, subject_of
from tests.flow.returns_seed import Row
from tests.flow.returns_world import ACTUALS, Returns

if TYPE_CHECKING:
    from pipelines.outbox.store import Outbox

VOYAGE = {"glObject1": "V001", "project": "V001-2601"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Returns]:
    with Returns(tmp_path_factory.mktemp("actuals")) as world:
        with world.outbox() as outbox:
            note_accrual(outbox, "ACP2610-001")
        yield world


def note_accrual(outbox: Outbox, number: str) -> None:
    intent = Intent(
        Kind.VOUCHER,
        "5300001",
        "ledger",
        payload=[],
        source_hash="h",
        look_up={"source": "GL", "text": number},
        company_code="28601",
        owner_code=28601,
        document_key=5_300_001,
        document_no=number,
    )
    outbox.store_intents([intent])
    outbox.apply([Move(intent.id, State.SENDING), Move(intent.id, State.SENT)])


def costs(amount: str, **members: object) -> tuple[Row, Row]:
    """Give a cost on a voyage and its counter line."""
    return {"account": "4300", "amount": amount, **VOYAGE, **members}, {
        "account": "2960",
        "amount": str(-float(amount)),
    }


def actuals(world: Returns) -> list[tuple[str, ...]]:
    """Give month, voyage, account, currency, amount and company amount of every actual, oldest first."""
    return [
        (
            row["documentDate"][:7],
            row["documentLines"][0]["voyage"]["voyageHeader"]["referenceNo"],
            row["documentLines"][0]["glAccount"],
            row["documentCurrency"]["currencyCode"],
            f"{row['documentAmount']:.2f}",
            f"{row['companyCurrencyAmount']:.2f}",
        )
        for row in world.documents("ACC")
    ]


def test_rows_are_grouped_and_accruals_left_out(world: Returns) -> None:
    world.book(*costs("100.00"))
    world.book(*costs("23.45"), day="2026-10-31")
    world.book(*costs("1000.00", currency="USD", invoiceAmount="100.00"))
    world.book(*costs("55.00"), day="2026-09-30")
    world.book(*costs("777.00"), text="ACP2610-001 V001-2601", imported=True)
    world.book(*costs("7.00"), text="ACP2610-0012", imported=True)
    assert world.run(ACTUALS).exit_code == 0
    assert sorted(actuals(world)) == [
        ("2026-09", "V001-2601", "4300", "NOK", "55.00", "55.00"),
        ("2026-10", "V001-2601", "4300", "NOK", "130.45", "130.45"),
        ("2026-10", "V001-2601", "4300", "USD", "100.00", "1000.00"),
    ]
    assert all(len(row["documentNo"]) <= 32 for row in world.documents("ACC"))


def test_a_second_run_sends_nothing(world: Returns) -> None:
    before = world.documents("ACC")
    result = world.run(ACTUALS)
    assert (result.exit_code, result.jobs["actuals"].sent) == (0, 0)
    assert world.documents("ACC") == before


def test_late_postings_and_corrections_are_differences(world: Returns) -> None:
    late = world.book(*costs("-55.00"), day="2026-09-30", text="late")
    world.book(*costs("10.00"), text="more")
    assert world.run(ACTUALS).exit_code == 0
    assert sorted(actuals(world)[3:]) == [
        ("2026-09", "V001-2601", "4300", "NOK", "-55.00", "-55.00"),
        ("2026-10", "V001-2601", "4300", "NOK", "10.00", "10.00"),
    ]
    world.sandbox.control("POST", "ledger/corrupt", {"voucher": late["voucher"], "delete": True})
    assert world.run(ACTUALS).exit_code == 0
    assert actuals(world)[-1] == ("2026-09", "V001-2601", "4300", "NOK", "55.00", "55.00")


def test_what_the_vms_does_not_know_is_a_break(world: Returns) -> None:
    world.book(*costs("40.00", project="OFFICE"), text="office")
    world.book(*costs("41.00", account="4999"), text="account")
    world.book(*costs("42.00"), text="ACP2610-001 corrected by hand")
    before = len(actuals(world))
    assert world.run(ACTUALS).exit_code == 16
    assert len(actuals(world)) == before
    breaks = world.breaks()
    assert "no voyage OFFICE; the ledger has NOK 40.00" in breaks["voyage unknown in VMS"][0]
    assert "no GL account 4999; the ledger has NOK 41.00" in breaks["account unknown in VMS"][0]
    assert "against document ACP2610-001: NOK 42.00" in breaks["accrual booked by hand"][0]
    say_not_ours(world, "project", "OFFICE")
    with pytest.raises(UsageError, match="Project V001-2601 of company 28601 is ours: document ACT2026"):
        say_not_ours(world, "project", "V001-2601")
    world.book(*costs("3.00", project="OFFICE"), text="the office a month later")
    assert world.run(ACTUALS).exit_code == 16
    assert sorted(world.breaks()) == ["account unknown in VMS", "accrual booked by hand"]
    [office] = ignored_subjects(world.settings, is_all=False)
    assert (office.left_out, office.sums) == (1, {"NOK": Decimal(43)})
    # It stops no actual: what becomes a voyage of the VMS goes there, and is ours from then on.
    world.vms.post("/Account", json={"accountCode": "4999", "glAccount": "4999"}).raise_for_status()
    world.vms.post("/VoyageHeader", json={"referenceNo": "OFFICE", "voyageStatus": "OPR"}).raise_for_status()
    world.vms.post("/Voyage", json={"voyageHeader": "OFFICE", "vessel": "V001"}).raise_for_status()
    assert world.run(ACTUALS).exit_code == 16
    assert list(world.breaks()) == ["accrual booked by hand"]
    assert sorted(row[1:5] for row in actuals(world)[before:]) == [
        ("OFFICE", "4300", "NOK", "43.00"),
        ("V001-2601", "4999", "NOK", "41.00"),
    ]
    world.run(ACTUALS)
    [office] = ignored_subjects(world.settings, is_all=False)
    assert (office.left_out, str(office.sent_document_no)[:9]) == (0, "ACT202610")


def say_not_ours(world: Returns, kind: str, code: str) -> None:
    subject = subject_of(kind, code, "28601")
    ignore_subject(subject, settings=world.settings, reason="the office", operator="kari", now=world.now)


def test_where_deltas_are_refused_everything_is_read(world: Returns) -> None:
    extra = world.book(*costs("12.00"), text="booked in between")
    world.run(ACTUALS)
    before = len(actuals(world))
    world.sandbox.control("POST", "ledger/corrupt", {"voucher": extra["voucher"], "delete": True})
    refusal = {"kind": "graphql_error", "code": "INVALID_VALUE", "message": "no right to transaction_deltas"}
    world.sandbox.fault("ledger", refusal, match={"operation": "transaction_deltas"}, times=2)
    world.run(ACTUALS)
    assert actuals(world)[before:] == [("2026-10", "V001-2601", "4300", "NOK", "-12.00", "-12.00")]
