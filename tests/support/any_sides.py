"""Both systems as no one would want them: pages of any objects, and answers of any shape, to reads and to writes."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from pipelines.contracts.tables import CONTRACTS
from tests.support.any_data import page_of

if TYPE_CHECKING:
    from pipelines.contracts.contract import Contract

BY_NAME: Mapping[str, Contract] = {contract.entity: contract for side in CONTRACTS.values() for contract in side}
CONNECTION = re.compile(r"(r\d+): (\w+)\(")
HTML = b"<html>Please stand by</html>"
# What may stand where anything may: for a member, for an object, for a whole answer.
ANYTHING: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**70, "", "x", "\0", "\ud800", "2026-11-02T08:00:00Z", [], [None], [[]], {},
    {"a": None}, {"key": "x"}, {"edges": [None]}, {"edges": [{}]}, {"dbId": {}}, {"message": []},
)  # fmt: skip
BODIES = (b"", b"null", b"[]", b"{}", HTML, b"\xff\xfe", b"[" * 5_000, b'{"data": null}', b'{"errors": []}', b"NaN")
ERRORS: tuple[Any, ...] = (
    [{}], [{"message": None}], [{"code": "BAD_REQUEST.INSUFFICIENT_CREDITS", "extensions": {"resetAt": "9999-99-99"}}],
    [{"message": "subledger.code: No value matching owner 901, code '60526'.", "code": "BAD_REQUEST"}],
    [{"message": "Bad format for API Token"}], [{"message": "query timed out"}], [{"extensions": {"code": 5}}],
)  # fmt: skip
HEADERS: tuple[dict[str, str], ...] = (
    {}, {}, {"Retry-After": "0"}, {"Retry-After": "Sun, 06 Nov 9999 08:49:37 GMT"}, {"Retry-After": "9" * 400},
    {"totalObjectsNumber": "x"}, {"totalObjectsNumber": "0"}, {"Content-Encoding": "gzip"}, {"Location": "/x"},
)  # fmt: skip
STATUSES = (200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 409, 413, 415, 429, 500, 503, 529)
BROKEN = (httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


@dataclass(slots=True)
class AnySides:
    """Answers requests of both clients; of so many of hundred answers (``spoiled``) something is wrong."""

    dice: random.Random
    spoiled: int
    objects: int = 6
    # Import items in the ledger by the number of their voucher, which every look-up finds.
    items: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, or raise what a network raises."""
        before = [*self.items]
        sound = httpx.Response(200, content=_dumped(self.sound(request)))
        if self.dice.randrange(100) >= self.spoiled:
            return sound
        # A look-up with another value would be a lie, and nobody can stand those: it would say "not there".
        is_look_up = b"glImportItems(" in request.content
        try:
            answer = spoil(sound, request, self.dice, has_values=not is_look_up)
        except httpx.ConnectError:
            self.items = before
            raise
        # Refused is refused: nothing was carried out (docs/systems/ledger.md#1-7).
        if httpx.codes.is_client_error(answer.status_code) or b'"errors": [{' in answer.content:
            self.items = before
        return answer

    def sound(self, request: httpx.Request) -> Any:  # noqa: ANN401 any JSON value
        """Give what a system in its right mind answers, but for the values."""
        if request.url.path.endswith("/token"):
            return {"access_token": "t", "expires_in": 3600}
        if request.url.path.endswith("/graphql"):
            return {"data": self._graphql(request)}
        entity, _, key = request.url.path.rpartition("/rest/")[2].partition("/")
        if request.method != "GET":
            written = json.loads(request.content)
            status = {"statusTypeCode": written.get("invoicingStatus"), "key": 1}
            return {**written, "key": int(key or 77), "invoicingStatus": status}
        # The second page of all.
        if any("key(GT)" in text for text in request.url.params.get_list("filter")) or entity not in BY_NAME:
            return []
        found = self._objects(BY_NAME[entity])
        return found[0] if key else found

    def _graphql(self, request: httpx.Request) -> Any:  # noqa: ANN401 any JSON value
        try:
            asked = json.loads(request.content)
        except ValueError:
            # With a file: the request is the first part.
            asked = json.loads(re.search(rb'\{"query".*\}', request.content)[0])  # type: ignore[index]
        if asked["query"].startswith("mutation"):
            [name] = re.findall(r"mutation (\w+)\(", asked["query"])
            inputs = asked["variables"]["inputs"]
            if name == "addGLImportItems":
                owners = {28601: 901, 28602: 902}
                self.items += [
                    {
                        **one["node"],
                        "dbId": str(1_000 + len(self.items)),
                        "ownerDbId": owners.get(one["node"]["owner"]["ownerCode"]),
                    }
                    for one in inputs
                ]
            return {name: {"edges": [self._written(one) for one in inputs]}}
        return {alias: self._page(name) for alias, name in CONNECTION.findall(asked["query"])}

    @property
    def added(self) -> Counter[str]:
        """Count how often the first line of each voucher was added."""
        return Counter(str(item["trRegNumber"]) for item in self.items if item["trItemNumber"] == 1)

    def _written(self, one: dict[str, Any]) -> dict[str, Any]:
        node = one["node"]
        numbers = {name: node[name] for name in ("trRegNumber", "trItemNumber") if name in node}
        return {
            "clientId": one["clientId"],
            "node": {"dbId": str(self.dice.randrange(99)), "code": node.get("code"), **numbers},
        }

    def _page(self, connection: str) -> dict[str, Any]:
        if connection == "glImportItems" and self.items:
            nodes = self.items
        elif connection in BY_NAME:
            nodes = self._objects(BY_NAME[connection])
        elif connection.endswith(("Deltas", "_deltas")):
            nodes = [
                {"dbId": key, "mutationType": self.dice.choice(("ADDED", "UPDATED", "DELETED"))} for key in range(3)
            ]
        else:
            nodes = []
        edges = [{"cursor": str(place), "node": node} for place, node in enumerate(nodes)]
        return {"edges": edges, "pageInfo": {"hasNextPage": False}}

    def _objects(self, contract: Contract) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(page_of(contract, self.objects, self.dice))
        return found


