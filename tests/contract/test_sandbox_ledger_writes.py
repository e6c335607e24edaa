"""Mutations of the ledger: master data, references, limits of a call, refusals.

Source: docs/systems/ledger.md#1-6, #1-7, #3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.ledger_world import ADD_ITEMS, World, items, line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def mutation(field: str, selection: str = "dbId") -> str:
    kind = f"{field[0].upper()}{field[1:]}Input"
    return f"mutation($in:[{kind}!]!){{ {field}(inputs:$in){{ edges{{ clientId node{{ {selection} }} }} }} }}"


def write(world: World, field: str, *nodes: dict[str, Any], selection: str = "dbId") -> list[dict[str, Any]]:
    edges = world.ask(mutation(field, selection), items(*nodes))[field]["edges"]
    return [edge["node"] for edge in edges]


def messages(world: World, field: str, *nodes: dict[str, Any]) -> list[str]:
    answer = world.answer(mutation(field), items(*nodes))
    assert answer["data"] == {field: None}
    assert all(error["extensions"] == {"code": "INVALID_VALUE"} for error in answer["errors"])
    return [error["message"] for error in answer["errors"]]


def entity(world: World, code: str) -> int:
    query = "query($c: String){ entities(first: 1, filter: {code: $c}){ edges{ node{ dbId } } } }"
    db_id: int = world.nodes(query, {"c": code})[0]["dbId"]
    return db_id


def test_records_come_back_in_input_order_with_their_ids(world: World) -> None:
    answer = world.ask(
        mutation("addProjects", "code"), items({"code": "B", "description": "b"}, {"code": "A", "description": "a"})
    )
    assert answer["addProjects"]["edges"] == [
        {"clientId": "0", "node": {"code": "B"}},
        {"clientId": "1", "node": {"code": "A"}},
    ]


def test_one_node_needs_no_brackets(world: World) -> None:
    query = "mutation($n:AddProjectsInputNode!){ addProjects(inputs:{node:$n}){ edges{ node{ code ownerDbId } } } }"
    (edge,) = world.ask(query, {"n": {"code": "P", "description": "p"}})["addProjects"]["edges"]
    assert edge["node"] == {"code": "P", "ownerDbId": entity(world, "28600")}


def test_a_single_input_stands_for_a_list_of_one(world: World) -> None:
    query = "mutation($in:AddProjectsInput!){ addProjects(inputs:$in){ edges{ node{ code } } } }"
    data = world.ask(query, {"in": {"node": {"code": "P", "description": "p"}}})
    assert data["addProjects"]["edges"] == [{"node": {"code": "P"}}]


def test_a_supplier_is_read_back_as_it_was_sent(world: World) -> None:
    address = {"streetAddress": "Kai 2", "zipCode": "5004", "place": "Bergen"}
    plain = {"description": "Port Agent", "email": "a@b.no", "bankAccount": "NO9386011117947", "phone": "1"}
    company = {"companyNumber": "923609016", "taxNumber": "NO923609016MVA"}
    references = {"owner": {"ownerCode": 28601}, "glObject1": {"code": "V001"}, "currency": {"code": "USD"}}
    more = {"code": "61000", "phoneNumber2": "2", "address": address | {"country": "NO"}}
    write(world, "addSuppliers", plain | company | references | more)
    by_code = 'first: 2, filter: {code: "61000"}'
    assert world.rows("subledgers", " ".join(plain), by_code) == [plain]
    assert world.rows("subledgers", "phone2 taxNo ownerDbId currency{ code } ledgerType{ name }", by_code) == [
        {
            "phone2": "2",
            "taxNo": "NO923609016MVA",
            "ownerDbId": entity(world, "28601"),
            "currency": {"code": "USD"},
            "ledgerType": {"name": "AP"},
        }
    ]
    selection = "address{ streetAddress zipCode place country{ code } } company{ companyNumber taxNumber description }"
    assert world.rows("subledgers", selection, by_code) == [
        {"address": address | {"country": {"code": "NO"}}, "company": company | {"description": "Port Agent"}}
    ]


def test_a_suppliers_bank_is_taken_and_never_read_back(world: World) -> None:
    bank = {"bankAccount": "123456789", "swift": "SPRBUS2X", "bankRouting": "021000021"}
    write(world, "addSuppliers", {"code": "61001", "description": "Bayou Agents", **bank})
    assert world.rows("subledgers", "bankAccount", 'first: 2, filter: {code: "61001"}') == [
        {"bankAccount": "123456789"}
    ]


def test_codes_may_be_given_twice_and_then_refuse_later_use(world: World) -> None:
    write(world, "addProjects", {"code": "V001-2601", "description": "again"})
    (message,) = messages(world, "addGLImportItems", line("4310", "1.00"))
    assert message == f"project.code: More than one value matching owner {entity(world, '28601')}, code 'V001-2601'."


def test_the_nearest_entity_wins_among_equal_codes(world: World) -> None:
    write(world, "addProjects", {"code": "V001-2601", "description": "own", "owner": {"ownerCode": 28601}})
    assert len(world.add(line("4310", "1.00"))) == 1


def test_required_members_are_asked_for(world: World) -> None:
    assert messages(world, "addSuppliers", {"description": "x"}) == ["code: Value is required."]
    assert messages(world, "addProjects", {"code": "x", "description": ""}) == ["description: Value is required."]
    assert messages(world, "addCustomers", {"code": "x", "description": "x"}) == ["company: Value is required."]
    assert messages(world, "addObjectValues", {"code": "x", "description": "x"}) == ["definition: Value is required."]
    assert messages(world, "addBankAccounts", {"code": "x"}) == ["bankAccount: Value is required."]


@pytest.mark.parametrize(
    ("field", "value", "key", "code"),
    [
        ("project", {"code": "V009-2601"}, "code", "V009-2601"),
        ("account", {"code": "9999"}, "code", "9999"),
        ("subledger", {"code": "60526 "}, "code", "60526 "),
        ("glObject1", {"code": "v001"}, "code", "v001"),
        ("glObject3", {"code": "V001"}, "code", "V001"),
        ("taxRule", {"code": "FS"}, "code", "FS"),
        ("currency", {"dbId": 1}, "dbId", "1"),
        ("xgl", {"description": "no\n'such"}, "description", "no\n'such"),
    ],
)
def test_an_unknown_reference_is_refused_in_the_known_words(
    world: World, field: str, value: dict[str, Any], key: str, code: str
) -> None:
    owner = entity(world, "28601")
    (message,) = messages(world, "addGLImportItems", line("4310", "1.00") | {field: value})
    assert message == f"{field}.{key}: No value matching owner {owner}, {key} '{code}'."


def test_an_unknown_owner_is_refused(world: World) -> None:
    (message,) = messages(world, "addGLImportItems", line("4310", "1.00", owner={"ownerCode": 28699}))
    assert message == f"owner.ownerCode: No value matching owner {entity(world, '28600')}, ownerCode '28699'."


def test_every_bad_reference_is_named_and_nothing_is_written(world: World) -> None:
    bad = [line("4310", "1.00", project={"code": f"P{place}"}) for place in range(3)]
    assert len(messages(world, "addGLImportItems", line("2400", "1.00"), *bad)) == 3
    assert world.control("import-items") == []


def test_with_atomic_mutations_off_the_good_nodes_go_in(world: World) -> None:
    world.settings(atomic_mutations=False)
    answer = world.answer(ADD_ITEMS, items(line("4310", "1.00", project={"code": "P"}), line("4310", "2.00")))
    assert [edge["node"] is None for edge in answer["data"]["addGLImportItems"]["edges"]] == [True, False]
    assert len(answer["errors"]) == 1
    assert len(world.control("import-items")) == 1


def test_500_nodes_are_the_most_a_mutation_takes(world: World) -> None:
    assert len(world.add(*[line("4310", "1.00") for _ in range(500)])) == 500
    (message,) = messages(world, "addGLImportItems", *[line("4310", "1.00") for _ in range(501)])
    assert "At most 500 nodes" in message


@pytest.mark.parametrize(
    ("name", "longest"),
    [("text", 100), ("invoiceNumber", 25), ("extIdentifier", 30), ("bankAccount", 35)],
)
def test_a_text_that_is_too_long_is_refused(world: World, name: str, longest: int) -> None:
    assert len(world.add(line("4310", "1.00") | {name: "x" * longest})) == 1
    (message,) = messages(world, "addGLImportItems", line("4310", "1.00") | {name: "x" * (longest + 1)})
    assert message == f"{name}: Value is too long, at most {longest} characters are allowed."


@pytest.mark.parametrize(
    "bad",
    [
        {"trRegNumber": 2**31},
        {"amount": "12,50"},
        {"amount": "1e5"},
        {"amount": "9" * 30},
        {"amount": "NaN"},
        {"postedDate": "2026-02-30"},
        {"postedDate": "02.11.2026"},
        {"jobLevel": {"dbSubId": 3}},
        {"foo": 1},
    ],
)
def test_a_value_of_a_wrong_type_is_refused(world: World, bad: dict[str, Any]) -> None:
    answer = world.answer(ADD_ITEMS, items(line("4310", "1.00") | bad))
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_VALUE"
    assert world.control("import-items") == []


def test_amounts_may_be_numbers_and_keep_their_digits(world: World) -> None:
    content = (
        '{"query":"mutation($in:[AddGLImportItemsInput!]!){addGLImportItems(inputs:$in){edges{node{amount}}}}",'
        '"variables":{"in":[{"node":{"amount":123456789012345.07}},{"node":{"amount":-5}}]}}'
    )
    headers = {"Authorization": "token springline-sandboxed"}
    edges = world.send("/graphql", content=content, headers=headers).json()["data"]["addGLImportItems"]["edges"]
    assert [edge["node"]["amount"] for edge in edges] == ["123456789012345.07", "-5.00"]


def test_an_update_changes_what_it_names_and_keeps_the_rest(world: World) -> None:
    (created,) = write(world, "addProjects", {"code": "P", "description": "p", "fromDate": "2026-01-01", "text": "t"})
    world.clock.advance(60)
    node = {"dbId": str(created["dbId"]), "description": "new", "text": None}
    (changed,) = write(world, "updateProjects", node, selection="code description text fromDate createdAt modifiedAt")
    assert changed == {
        "code": "P", "description": "new", "text": None, "fromDate": "2026-01-01",
        "createdAt": "2026-11-02T09:00:00", "modifiedAt": "2026-11-02T09:01:00",
    }  # fmt: skip


def test_an_update_of_a_record_nobody_has_is_refused(world: World) -> None:
    (customer,) = world.nodes("{ customers(first: 1){ edges{ node{ dbId } } } }")
    owner = entity(world, "28600")
    for db_id in (1, customer["dbId"]):
        node = {"dbId": db_id, "description": "x"}
        assert messages(world, "updateSuppliers", node) == [f"dbId: No value matching owner {owner}, dbId '{db_id}'."]


def test_the_company_number_is_changed_through_the_supplier(world: World) -> None:
    (supplier,) = world.nodes('{ suppliers(first: 1, filter: {code: "60526"}){ edges{ node{ dbId } } } }')
    node = {"dbId": supplier["dbId"], "companyNumber": "923609016", "bankAccount": "12345678903"}
    (changed,) = write(world, "updateSuppliers", node, selection="company{ companyNumber } code")
    assert changed == {"company": {"companyNumber": "923609016"}, "code": "60526"}


def test_a_cost_centre_belongs_to_the_kind_of_its_definition(world: World) -> None:
    (kind,) = world.nodes('{ objectKinds(first: 1, filter: {name: "VESSEL"}){ edges{ node{ dbId } } } }')
    node = {"code": "V003", "description": "MV Gamma", "definition": {"dbId": kind["dbId"]}}
    write(world, "addObjectValues", node)
    query = "query($k: Int64String){ objectValues(first: 9, filter: {objectKindDbId: $k}){ edges{ node{ code } } } }"
    assert [found["code"] for found in world.nodes(query, {"k": kind["dbId"]})] == ["V001", "V002", "V003"]
    assert len(world.add(line("4310", "1.00", glObject1={"code": "V003"}))) == 1


def test_customers_companies_and_xgl_values_can_be_added(world: World) -> None:
    (company,) = write(world, "addCompanies", {"code": "C9", "description": "Charterer", "companyNumber": "1"})
    (customer,) = write(
        world, "addCustomers", {"code": "C9", "description": "Charterer", "company": {"dbId": company["dbId"]}},
        selection="company{ companyNumber }",
    )  # fmt: skip
    assert customer == {"company": {"companyNumber": "1"}}
    write(world, "updateCompanies", {"dbId": company["dbId"], "companyNumber": "2"})
    write(
        world,
        "updateCustomers",
        {"dbId": world.nodes("{ customers(last: 1){ edges{ node{ dbId } } } }")[0]["dbId"], "email": "x@y.no"},
    )
    (xgl,) = write(world, "addXGLDimensions", {"code": "POOL1", "description": "Pool"})
    write(world, "updateXGLDimensions", {"dbId": xgl["dbId"], "allowPosting": False})
    assert world.nodes('{ xglDimensions(first: 1, filter: {code: "POOL1"}){ edges{ node{ allowPosting } } } }') == [
        {"allowPosting": False}
    ]
    assert world.nodes("{ customers(last: 1){ edges{ node{ email code company{ companyNumber } } } } }") == [
        {"email": "x@y.no", "code": "C9", "company": {"companyNumber": "2"}}
    ]


def test_bank_accounts_are_removed_once(world: World) -> None:
    (account,) = write(world, "addBankAccounts", {"bankAccount": "86011117947"})
    query = "mutation($ids:[Int64String!]!){ removeBankAccounts(dbIds:$ids){ numAffected skippedDbIds } }"
    assert world.ask(query, {"ids": [account["dbId"], 7]}) == {
        "removeBankAccounts": {"numAffected": 1, "skippedDbIds": ["7"]}
    }
    assert world.ask(query, {"ids": [account["dbId"]]})["removeBankAccounts"]["numAffected"] == 0
