"""How fast a whole run is, beside a floor: the same HTTP requests with nothing done to them.

Run as ``python -m tests.bench.bench_run``. Both go against a sandbox of their own on the same world and keep to the
ledger's limit of 20 requests per 5 seconds; the floor sends the payloads that the run froze in its outbox.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.extract.shape import paths
from pipelines.extract.vms_contracts import DOCUMENTS
from pipelines.settings import Settings, load_settings
from pipelines.wire.ledger import LedgerClient
from pipelines.wire.vms import VmsClient
from tests.sandbox_server import sandbox_process

DOCUMENT_COUNT = 10_000
LINES = 5
TODAY = "2026-11-02"
NODES = 500
KEYS = 50


def make_world(folder: Path) -> Path:
    """Write a world of plain postable invoices and return its folder."""
    seed = folder / "world"
    command = [sys.executable, "-m", "pipelines.sandbox.world", "--out", str(seed)]
    command += ["--documents", str(DOCUMENT_COUNT), "--lines", str(LINES)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 our own module
    return seed


def environment(folder: Path, printed: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a run in ``folder``."""
    return {**os.environ, **printed, "SPRINGLINE_WAREHOUSE": str(folder / "springline.duckdb")}


def measure_run(folder: Path, seed: Path) -> tuple[float, int, dict[str, Any]]:
    """Run once; return seconds, peak resident kilobytes and what the run says of itself."""
    with sandbox_process(folder, seed) as sandbox:
        command = [sys.executable, "-m", "pipelines.cli", "run", "--json", "--today", TODAY]
        begin = time.perf_counter()
        done = subprocess.run(  # noqa: S603 our own module
            command,
            env=environment(folder, sandbox.env),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        seconds = time.perf_counter() - begin
        booked = sandbox.control("POST", "ledger/post", {})
        report = json.loads(done.stdout)
    if report["jobs"]["documents"]["sent"] != DOCUMENT_COUNT or booked["posted"] != DOCUMENT_COUNT:
        raise AssertionError(report, booked)
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, report


def measure_floor(folder: Path, seed: Path, payloads: list[list[dict[str, Any]]]) -> float:
    """Send the same requests and look at no answer; return seconds."""
    with sandbox_process(folder, seed, state="floor.sqlite") as sandbox:
        settings = load_settings(None, environ=environment(folder, sandbox.env))
        begin = time.perf_counter()
        send_requests(settings, payloads)
        return time.perf_counter() - begin


def send_requests(settings: Settings, payloads: list[list[dict[str, Any]]]) -> None:
    """Read the documents, send the vouchers in mutations of 500 nodes, read the statuses, acknowledge."""
    vms = VmsClient(settings.vms, count=_ignore, now=_now)
    ledger = LedgerClient(settings.ledger, count=_ignore, now=_now)
    for _ in vms.pages("Document", fields=paths(DOCUMENTS), filters=["invoicingStatus.statusTypeCode(EQ)RFP"]):
        pass
    nodes = [node for payload in payloads for node in payload]
    per_voucher = len(payloads[0])
    size = NODES // per_voucher * per_voucher
    for start in range(0, len(nodes), size):
        ledger.mutate("addGLImportItems", nodes[start : start + size])
    keys = [payload[0]["node"]["trRegNumber"] for payload in payloads]
    with ThreadPoolExecutor(settings.vms.workers) as pool:
        chunks = [keys[start : start + KEYS] for start in range(0, len(keys), KEYS)]
        list(pool.map(lambda chunk: list(vms.pages_of("Document", "key", chunk, fields=["key"])), chunks))
        list(pool.map(lambda key: vms.put("Document", key, {"invoicingStatus": "POS"}), keys))
    vms.close()
    ledger.close()


def sent_payloads(folder: Path) -> list[list[dict[str, Any]]]:
    """Return the payloads that the run froze, in the order of the document key."""
    with sqlite3.connect(folder / "springline.ctl.sqlite") as control:
        rows = control.execute("SELECT payload FROM outbox WHERE kind = 'voucher' ORDER BY document_key").fetchall()
    return [json.loads(payload) for (payload,) in rows]


def _ignore(_side: str, _operation: str) -> None:
    """Count nothing."""


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    """Measure a whole run and its floor, and print both with their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seed = make_world(folder)
        seconds, memory, _ = measure_run(folder, seed)
        floor = measure_floor(folder, seed, sent_payloads(folder))
    sys.stdout.write(
        f"{DOCUMENT_COUNT:>7,} documents of {LINES} lines, all booked and acknowledged: whole run {seconds:.1f} s "
        f"({DOCUMENT_COUNT / seconds:,.0f}/s), floor (same requests alone) {floor:.1f} s "
        f"({DOCUMENT_COUNT / floor:,.0f}/s), ratio {floor / seconds:.2f}, peak {memory / 1024:,.0f} MB\n"
    )


if __name__ == "__main__":
    main()
