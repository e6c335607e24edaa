"""Connections of the ledger: paging, filters, owner sets, status, deltas, ids, times.

Source: docs/systems/ledger.md#1-3 to #1-5, #1-9.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from pipelines.sandbox.ledger.schema import schema
from tests.contract.ledger_world import World, invoice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = "{ edges{ cursor node{ code } } pageInfo{ hasNextPage hasPreviousPage } }"
ADD_PROJECT = (
    "mutation($c:String,$d:String){ addProjects(inputs:{node:{code:$c,description:$d}}){ edges{ node{ dbId } } } }"
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def add_project(world: World, code: str) -> int:
    (edge,) = world.ask(ADD_PROJECT, {"c": code, "d": code})["addProjects"]["edges"]
    db_id: int = edge["node"]["dbId"]
    return db_id


def test_nothing_found_is_edges_null(world: World) -> None:
    found = world.ask('{ suppliers(first: 2, filter: {code: "99"}){ edges{ cursor } pageInfo{ hasNextPage } } }')
    assert found == {"suppliers": {"edges": None, "pageInfo": {"hasNextPage": False}}}


@pytest.mark.parametrize(
    "page", ["", "(first: 0)", "(first: -1)", "(first: 10001)", "(last: 10001)", "(first: 1, last: 1)"]
)
def test_a_page_needs_a_size_of_1_to_10000(world: World, page: str) -> None:
    answer = world.answer(f"{{ accounts{page}{{ edges{{ cursor }} }} }}")
    assert answer["data"] == {"accounts": None}
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_VALUE"
    assert answer["errors"][0]["path"] == ["accounts"]


@pytest.mark.parametrize("given", ["", ', filter: {modifiedAt_gte: "2026-01-01T08:00:00"}'])
def test_pages_walk_all_rows_in_the_order_of_change(world: World, given: str) -> None:
    seen, after = [], None
    while True:
        query = f"query($a: String){{ accounts(first: 4, after: $a{given}){PAGE} }}"
        page = world.ask(query, {"a": after})["accounts"]
        seen += [edge["node"]["code"] for edge in page["edges"]]
        after = page["edges"][-1]["cursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["1500", "1920", "2400", "2700", "2710", "3000", "4300", "4310", "8160"]


def test_last_walks_from_the_newest_to_the_oldest(world: World) -> None:
    newest = world.ask(f"{{ accounts(last: 2){PAGE} }}")["accounts"]
    assert [edge["node"]["code"] for edge in newest["edges"]] == ["8160", "4310"]
    assert newest["pageInfo"]["hasPreviousPage"] is True
    before = newest["edges"][-1]["cursor"]
    older = world.ask(f"query($b: String){{ accounts(last: 9, before: $b){PAGE} }}", {"b": before})["accounts"]
    assert [edge["node"]["code"] for edge in older["edges"]][:2] == ["4300", "3000"]
    assert older["pageInfo"]["hasPreviousPage"] is False


def test_a_row_changed_while_paging_comes_again_at_the_end(world: World) -> None:
    first = world.ask(f"{{ projects(first: 1){PAGE} }}")["projects"]
    db_id = world.nodes('{ projects(first: 1, filter: {code: "V001-2601"}){ edges{ node{ dbId } } } }')[0]["dbId"]
    world.ask(
        f'mutation{{ updateProjects(inputs: {{node: {{dbId: {db_id}, text: "x"}}}}){{ edges{{ node{{ dbId }} }} }} }}'
    )
    query = f"query($a: String){{ projects(first: 9, after: $a){PAGE} }}"
    rest = world.ask(query, {"a": first["edges"][0]["cursor"]})["projects"]
    assert [edge["node"]["code"] for edge in rest["edges"]] == ["V002-2601", "V001-2601"]


def test_a_changed_row_is_found_by_its_new_time_alone(world: World) -> None:
    def changed(since: str) -> list[str]:
        page = f'first: 9, filter: {{modifiedAt_gte: "{since}"}}'
        return [node["code"] for node in world.rows("projects", "code", page)]

    assert changed("2026-01-01T08:00:00") == ["V001-2601", "V002-2601"]
    assert changed("2026-01-02") == []
    db_id = world.nodes('{ projects(first: 1, filter: {code: "V001-2601"}){ edges{ node{ dbId } } } }')[0]["dbId"]
    world.ask(
        f'mutation{{ updateProjects(inputs: {{node: {{dbId: {db_id}, text: "x"}}}}){{ edges{{ node{{ dbId }} }} }} }}'
    )
    assert changed("2026-01-02") == ["V001-2601"]
    assert changed("2026-01-01T08:00:00") == ["V002-2601", "V001-2601"]


def test_a_cursor_that_is_none_is_refused(world: World) -> None:
    assert "cursor" in world.answer('{ accounts(first: 1, after: "x"){ edges{ cursor } } }')["errors"][0]["message"]


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ('{code: "2400"}', ["2400"]),
        ('{code_in: ["3000", "2400", "2400", "no"]}', ["2400", "3000"]),
        ("{balanceSheet: false}", ["3000", "4300", "4310", "8160"]),
        ('{code_in: ["3000", "2400"], balanceSheet: true}', ["2400"]),
        ('{description: "Bank"}', ["1920"]),
        ('{modifiedAt_gte: "2026-01-01T08:00:00", code_in: ["1920"]}', ["1920"]),
        ('{modifiedAt_gt: "2026-01-01T08:00:00"}', []),
        ('{modifiedAt_lt: "2026-01-02", asset: null, code: "1500"}', ["1500"]),
    ],
)
def test_filter_keys_are_anded(world: World, given: str, codes: list[str]) -> None:
    found = world.nodes(f"{{ accounts(first: 99, filter: {given}){{ edges{{ node{{ code }} }} }} }}")
    assert [node["code"] for node in found] == codes


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ('{invoiceRemaining_lt: "-9.5"}', 2),
        ('{invoiceAmount: "-1000"}', 1),
        ("{invoiceAmount_in: [-10, -1000.0]}", 2),
        ('{amount_gte: "-105.00", exchangeRate: 10.5}', 1),
        ('{invoiceNumber_in: ["F-1"], dueDate_lte: "2026-12-01"}', 1),
        ("{matchId: 0}", 2),
        ("{matchId_in: [1, 2]}", 0),
    ],
)
def test_amounts_are_compared_as_numbers(world: World, given: str, count: int) -> None:
    world.add(*invoice(number=1, amount="10.00", invoice_number="F-1"), *invoice(number=2, invoice_number="F-2"))
    assert world.post() == {"posted": 2, "failed": 0}
    assert len(world.nodes(f"{{ apTransactions(first: 9, filter: {given}){{ edges{{ node{{ dbId }} }} }} }}")) == count


@pytest.mark.parametrize(
    ("declared", "filter_key", "value"),
    [("String", "modifiedAt_gte", "2026-01-01"), ("DateTimeString", "modifiedAt_gt", "2025-12-31T23:00:00")],
)
def test_a_date_filter_takes_either_kind_of_variable(world: World, declared: str, filter_key: str, value: str) -> None:
    query = (
        f"query($s: {declared}){{ suppliers(first: 9, filter: {{{filter_key}: $s}}){{ edges{{ node{{ code }} }} }} }}"
    )
    assert len(world.nodes(query, {"s": value})) == 2


@pytest.mark.parametrize("given", ['{modifiedAt_gte: "2026-01-01T00:00:00Z"}', '{modifiedAt_gt: "yesterday"}'])
def test_a_time_with_a_zone_is_no_filter_value(world: World, given: str) -> None:
    assert "errors" in world.answer(f"{{ suppliers(first: 9, filter: {given}){{ edges{{ cursor }} }} }}")


def test_ids_may_be_asked_for_as_numbers_or_strings(world: World) -> None:
    (db_id,) = [
        n["dbId"] for n in world.nodes('{ suppliers(first: 9, filter: {code: "60526"}){ edges{ node{ dbId } } } }')
    ]
    query = "query($i: {}){{ suppliers(first: 9, filter: {{dbId_in: [$i]}}){{ edges{{ node{{ code }} }} }} }}"
    for declared, value in (("Int", db_id), ("ID", str(db_id)), ("Int64String", str(db_id))):
        assert world.nodes(query.format(declared), {"i": value}) == [{"code": "60526"}]


def test_every_filter_key_of_the_schema_can_be_used(world: World) -> None:
    world.add(*invoice())
    world.post()
    samples = {"Int": 1, "Float": 1.5, "Boolean": True, "MoneyString": "1.5", "Int64String": 1}
    query = schema().query_type
    assert query is not None
    for name, field in query.fields.items():
        if "filter" not in field.args:
            continue
        keys = field.args["filter"].type.fields
        values = {key: samples.get(str(member.type).strip("[]!"), "2026-01-01") for key, member in keys.items()}
        filters = [{key: [value] if key.endswith("_in") else value} for key, value in values.items()]
        for start in range(0, len(filters), 90):
            part = {f"f{place}": given for place, given in enumerate(filters[start : start + 90])}
            declared = ", ".join(f"${key}: {field.args['filter'].type.name}" for key in part)
            roots = " ".join(f"{key}: {name}(first: 1, filter: ${key}){{ edges{{ cursor }} }}" for key in part)
            world.ask(f"query({declared}){{ {roots} }}", part)


def test_object_status_looks_at_today(world: World) -> None:
    query = "{{ projects(first: 9, objectStatus: {}){{ edges{{ node{{ code }} }} }} }}"
    assert world.nodes(query.format("OPEN")) == [{"code": "V001-2601"}]
    assert world.nodes(query.format("CLOSED")) == [{"code": "V002-2601"}]
    assert len(world.nodes(query.format("ALL"))) == 2


@pytest.mark.parametrize(
    ("owner_set", "codes"),
    [("CURRENT", ["28601"]), ("MINE", ["28601"]), ("UPPER", ["28600"]), ("LOWER", []), ("ALL", ["28600", "28601"])],
)
def test_owner_sets_are_seen_from_the_token(world: World, owner_set: str, codes: list[str]) -> None:
    world.settings(tokens={"a-token-of-28601-only": 28601})
    query = f"{{ entities(first: 9, ownerSet: {owner_set}){{ edges{{ node{{ code }} }} }} }}"
    edges = world.answer(query, token="a-token-of-28601-only")["data"]["entities"]["edges"]
    assert [edge["node"]["code"] for edge in edges or []] == codes


def test_master_data_is_seen_from_below_but_books_are_not(world: World) -> None:
    world.settings(tokens={"a-token-of-28602-only": 28602})
    query = "{ suppliers(first: 9){ edges{ cursor } } transactions(first: 9){ edges{ cursor } } }"
    data = world.answer(query, token="a-token-of-28602-only")["data"]
    assert len(data["suppliers"]["edges"]) == 2
    assert data["transactions"]["edges"] is None


def test_ids_are_numbers_on_old_types_and_strings_on_new(world: World) -> None:
    edges = world.add(*invoice())
    world.post()
    assert isinstance(edges[0]["node"]["dbId"], str)
    for name, kind in (
        ("projects", int), ("suppliers", int), ("customers", int), ("companies", int), ("transactions", int),
        ("apTransactions", str), ("exchangeRates", str), ("objectKinds", str), ("xglDimensions", str),
    ):  # fmt: skip
        (node,) = world.nodes(f"{{ {name}(first: 1){{ edges{{ node{{ dbId }} }} }} }}")
        assert isinstance(node["dbId"], kind), name


def test_times_are_norwegian_through_the_change_of_hour(world: World) -> None:
    seen = []
    for moment in (
        "2026-10-25T00:30:00+00:00",
        "2026-10-25T01:30:00+00:00",
        "2026-03-29T00:30:00+00:00",
        "2026-03-29T01:30:00+00:00",
    ):
        world.clock.set(datetime.fromisoformat(moment))
        db_id = add_project(world, moment[5:16])
        (node,) = world.nodes(
            f"{{ projects(first: 1, filter: {{dbId: {db_id}}}){{ edges{{ node{{ createdAt }} }} }} }}"
        )
        seen.append(node["createdAt"][5:16])
    assert seen == ["10-25T02:30", "10-25T02:30", "03-29T01:30", "03-29T03:30"]


def test_exchange_rates_are_ranges_without_gaps(world: World) -> None:
    new = {"owner": 28600, "from": "USD", "to": "NOK", "rate": "10.71", "fromDate": "2026-11-02"}
    world.control("rates", new)
    world.control("rates", new | {"rate": "10.72"})
    rates = world.rows("exchangeRates", "fromDate toDate exchangeRate", 'first: 9, filter: {currencyFromCode: "USD"}')
    found = sorted((node["fromDate"], node["toDate"], node["exchangeRate"]) for node in rates)
    assert found == [
        ("2026-10-29", "2026-10-29", 10.5012),
        ("2026-10-30", "2026-11-01", 10.6),
        ("2026-11-02", None, 10.72),
    ]
    changed = (
        '{ exchangeRates(first: 9, filter: {modifiedAt_gte: "2026-11-02T00:00:00"}){ edges{ node{ fromDate } } } }'
    )
    assert [node["fromDate"] for node in world.nodes(changed)] == ["2026-10-30", "2026-11-02"]


def test_a_closed_period_is_a_row_and_an_open_one_none(world: World) -> None:
    selection = "owner{ ownerCode } period{ year monthNumber fromDate toDate }"
    july = {"year": 2026, "monthNumber": 7, "fromDate": "2026-07-01", "toDate": "2026-07-31"}
    assert world.rows("periodStatusItems", selection) == [{"owner": {"ownerCode": 28601}, "period": july}]
    world.control("periods", {"owner": 28601, "period": "2026-07", "closed": False})
    world.control("periods", [{"owner": 28602, "period": "2026-02"}, {"owner": 28602, "period": "2026-02"}])
    assert [node["period"]["toDate"] for node in world.rows("periodStatusItems", selection)] == ["2026-02-28"]
    assert world.control("periods") == [{"owner": 28602, "period": "2026-02", "closed": True}]


def test_deltas_tell_what_happened_and_are_kept_3_days(world: World) -> None:
    query = "query($a: String){ project_deltas(first: 9, after: $a){ edges{ cursor node{ dbId mutationType } } } }"
    assert world.ask("{ project_deltas(last: 1){ edges{ cursor } } }") == {"project_deltas": {"edges": None}}
    db_id = add_project(world, "P1")
    world.ask(
        f'mutation{{ updateProjects(inputs: {{node: {{dbId: {db_id}, text: "x"}}}}){{ edges{{ node{{ dbId }} }} }} }}'
    )
    edges = world.ask(query)["project_deltas"]["edges"]
    assert [edge["node"] for edge in edges] == [
        {"dbId": db_id, "mutationType": "ADDED"},
        {"dbId": db_id, "mutationType": "UPDATED"},
    ]
    assert len(world.ask(query, {"a": edges[0]["cursor"]})["project_deltas"]["edges"]) == 1
    world.clock.advance(3 * 24 * 3600 + 60)
    assert world.ask(query)["project_deltas"]["edges"] is None


def test_deltas_are_of_rows_that_the_token_reaches(world: World) -> None:
    world.settings(tokens={"a-token-of-28601-only": 28601, "a-token-of-28602-only": 28602})
    world.add(*invoice())
    world.post()
    add_project(world, "P1")
    query = """{ apTransaction_deltas(first: 9){ edges{ node{ mutationType } } }
                 project_deltas(first: 9){ edges{ node{ mutationType } } } }"""
    added = [{"node": {"mutationType": "ADDED"}}]
    own, other = (world.answer(query, token=f"a-token-of-{code}-only")["data"] for code in (28601, 28602))
    assert own == {"apTransaction_deltas": {"edges": added}, "project_deltas": {"edges": added}}
    # A project of the group is seen from below, the books of a sister are not.
    assert other == {"apTransaction_deltas": {"edges": None}, "project_deltas": {"edges": added}}


def test_dimensions_are_set_up_per_entity(world: World) -> None:
    group, *_ = world.rows("entities", "glSetupEntries{ field{ name } fieldObject{ objectKind{ name } } }")
    kinds = {entry["field"]["name"]: entry["fieldObject"]["objectKind"]["name"] for entry in group["glSetupEntries"]}
    assert kinds == {"glObject1": "VESSEL", "glObject2": "PROJECT", "glObject3": "LOCATION"}
