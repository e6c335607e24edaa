"""A lake for a test: a catalogue in a schema of its own, and data in a folder or in a bucket on this machine."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipelines.core.settings import load_settings
from pipelines.stores.lake.attach import WORKING, attached
from tests.support.control_stores import new_schema
from tests.support.environments import python_of
from tests.support.patience import PATIENCE

KEY, SECRET, BUCKET = "springline-key", "geheim-im-speicher", "springline-lakes"
VERSIONS = Path(__file__).parent / "s3.txt"
# Who asks neither system.
NOBODY = {
    "SPRINGLINE_VMS__BASE_URL": "https://vms.invalid",
    "SPRINGLINE_VMS__USERNAME": "nobody",
    "SPRINGLINE_VMS__PASSWORD": "none-of-these",
    "SPRINGLINE_LEDGER__TOKEN": "none-of-these",
}


def three_addresses(folder: Path, *, data: str | None = None) -> dict[str, str]:
    """Give the settings of a new tenant on three addresses, and what its first folder is called."""
    control = str(new_schema())
    catalogue = re.sub(r"schema=tenant_", "schema=lake_", control)
    return {
        "SPRINGLINE_CONTROL": control,
        "SPRINGLINE_WAREHOUSE": f"ducklake:{catalogue}",
        "SPRINGLINE_DATA": data or str(folder / "data"),
        **own_folder(folder / "here"),
    }


def own_folder(folder: Path) -> dict[str, str]:
    """Give the settings of another machine of the same tenant."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "SPRINGLINE_SCRATCH": str(folder / "springline.duckdb"),
        "SPRINGLINE_PUBLISHED": str(folder / "published"),
    }


@contextmanager
def lake_open(environ: Mapping[str, str], *, name: str = WORKING) -> Iterator[duckdb.DuckDBPyConnection]:
    """Attach a tenant's lake to a database in memory, as ``lake``."""
    settings = load_settings(None, environ={**NOBODY, **environ})
    with duckdb.connect() as connection, attached(connection, settings, name=name):
        yield connection


@contextmanager
def running_s3(folder: Path) -> Iterator[dict[str, str]]:
    """Serve S3 on this machine; give the settings that reach a bucket of it."""
    python = python_of(VERSIONS)
    if python is None:
        pytest.fail(f"{VERSIONS} could not be installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "s3.log").open("wb") as log:
        command = [str(python), "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
        server = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 our own environment
        try:
            _make_bucket(server, port)
            yield {
                "SPRINGLINE_DATA": f"s3://{BUCKET}/springline",
                "SPRINGLINE_LAKE__ENDPOINT": f"http://127.0.0.1:{port}",
                "SPRINGLINE_LAKE__REGION": "us-east-1",
                "SPRINGLINE_LAKE__ACCESS_KEY": KEY,
                "SPRINGLINE_LAKE__SECRET_KEY": SECRET,
            }
        finally:
            server.kill()
            server.wait()


def _make_bucket(server: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            connection.request("PUT", f"/{BUCKET}")
            assert connection.getresponse().status == http.client.OK
        except OSError:
            assert server.poll() is None, "the server of the bucket has ended"
            assert time.monotonic() < until, "the server of the bucket did not come"
            time.sleep(0.1)
        else:
            return
