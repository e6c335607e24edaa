"""Builds and runs the server that holds both vendor systems on one port, and prints the settings to use it."""

from __future__ import annotations

import argparse
import gc
import signal
import socket
import sys
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pipelines.sandbox.admin import ReceivedRequests, admin_routes
from pipelines.sandbox.clock import Clock
from pipelines.sandbox.faults import Faults
from pipelines.sandbox.gate import DROP, Gate
from pipelines.sandbox.ledger.routes import LEDGER_TOKEN, Ledger, ledger_routes, seed_ledger
from pipelines.sandbox.state import open_state, read_setting, transaction, write_setting
from pipelines.sandbox.vms.auth import CREDENTIALS
from pipelines.sandbox.vms.routes import Vms

if TYPE_CHECKING:
    from collections.abc import Sequence

_BACKLOG = 256
_SEEDED = "seeded"


class _Protocol(HttpToolsProtocol):
    """HTTP/1.1 that lets the gate close the connection without an answer."""

    def on_message_begin(self) -> None:
        """Begin a request, as the base class does."""
        super().on_message_begin()
        # abort and not close: what is still in the buffer must not be sent either.
        self.scope["extensions"] = {DROP: {"close": self.transport.abort}}


def build_app(state: Path, seed: Path | None = None) -> Starlette:
    """Build both sides on one state file; a seed directory is loaded once, into a new file only.

    Raises SeedError, naming file and line, for a seed that cannot be read.
    """
    with ExitStack() as stack:
        # One connection for each: a transaction of one side must not contain what another one writes.
        control, ledger_db, vms_db = (stack.enter_context(closing(open_state(state))) for _ in range(3))
        clock, faults, counts = Clock(control), Faults(), ReceivedRequests()
        # This may come before the seed, because the ledger reads its rows at the first request.
        ledger = Ledger(ledger_db, clock=clock)
        stack.callback(ledger.close)
        vms = Vms(vms_db, clock=clock)
        stack.callback(vms.close)
        if seed is not None and not read_setting(control, _SEEDED):
            # Either side loads in one transaction; a kill between the two leaves a VMS that is not empty.
            if not vms.counts():
                vms.seed(seed / "vms")
            # The mark stands or falls with the ledger's rows: a second load would bring every code twice.
            with transaction(ledger_db):
                seed_ledger(ledger_db, seed / "ledger")
                write_setting(ledger_db, _SEEDED, value=True)
        ledger.resume()
        admin = admin_routes(vms, ledger_db, clock=clock, faults=faults, counts=counts)
        gate = Middleware(Gate, clock=clock, faults=faults, counts=counts)
        app = Starlette(routes=[*ledger_routes(ledger), *vms.routes(), *admin], middleware=[gate])
        app.state.close = stack.pop_all().close
    return app


def close_app(app: Starlette) -> None:
    """Stop what runs in the background and close the state file, after the server has stopped."""
    app.state.close()


def settings_lines(address: str, *, seed: Path | None) -> list[str]:
    """List the settings of a client, one NAME=value a line, with those the seed brings in its settings.env."""
    lines = [
        f"SPRINGLINE_VMS__BASE_URL={address}/ws/rest",
        f"SPRINGLINE_VMS__TOKEN_URL={address}/oauth/token",
        f"SPRINGLINE_VMS__CLIENT_ID={CREDENTIALS.client_id}",
        f"SPRINGLINE_VMS__CLIENT_SECRET={CREDENTIALS.client_secret}",
        f"SPRINGLINE_VMS__AUDIENCE={CREDENTIALS.audience}",
        f"SPRINGLINE_LEDGER__URL={address}/graphql",
        f"SPRINGLINE_LEDGER__TOKEN={LEDGER_TOKEN}",
    ]
    extra = seed / "settings.env" if seed is not None else None
    if extra is not None and extra.exists():
        lines += [line for line in extra.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return lines


def bind(port: int, *, host: str = "127.0.0.1") -> socket.socket:
    """Listen on a port, a free one where it is 0."""
    # asyncio switches Nagle's delay off only where the protocol is named, and 40 ms an answer are too many.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(_BACKLOG)
    return listener


def base_url(listener: socket.socket) -> str:
    """Give the address that a listening socket is reached at."""
    host, port = listener.getsockname()
    return f"http://{host}:{port}"


def server(app: Starlette) -> uvicorn.Server:
    """Prepare the HTTP server; ``run(sockets=[bind(port)])`` serves until ``should_exit``."""
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        # The gate adds it.
        date_header=False,
        # Longer than httpx keeps a connection (5 s): one that is closed just as a request comes in looks like a fault.
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def serve(state: Path, *, seed: Path | None = None, port: int = 0, out: TextIO = sys.stdout) -> None:
    """Serve both sides until interrupted; when ready, print the settings and an empty line to ``out``."""
    app = build_app(state, seed)
    # What is loaded stays: the collector need not look at it.
    gc.freeze()
    # uvicorn ends on either signal and raises it again behind the last answer: both must let the file be closed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), bind(port) as listener:
        out.write("\n".join(settings_lines(base_url(listener), seed=seed)) + "\n\n")
        out.flush()
        server(app).run(sockets=[listener])
    close_app(app)


def main(argv: Sequence[str] | None = None) -> None:
    """Run from a command line: ``python -m pipelines.sandbox.serve --port 0 --state FILE --seed DIR``."""
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--seed", type=Path)
    given = parser.parse_args(argv)
    serve(given.state, seed=given.seed, port=given.port)


if __name__ == "__main__":
    main()
