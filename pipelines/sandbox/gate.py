"""What stands before both sides: it counts requests, lets faults happen, and dates the answers."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from email.utils import format_datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

import msgspec
from starlette.responses import PlainTextResponse, Response

from pipelines.sandbox.faults import (
    Body,
    Delay,
    Die,
    DropAfter,
    DropBefore,
    Fault,
    Faults,
    GraphqlError,
    Replace,
    Spoil,
    Status,
)
from pipelines.sandbox.multipart import request_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from pipelines.sandbox.admin import ReceivedRequests
    from pipelines.sandbox.clock import Clock

# A mistake of a client must not fill the memory. One file of the ledger may have 10 MiB (docs/systems/ledger.md#l28).
MAX_BODY_BYTES = 64 * 1024 * 1024
# The extension of an ASGI scope under which the server lets the gate close the connection.
DROP = "sandbox.drop"
# Searched, not parsed: requests are counted, and faults apply, also when the text is no valid GraphQL.
_ROOT_FIELD = re.compile(
    r"(?:\b(?:query|mutation|subscription)\b[^{(]*(?:\([^)]*\))?[^{]*|^\s*)\{\s*(?:\w+\s*:\s*)?(\w+)"
)
_COMMENT = re.compile(r"#[^\n]*")


class _Graphql(msgspec.Struct):
    query: str = ""


def root_field(body: bytes) -> str:
    """Give the first root field of a GraphQL request, without its alias; empty where there is none."""
    try:
        query = msgspec.json.decode(body, type=_Graphql).query
    except msgspec.DecodeError:
        return ""
    # First with its comments: a # inside a text begins no comment, and cutting there could remove the field.
    found = _ROOT_FIELD.search(query) or _ROOT_FIELD.search(_COMMENT.sub("", query))
    return found[1] if found else ""


class Gate:
    """Stands before both sides: reads the body, counts the request, lets a fault happen, and dates the answer.

    Handlers find the body in ``request.state.body``, so that they can be plain functions.
    """

    def __init__(self, app: ASGIApp, *, clock: Clock, faults: Faults, counts: ReceivedRequests) -> None:
        self._app = app
        self._clock = clock
        self._faults = faults
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Read as a whole first: a rule may look into it, and the handler must find it afterwards.
        body = await _read(receive)
        if body is None:
            await PlainTextResponse("Request body too large", status_code=413)(scope, receive, send)
            return
        scope.setdefault("state", {})["body"] = body
        exchange = _Exchange(self._app, scope=scope, body=body, receive=receive, send=self._dated(send))
        path: str = scope["path"]
        # Faults never apply to the control API: otherwise nobody could switch one off again.
        if path == "/" or path.startswith("/_sandbox"):
            await exchange.run()
            return
        content_type = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
        await exchange.suffer(self._fault(scope["method"], path, scope["query_string"], content_type, body))

    def _fault(self, method: str, path: str, query: bytes, content_type: str, body: bytes) -> Fault | None:
        # The ledger has one address; every other one is the VMS's, its token endpoint included.
        side = "ledger" if path.lower() == "/graphql" else "vms"
        operation = root_field(request_of(body, content_type)) if side == "ledger" else ""
        self._counts.add(side, method=method, path=path, operation=operation)
        if not self._faults.armed:
            return None
        text = unquote_plus(query.decode("latin-1")) + "\n" + body.decode("utf-8", "replace")
        return self._faults.take(side, method=method, path=path, operation=operation, text=text)

    def _dated(self, send: Send) -> Send:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                # By the sandbox's clock, like the times inside the answer, because a test may have set another day.
                date = format_datetime(self._clock.now(), usegmt=True).encode()
                message["headers"] = [*message["headers"], (b"date", date)]
            await send(message)

        return dated


class _Exchange:
    """One request and its answer."""

    def __init__(self, app: ASGIApp, *, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        self._app = app
        self._scope = scope
        self._body: bytes | None = body
        self._receive = receive
        self._send = send

    async def run(self) -> None:
        """Let the application answer."""
        await self._app(self._scope, self._replay, self._send)

    async def suffer(self, fault: Fault | None) -> None:
        """Let the application answer the way the fault has it."""
        match fault:
            case None:
                await self.run()
            case Status(status=status, body=body, headers=headers):
                await self._answer(Response(body, status, headers=headers, media_type=_media_type(body)))
            case GraphqlError(code=code, message=message, extensions=extensions):
                error = {"message": message, "code": code} | ({"extensions": extensions} if extensions else {})
                content = msgspec.json.encode({"errors": [error], "data": None})
                await self._answer(Response(content, media_type="application/json"))
            case Delay():
                await self._delayed(fault)
            case Die():
                if fault.is_done_first:
                    await self._collect()
                os.kill(os.getpid(), signal.SIGKILL)
            case DropBefore():
                await self._drop()
            case DropAfter():
                await self._collect()
                await self._drop()
            case Body() | Replace() | Spoil():
                await self._replaced(partial(_changed, fault))

    async def _delayed(self, delay: Delay) -> None:
        if not delay.is_done_first:
            await asyncio.sleep(delay.seconds)
            await self.run()
            return
        start, answer = await self._collect()
        await asyncio.sleep(delay.seconds)
        await self._send(start)
        await self._send({"type": "http.response.body", "body": answer})

    async def _answer(self, response: Response) -> None:
        await response(self._scope, self._replay, self._send)

    async def _drop(self) -> None:
        self._scope["extensions"][DROP]["close"]()
        # Wait until the connection is closed: uvicorn sends a 500 for an application that returns without an answer.
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _replaced(self, change: Callable[[bytes], bytes]) -> None:
        # A text is replaced in the plain answer, never in a compressed one.
        self._scope["headers"] = [pair for pair in self._scope["headers"] if pair[0] != b"accept-encoding"]
        start, answer = await self._collect()
        changed = change(answer)
        headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        await self._send({**start, "headers": [*headers, (b"content-length", str(len(changed)).encode())]})
        await self._send({"type": "http.response.body", "body": changed})

    async def _collect(self) -> tuple[Message, bytes]:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(self._scope, self._replay, keep)
        return messages[0], b"".join(message.get("body", b"") for message in messages[1:])

    async def _replay(self) -> Message:
        # Starlette may ask again after the body, to learn whether the client has gone.
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _changed(fault: Body | Replace | Spoil, answer: bytes) -> bytes:
    match fault:
        case Body(body=body):
            return body.encode()
        case Replace(old=old, new=new):
            return answer.replace(old.encode(), new.encode())
        case Spoil(how=how):
            return spoilt(answer, how)


def spoilt(answer: bytes, how: str) -> bytes:
    """Spoil an answer as a Spoil says; what is no JSON, or has no such part, stays as it is."""
    if how == "cut":
        return answer[: len(answer) // 2]
    try:
        content = msgspec.json.decode(answer)
    except msgspec.DecodeError:
        return answer
    if isinstance(content, list):
        return b"null" if how == "nulled" else msgspec.json.encode(_listed(content, how))
    data = content.get("data") if isinstance(content, dict) else None
    if not isinstance(data, dict):
        return answer
    if how == "nulled":
        return msgspec.json.encode({**content, "data": dict.fromkeys(data)})
    for connection in data.values():
        if isinstance(connection, dict) and isinstance(connection.get("edges"), list):
            # How the ledger writes a page without anything on it (docs/systems/ledger.md#1-3).
            connection["edges"] = _listed(connection["edges"], how) or None
    return msgspec.json.encode(content)


def _listed(elements: list[object], how: str) -> list[object]:
    if how == "bared":
        return [_bared(element) for element in elements]
    return elements * {"doubled": 2, "emptied": 0}.get(how, 1)


def _bared(element: object) -> object:
    """Take all but ids and cursor from an object of the VMS, or from an edge of the ledger."""
    if not isinstance(element, dict):
        return element
    kept = {name: element[name] for name in ("key", "dbId", "cursor", "clientId") if name in element}
    return kept | ({"node": _bared(element["node"])} if "node" in element else {})


async def _read(receive: Receive) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    while size <= MAX_BODY_BYTES:
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if not message.get("more_body", False):
            return b"".join(chunks)
    return None


# A gateway answers in HTML, even between two sides that speak JSON.
def _media_type(body: str) -> str:
    return "text/html" if body.lstrip().startswith("<") else "application/json"