def spoil(answer: httpx.Response, request: httpx.Request, dice: random.Random, *, has_values: bool) -> httpx.Response:
    """Give something else in place of an answer, or the answer with one value of any kind; or raise."""
    match dice.randrange(6 if has_values else 4):
        case 0:
            raise dice.choice(BROKEN)("Gone.", request=request)
        case 1:
            return httpx.Response(dice.choice(STATUSES), headers=dice.choice(HEADERS[:-2]), content=dice.choice(BODIES))
        case 2:
            body = {"errors": dice.choice(ERRORS), "message": dice.choice(ANYTHING), "data": dice.choice(ANYTHING)}
            return httpx.Response(dice.choice(STATUSES), content=_dumped(body))
        case 3:
            return httpx.Response(dice.choice(STATUSES), headers=dice.choice(HEADERS), content=answer.content)
        case _:
            return httpx.Response(200, content=_dumped(_with_anything(json.loads(answer.content or b"null"), dice)))


def _with_anything(value: Any, dice: random.Random) -> Any:  # noqa: ANN401 any JSON value
    """Give a JSON value with one place in it, at any depth, replaced."""
    if dice.random() < 0.25 or not isinstance(value, dict | list) or not value:
        return dice.choice(ANYTHING)
    if isinstance(value, list):
        place = dice.randrange(len(value))
        return [*value[:place], _with_anything(value[place], dice), *value[place + 1 :]]
    name = dice.choice([*value])
    if dice.random() < 0.1:
        return {other: one for other, one in value.items() if other != name}
    return {**value, name: _with_anything(value[name], dice)}


def _dumped(value: object) -> bytes:
    return json.dumps(value).encode()
