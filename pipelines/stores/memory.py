"""How much memory this process may use, what of it DuckDB gets, and where it puts what does not fit.

DuckDB alone takes four fifths of the machine. It knows nothing of a limit of the process (``ulimit``), nor of what
Python, Arrow and the checks need beside it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from pipelines.core.literals import literal
from pipelines.stores.rows import number_of

MEBI = 2**20
# What everything else needs at its peak, and what DuckDB takes beyond its own limit.
ROOM = 512 * MEBI
# Of what there is: as much as DuckDB itself would take, and what is left where the room would take all.
MOST, LEAST = 0.8, 0.25
# What DuckDB may keep of its file it keeps: 1,000,000 documents were compared with this in 2.5 GB, and without in 7.6.
ENOUGH = 2048 * MEBI
# Each thread has buffers of its own; with less, more threads only make what does not fit.
A_THREAD = 512 * MEBI
# What a connection keeps that is not used while another one works, and one that only writes.
ASIDE, LITTLE = 64 * MEBI, 128 * MEBI
# DuckDB tells its limit with one decimal.
NEARLY = 0.9

# When DuckDB gives memory back: by itself it keeps hundreds of megabytes that it has no use for. Given back at every
# megabyte, memory is asked for anew by each of a hundred small models, which takes a third of their time.
_ALLOCATOR = ("allocator_flush_threshold", "allocator_bulk_deallocation_flush_threshold")
_KEPT_MEMORY = "16MB"

# A limit of the process counts what is mapped, used or not: each with what /proc/self/status calls both. Of what is
# mapped later, measured while 100,000 documents were published, a quarter stays unused.
USED = 0.75
_LIMITS = {"Max address space": ("VmSize", "VmRSS"), "Max data size": ("VmData", "RssAnon")}
# Where the groups of both versions lie, by the name of their controller in /proc/self/cgroup, and what limits them.
_GROUPS = {
    "": (("sys/fs/cgroup", "sys/fs/cgroup/unified"), ("memory.max", "memory.high")),
    "memory": (("sys/fs/cgroup/memory",), ("memory.limit_in_bytes",)),
}


def fit(connection: duckdb.DuckDBPyConnection, *, spill: Path, usable: int | None = None) -> None:
    """Give a database as much memory and as many threads as this process can afford; the rest goes to ``spill``.

    That folder is this database's alone: it goes with it, and one that a killed process has left goes now. ``usable``
    are the bytes that this process may use, by default as ``usable_memory`` finds them.
    """
    # It holds business data; DuckDB makes the folder anew, and the umask of the process keeps others out.
    shutil.rmtree(spill, ignore_errors=True)
    connection.execute(f"SET temp_directory = {literal(str(spill))}")
    for name in _ALLOCATOR:
        connection.execute(f"SET {name} = '{_KEPT_MEMORY}'")
    usable = usable_memory() if usable is None else usable
    if usable is not None:
        limit = share_of(usable)
        connection.execute(f"SET VARIABLE most_memory = {most_of(usable)}")
        connection.execute(f"SET memory_limit = '{limit}B'")
        threads = number_of(connection.execute("SELECT current_setting('threads')"))
        connection.execute(f"SET threads = {min(threads, max(limit // A_THREAD, 1))}")


def rest(connection: duckdb.DuckDBPyConnection) -> None:
    """Leave a database one thread but where ``threads_to_build`` gives more: a batch has hundreds of small statements.

    Each of them takes longer on two threads than on one: an idle run 1.29 s instead of 1.17, a landing of 50,000
    documents a tenth more.
    """
    connection.execute("SET VARIABLE threads_to_build = current_setting('threads')")
    connection.execute("SET threads = 1")


def threads_to_build(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many threads a database may have for large work."""
    return number_of(connection.execute("SELECT coalesce(getvariable('threads_to_build'), current_setting('threads'))"))


def spill_beside(path: Path) -> Path:
    """Return where a database spills: beside it, under its name, as DuckDB itself would have it.

    >>> spill_beside(Path("data/springline.duckdb")).name
    'springline.duckdb.tmp'
    """
    return path.with_name(f"{path.name}.tmp")


def share_of(usable: int) -> int:
    """Return how many of the bytes that a process may use are DuckDB's.

    >>> [share_of(size * MEBI) // MEBI for size in (24_000, 2_000, 1_024, 512)]
    [2048, 1488, 512, 128]
    """
    return min(most_of(usable), ENOUGH)


