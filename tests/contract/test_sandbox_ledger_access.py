"""The ledger's transport: token, content, limits and their codes, errors.

Source: docs/systems/ledger.md#1-1, #1-2, #1-7, #1-8.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn

from tests.contract.ledger_world import AUTHORIZATION, World, items, line
from tests.support.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PING = '{"query":"{ __typename }"}'
SUPPLIERS = "{ suppliers(first: 10){ edges{ node{ code } } } }"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Bearer springline-sandboxed",
        "springline-sandboxed",
        "token ",
        "token not+base64url==",
        "Token springline-sandboxed",
    ],
)
def test_anything_but_a_token_header_is_a_bad_format(world: World, header: str | None) -> None:
    response = world.send("/graphql", content=PING, headers={"Authorization": header} if header else {})
    (error,) = response.json()["errors"]
    assert response.status_code == 200
    assert error["message"].startswith("Bad format for API Token.")
    assert '"Authorization: token <your-token>"' in error["message"]


def test_a_token_nobody_made_is_refused(world: World) -> None:
    (error,) = world.answer(SUPPLIERS, token="A" * 43)["errors"]
    assert error["extensions"]["code"] == "UNKNOWN_API_TOKEN"


def test_a_token_reaches_its_entity_and_those_below(world: World) -> None:
    world.settings(tokens={"a-token-of-28602-only": 28602})
    lower = world.answer(
        "{ entities(first: 9, ownerSet: LOWER){ edges{ node{ code } } } }", token="a-token-of-28602-only"
    )
    assert lower["data"]["entities"]["edges"] is None
    assert len(world.nodes("{ entities(first: 9, ownerSet: LOWER){ edges{ node{ code } } } }")) == 2


def test_a_missing_scope_names_the_field(world: World) -> None:
    world.settings(denied_fields=["suppliers"])
    answer = world.answer(SUPPLIERS)
    assert answer["data"] == {"suppliers": None}
    assert "'suppliers'" in answer["errors"][0]["message"]


@pytest.mark.parametrize("content_type", ["text/plain; charset=utf-8", "application/json", ""])
def test_the_content_type_is_not_insisted_on(world: World, content_type: str) -> None:
    headers = AUTHORIZATION | {"Content-Type": content_type}
    assert world.send("/graphql", content=PING, headers=headers).json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("body", ["", "{", "[]", '{"query":5}', '{"variables":{}}', b'{"query":"\xff"}', "[" * 200_000])
def test_what_is_no_graphql_request_is_http_400(world: World, body: str | bytes) -> None:
    response = world.send("/graphql", content=body, headers=AUTHORIZATION)
    assert (response.status_code, "errors" in response.json()) == (400, True)


def test_answers_are_compressed_when_asked_for(world: World) -> None:
    query = '{"query":"{ __schema { types { name fields { name } } } }"}'
    packed = world.send("/graphql", content=query, headers=AUTHORIZATION | {"Accept-Encoding": "gzip"})
    plain = world.send("/graphql", content=query, headers=AUTHORIZATION | {"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()


def test_introspection_describes_the_schema(world: World) -> None:
    found = world.ask('{ __type(name: "Project"){ fields{ name type{ name } } } }')["__type"]["fields"]
    assert {"name": "code", "type": {"name": "String"}} in found


def test_fragments_aliases_and_directives_work(world: World) -> None:
    query = """query($yes: Boolean!){ a: suppliers(first: 1){ ...page } b: suppliers(last: 1){ ...page } }
        fragment page on SupplierConnection { edges{ node{ n: code ... on Supplier{ __typename } dbId @skip(if: $yes)
        description @include(if: $yes) } } }"""
    data = world.ask(query, {"yes": True})
    assert data["a"]["edges"][0]["node"] == {
        "n": "60526",
        "__typename": "Supplier",
        "description": "Nordic Agency AS",
    }
    assert data["b"]["edges"][0]["node"]["n"] == "70001"


@pytest.mark.parametrize(
    ("query", "variables", "code", "message"),
    [
        (
            "{ suppliers(first: 1){ edges{ node{ iban } } } }",
            None,
            "FIELDS_ON_CORRECT_TYPE",
            "Cannot query field 'iban'",
        ),
        ('{ suppliers(first: "x"){ edges{ cursor } } }', None, "ARGUMENTS_OF_CORRECT_TYPE", "Int cannot represent"),
        ("{ suppliers(first: 1){", None, "SYNTAX_ERROR", "Syntax Error"),
        ("query($n: Int!){ suppliers(first: $n){ edges{ cursor } } }", {"n": 2**31}, "INVALID_VALUE", "32-bit"),
        ("query($n: Int!){ suppliers(first: $n){ edges{ cursor } } }", {}, "INVALID_VALUE", "'$n'"),
        ("query a{ __typename } query b{ __typename }", None, "INVALID_VALUE", "name of one operation"),
    ],
)
def test_a_document_that_cannot_run_says_why(
    world: World, query: str, variables: dict[str, object] | None, code: str, message: str
) -> None:
    error = world.answer(query, variables)["errors"][0]
    assert error["extensions"]["code"] == code
    assert message in error["message"]


def test_the_burst_limit_lets_20_through_in_5_seconds(world: World) -> None:
    world.settings(burst_requests=20)
    answers = [world.answer("{ __typename }") for _ in range(21)]
    assert [("data" in answer) for answer in answers] == [True] * 20 + [False]
    limit = {"message": "Too many requests", "code": "BAD_REQUEST.BURST_RATE_LIMIT_REACHED"}
    assert answers[-1] == {"errors": [limit]}


def test_credits_run_out_until_the_next_full_hour(world: World) -> None:
    world.settings(credits_per_hour=102)
    page = "{ projects(first: 10000){ edges{ node{ dbId } } } }"
    assert "data" in world.answer(page)
    (error,) = world.answer(page)["errors"]
    assert error == {
        "message": "Not enough credits",
        "code": "BAD_REQUEST.INSUFFICIENT_CREDITS",
        "extensions": {"resetAt": "2026-11-02T10:00:00"},
    }
    assert world.control("credits") == {"used": "101", "refused": {error["code"]: 1}}
    world.clock.advance(3600)
    assert "data" in world.answer(page)


def test_a_fifth_request_at_a_time_is_one_too_many(world: World) -> None:
    world.settings(concurrency=4, latency_seconds=0.3)
    server = uvicorn.Server(uvicorn.Config(world.app, port=0, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        with (
            httpx.Client(headers=AUTHORIZATION, trust_env=False, timeout=PATIENCE) as client,
            ThreadPoolExecutor(5) as pool,
        ):
            sent = [pool.submit(client.post, f"http://127.0.0.1:{port}/graphql", content=PING) for _ in range(5)]
            answers = [future.result().json() for future in sent]
    finally:
        server.should_exit = True
        thread.join()
    refused = [answer["errors"][0] for answer in answers if "errors" in answer]
    assert refused == [{"message": "Too many requests", "code": "BAD_REQUEST.CONCURRENCY_LIMIT_REACHED"}]


def test_a_mutation_that_timed_out_may_have_been_done(world: World) -> None:
    world.settings(latency_seconds=0.02, query_timeout_seconds=0.01)
    query = "mutation($in:[AddGLImportItemsInput!]!){ addGLImportItems(inputs:$in){ edges{ node{ dbId } } } }"
    assert world.answer(query, items(line("2400", "1.00")))["errors"] == [{"message": "Your query timed out."}]
    assert len(world.control("import-items")) == 1


def test_settings_that_do_not_exist_are_refused(world: World) -> None:
    assert world.hand("settings", {"burts_requests": 1}).status_code == 400
    assert world.hand("settings", {"posting_every_minutes": 0}).status_code == 400
    assert world.hand("settings", []).status_code == 400
