"""Master data is written once per change, in the order of need, and never beside a code that is there already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.load.delivery import DeliveryResult
from pipelines.load.ledger.master_data import STAGES, deliver_master_data
from pipelines.outbox.intent import Kind
from tests.support.delivery_models import MODELS, change, create_models
from tests.support.delivery_world import Node, World, unanswered

MORE: dict[str, dict[str, Any]] = {"post.cost_centre_changes": {"definition_db_id": 5}}


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "ctl.sqlite")
    create_models(world.warehouse)
    return world


def clear(world: World) -> None:
    for stage in STAGES:
        world.warehouse.execute(f"DELETE FROM {stage.model}")  # noqa: S608 a table of ours


def read_back(world: World, stage: int, content_hash: str, db_id: int) -> None:
    table, key = STAGES[stage].staging, STAGES[stage].db_id
    world.warehouse.execute(f"DELETE FROM {table} WHERE {key} = ?", [db_id])  # noqa: S608 a table of ours
    world.warehouse.execute(f"INSERT INTO {table} VALUES (?, ?)", [db_id, content_hash])  # noqa: S608 a table of ours


def deliver(world: World) -> DeliveryResult:
    return deliver_master_data(world.context(), sleep=world.clock.sleep)


def written(world: World, connection: str) -> list[Node]:
    return world.ledger.rows.get(connection, [])


def mutations(world: World) -> list[str]:
    return [call for call in world.ledger.calls if call.startswith(("add", "update"))]


def test_nothing_wanted_asks_nothing(world: World) -> None:
    assert deliver(world) == DeliveryResult()
    assert world.ledger.calls == []


def test_kinds_are_written_in_the_order_of_need(world: World) -> None:
    for model in reversed(MODELS):
        change(world.warehouse, model, "1", description="x", **MORE.get(model, {}))
    assert deliver(world) == DeliveryResult(sent=5)
    assert mutations(world) == ["addCompanies", "addSuppliers", "addCustomers", "addObjectValues", "addProjects"]


def test_a_supplier_is_added_with_every_field_it_has(world: World) -> None:
    change(
        world.warehouse,
        "post.supplier_changes",
        "60526",
        description="Nordic AS",
        company_number="974760673",
        country_code="NO",
        street_address="Kaigata 1",
        zip_code="5003",
        place="Bergen",
        bank_account="86011117947",
        email="a@b.no",
    )
    deliver(world)
    [node] = written(world, "suppliers")
    assert {name: value for name, value in node.items() if name not in {"dbId", "ownerDbId"}} == {
        "code": "60526",
        "owner": {"ownerCode": 28600},
        "description": "Nordic AS",
        "companyNumber": "974760673",
        "country": {"code": "NO"},
        "streetAddress": "Kaigata 1",
        "zipCode": "5003",
        "place": "Bergen",
        "bankAccount": "86011117947",
        "email": "a@b.no",
    }


def test_an_update_carries_its_id_and_what_differs(world: World) -> None:
    change(world.warehouse, "post.supplier_changes", "60526", action="update", db_id=77, email="new@b.no")
    assert deliver(world) == DeliveryResult(sent=1)
    payloads = world.outbox().payloads([row["id"] for row in world.control.read("SELECT id FROM outbox")])
    assert list(payloads.values()) == [[{"clientId": "28600:60526", "node": {"dbId": 77, "email": "new@b.no"}}]]
    assert mutations(world) == ["updateSuppliers"]


def test_a_project_hangs_on_its_vessel(world: World) -> None:
    world.warehouse.execute(
        "INSERT INTO post.project_changes VALUES ('28600:V1-1', 'add', NULL, 28600, 'V1-1', 'Alpha V1-1', "
        "DATE '2026-01-05', NULL, 'V1')"
    )
    deliver(world)
    [node] = written(world, "projects")
    assert (node["fromDate"], node["glObject1"], "toDate" in node) == ("2026-01-05", {"code": "V1"}, False)


def test_a_customer_hangs_on_the_company_made_before_it(world: World) -> None:
    change(world.warehouse, "post.company_changes", "70001", description="Both Ltd")
    change(world.warehouse, "post.customer_changes", "70001", description="Both Ltd")
    change(world.warehouse, "post.customer_changes", "70002", description="Old Ltd", company_db_id=55)
    assert deliver(world) == DeliveryResult(sent=3)
    [company] = written(world, "companies")
    assert [node["company"]["dbId"] for node in written(world, "customers")] == [int(company["dbId"]), 55]


def test_a_customer_waits_for_its_company(world: World) -> None:
    world.ledger.missing = {("country", "XX")}
    change(world.warehouse, "post.company_changes", "70001", description="Both Ltd", country_code="XX")
    change(world.warehouse, "post.customer_changes", "70001", description="Both Ltd")
    result = deliver(world)
    assert (result.failed, result.waiting, len(result.problems)) == (1, 1, 1)
    assert result.problems[0].startswith("1 customer waits for its company in the ledger: 28600:70001. Next: ")
    assert world.error("28600:70001#1", Kind.COMPANY)[0] == "country_missing"
    assert world.states(Kind.CUSTOMER) == {}


def test_a_code_that_is_there_is_taken_not_added(world: World) -> None:
    db_id = world.ledger.add("addSuppliers", {"code": "1", "owner": {"ownerCode": 28600}})
    change(world.warehouse, "post.supplier_changes", "1", description="x")
    assert deliver(world) == DeliveryResult(sent=1)
    assert mutations(world) == []
    assert world.outbox().versions(Kind.SUPPLIER, ["28600:1"])["28600:1"].remote_ids == {"dbIds": [db_id]}


def test_the_same_code_in_an_entity_below_says_nothing(world: World) -> None:
    world.ledger.add("addSuppliers", {"code": "1", "owner": {"ownerCode": 28602}})
    change(world.warehouse, "post.supplier_changes", "1", description="x")
    deliver(world)
    assert mutations(world) == ["addSuppliers"]


def test_a_code_of_another_dimension_says_nothing(world: World) -> None:
    world.ledger.add("addObjectValues", {"code": "1", "owner": {"ownerCode": 28600}, "objectKindDbId": 4})
    change(world.warehouse, "post.cost_centre_changes", "1", description="x", definition_db_id=5)
    deliver(world)
    assert mutations(world) == ["addObjectValues"]


@pytest.mark.parametrize("action", ["add", "update"])
def test_a_code_that_is_there_twice_is_a_break(world: World, action: str) -> None:
    for _ in range(2):
        world.ledger.add("addSuppliers", {"code": "1", "owner": {"ownerCode": 28600}})
    change(world.warehouse, "post.supplier_changes", "1", action=action, db_id=9001, description="x")
    assert deliver(world) == DeliveryResult(failed=1)
    assert (mutations(world), world.breaks()) == ([], [("code not unique", "supplier:28600:1")])
    world.ledger.rows["suppliers"].pop()
    assert deliver(world) == DeliveryResult(sent=1)
    assert world.breaks() == []


def test_what_was_added_and_not_yet_read_back_rests(world: World) -> None:
    change(world.warehouse, "post.supplier_changes", "1", description="x")
    deliver(world)
    calls = len(world.ledger.calls)
    assert deliver(world) == DeliveryResult()
    assert len(world.ledger.calls) == calls


def test_each_change_is_a_version_even_back_and_forth(world: World) -> None:
    for version, (email, content_hash) in enumerate([("a", "h1"), ("b", "h2"), ("a", "h3")], start=1):
        clear(world)
        read_back(world, 1, content_hash, 77)
        change(world.warehouse, "post.supplier_changes", "1", action="update", db_id=77, email=email)
        assert deliver(world) == DeliveryResult(sent=1)
        assert deliver(world) == DeliveryResult()
        assert f"28600:1#{version}" in world.states(Kind.SUPPLIER)


def test_a_change_undone_in_the_ledger_is_made_again(world: World) -> None:
    change(world.warehouse, "post.supplier_changes", "1", action="update", db_id=77, email="a")
    read_back(world, 1, "as we left it", 77)
    deliver(world)
    read_back(world, 1, "undone by hand", 77)
    assert deliver(world) == DeliveryResult(sent=1)
    assert set(world.states(Kind.SUPPLIER)) == {"28600:1#1", "28600:1#2"}


def test_a_change_that_failed_keeps_its_version(world: World) -> None:
    world.ledger.missing = {("country", "XX")}
    change(world.warehouse, "post.supplier_changes", "1", description="x", country_code="XX")
    assert deliver(world) == DeliveryResult(failed=1)
    clear(world)
    change(world.warehouse, "post.supplier_changes", "1", description="x", country_code="NO")
    assert deliver(world) == DeliveryResult(sent=1)
    assert world.states(Kind.SUPPLIER) == {"28600:1#1": "sent"}


def test_one_bad_node_holds_back_no_other(world: World) -> None:
    world.ledger.missing = {("country", "XX")}
    for number in range(499):
        change(world.warehouse, "post.supplier_changes", f"s{number}", description="x")
    change(world.warehouse, "post.supplier_changes", "bad", description="x", country_code="XX")
    assert deliver(world) == DeliveryResult(sent=499, failed=1)
    assert mutations(world) == ["addSuppliers"] * 2


def test_a_lost_answer_adds_no_code_twice(world: World) -> None:
    def once(number: int) -> None:
        if number == 1:
            raise unanswered()

    world.ledger.after = once
    change(world.warehouse, "post.supplier_changes", "1", description="x")
    assert deliver(world).sent == 1
    assert len(written(world, "suppliers")) == 1


def test_the_tokens_own_entity_needs_no_owner(world: World) -> None:
    world.warehouse.execute("INSERT INTO map.master_visibility VALUES (NULL, 900)")
    world.warehouse.execute(
        "INSERT INTO post.supplier_changes (natural_key, action, code, description) VALUES ('token:1', 'add', '1', 'x')"
    )
    assert deliver(world) == DeliveryResult(sent=1)
    assert "owner" not in written(world, "suppliers")[0]


def test_a_change_nobody_wants_any_more_is_not_sent(world: World) -> None:
    world.ledger.before = refuse_to_answer
    change(world.warehouse, "post.supplier_changes", "1", description="x")
    assert deliver(world).waiting == 1
    clear(world)
    world.ledger.before = lambda _: None
    assert deliver(world) == DeliveryResult()
    assert (written(world, "suppliers"), world.states(Kind.SUPPLIER)) == ([], {"28600:1#1": "failed"})


@pytest.mark.parametrize(
    ("email", "is_there"), [("new@b.no", True), ("old@b.no", False), (None, False)], ids=["there", "other", "gone"]
)
def test_an_update_nobody_wants_any_more_has_arrived_where_it_shows(
    world: World, email: str | None, *, is_there: bool
) -> None:
    def lose(_: int) -> None:
        raise unanswered()

    world.ledger.before = lose
    change(world.warehouse, "post.supplier_changes", "1", action="update", db_id=77, email="new@b.no", swift="NEW")
    assert deliver(world).unknown == 1
    clear(world)
    if email:
        world.warehouse.execute(
            "INSERT INTO map.ledger_partners BY NAME SELECT 'supplier' AS side, 77 AS db_id, ? AS email", [email]
        )
    world.ledger.before = lambda _: None
    calls = mutations(world)
    deliver(world)
    assert world.states(Kind.SUPPLIER) == {"28600:1#1": "sent" if is_there else "failed"}
    assert mutations(world) == calls


def refuse_to_answer(_: int) -> None:
    raise unanswered(sent=False)


def test_what_is_refused_as_it_is_goes_again_only_when_changed(world: World) -> None:
    def supplier(email: str) -> None:
        clear(world)
        change(world.warehouse, "post.supplier_changes", "60526", description="Nordic AS", email=email)

    world.ledger.longest = 10
    supplier("accounts@nordic.example")
    assert deliver(world) == DeliveryResult(failed=1)
    calls = len(mutations(world))
    assert deliver(world) == deliver(world) == DeliveryResult()
    assert len(mutations(world)) == calls
    supplier("a@b.no")
    assert deliver(world) == DeliveryResult(sent=1)


def test_without_its_entity_what_the_ledger_has_is_not_made_a_second_time(world: World) -> None:
    world.ledger.rows["suppliers"] = [{"dbId": 77, "code": "60526", "ownerDbId": 1, "description": "Nordic AS"}]
    world.warehouse.execute("DELETE FROM map.master_visibility")
    change(world.warehouse, "post.supplier_changes", "60526", description="Nordic AS")
    result = deliver(world)
    assert (result.sent, result.waiting) == (0, 1)
    assert mutations(world) == []
    [problem] = result.problems
    assert "the ledger has no entity 28600" in problem