def most_of(usable: int) -> int:
    """Return how many of these bytes DuckDB may have where it cannot do with ``ENOUGH``.

    >>> [most_of(size * MEBI) // MEBI for size in (24_000, 2_000)]
    [19200, 1488]
    """
    return int(min(usable * MOST, max(usable - ROOM, usable * LEAST)))


def most_memory(connection: duckdb.DuckDBPyConnection) -> int | None:
    """Return how many bytes the database of this connection may have at most, None where ``fit`` has not said."""
    row = connection.execute("SELECT getvariable('most_memory')").fetchone()
    return row[0] if row else None


@contextmanager
def room_beside(connection: duckdb.DuckDBPyConnection) -> Iterator[int | None]:
    """Give the bytes that a second database may share with the process while a block works with it.

    Where the first one holds most of what both may have, it gives that back first, and reads it again later.
    """
    usable = usable_memory()
    if usable is None:
        yield None
        return
    held = number_of(connection.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()"))
    if held <= share_of(usable) // 2:
        yield usable - held
        return
    with _limited(connection, ASIDE):
        yield usable - ASIDE


@contextmanager
def little_memory(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let a database keep little of its file in memory while a block writes much that it does not read again.

    By itself DuckDB keeps whatever there is room for. One that is in memory alone is left as it is, and so is any where
    nobody says how much memory there is: what needs more could not be given it (``most_memory``).
    """
    path = connection.execute("SELECT path FROM duckdb_databases() WHERE database_name = current_database()").fetchone()
    if path == (None,) or usable_memory() is None:
        yield
        return
    with _limited(connection, LITTLE):
        yield


@contextmanager
def _limited(connection: duckdb.DuckDBPyConnection, limit: int) -> Iterator[None]:
    usable = usable_memory()
    before = number_of(connection.execute("SELECT parse_formatted_bytes(current_setting('memory_limit'))"))
    try:
        # What it cannot give back, such as a database in memory, it keeps.
        with suppress(duckdb.OutOfMemoryException):
            connection.execute(f"SET memory_limit = '{limit}B'")
        yield
    finally:
        # What DuckDB tells is rounded, so that its share is worked out anew; inside another block it is that block's.
        whole = before if usable is None else share_of(usable)
        connection.execute(f"SET memory_limit = '{before if before < whole * NEARLY else whole}B'")


def usable_memory(root: Path = Path("/")) -> int | None:
    """Return how many bytes this process may use; None where the system does not say, as elsewhere than on Linux.

    The least of the machine's memory, the limits of the control groups it is in, and those of the process itself;
    these count addresses, so that what is mapped and not used is taken off. ``root`` is where proc and sys lie.
    """
    machine = _fields(root / "proc/meminfo").get("MemTotal")
    found = [*_of_groups(root), *_of_process(root), *([machine] if machine is not None else [])]
    return max(min(found), 0) if found else None


def _of_groups(root: Path) -> Iterator[int]:
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, group = line.split(":", 2)
        for controller in controllers.split(","):
            folders, files = _GROUPS.get(controller, ((), ()))
            # A group above limits all below it. In a container the path may be the host's, and is then not there.
            above = [Path(group.strip("/")), *Path(group.strip("/")).parents]
            for place in (root / folder / part / file for folder in folders for part in above for file in files):
                yield from (int(text) for text in _lines(place) if text.strip().isdigit())


def _of_process(root: Path) -> Iterator[int]:
    status = _fields(root / "proc/self/status")
    for line in _lines(root / "proc/self/limits"):
        for name, (mapped, used) in _LIMITS.items():
            soft = line.removeprefix(name).split()[0] if line.startswith(name) else ""
            if soft.isdigit():
                yield int((int(soft) - max(status.get(mapped, 0) - status.get(used, 0), 0)) * USED)


def _fields(path: Path) -> Mapping[str, int]:
    """Read lines such as ``MemTotal:  24684084 kB``; return bytes."""
    pairs = (line.partition(":")[::2] for line in _lines(path))
    return {name: int(text.split()[0]) * 1024 for name, text in pairs if text.endswith(" kB")}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    # Not there, or not for this process to read.
    except OSError:
        return []
