"""An address of the kind json:// on this machine: keeps what it is told, and answers as a test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "hunter2-very-secret"


class Told:
    """What has come, and how it is answered: ``status``; ``hangs`` keeps the caller waiting until it is set."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.status = 200
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"json://springline:{SECRET}@127.0.0.1:{self.port}/hook"

    @property
    def bodies(self) -> list[str]:
        return [message["message"] for message in self.messages]

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.messages]


@contextmanager
def alert_server() -> Iterator[Told]:
    """Serve one address until the block ends."""
    told = Told()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.goes_on.wait(20)
            if told.status == 200:
                told.messages.append(body)
            self.send_response(told.status)
            if told.status == HTTPStatus.FOUND:
                self.send_header("Location", self.path)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        told.goes_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
