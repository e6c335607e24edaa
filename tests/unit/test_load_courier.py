"""Vouchers reach the ledger once, whole, and one bad voucher or entity holds back no other."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.core.errors import Refused, Terminal
from pipelines.load.delivery import DeliveryResult
from pipelines.load.ledger.vouchers import MUTATION, deliver_vouchers
from pipelines.outbox.intent import Kind
from pipelines.outbox.states import State
from pipelines.stores.copies import open_for_reading
from tests.support.delivery_world import EVERY_KEY, World, inputs_of, make_settings, unanswered, voucher


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "ctl.sqlite")


def deliver(world: World, *, ready: Collection[int] = EVERY_KEY) -> DeliveryResult:
    return deliver_vouchers(world.context(), ready=ready, sleep=world.clock.sleep)


def mutations(world: World) -> int:
    return world.ledger.calls.count(MUTATION)


def lives(world: World, natural_key: str) -> list[str]:
    """Give the states an intent went through."""
    statement = (
        "SELECT to_state FROM outbox_events JOIN outbox ON outbox.id = outbox_id "
        "WHERE natural_key = ? AND kind = 'voucher' ORDER BY event_no"
    )
    return [row["to_state"] for row in world.control.read(statement, (natural_key,))]


def on_disk(world: World) -> list[str]:
    """Give the states as a process would find them that starts now."""
    with closing(open_for_reading(world.path)) as store:
        return [state for (state,) in store.execute("SELECT state FROM outbox WHERE kind = 'voucher'")]


def failing(*numbers: int, error: Callable[[], Exception] = unanswered) -> Callable[[int], None]:
    """Make a hook that raises at the given calls."""

    def hook(number: int) -> None:
        if number in numbers:
            raise error()

    return hook


def test_a_voucher_goes_out_whole_with_its_ids_kept(world: World) -> None:
    world.outbox().store_intents([voucher(1, lines=3)])
    assert deliver(world) == DeliveryResult(sent=1)
    assert world.ledger.vouchers() == {1: [1, 2, 3]}
    [entry] = world.outbox().entries(Kind.VOUCHER, [State.SENT])
    assert entry.remote_ids == {"dbIds": [row["dbId"] for row in world.ledger.rows["glImportItems"]]}


def test_a_sent_voucher_brings_its_acknowledgement(world: World) -> None:
    world.outbox().store_intents([voucher(1)])
    deliver(world)
    assert world.states(Kind.ACKNOWLEDGEMENT) == {"1": "todo"}


def test_all_is_looked_up_in_one_request_before_the_first_send(world: World) -> None:
    world.outbox().store_intents([voucher(1), voucher(2, source="AR"), voucher(3, source="GL")])
    deliver(world)
    assert world.ledger.calls == ["glImportItems+journalHeaders+apTransactions+arTransactions", MUTATION]


def test_nothing_to_deliver_asks_nothing(world: World) -> None:
    assert deliver(world) == DeliveryResult()
    assert world.ledger.calls == []


def test_a_second_run_sends_nothing(world: World) -> None:
    world.outbox().store_intents([voucher(1)])
    deliver(world)
    calls = list(world.ledger.calls)
    assert deliver(world) == DeliveryResult()
    assert world.ledger.calls == calls


def test_whole_vouchers_share_mutations_up_to_the_limit(world: World) -> None:
    world.settings = make_settings(ledger={"nodes_per_mutation": 10})
    world.outbox().store_intents([voucher(key, lines=4) for key in range(1, 6)] + [voucher(6, lines=2)])
    deliver(world)
    assert [sorted({id_.split("-")[0] for id_ in sent}) for sent in world.ledger.sent] == [
        ["1", "2", "6"],
        ["3", "4"],
        ["5"],
    ]
    assert max(len(sent) for sent in world.ledger.sent) <= 10


def test_entities_never_share_a_mutation(world: World) -> None:
    world.outbox().store_intents([voucher(1), voucher(2, owner=28602), voucher(3)])
    deliver(world)
    assert world.ledger.sent == [["1-1", "1-2", "3-1", "3-2"], ["2-1", "2-2"]]


def test_one_unknown_project_costs_one_more_call(world: World) -> None:
    world.ledger.missing = {("project", "V9-1")}
    vouchers = [voucher(key, lines=5) for key in range(1, 100)]
    world.outbox().store_intents([*vouchers, voucher(100, lines=5, references={"project": "V9-1"})])
    assert deliver(world) == DeliveryResult(sent=99, failed=1)
    assert mutations(world) == 2
    code, message = world.error("100")
    assert code == "project_missing"
    assert message == (
        "document 27100 (key 100): the ledger has no project (voyage) 'V9-1' for entity 28601. "
        "Next: `springline run master-data` creates it; where it does not, `springline status` says why."
    )


def test_a_code_known_to_be_missing_is_not_asked_for_again(world: World) -> None:
    world.settings = make_settings(ledger={"nodes_per_mutation": 2})
    world.ledger.missing = {("account", "9999")}
    world.outbox().store_intents([voucher(key, references={"account": "9999"}) for key in range(1, 9)])
    assert deliver(world) == DeliveryResult(failed=8)
    assert mutations(world) == 1


@pytest.mark.parametrize("all_errors", [True, False])
def test_several_missing_codes_fail_only_their_carriers(world: World, *, all_errors: bool) -> None:
    world.ledger.all_errors = all_errors
    world.ledger.missing = {("project", "P'1', code 'x"), ("xgl", "X\n1")}
    bad = [voucher(1, references={"project": "P'1', code 'x"}), voucher(2, references={"xgl": "X\n1"})]
    world.outbox().store_intents([*bad, voucher(3)])
    assert deliver(world) == DeliveryResult(sent=1, failed=2)
    assert (world.error("1")[0], world.error("2")[0]) == ("project_missing", "xgl_missing")


def test_a_refusal_that_names_nothing_is_halved_down_to_its_voucher(world: World) -> None:
    world.ledger.unreadable = {"2742 Nordic"}
    world.outbox().store_intents([voucher(key) for key in range(1, 101)])
    assert deliver(world) == DeliveryResult(sent=99, failed=1)
    assert world.error("42")[0] == "refused"
    assert mutations(world) <= 1 + 2 * 7


def test_a_refused_bank_account_is_not_shown_whole(world: World) -> None:
    told = "bankAccount: '86011117947' is closed."
    world.ledger.before = failing(1, error=lambda: Refused(told, problems=(("X", told),), status=200))
    world.outbox().store_intents([voucher(1)])
    deliver(world)
    message = str(world.error("1")[1])
    assert "…7947" in message
    assert "8601111" not in message


def test_an_entity_refused_altogether_stops_no_other(world: World) -> None:
    world.ledger.unreadable = {f"27{key} Nordic" for key in range(1, 200)}
    world.outbox().store_intents([voucher(key) for key in range(1, 200)] + [voucher(200, owner=28602)])
    delivered = deliver(world)
    assert delivered.sent == 1
    assert delivered.failed + delivered.waiting == 199
    assert mutations(world) <= 31
    assert "refusals in a row" in delivered.problems[0]


def test_what_failed_before_travels_apart_from_the_rest(world: World) -> None:
    world.ledger.missing = {("project", "V9-1")}
    bad = voucher(1, references={"project": "V9-1"})
    world.outbox().store_intents([bad])
    deliver(world)
    world.outbox().store_intents([bad, voucher(2)])
    assert deliver(world) == DeliveryResult(sent=1, failed=1)
    assert world.ledger.sent == [["2-1", "2-2"]]


def test_a_failed_voucher_goes_out_when_the_gap_is_closed(world: World) -> None:
    world.ledger.missing = {("project", "V9-1")}
    world.outbox().store_intents([voucher(1, references={"project": "V9-1"})])
    deliver(world)
    world.ledger.missing = set()
    world.outbox().store_intents([voucher(1, references={"project": "V9-1"})])
    assert deliver(world) == DeliveryResult(sent=1)
    assert world.error("1") == (None, None)


def test_a_code_missing_among_suppliers_spares_the_customer(world: World) -> None:
    world.ledger.missing_partners = {("AP", "60526")}
    world.outbox().store_intents([voucher(1, source="AP"), voucher(2, source="AR"), voucher(3, partner="1")])
    assert deliver(world) == DeliveryResult(sent=2, failed=1)
    assert world.states() == {"1": "failed", "2": "sent", "3": "sent"}


def test_a_lost_answer_is_looked_up_and_never_sent_twice(world: World) -> None:
    world.ledger.after = failing(1)
    world.outbox().store_intents([voucher(1)])
    delivered = deliver(world)
    assert (delivered.sent, world.ledger.vouchers()) == (1, {1: [1, 2]})
    assert mutations(world) == 1


def test_a_lost_request_is_sent_again_once_absence_is_proved(world: World) -> None:
    world.ledger.before = failing(1)
    world.outbox().store_intents([voucher(1)])
    assert deliver(world).sent == 1
    assert world.ledger.vouchers() == {1: [1, 2]}
    look_up = "glImportItems+journalHeaders+apTransactions"
    assert world.ledger.calls == [look_up, MUTATION, look_up, MUTATION]
    assert lives(world, "1") == ["todo", "sending", "unknown", "todo", "sending", "sent"]


def test_absence_is_believed_only_when_the_call_must_be_over(world: World) -> None:
    world.ledger.before = failing(1)
    world.outbox().store_intents([voucher(1)])
    deliver(world)
    assert sum(world.clock.slept) >= world.settings.ledger.timeout


def test_what_arrives_late_of_a_killed_process_is_not_doubled(world: World) -> None:
    world.outbox().store_intents([voucher(1)])
    world.outbox().begin([voucher(1).id])

    def sleep(seconds: float) -> None:
        # The ledger ends the call of the killed process only now.
        world.clock.sleep(seconds)
        for item in inputs_of(voucher(1)):
            world.ledger.add(MUTATION, item["node"])

    delivered = deliver_vouchers(world.context(), ready=EVERY_KEY, sleep=sleep)
    assert (delivered, mutations(world)) == (DeliveryResult(sent=1), 0)
    assert world.ledger.vouchers() == {1: [1, 2]}


def test_a_voucher_is_noted_on_disk_before_it_goes(world: World) -> None:
    noted: list[list[str]] = []
    world.ledger.before = lambda _: noted.append(on_disk(world))
    world.outbox().store_intents([voucher(1), voucher(2)])
    assert deliver(world) == DeliveryResult(sent=2)
    assert noted == [["sending", "sending"]]


def test_an_answer_that_lacks_an_id_is_looked_up(world: World) -> None:
    world.ledger.cut_edges = 1
    world.outbox().store_intents([voucher(1, lines=3)])
    assert deliver(world) == DeliveryResult(sent=1)
    assert (world.ledger.vouchers(), mutations(world)) == ({1: [1, 2, 3]}, 1)
    assert lives(world, "1") == ["todo", "sending", "unknown", "sent"]


def test_three_silences_in_a_row_end_the_delivery(world: World) -> None:
    world.settings = make_settings(ledger={"nodes_per_mutation": 2})
    world.ledger.before = failing(*range(1, 100))
    world.outbox().store_intents([voucher(key) for key in range(1, 11)])
    delivered = deliver(world)
    assert (delivered.unknown, delivered.waiting, mutations(world)) == (3, 7, 3)
    # None of them is accepted, so none of their documents may be set to posted.
    assert world.states(Kind.ACKNOWLEDGEMENT) == {}


def test_a_limit_that_outlasts_the_waiting_leaves_all_to_do(world: World) -> None:
    world.settings = make_settings(ledger={"nodes_per_mutation": 2})
    world.ledger.before = failing(2, error=lambda: unanswered(sent=False))
    world.outbox().store_intents([voucher(1), voucher(2), voucher(3)])
    delivered = deliver(world)
    assert (delivered.sent, delivered.waiting, delivered.problems) == (1, 2, ("no answer",))
    assert world.states() == {"1": "sent", "2": "todo", "3": "todo"}


def test_an_answer_nobody_can_read_is_looked_up(world: World) -> None:
    world.ledger.after = failing(1, error=lambda: Terminal("The ledger's answer is no GraphQL."))
    world.outbox().store_intents([voucher(1)])
    assert deliver(world).sent == 1
    assert mutations(world) == 1


def test_without_a_look_up_nothing_is_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_ledger: object, _readings: object) -> None:
        raise unanswered()

    monkeypatch.setattr("tests.support.delivery_world.FakeLedger.read", read)
    world.outbox().store_intents([voucher(1)])
    delivered = deliver(world)
    assert (delivered.waiting, mutations(world)) == (1, 0)


def test_a_ledger_that_writes_in_part_is_read_back(world: World) -> None:
    world.ledger.is_atomic = False
    world.ledger.missing = {("project", "V9-1")}
    world.outbox().store_intents([voucher(1), voucher(2, references={"project": "V9-1"}), voucher(3)])
    assert deliver(world) == DeliveryResult(sent=2, failed=1)
    assert world.ledger.vouchers() == {1: [1, 2], 2: [1], 3: [1, 2]}
    assert world.error("2")[0] == "incomplete_in_ledger"
    assert world.breaks() == [("voucher incomplete in ledger", "2")]
    assert mutations(world) == 1


def test_what_a_crash_left_in_flight_is_looked_up_first(world: World) -> None:
    outbox = world.outbox()
    outbox.store_intents([voucher(1), voucher(2)])
    outbox.begin([voucher(1).id, voucher(2).id])
    for item in inputs_of(voucher(1)):
        world.ledger.add(MUTATION, item["node"])
    assert deliver(world) == DeliveryResult(sent=2)
    assert world.ledger.vouchers() == {1: [1, 2], 2: [1, 2]}
    assert lives(world, "1") == ["todo", "sending", "unknown", "sent"]
    assert lives(world, "2") == ["todo", "sending", "unknown", "todo", "sending", "sent"]


def test_a_document_no_longer_ready_is_withdrawn_unasked(world: World) -> None:
    world.outbox().store_intents([voucher(1), voucher(2)])
    assert deliver(world, ready=[2]) == DeliveryResult(sent=1)
    assert world.error("1")[0] == "withdrawn"
    assert [values for connection, values in world.ledger.asked if connection == "glImportItems"] == [[2]]


def test_a_withdrawn_voucher_goes_out_when_it_is_ready_again(world: World) -> None:
    world.outbox().store_intents([voucher(1)])
    assert deliver(world, ready=[]) == DeliveryResult()
    world.outbox().store_intents([voucher(1)])
    assert deliver(world) == DeliveryResult(sent=1)


@pytest.mark.parametrize("has_arrived", [False, True])
def test_an_unknown_voucher_not_ready_is_only_looked_up(world: World, *, has_arrived: bool) -> None:
    world.outbox().store_intents([voucher(1)])
    world.outbox().begin([voucher(1).id])
    for item in inputs_of(voucher(1)) if has_arrived else ():
        world.ledger.add(MUTATION, item["node"])
    assert deliver(world, ready=[]) == (DeliveryResult(sent=1) if has_arrived else DeliveryResult())
    assert (world.states(), mutations(world)) == ({"1": "sent" if has_arrived else "failed"}, 0)


def test_a_voucher_with_a_file_goes_alone(world: World) -> None:
    world.settings = make_settings(posting={"attachments": True})
    world.vms.files = {2}
    world.outbox().store_intents([voucher(1), voucher(2), voucher(3), voucher(4, source="GL")])
    deliver(world)
    assert [{key.split("-")[0] for key in sent} for sent in world.ledger.sent] == [{"1", "3", "4"}, {"2"}]
    assert world.ledger.uploads == [[], ["f.pdf"]]


def test_after_two_calls_without_an_answer_it_goes_without_its_file(world: World) -> None:
    world.settings = make_settings(posting={"attachments": True})
    world.vms.files = {1}
    world.ledger.before = failing(1, 2)
    world.outbox().store_intents([voucher(1)])
    result = deliver(world)
    assert (result.sent, world.vms.fetched) == (1, [1, 1])
    assert world.ledger.uploads == [["f.pdf"], ["f.pdf"], []]
    assert "the ledger did not answer 2 calls that were to carry 'f.pdf' (attachment 1)" in result.problems[-1]


def test_a_file_switched_off_in_between_leaves_no_name_behind(world: World) -> None:
    world.settings = make_settings(posting={"attachments": True})
    world.vms.files = {1}
    world.ledger.before = failing(1, error=lambda: unanswered(sent=False))
    world.outbox().store_intents([voucher(1)])
    deliver(world)
    world.settings = make_settings()
    deliver(world)
    assert world.ledger.uploads == [["f.pdf"], []]
    assert world.outbox().payloads([voucher(1).id]) == {voucher(1).id: voucher(1).payload}
    assert "invoiceFile" not in world.ledger.rows["glImportItems"][0]
