"""Two batches of one tenant at once, from two folders that share the control store alone: one of them has to go.

``python -m tests.storm.together --tries 100``. In each try people enter invoices, two batches begin at some distance
from each other, and one of them must end with 17. Each folder reaches both systems by a door of its own that counts who
comes: by the door of the one that had to go nobody has come. The books of both systems say in the end that each
document went once.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import os
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from functools import partial
from itertools import takewhile
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import urlsplit

from pipelines.core.settings import load_settings
from pipelines.outbox.chain import verify_chain
from pipelines.stores.opening import open_store
from tests.storm.__main__ import memory, prepare, verified
from tests.storm.auditor import Auditor
from tests.storm.books import LedgerBooks
from tests.storm.databases import POSTGRESQL, databases
from tests.storm.deeds import do
from tests.storm.forks import die_with_parent, fork
from tests.storm.journal import Journal
from tests.storm.many import in_children
from tests.storm.people import People, look_at_the_books
from tests.storm.site import PATIENT, Ran, Site
from tests.storm.storm import BUSY, QUIET, Base, _said

JOBS = ("master-data", "documents")
INVOICES, LONGEST = 2, 300
# Requests that are answered late: a batch lasts long enough to be met anywhere in it.
LATE = {"action": {"kind": "delay", "seconds": 0.2}, "match": {}, "times": 4, "after": 0, "name": "late"}


class Try(NamedTuple):
    """One try: which folder began first, how much later the other came (seconds), and how both ended."""

    first: int
    seconds: float
    codes: tuple[int | None, int | None]
    # Connections by each door.
    came: tuple[int, int]
    traces: tuple[str, str]
    # The other began before the first one had ended; else there is nothing to be seen.
    is_met: bool = True

    @property
    def fault(self) -> str:
        """Say what is wrong with it; empty where nothing is."""
        if any(self.traces):
            return f"a traceback: {max(self.traces)}"
        busy = [place for place, code in enumerate(self.codes) if code == BUSY]
        if len(busy) != 1 or self.codes[1 - busy[0]] not in QUIET:
            return f"they ended with {self.codes}"
        return f"{self.came[busy[0]]} connections by the door of the one that had to go" if self.came[busy[0]] else ""


@contextmanager
def doors(port: int, notes: Sequence[Path]) -> Iterator[list[int]]:
    """Open a door to a port for each note, which gets the time of each connection; give the ports of the doors."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in notes]
        doorman = fork()
        if doorman == 0:
            die_with_parent()
            asyncio.run(_serve(port, listeners, notes))
            os._exit(0)
        try:
            yield [listener.getsockname()[1] for listener in listeners]
        finally:
            os.kill(doorman, signal.SIGKILL)
            os.waitpid(doorman, 0)


async def _serve(port: int, listeners: Sequence[socket.socket], notes: Sequence[Path]) -> None:
    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def let_in(note: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with note.open("a", encoding="ascii") as file:
            file.write(f"{time.monotonic()}\n")
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pipe(reader, inner_writer), pipe(inner_reader, writer), return_exceptions=True)

    served = [
        await asyncio.start_server(partial(let_in, note), sock=listener)
        for listener, note in zip(listeners, notes, strict=True)
    ]
    await asyncio.gather(*(server.serve_forever() for server in served))


def by_doors(site: Site, ports: Sequence[int]) -> list[Site]:
    """Give the site as each folder sees it: its own stores but for the control store, and both systems by its door."""
    port = str(_port(site))
    sites = []
    for place, door in enumerate(ports):
        one, folder = copy.copy(site), site.folder / f"machine-{place}"
        own = {name: value.replace(f":{port}/", f":{door}/") for name, value in site.environ.items()}
        own |= {"SPRINGLINE_WAREHOUSE": str(folder / "w.duckdb"), "SPRINGLINE_PUBLISHED": str(folder / "published")}
        one.environ = own
        sites.append(one)
    return sites


def _port(site: Site) -> int:
    return urlsplit(site.environ["SPRINGLINE_LEDGER__URL"]).port or 0


def tried(site: Site, sites: Sequence[Site], notes: Sequence[Path], *, first: int, seconds: float) -> Try:
    """Begin two batches, one so many seconds after the other."""
    site.control("POST", "faults", {**LATE, "side": "ledger"})
    site.control("POST", "faults", {**LATE, "side": "vms"})
    before = [len(_times(note)) for note in notes]

    def run(place: int) -> tuple[int, Ran, float, float]:
        time.sleep(0 if place == first else seconds)
        began = time.monotonic()
        return place, sites[place].run_here(*JOBS), began, time.monotonic()

    ends: dict[int, Ran] = {}
    times: dict[int, list[float]] = {}
    traces = ""
    for child in in_children(run, range(2), processes=2, seconds=LONGEST):
        if child.value is None:
            traces += child.traceback
        else:
            place, ran, *times[place] = child.value
            ends[place] = Ran(*ran)
    site.control("DELETE", "faults")
    nobody = Ran(None, traceback=traces or "no answer")
    codes = tuple(ends.get(place, nobody).exit_code for place in range(2))
    came = [_times(note)[count:] for note, count in zip(notes, before, strict=True)]
    # One that asked for nothing until the other had ended has met it as little as one that began after that.
    later = times.get(1 - first, [0.0])[0] if BUSY in codes else min(came[1 - first], default=0.0)
    is_met = len(times) < len(sites) or later < times[first][1]
    return Try(first, seconds, (codes[0], codes[1]), (len(came[0]), len(came[1])), (traces, ""), is_met)


