"""A loopback address that keeps what it is sent, and answers as a test wants: with a status, or not yet."""

from __future__ import annotations

import json
import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from tests.support.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Told(NamedTuple):
    """One call: its raw body and its headers."""

    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:  # noqa: ANN401 (any JSON value)
        return json.loads(self.body)


class Receiver:
    """Answers with ``status`` as soon as ``answers`` is set; leaving it as a context stops it."""

    def __init__(self) -> None:
        self.told: queue.Queue[Told] = queue.Queue()
        self.status = 204
        self.answers = threading.Event()
        self.answers.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.told.put(Told(body, dict(self.headers.items())))
                receiver.answers.wait(PATIENCE)
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # Who stopped waiting for an answer is no failure of the test.
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?from=vendor"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.answers.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def next(self) -> Told:
        """Wait for the next call."""
        return self.told.get(timeout=PATIENCE)


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that another thread brings about."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)
