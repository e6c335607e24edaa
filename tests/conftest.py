"""What holds for every test: no address but this machine's, no telemetry, no settings of whoever runs the tests."""

from __future__ import annotations

import atexit
import gc
import ipaddress
import os
import shutil
import ssl
import sys
import tempfile
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

import duckdb
import pytest
import structlog
from hypothesis import settings

from tests.support.once import begin_session

# A file system in memory, and the room that all tests together leave free there by far.
MEMORY, ROOM = Path("/dev/shm"), 8 * 2**30  # noqa: S108 each run makes a folder of its own there
GUARDED = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}


def _is_this_machine(address: object) -> bool:
    # Unix sockets have a path for an address; internet sockets a tuple that starts with the host.
    host = address[0] if isinstance(address, tuple) else address
    if not isinstance(host, str) or host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.startswith(("/", "\0"))


def _refuse_the_network(event: str, arguments: tuple[object, ...]) -> None:
    position = GUARDED.get(event)
    if position is not None and not _is_this_machine(arguments[position]):
        raise RuntimeError(f"{event} to {arguments[position]!r}: tests reach this machine only")


# An audit hook sees every socket of the process, whatever library opens it, from the first import on.
sys.addaudithook(_refuse_the_network)

# The environment is what commands started by a test inherit as well.
for name in [name for name in os.environ if name.startswith("SPRINGLINE_")]:
    del os.environ[name]
os.environ |= {"GX_ANALYTICS_ENABLED": "false", "COLUMNS": "200"}

# Syntax trees and expectation suites are millions of small objects, and hardly ever garbage: looking them through
# takes a tenth of the time. The command line does the same for itself.
gc.set_threshold(100_000, 20, 50)

# The test processes have the cores between them: on tables this small a second thread of DuckDB's only costs. The
# commands that tests start, the demonstration among them, run with as many as there are.
if "PYTEST_XDIST_WORKER" in os.environ:
    duckdb.connect = partial(duckdb.connect, config={"threads": 1})

# Every httpx client, and every single request without one, reads all certificates of the machine anew, 15 ms each time.
# No test speaks TLS, so one context serves all of them.
setattr(ssl, "create_default_context", cache(ssl.create_default_context))  # noqa: B010 mypy takes a cache for no function

# Two busy cores make any deadline flaky; the same examples every time make a failure everybody's.
settings.register_profile("springline", deadline=None, derandomize=True)
settings.load_profile("springline")


# Files that take longest, longest first: begun last, one of them would keep a single process busy at the end.
LONG = (
    "flow/test_demo.py",
    "flow/test_close.py",
    "flow/test_bad_input.py",
    "flow/test_reconcile_documents.py",
    "flow/test_command_line.py",
    "flow/test_reconcile_balances.py",
    "flow/test_mapping_files.py",
    "property/test_mapping.py",
    "flow/test_remarks.py",
    "flow/test_reversals.py",
    "flow/test_postgres.py",
    "flow/test_steering_explained.py",
    "flow/test_return_payments.py",
    "flow/test_steering_release.py",
    "flow/test_spellings.py",
    "flow/test_tenants.py",
    "flow/test_real_kills.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep what tests write in memory where there is room: it is gigabytes of small files that nobody reads again.

    `--basetemp` chooses another place, and what is there then stays.
    """
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    if is_worker or config.option.basetemp or not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        return
    config.option.basetemp = tempfile.mkdtemp(prefix="springline-tests-", dir=MEMORY)
    atexit.register(shutil.rmtree, config.option.basetemp, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: `--dist loadfile` gives them out in the order of the tests."""
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get("/".join(item.path.parts[-2:]), len(LONG)))


@pytest.fixture(autouse=True, scope="session")
def _one_session(tmp_path_factory: pytest.TempPathFactory) -> None:
    begin_session(tmp_path_factory)


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Forget where a command run inside a test sent its log: that stream is closed when the test is over."""
    yield
    structlog.reset_defaults()
