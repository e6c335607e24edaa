"""The same batches with the control store in a file and in PostgreSQL on loopback, side by side.

Run as ``python -m tests.bench.bench_control [INVOICES]``: a batch of so many invoices (200), an idle batch of all jobs,
and `springline status`, each the real command in a process of its own. Both stores force what they commit to the disk.
"""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.desk import Cost, Desk, desk, measure, quickest, say
from tests.flow.world import copies, write_world
from tests.support.delivery_seed import NO_LIMITS
from tests.support.postgres import Server, postgres_server

INVOICES, FIRST, ROUNDS = 200, 6_000_001, 3
# As a server is set up that somebody relies on; by TCP, as over a network.
FORCED = ("fsync=on", "full_page_writes=on", "synchronous_commit=on", "listen_addresses=127.0.0.1", "port={}")
STATUS = (sys.executable, "-m", "pipelines.cli.app", "status", "--json")
LIMITS = {"SPRINGLINE_LEDGER__BURST_REQUESTS": "10000"}


class Spent(NamedTuple):
    """What a command took: clock and processor of the client, and processor of the server beside it, in seconds."""

    seconds: float
    processor: float
    server: float

    def __str__(self) -> str:
        """Say it."""
        server = f", {self.server:.2f} s in the server" if self.server else ""
        return f"{self.seconds:.2f} s ({self.processor:.2f} s of processor{server})"


def main() -> None:
    """Measure each on both stores in turn, and print the ratios."""
    invoices = int(sys.argv[1]) if len(sys.argv) > 1 else INVOICES
    with tempfile.TemporaryDirectory() as name:
        found = {kind: _measured(Path(name) / kind, kind, invoices) for kind in ("file", "PostgreSQL")}
    for what, file in found["file"].items():
        schema = found["PostgreSQL"][what]
        whole = (schema.processor + schema.server) / file.processor
        say(
            f"{what}: PostgreSQL takes {schema.seconds / file.seconds:.2f} times the file by the clock, "
            f"{schema.processor / file.processor:.2f} times of the client's processor, {whole:.2f} with the server's"
        )


def _measured(folder: Path, kind: str, invoices: int) -> Mapping[str, Spent]:
    folder.mkdir()
    documents = copies(invoices, first_key=FIRST)
    seed = write_world(folder / "seed", {"vms/Document": documents}, is_first_day=True)
    with _control(kind) as (server, own), desk(folder, seed, **LIMITS, **own) as at:
        at.sandbox.control("POST", "ledger/settings", NO_LIMITS)
        at.run("master-data")
        spent = {f"a batch of {invoices} invoices": _one(server, lambda: _batch(at, invoices))}
        at.sandbox.control("POST", "ledger/post", {})
        # What the first run still finds is over.
        at.run()
        at.run()
        spent["an idle batch"] = min(_one(server, lambda: quickest(at, rounds=1)) for _ in range(ROUNDS))
        told = [_one(server, lambda: measure(STATUS, folder=folder, environ=at.environ)) for _ in range(ROUNDS)]
        spent["status"] = min(told)
        for what, one in spent.items():
            say(f"{what}, {kind}: {one}")
    return spent


def _batch(at: Desk, invoices: int) -> Cost:
    cost = at.run("documents")
    if cost.counts("documents")["sent"] < invoices:
        raise AssertionError(cost.report)
    return cost


@contextmanager
def _control(kind: str) -> Iterator[tuple[Server | None, dict[str, str]]]:
    if kind == "file":
        yield None, {}
        return
    with postgres_server(*(option.format(_free_port()) for option in FORCED)) as server:
        address = f"postgresql://postgres@127.0.0.1:{server.port}/postgres?schema=tenant"
        yield server, {"SPRINGLINE_CONTROL": address}


def _one(server: Server | None, run: Callable[[], Cost]) -> Spent:
    before = server.processor if server else 0.0
    cost = run()
    return Spent(cost.seconds, cost.processor, server.processor - before if server else 0.0)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    main()
