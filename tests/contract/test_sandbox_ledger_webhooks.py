"""Webhooks of the sandbox's ledger: payloads, signatures, states, retries (docs/systems/ledger.md#1-10, #1-11)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pipelines.sandbox.ledger.routes import LEDGER_TOKEN
from pipelines.sandbox.ledger.webhooks import signed
from tests.contract.ledger_world import NOW, World, invoice
from tests.support.patience import PATIENCE
from tests.support.receiver import Receiver, Told, until
from tests.support.sandbox_server import running_sandbox, sandbox_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECTS = "subscription { projects: projectsMutated { edges{ syncVersion node{ code description } } } }"
ADD = (
    "mutation($in: [AddWebhooksInput!]!){ addWebhooks(inputs: $in){ edges{ node{"
    " dbId description url state{ code } serializedPayload lastSuccessfulPost lastFailedPost } } } }"
)
ADD_PROJECTS = "mutation($in: [AddProjectsInput!]!){ addProjects(inputs: $in){ edges{ node{ dbId } } } }"
TYPES = {
    "apTransactions": "dbId invoiceNumber invoiceRemaining",
    "arTransactions": "dbId",
    "customers": "code",
    "exchangeRates": "exchangeRate",
    "glImportItems": "trRegNumber jobLevel{ dbSubId }",
    "projects": "code",
    "suppliers": "code",
    "transactions": "dbId amount header{ text }",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


def node(receiver: Receiver, query: str = PROJECTS) -> dict[str, Any]:
    return {"node": {"description": "x", "url": receiver.url, "serializedPayload": json.dumps({"query": query})}}


def webhook(world: World, receiver: Receiver, query: str = PROJECTS) -> str:
    """Add a webhook and let it come to run."""
    (edge,) = world.ask(ADD, {"in": [node(receiver, query)]})["addWebhooks"]["edges"]
    world.clock.advance(5)
    wait(world, edge["node"]["dbId"], "RUNNING")
    return str(edge["node"]["dbId"])


def shown(world: World, db_id: str) -> dict[str, Any]:
    selection = "state{ code } lastSuccessfulPost lastFailedPost"
    answer: dict[str, Any] = world.ask(f"query($dbId: ID){{ webhook(dbId: $dbId){{ {selection} }} }}", {"dbId": db_id})[
        "webhook"
    ]
    return answer


def wait(world: World, db_id: str, state: str) -> None:
    until(lambda: shown(world, db_id)["state"]["code"] == state)


def attempts(world: World) -> list[dict[str, Any]]:
    return list(reversed(world.control("webhooks/posts")))


def add_projects(world: World, *codes: str) -> None:
    world.ask(ADD_PROJECTS, {"in": [{"node": {"code": code, "description": f"Voyage {code}"}} for code in codes]})


def codes(told: Told) -> list[str]:
    return [edge["node"]["code"] for edge in told.json["data"]["projects"]["edges"]]


def test_the_signature_is_that_of_the_reference() -> None:
    token = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"
    body = b'{"data":{"projects":{"edges":[{"syncVersion":"42","node":{"dbId":101,"code":"V001"}}]}}}'
    headers = signed(body, token=token, now=datetime.fromtimestamp(1_718_000_000.9, UTC))
    assert headers["Date"] == "Mon, 10 Jun 2024 06:13:20 GMT"
    assert headers["X-XL-Webhook-Signature"] == "vwRWfu5R5R4_A_0LKZtfhlle8MiIWKj4G_mOdL3wrII"


def test_a_post_tells_what_was_selected_under_its_alias(world: World, receiver: Receiver) -> None:
    webhook(world, receiver)
    add_projects(world, "V1", "V2")
    told = receiver.next()
    edges = told.json["data"]["projects"]["edges"]
    assert [edge["node"] for edge in edges] == [
        {"code": "V1", "description": "Voyage V1"},
        {"code": "V2", "description": "Voyage V2"},
    ]
    assert [edge.keys() for edge in edges] == [{"syncVersion", "node"}] * 2
    assert int(edges[0]["syncVersion"]) < int(edges[1]["syncVersion"])
    assert told.headers["Content-Type"] == "application/json"


def test_a_post_is_signed_with_the_token_it_was_added_with(world: World, receiver: Receiver) -> None:
    webhook(world, receiver)
    add_projects(world, "V1")
    told = receiver.next()
    at = parsedate_to_datetime(told.headers["Date"])
    assert at == NOW + timedelta(seconds=5)
    # Strictly: an official sample refuses a token that does not come back the same.
    key = base64.urlsafe_b64decode(LEDGER_TOKEN + "=" * (-len(LEDGER_TOKEN) % 4))
    assert base64.urlsafe_b64encode(key).decode().rstrip("=") == LEDGER_TOKEN
    digest = hmac.digest(key, f"{int(at.timestamp())}.".encode() + told.body, hashlib.sha256)
    assert told.headers["X-XL-Webhook-Signature"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")


def test_it_starts_runs_and_is_removed(world: World, receiver: Receiver) -> None:
    (edge,) = world.ask(ADD, {"in": [node(receiver)]})["addWebhooks"]["edges"]
    made = edge["node"]
    assert made == node(receiver)["node"] | {
        "dbId": made["dbId"], "state": {"code": "STARTING"}, "lastSuccessfulPost": None, "lastFailedPost": None,
    }  # fmt: skip
    add_projects(world, "EARLY")
    world.clock.advance(5)
    wait(world, made["dbId"], "RUNNING")
    add_projects(world, "V1")
    assert codes(receiver.next()) == ["V1"]
    until(lambda: shown(world, made["dbId"])["lastSuccessfulPost"] == "2026-11-02T09:00:05")
    remove = "mutation($dbId: Int64String!){ removeWebhooks(dbIds: [$dbId]){ numAffected skippedDbIds } }"
    for affected, skipped in ((1, []), (0, [made["dbId"]])):
        answer = world.ask(remove, {"dbId": made["dbId"]})["removeWebhooks"]
        assert answer == {"numAffected": affected, "skippedDbIds": skipped}
    assert world.ask(f"{{ webhook(dbId: {made['dbId']}){{ dbId }} }}") == {"webhook": None}
    add_projects(world, "V2")
    assert world.control("webhooks") == []
    assert receiver.told.empty()


def test_every_type_is_told(world: World, receiver: Receiver) -> None:
    for name, selection in TYPES.items():
        webhook(world, receiver, f"subscription {{ {name[:2]}: {name}Mutated {{ edges{{ node{{ {selection} }} }} }} }}")
    add_projects(world, "V1")
    partner = {"node": {"code": "C1", "description": "One", "owner": {"ownerCode": 28600}}}
    for verb, more in (("Companies", {}), ("Suppliers", {}), ("Customers", {"company": {"code": "C1"}})):
        world.ask(
            f"mutation($in: [Add{verb}Input!]!){{ add{verb}(inputs: $in){{ edges{{ node{{ dbId }} }} }} }}",
            {"in": [{"node": partner["node"] | more}]},
        )
    world.add(*invoice())
    world.post()
    sale = [
        {"account": "1500", "amount": "9.00", "subledger": "70001", "invoiceNumber": "S1"},
        {"account": "3000", "amount": "-9.00"},
    ]
    lines = [line | {"invoiceAmount": line["amount"]} for line in sale]
    world.control("vouchers", {"owner": 28601, "source": "AR", "postedDate": "2026-11-02", "lines": lines})
    world.control("rates", {"owner": 28600, "from": "USD", "to": "NOK", "rate": "10.7", "fromDate": "2026-11-02"})
    told: dict[str, list[dict[str, Any]]] = {}
    while told.keys() != {name[:2] for name in TYPES}:
        for key, found in receiver.next().json["data"].items():
            told.setdefault(key, []).extend(edge["node"] for edge in found["edges"])
    assert told["pr"] == [{"code": "V1"}]
    assert told["su"] == told["cu"] == [{"code": "C1"}]
    assert told["ap"][0]["invoiceRemaining"] == "-1000.00"
    assert told["ex"][-1] == {"exchangeRate": 10.7}


@pytest.mark.parametrize("status", [401, 400, 500, 302])
def test_a_failing_receiver_is_tried_with_growing_pauses(world: World, receiver: Receiver, status: int) -> None:
    db_id, receiver.status = webhook(world, receiver), status
    add_projects(world, "V1")
    for place, pause in enumerate((10, 60, 300, 900, 3600, 3600), start=1):
        assert codes(receiver.next()) == ["V1"]
        until(lambda place=place: len(attempts(world)) == place)  # type: ignore[misc]
        world.clock.advance(pause - 1)
        assert shown(world, db_id)["state"] == {"code": "RECOVERING"}
        assert receiver.told.empty()
        world.clock.advance(1)
    receiver.next()
    until(lambda: len(attempts(world)) == 7)
    add_projects(world, "V2")
    receiver.status = 200
    world.clock.advance(3600)
    # What changed meanwhile comes along, in the order of the changes.
    assert codes(receiver.next()) == ["V1", "V2"]
    wait(world, db_id, "RUNNING")
    made = attempts(world)
    assert [one["attempt"] for one in made] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [one["error"] for one in made] == [f"HTTP {status}"] * 7 + [""]
    assert shown(world, db_id)["lastFailedPost"] < shown(world, db_id)["lastSuccessfulPost"]


def test_after_a_day_without_success_it_needs_a_person(world: World, receiver: Receiver) -> None:
    db_id, receiver.status = webhook(world, receiver), 500
    add_projects(world, "V1")
    receiver.next()
    wait(world, db_id, "RECOVERING")
    world.clock.advance(86_400)
    wait(world, db_id, "FAULTED")
    receiver.next()
    receiver.status = 200
    add_projects(world, "V2")
    world.clock.advance(86_400)
    assert shown(world, db_id)["state"] == {"code": "FAULTED"}
    assert receiver.told.empty()
    world.control("webhooks", {"webhook": db_id, "state": "RUNNING"})
    assert codes(receiver.next()) == ["V1", "V2"]


def test_what_changes_during_a_pause_is_told_after_it(world: World, receiver: Receiver) -> None:
    db_id = webhook(world, receiver)
    world.control("webhooks", {"webhook": db_id, "state": "PAUSED"})
    add_projects(world, "V1")
    assert shown(world, db_id)["state"] == {"code": "PAUSED"}
    world.control("webhooks", {"webhook": db_id, "state": "RUNNING"})
    assert codes(receiver.next()) == ["V1"]
    # Noted behind the answer, which the receiver has given by then.
    until(lambda: bool(attempts(world)))
    assert attempts(world)[0]["edges"] == 1


def test_a_slow_receiver_delays_neither_others_nor_who_writes(world: World, receiver: Receiver) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(Receiver()) for _ in range(5)]
        for one in slow:
            one.answers.clear()
            webhook(world, one)
        webhook(world, receiver)
        for code in ("V1", "V2"):
            add_projects(world, code)
            assert codes(receiver.next()) == [code]
        # Each of them has its one call and no other, and gets the rest together.
        for one in slow:
            assert codes(one.next()) == ["V1"]
            assert one.told.empty()
            one.answers.set()
            assert codes(one.next()) == ["V2"]


def test_too_slow_is_a_failure(world: World, receiver: Receiver) -> None:
    world.settings(webhook_timeout_seconds=0.05, webhook_retry_seconds=[3])
    db_id = webhook(world, receiver)
    receiver.answers.clear()
    add_projects(world, "V1")
    wait(world, db_id, "RECOVERING")
    assert attempts(world)[0]["error"].startswith("TimeoutError")


def test_a_restart_forgets_nothing(world: World, receiver: Receiver) -> None:
    db_id, receiver.status = webhook(world, receiver), 500
    add_projects(world, "V1")
    receiver.next()
    wait(world, db_id, "RECOVERING")
    add_projects(world, "V2")
    world.close()
    world.open()
    receiver.status = 200
    # Nothing is asked first: it goes on by itself.
    world.clock.advance(10)
    assert codes(receiver.next()) == ["V1", "V2"]
    wait(world, db_id, "RUNNING")
    assert [one["attempt"] for one in attempts(world)] == [1, 2]


def test_a_kill_forgets_nothing(world: World, tmp_path: Path, receiver: Receiver) -> None:
    world.settings(webhook_start_seconds=0)
    world.close()
    receiver.status = 500
    running = sandbox_process(tmp_path, None)
    try:
        asked = {"query": ADD, "variables": {"in": [node(receiver)]}}
        address, headers = running.env["SPRINGLINE_LEDGER__URL"], {"Authorization": f"token {LEDGER_TOKEN}"}
        httpx.post(address, json=asked, headers=headers, timeout=PATIENCE).raise_for_status()
        until(lambda: running.control("GET", "ledger/webhooks")[0]["state"] == "RUNNING")
        asked = {"query": ADD_PROJECTS, "variables": {"in": [{"node": {"code": "V1", "description": "x"}}]}}
        httpx.post(address, json=asked, headers=headers, timeout=PATIENCE).raise_for_status()
        receiver.next()
        until(lambda: running.control("GET", "ledger/webhooks")[0]["state"] == "RECOVERING")
    finally:
        running.kill()
    receiver.status = 200
    with running_sandbox(tmp_path, None) as again:
        again.control("POST", "clock", {"advance_seconds": 10})
        assert codes(receiver.next()) == ["V1"]
        until(lambda: again.control("GET", "ledger/webhooks")[0]["state"] == "RUNNING")
        assert [one["attempt"] for one in again.control("GET", "ledger/webhooks/posts")] == [2, 1]


def test_a_long_absence_is_told_in_parts(world: World, receiver: Receiver) -> None:
    db_id = webhook(world, receiver)
    world.control("webhooks", {"webhook": db_id, "state": "PAUSED"})
    add_projects(world, *(f"V{number}" for number in range(250)))
    world.control("webhooks", {"webhook": db_id, "state": "RUNNING"})
    assert [len(codes(receiver.next())) for _ in range(3)] == [100, 100, 50]


def test_a_token_is_told_of_its_own_entity(world: World, receiver: Receiver) -> None:
    token = "AQIDBAUGBwgJCgsM"
    world.settings(tokens={token: 28602})
    query = "subscription { apTransactionsMutated { edges{ node{ invoiceNumber } } } }"
    answer = world.answer(ADD, {"in": [node(receiver, query)]}, token=token)
    db_id = answer["data"]["addWebhooks"]["edges"][0]["node"]["dbId"]
    world.clock.advance(5)
    wait(world, db_id, "RUNNING")
    world.add(*invoice(number=1, invoice_number="N"))
    world.add(*invoice(number=2, invoice_number="S", owner={"ownerCode": 28602}, amount="100.00"))
    world.post()
    told = receiver.next()
    assert told.json == {"data": {"apTransactionsMutated": {"edges": [{"node": {"invoiceNumber": "S"}}]}}}
    expected = signed(told.body, token=token, now=parsedate_to_datetime(told.headers["Date"]))
    assert told.headers["X-XL-Webhook-Signature"] == expected["X-XL-Webhook-Signature"]
    # Whoever stands above sees it, a neighbour does not.
    assert world.ask(f"{{ webhook(dbId: {db_id}){{ dbId }} }}") == {"webhook": {"dbId": db_id}}


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"url": "ftp://x"}, "url"),
        ({"url": None}, "url: Value is required"),
        ({"serializedPayload": "subscription"}, "serializedPayload: It must be JSON"),
        ({"serializedPayload": '{"query":"{ projects(first: 1){ edges{ cursor } } }"}'}, "must be one subscription"),
        ({"serializedPayload": '{"query":"subscription { projects { edges { cursor } } }"}'}, "Cannot query field"),
        ({"serializedPayload": '{"query":"subscription { projectsMutated { edges { node { x } } } }"}'}, "Cannot"),
        ({"serializedPayload": json.dumps({"query": PROJECTS.replace("Mutated", "Mutated @skip(if: true)")})},
         "serializedPayload"),
        ({"serializedPayload": json.dumps({"query": PROJECTS[:-2] + " suppliersMutated { edges { syncVersion } } }"})},
         "must select only one"),
    ],
)  # fmt: skip
def test_a_wrong_webhook_is_refused(world: World, receiver: Receiver, changed: dict[str, object], names: str) -> None:
    answer = world.answer(ADD, {"in": [{"node": node(receiver)["node"] | changed}]})
    assert answer["data"] == {"addWebhooks": None}
    assert names in answer["errors"][0]["message"]
    assert world.control("webhooks") == []


def test_a_subscription_is_no_request(world: World) -> None:
    assert "addWebhooks" in world.answer(PROJECTS)["errors"][0]["message"]


@pytest.mark.parametrize("body", [{"webhook": 1, "state": "PAUSED"}, {"webhook": 1, "state": "STARTING"}])
def test_a_switch_that_makes_no_sense_is_refused(world: World, body: dict[str, object]) -> None:
    assert world.hand("webhooks", body).status_code == 400
    assert world.hand("settings", {"webhook_retry_seconds": []}).status_code == 400
