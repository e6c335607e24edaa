"""The VMS as a server: its routes, and what each method does to an entity (docs/systems/vms.md#1-1 and #8)."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.routing import Route

from pipelines.sandbox.vms.auth import Auth
from pipelines.sandbox.vms.desk import Desk
from pipelines.sandbox.vms.errors import ApiError, error_body
from pipelines.sandbox.vms.fields import Views
from pipelines.sandbox.vms.json import decode, encode
from pipelines.sandbox.vms.model import MODEL
from pipelines.sandbox.vms.query import Lists, Query
from pipelines.sandbox.vms.seed import Loader
from pipelines.sandbox.vms.settings import Switches
from pipelines.sandbox.vms.store import VmsStore, uncollected
from pipelines.sandbox.vms.webhooks import Webhooks

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.requests import Request

    from pipelines.sandbox.clock import Clock

# PATCH too, so that it gets the VMS's own 405.
_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]
_REMEMBERED_REFUSALS = 100
_SEED_USER = 1_000_000


class Refusal(NamedTuple):
    """A request that was refused, or taken with a warning (status 299), for the admin page."""

    at: str
    method: str
    path: str
    status: int
    message: str


class Vms:
    """The VMS side: its objects, its settings and its routes."""

    def __init__(self, db: sqlite3.Connection, *, clock: Clock) -> None:
        self.store = VmsStore(db)
        self.switches = Switches(db, clock=clock)
        self.webhooks = Webhooks(db, self.store, self.switches, clock)
        self.desk = Desk(self.store, self.switches, self.webhooks)
        self.refusals: deque[Refusal] = deque(maxlen=_REMEMBERED_REFUSALS)
        self._auth = Auth(clock)
        self._lists = Lists(self.store)
        self._views = Views(self.store)

    def routes(self) -> list[Route]:
        """Give the token endpoint and the REST root."""
        return [
            Route("/oauth/token", self._token, methods=["POST"]),
            Route("/ws/rest/{rest:path}", self._rest, methods=_METHODS),
        ]

    def seed(self, directory: Path) -> None:
        """Load a seed directory; raises SeedError naming file, line and member."""
        stamp = self.switches.stamp()
        user = {"createdById": _SEED_USER, "changedById": _SEED_USER}
        with uncollected(), self.store.unit() as unit:
            Loader(self.store, unit, {"createdDate": stamp, "modifiedDate": stamp, **user}).load(directory)

    def close(self) -> None:
        """Stop what runs in the background."""
        self.webhooks.close()

    def called_at(self, request: Request) -> None:
        """Learn the address of this server: notifications contain that of their object, with the last caller's host."""
        self.webhooks.root = _root(request)

    def counts(self) -> Counter[str]:
        """Count the objects of each entity that has any."""
        return Counter({name: len(table) for name, table in self.store.tables.items() if table})

    def _token(self, request: Request) -> Response:
        status, body = self._auth.grant(request.state.body, content_type=request.headers.get("content-type", ""))
        return _json(body, status=status)

    def _rest(self, request: Request) -> Response:
        try:
            self._auth.check(request.headers.get("authorization", ""))
            self.called_at(request)
            # One request at a time: a page and its total, and a check and its write, must see the same state.
            with self.store.lock:
                return self._answer(request)
        except ApiError as error:
            self._refused(request, error.status, error.message)
            body = error_body(error, date=self.switches.stamp(), method=request.method)
            return _json(body, status=error.status)

    def _answer(self, request: Request) -> Response:
        entity, *rest = request.path_params["rest"].split("/")
        if entity not in MODEL:
            raise ApiError(f"There is no resource {entity!r}.", status=404)
        match request.method, rest:
            case "GET", []:
                return self._list(request, entity)
            case "GET", [key]:
                return self._show(request, entity, _key(key))
            case "DELETE", [key]:
                self.desk.delete(entity, _key(key))
                # No page names the success codes; 201 and 204 are assumed (docs/systems/vms.md#v7).
                return Response(status_code=204)
            case _:
                key, status = self._write(request, entity, rest)
                return self._written(request, entity, key, status=status)

    def _write(self, request: Request, entity: str, rest: list[str]) -> tuple[int, int]:
        """Do what a POST or PUT asks; give the key of the object to answer with, and the status."""
        match request.method, rest:
            case "POST", []:
                return self.desk.insert(entity, _body(request)), 201
            case "PUT", ([] | [_]):
                return self._update(request, entity, rest), 200
            case "POST", [key, ("reverse" | "dissolve") as action] if entity == "Document":
                return self.desk.act(action, _key(key)), 200
            case "POST", [key, child, child_key, ("link" | "unlink") as action] if child in MODEL:
                linked = action == "link"
                self.desk.link(entity, _key(key), child=child, child_key=_key(child_key), linked=linked)
                return _key(key), 200
            case _, ([] | [_]):
                raise ApiError(f"{request.method} is not allowed here.", status=405)
            case _:
                raise ApiError(f"There is no {request.method} {request.url.path}.", status=404)

    def _list(self, request: Request, entity: str) -> Response:
        query = Query.read(parse_qsl(request.url.query, keep_blank_values=True))
        view = self._views.view(entity, fields=request.headers.get("fields"), root=_root(request), is_list=True)
        switches = self.switches.now
        objects, total = self._lists.page(entity, query, enterprise=switches.enterprise)
        # No total without paging, nor when the client sends noCount (docs/systems/vms.md#v3, #1-6).
        is_asked = query.page is not None and request.headers.get("nocount", "").upper() != "YES"
        counted = is_asked and switches.counts_objects
        if query.page is not None:
            # Shorter than asked for, with the full total: a client must not take it for the last page
            # (docs/systems/vms.md#v3).
            objects = objects[: switches.largest_page]
        return _json([view(obj) for obj in objects], headers={"totalObjectsNumber": str(total)} if counted else {})

    def _show(self, request: Request, entity: str, key: int) -> Response:
        obj = self.store.find(entity, key)
        view = self._views.view(entity, fields=request.headers.get("fields"), root=_root(request), is_list=False)
        return _json(view(obj))

    def _update(self, request: Request, entity: str, rest: list[str]) -> int:
        body = _body(request)
        key: object = _key(rest[0]) if rest else body.get("key") if isinstance(body, dict) else None
        if not isinstance(key, int):
            raise ApiError(f"PUT on the collection needs the 'key' of the {entity} in json body.")
        self.desk.update(entity, key, body)
        return key

    def _written(self, request: Request, entity: str, key: int, *, status: int) -> Response:
        view = self._views.view(entity, fields=None, root=_root(request), is_list=False)
        warnings = self.desk.take_warnings()
        for warning in warnings:
            self._refused(request, 299, warning)
        headers = {"warning": "; ".join(f'199 - "{warning}"' for warning in warnings)} if warnings else {}
        return _json(view(self.store.find(entity, key)), status=status, headers=headers)

    def _refused(self, request: Request, status: int, message: str) -> None:
        path = request.url.path
        self.refusals.append(Refusal(self.switches.stamp(), request.method, path, status, message))


def _json(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:  # noqa: ANN401
    return Response(encode(content), status, headers=headers, media_type="application/json")


def _root(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', 'localhost')}/ws/rest/"


def _key(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ApiError(f"{text!r} is no key.", status=404)
    return int(text)


def _body(request: Request) -> object:
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        raise ApiError("Content-Type must be application/json.", status=415)
    try:
        return decode(request.state.body)
    except ValueError as error:
        raise ApiError(f"Cannot read json body: {error}.") from error
