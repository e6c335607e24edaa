"""The HTTP server of the watch: routes of whoever has some, on one port, in a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipelines.core.errors import SettingsError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

    from pipelines.core.settings_watch import WatchSettings

# Connections at once; more are answered 503.
MOST_CONNECTIONS = 200
BACKLOG = 256
# Bytes of a request's head, and seconds in which it must have come: uvicorn itself waits for ever.
LARGEST_HEAD = 16 * 1024
HEAD_SECONDS = 10.0
# How long the server may take to begin; and to end, twice: at ease, then by force.
START_SECONDS, END_SECONDS = 10.0, 0.4

_log = structlog.get_logger(__name__)


class _Protocol(H11Protocol):
    """HTTP/1.1 that closes a connection on which no whole head of a request comes in time.

    h11 and not httptools: it alone refuses a head that does not end.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head; uvicorn, too, takes this kind of transport alone."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take some bytes; whether a request has begun with them is seen by its cycle."""
        super().data_received(data)
        if self._is_waiting():
            self._wait()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _is_waiting(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _wait(self) -> None:
        # Not begun anew by each byte: one a second would keep a connection for ever.
        if self._timer is None:
            self._timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self._is_waiting():
            self.transport.abort()


@contextmanager
def serve(routes: Sequence[BaseRoute], settings: WatchSettings) -> Iterator[str]:
    """Serve routes on `watch.host` and `watch.port`, and yield the address; left, it ends within a second.

    What a request still wants then is cut off. Raises SettingsError where the address cannot be had.
    """
    listener = _listen(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            Starlette(routes=list(routes), exception_handlers={Exception: _failed}),
            loop="asyncio",
            http=_Protocol,
            ws="none",
            lifespan="off",
            # What fails is logged by `_failed`, once and in our form.
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            h11_max_incomplete_event_size=LARGEST_HEAD,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="watch-http", daemon=True)
    address = _address(listener)
    thread.start()
    try:
        _await_start(server, thread)
        yield address
    finally:
        server.should_exit = True
        thread.join(END_SECONDS)
        server.force_exit = True
        thread.join(END_SECONDS)
        listener.close()


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    """Return when calls are answered, which is a matter of milliseconds: the address is ours already."""
    wait = threading.Event()
    for _ in range(int(START_SECONDS / 0.01)):
        if server.started:
            return
        if not thread.is_alive():
            break
        wait.wait(0.01)
    raise RuntimeError("the server of the watch did not begin")


async def _failed(request: Request, error: Exception) -> Response:
    _log.error("request_failed", path=request.url.path, exc_info=error)
    return PlainTextResponse("failed", status_code=500)


def _listen(settings: WatchSettings) -> socket.socket:
    host, port = settings.host, settings.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise SettingsError(
            f"Settings: watch.host = {host}: there is no such address ({getattr(error, 'strerror', error)}).",
            next_step="set watch.host to an address of this machine, as 127.0.0.1.",
        ) from error
    listener = socket.socket(family, kind, protocol)
    try:
        # The port of a watch that has just ended may be taken at once; one that still runs is not pushed aside.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _not_had(error, host, port) from error
    return listener


def _not_had(error: OSError, host: str, port: int) -> SettingsError:
    if error.errno == errno.EADDRINUSE:
        return SettingsError(
            f"Settings: watch.port = {port}: another program answers on this port of {host}.",
            next_step="end that program, which may be another watch, or set watch.port to a free port; 0 finds one.",
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return SettingsError(
            f"Settings: watch.port = {port}: this user may not answer on it.",
            next_step="set watch.port to a port from 1024 on; a reverse proxy answers on 443.",
        )
    return SettingsError(
        f"Settings: watch.host = {host}: this machine cannot answer there ({os.strerror(error.errno or 0)}).",
        next_step="set watch.host to an address of this machine, as 127.0.0.1.",
    )


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
