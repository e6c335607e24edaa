"""What a watch costs while nothing happens, beside a history of 500,000 documents.

Run as ``python -m tests.bench.bench_watch_idle``. The history stands in the control store: a voucher and an
acknowledgement of each document, as they are after years. The VMS has the few documents of a test: how long it takes to
find what is ready is its own affair.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from pathlib import Path

from pipelines.stores.control import Control
from tests.bench.desk import say
from tests.flow.watching import Harbour, harbour_of
from tests.flow.world import sample_documents
from tests.support.once import begin_in

DOCUMENTS, SECONDS = 500_000, 60
MOST_PERCENT, MOST_GROWTH = 3.0, 0.02
TICKS = 100  # of the kernel's clock, a second


def write_history(control: Control) -> None:
    """Write the sends of years into a control store."""
    statement = """
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
    INSERT INTO outbox (id, kind, natural_key, target, document_key, document_no, state, payload, payload_hash,
        source_hash, batch_id, created_at, updated_at, sent_at)
    SELECT ? || n, ?, 'old ' || n, ?, 90000000 + n, 'O' || n, 'sent', ?, 'x', 'x', 'x', ?, ?, ? FROM numbers
    """
    at, payload = "2025-01-01T00:00:00.000000+00:00", "[" + "x" * 400 + "]"
    with control.write() as connection:
        for kind, target in (("voucher", "ledger"), ("acknowledgement", "vms")):
            connection.execute(statement, (DOCUMENTS, kind, kind, target, payload, at, at, at))


def processor_seconds(pid: int) -> float:
    """Return what a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> int:
    """Return the kilobytes that a process holds."""
    [line] = [one for one in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines() if one.startswith("VmRSS")]
    return int(line.split()[1])


def sizes(folder: Path) -> dict[Path, int]:
    """Return the size of every file, but for the log of the watch itself."""
    return {file: file.stat().st_size for file in folder.rglob("*") if file.is_file() and file.suffix != ".log"}


def wait_for_rest(harbour: Harbour) -> None:
    """Return when no batch has ended for half a minute."""
    batches = -1
    while batches != (batches := harbour.batches()) or not batches:
        time.sleep(30)


def measure(harbour: Harbour) -> str:
    """Measure a minute."""
    assert harbour.watch
    pid = harbour.watch.pid
    harbour.world.requests()
    batches = harbour.batches()
    used, held, files, began = processor_seconds(pid), memory(pid), sizes(harbour.world.folder), time.monotonic()
    time.sleep(SECONDS)
    percent = 100 * (processor_seconds(pid) - used) / (time.monotonic() - began)
    growth = memory(pid) / held - 1
    grown = {file.name for file, size in sizes(harbour.world.folder).items() if size > files.get(file, 0)}
    batches = harbour.batches() - batches
    asked = {side: sum(counts.values()) for side, counts in harbour.world.requests().items()}
    if percent > MOST_PERCENT or growth > MOST_GROWTH or grown or asked.get("ledger") or batches:
        raise AssertionError((percent, growth, grown, asked, batches))
    return (
        f"{percent:.2f} % of one core, memory {held >> 10} MB and {100 * growth:+.2f} %, no file grew, "
        f"{asked['vms']} requests to the VMS and none to Xledger"
    )


def main() -> None:
    """Let a watch begin, give it a history, and measure a minute in which nothing happens."""
    with tempfile.TemporaryDirectory() as name:
        begin_in(Path(name))
        with harbour_of(Path(name) / "world", sample_documents("2708031", "2706035"), (), every=10) as harbour:
            harbour.start()
            wait_for_rest(harbour)
            harbour.end()
            with closing(harbour.world.control()) as control:
                write_history(control)
            harbour.start()
            wait_for_rest(harbour)
            say(f"watch at rest for {SECONDS} s beside {DOCUMENTS:,} documents sent: {measure(harbour)}")


if __name__ == "__main__":
    main()