def _times(note: Path) -> list[float]:
    return [float(line) for line in note.read_text("ascii").splitlines()] if note.exists() else []


def play(site: Site, *, tries: int, seed: int) -> Generator[Try]:
    """Try so often, from both sides, at distances from none to the whole length of a batch."""
    rng, people = Random(seed), People(site)  # noqa: S311 no secret
    look_at_the_books(site)
    notes = [site.folder / f"door-{place}" for place in range(2)]
    with doors(_port(site), notes) as ports:
        sites = by_doors(site, ports)
        for one in sites:
            Path(one.environ["SPRINGLINE_WAREHOUSE"]).parent.mkdir()
        for number in range(tries + 1):
            for _ in range(INVOICES):
                do(people, "enter an invoice", rng.randint(0, 999_999))
            if number == 0:
                # Undisturbed: how long one takes that has something to do.
                began = time.monotonic()
                site.control("POST", "faults", {**LATE, "side": "ledger"})
                site.control("POST", "faults", {**LATE, "side": "vms"})
                for _ in in_children(lambda one: one.run_here(*JOBS), sites[:1], processes=1, seconds=LONGEST):
                    longest = time.monotonic() - began
                continue
            while True:
                met = tried(site, sites, notes, first=number % 2, seconds=rng.uniform(0, 0.7 * longest))
                site.pass_time(timedelta(minutes=1))
                if met.is_met:
                    break
                # The machine has become quicker since: they are tried again, nearer to each other.
                longest *= 0.7
                do(people, "enter an invoice", rng.randint(0, 999_999))
            yield met


def what_is_wrong(site: Site) -> list[str]:
    """Let one more batch run, and judge by the books of both systems."""
    site.control("POST", "ledger/post", {})
    site.pass_time(timedelta(minutes=70))
    ran = site.run(*JOBS)
    look_at_the_books(site)
    wrong = [] if ran.exit_code in QUIET else [f"the last run: {ran}"]
    auditor = Auditor.of(site.vms, LedgerBooks.of(site.environ), site.journal, _said(site), site.now.date())
    wrong += [" ".join(violation) for violation in auditor.violations(["documents"])]
    with closing(open_store(load_settings(None, environ=site.environ).control_place)) as control:
        wrong += [str(fault) for fault in verify_chain(control)]
    sent = Counter(auditor.times_sent(key) for key in site.journal.documents)
    sys.stdout.write(f"{len(site.journal.documents)} documents, sent so often: {dict(sent)}\n")
    return wrong


def main(arguments: list[str] | None = None) -> int:
    """Try, print each try that went wrong, and the figures; exit 1 when there is one."""
    parser = argparse.ArgumentParser(prog="python -m tests.storm.together", description=main.__doc__)
    parser.add_argument("--tries", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600, help="begin no try after so many (600)")
    given = parser.parse_args(arguments)
    prepare()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(dir=memory(), ignore_cleanup_errors=True) as name,
        databases(POSTGRESQL, memory=memory()) as server,
    ):
        base = Base.make(Path(name), verified(Path(name)), server)
        site = base.begin(Path(name) / "tenant", Journal(), is_first_day=False)
        site.environ.update(PATIENT)
        done = []
        with closing(play(site, tries=given.tries, seed=given.seed)) as playing:
            for one in takewhile(lambda _: time.monotonic() - began < given.minutes * 60, playing):
                done.append(one)
                sys.stdout.write(f"{one}{one.fault and f': {one.fault}'}\n")
                sys.stdout.flush()
        wrong = what_is_wrong(site)
        site.remove()
    faults = sum(bool(one.fault) for one in done)
    second = sum(one.codes[1 - one.first] == BUSY for one in done)
    spread = f"{min(one.seconds for one in done):.2f} to {max(one.seconds for one in done):.2f}"
    sys.stdout.writelines(f"{words}\n" for words in wrong)
    sys.stdout.write(
        f"{len(done)} tries, {spread} seconds apart: one ended with 17 and had reached neither system in "
        f"{len(done) - faults} (in {second} the one that came second); {time.monotonic() - began:.0f} seconds\n"
    )
    return 1 if faults or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
