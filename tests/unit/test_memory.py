"""What a process may use of a machine, as proc and sys say it, and a database that has to do with little."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.models.build import build
from pipelines.stores.memory import (
    MEBI,
    fit,
    little_memory,
    most_memory,
    rest,
    room_beside,
    spill_beside,
    threads_to_build,
    usable_memory,
)

MACHINE = {"proc/meminfo": f"MemTotal:       {8_000 * 1024} kB\nMemFree:  1 kB\nHugePages_Total:       0\n"}
UNLIMITED = "Limit                     Soft Limit           Hard Limit           Units     \n"
IN_USE = (
    f"VmSize:\t  {700 * 1024} kB\nVmRSS:\t  {200 * 1024} kB\nRssAnon:\t  {100 * 1024} kB\nVmData:\t  {150 * 1024} kB\n"
)
SERVICE = "system.slice/springline.service"


def limit(name: str, soft: str) -> str:
    """Write a limit as /proc/self/limits does."""
    return f"{UNLIMITED}{name:<26}{soft:<21}{'unlimited':<21}bytes     \n"


CASES = {
    "nothing but the machine": ({}, 8_000),
    "a container of version 2": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": f"{1024 * MEBI}\n"}, 1024),
    "a service of version 2": (
        {"proc/self/cgroup": f"0::/{SERVICE}\n", f"sys/fs/cgroup/{SERVICE}/memory.max": f"{2048 * MEBI}\n"},
        2048,
    ),
    "a group above it": (
        {
            "proc/self/cgroup": f"0::/{SERVICE}\n",
            f"sys/fs/cgroup/{SERVICE}/memory.max": "max\n",
            "sys/fs/cgroup/system.slice/memory.max": f"{3000 * MEBI}\n",
        },
        3000,
    ),
    "one that is slowed down before its end": (
        {
            "proc/self/cgroup": "0::/a\n",
            "sys/fs/cgroup/a/memory.max": f"{2048 * MEBI}\n",
            "sys/fs/cgroup/a/memory.high": f"{1500 * MEBI}\n",
        },
        1500,
    ),
    "version 1 beside version 2": (
        {
            "proc/self/cgroup": "4:memory:/a\n2:cpu,cpuacct:/a\n0::/\n",
            "sys/fs/cgroup/memory/a/memory.limit_in_bytes": f"{700 * MEBI}\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        },
        700,
    ),
    "a container that sees the host's path": (
        {
            "proc/self/cgroup": "4:memory:/docker/0123\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{600 * MEBI}\n",
        },
        600,
    ),
    "addresses, of which 500 are mapped and not used": (
        {"proc/self/limits": limit("Max address space", str(2000 * MEBI)), "proc/self/status": IN_USE},
        1125,
    ),
    "data, of which 50 are mapped and not used": (
        {"proc/self/limits": limit("Max data size", str(1050 * MEBI)), "proc/self/status": IN_USE},
        750,
    ),
    "no limit": ({"proc/self/limits": limit("Max data size", "unlimited"), "proc/self/status": IN_USE}, 8_000),
}


@pytest.mark.parametrize("name", CASES)
def test_the_least_of_all_limits_counts(tmp_path: Path, name: str) -> None:
    files, megabytes = CASES[name]
    for place, text in {**MACHINE, **files}.items():
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    assert usable_memory(tmp_path) == megabytes * MEBI


def test_a_system_that_says_nothing_is_left_to_duckdb(tmp_path: Path) -> None:
    assert usable_memory(tmp_path) is None


def test_what_does_not_fit_goes_to_disk_and_comes_back(tmp_path: Path) -> None:
    """Rows of 51 MB, and as much again to sort them, in the 50 MB that DuckDB gets of 200."""
    path = tmp_path / "rows.duckdb"
    question = "SELECT sum(n * (i % 97)) FROM (SELECT i, row_number() OVER (ORDER BY t DESC) AS n FROM rows)"
    spill = spill_beside(path)
    made = "CREATE TEMP TABLE rows AS SELECT range AS i, repeat(md5(range::VARCHAR), 4) AS t FROM range(400_000)"
    spill.mkdir()
    (spill / "duckdb_temp_storage_DEFAULT-0.tmp").write_text("what a killed process has left", "utf-8")
    with duckdb.connect() as plain:
        plain.execute(made)
        wanted = plain.execute(question).fetchall()
    with duckdb.connect(str(path)) as small:
        fit(small, spill=spill, usable=200 * MEBI)
        assert small.execute("SELECT current_setting('threads')").fetchall() == [(1,)]
        assert not spill.exists()
        small.execute(made)
        assert any(spill.iterdir())
        assert small.execute(question).fetchall() == wanted
    assert not spill.exists()


def test_a_warehouse_has_one_thread_until_models_are_built(tmp_path: Path) -> None:
    threads = "SELECT current_setting('threads')"
    with duckdb.connect(str(tmp_path / "rows.duckdb"), config={"threads": 4}) as connection:
        assert threads_to_build(connection) == 4
        rest(connection)
        assert connection.execute(threads).fetchall() == [(1,)]
        assert threads_to_build(connection) == 4
        seen: list[object] = []
        build(connection, [], report=lambda *_: seen.append(connection.execute(threads).fetchall()))
        # Two lanes, each with the thread that asks, and two of DuckDB's own.
        assert (seen, connection.execute(threads).fetchall()) == ([[(3,)]], [(1,)])


def test_a_second_database_gets_what_the_first_gives_back(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "rows.duckdb")) as first:
        fit(first, spill=tmp_path / "spill")
        before = first.execute("SELECT current_setting('memory_limit')").fetchall()
        with room_beside(first) as usable:
            assert usable == pytest.approx(usable_memory(), abs=100 * MEBI)
        assert first.execute("SELECT current_setting('memory_limit')").fetchall() == before


def test_a_database_that_only_writes_keeps_little(tmp_path: Path) -> None:
    limit = "SELECT current_setting('memory_limit')"
    with duckdb.connect(str(tmp_path / "rows.duckdb")) as file, duckdb.connect() as memory:
        for connection in (file, memory):
            fit(connection, spill=tmp_path / "spill")
            before = connection.execute(limit).fetchall()
            with little_memory(connection):
                assert connection.execute(limit).fetchall() == ([("128.0 MiB",)] if connection is file else before)
            assert connection.execute(limit).fetchall() == before


def test_what_keeps_little_inside_another_block_leaves_it_its_limit(tmp_path: Path) -> None:
    limit = "SELECT current_setting('memory_limit')"
    with duckdb.connect(str(tmp_path / "rows.duckdb")) as connection:
        fit(connection, spill=tmp_path / "spill")
        with little_memory(connection):
            with little_memory(connection):
                pass
            assert connection.execute(limit).fetchall() == [("128.0 MiB",)]
            # A model that needs more has lifted it.
            connection.execute(f"SET memory_limit = '{most_memory(connection)}B'")
        assert connection.execute(limit).fetchall() == [("2.0 GiB",)]
