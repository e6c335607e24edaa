"""Documents become POS in the VMS once, and a status that has moved is never overwritten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.core.errors import Refused, Terminal
from pipelines.load.acknowledgement import acknowledgement
from pipelines.load.delivery import DeliveryResult
from pipelines.load.vms.acknowledge import deliver_acknowledgements
from pipelines.load.vms.courier import CHUNK
from pipelines.outbox.entry import Move
from pipelines.outbox.intent import Kind
from pipelines.outbox.states import State
from tests.support.delivery_world import World, make_settings, unanswered, voucher

ACK = Kind.ACKNOWLEDGEMENT


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "ctl.sqlite")


def store(world: World, *keys: int, status: str = "RFP") -> None:
    """Store vouchers as sent, with their acknowledgements to do."""
    outbox = world.outbox()
    outbox.store_intents([voucher(key) for key in keys])
    entries = outbox.entries(Kind.VOUCHER, [State.TODO])
    outbox.apply([Move(entry.id, State.SENT) for entry in entries], follow_up=[acknowledgement(e) for e in entries])
    world.vms.statuses |= dict.fromkeys(keys, status)


def deliver(world: World) -> DeliveryResult:
    return deliver_acknowledgements(world.context())


def failing(key: int, error: Callable[[], Exception]) -> Callable[[int], None]:
    def hook(called: int) -> None:
        if called == key:
            raise error()

    return hook


def test_a_document_becomes_posted(world: World) -> None:
    store(world, 1, 2)
    assert deliver(world) == DeliveryResult(sent=2)
    assert world.vms.statuses == {1: "POS", 2: "POS"}
    assert world.states(ACK) == {"1": "sent", "2": "sent"}


def test_nothing_to_do_asks_nothing(world: World) -> None:
    assert deliver(world) == DeliveryResult()
    assert world.vms.finds == []


def test_statuses_are_read_fifty_at_a_time(world: World) -> None:
    store(world, *range(1, CHUNK + 2))
    deliver(world)
    assert [wanted.count(",") + 1 for wanted in world.vms.finds] == [50, 50, 50, 50, 1]


@pytest.mark.parametrize("status", ["PEN", "INV", "POS"])
def test_a_status_that_has_moved_is_a_break(world: World, status: str) -> None:
    store(world, 1, status=status)
    assert deliver(world) == DeliveryResult(failed=1)
    assert (world.vms.puts, world.vms.statuses) == ([], {1: status})
    assert world.error("1", ACK) == (
        "status_moved",
        f"document 271 (key 1) has status {status} in the VMS, though it was RFP when its voucher was sent.",
    )
    assert world.breaks() == [("status moved", "1")]


def test_a_document_that_is_gone_is_a_break(world: World) -> None:
    store(world, 1)
    world.vms.statuses.clear()
    assert deliver(world).failed == 1
    assert world.breaks() == [("status moved", "1")]


def test_a_moved_status_is_noted_once(world: World) -> None:
    store(world, 1, status="INV")
    deliver(world)
    events = world.control.one("SELECT count(*) FROM outbox_events")
    # Its break is open: to fail with it again in every run would end each with exit code 15 for ever.
    assert deliver(world) == DeliveryResult()
    assert world.control.one("SELECT count(*) FROM outbox_events") == events
    assert world.breaks() == [("status moved", "1")]


def test_a_lost_answer_after_a_status_had_moved_is_settled(world: World) -> None:
    store(world, 1, status="INV")
    deliver(world)

    def lost_and_moved(_key: int) -> None:
        world.vms.statuses[1] = "PEN"
        raise unanswered()

    world.vms.statuses[1], world.vms.after = "RFP", lost_and_moved
    assert deliver(world).unknown == 1
    assert deliver(world).failed == 1
    assert (world.states(ACK), world.breaks()) == ({"1": "failed"}, [("status moved", "1")])


def test_a_status_moved_back_is_acknowledged_after_all(world: World) -> None:
    store(world, 1, status="INV")
    deliver(world)
    world.vms.statuses[1] = "RFP"
    assert deliver(world) == DeliveryResult(sent=1)
    assert world.breaks() == []


def test_a_lost_answer_is_looked_up_in_the_same_run(world: World) -> None:
    store(world, 1, 2)
    world.vms.after = failing(1, unanswered)
    delivered = deliver(world)
    assert (delivered.sent, sorted(world.vms.puts)) == (2, [1, 2])
    assert world.breaks() == []


def test_a_lost_request_is_written_again(world: World) -> None:
    store(world, 1, 2)
    lost = iter([unanswered()])

    def once(key: int) -> None:
        if key == 1 and (error := next(lost, None)):
            raise error

    world.vms.before = once
    assert deliver(world).sent == 2
    assert sorted(world.vms.puts) == [1, 1, 2]


def test_a_crash_between_write_and_settlement_is_no_break(world: World) -> None:
    store(world, 1, 2)
    world.outbox().begin([entry.id for entry in world.outbox().entries(ACK, [State.TODO])])
    world.vms.statuses[1] = "POS"
    assert deliver(world) == DeliveryResult(sent=2)
    assert (world.vms.puts, world.breaks()) == ([2], [])


def test_a_refusal_fails_one_and_goes_on(world: World) -> None:
    store(world, 1, 2)
    world.vms.before = failing(
        1, lambda: Refused("Voyage is closed.", problems=(("", "Voyage is closed."),), status=400)
    )
    assert deliver(world) == DeliveryResult(sent=1, failed=1)
    assert world.states(ACK) == {"1": "failed", "2": "sent"}
    world.vms.before = lambda _: None
    assert deliver(world) == DeliveryResult(sent=1)


def test_a_request_that_never_left_waits(world: World) -> None:
    store(world, 1)
    world.vms.before = failing(1, lambda: unanswered(sent=False))
    assert deliver(world) == DeliveryResult(waiting=1, problems=("document 271 (key 1): no answer",))
    assert world.states(ACK) == {"1": "todo"}


def test_a_vms_that_is_down_is_asked_for_one_chunk_only(world: World) -> None:
    store(world, *range(1, 2 * CHUNK + 1))

    def down(_: int) -> None:
        raise unanswered(sent=False)

    world.vms.before = down
    assert deliver(world).waiting == 2 * CHUNK
    assert len(world.vms.puts) == CHUNK


def test_statuses_that_cannot_be_read_change_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(_vms: object, _entity: str, **_: object) -> None:
        raise Terminal("wrong credentials")

    store(world, 1)
    monkeypatch.setattr("tests.support.delivery_world.FakeVms.find", find)
    assert deliver(world) == DeliveryResult(waiting=1, problems=("wrong credentials",))
    assert world.states(ACK) == {"1": "todo"}


def test_an_answer_with_another_status_is_not_believed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def put(_vms: object, _entity: str, key: int, _body: object) -> dict[str, object]:
        return {"key": key, "invoicingStatus": {"statusTypeCode": "RFP"}}

    store(world, 1)
    monkeypatch.setattr("tests.support.delivery_world.FakeVms.put", put)
    assert deliver(world).unknown == 1


def landed(world: World, *, job_level: int, headers: tuple[str, ...] = ()) -> None:
    """Land what the ledger shows of voucher 1 as read back."""
    rows = "owner_db_id BIGINT, source_code VARCHAR, header_text VARCHAR, imported_at TIMESTAMP"
    for table in ("ap_rows", "ar_rows", "transactions"):
        world.warehouse.execute(f"CREATE OR REPLACE TABLE stg_ledger.{table} ({rows})")
    for text in headers:
        world.warehouse.execute("INSERT INTO stg_ledger.ap_rows VALUES (901, 'AP', ?, TIMESTAMP '2026-11-02')", [text])
    world.warehouse.execute(
        "CREATE OR REPLACE TABLE stg_ledger.import_items (owner_db_id BIGINT, source_code VARCHAR, "
        "ext_order_number VARCHAR, tr_reg_number BIGINT, job_level INTEGER)"
    )
    world.warehouse.executemany(
        "INSERT INTO stg_ledger.import_items VALUES (901, 'AP', '271', 1, ?)", [[job_level]] * 2
    )


def test_after_booking_means_after_booking(world: World) -> None:
    world.settings = make_settings(posting={"acknowledge": "posted"})
    store(world, 1, 2)
    landed(world, job_level=1)
    assert deliver(world) == DeliveryResult()
    landed(world, job_level=3)
    assert deliver(world) == DeliveryResult(sent=1)
    landed(world, job_level=1, headers=("272 Nordic",))
    assert deliver(world) == DeliveryResult(sent=1)
    assert world.vms.puts == [1, 2]
