"""How fast a whole run is, beside a floor: the same HTTP requests with nothing done to them; and the runs behind it.

Run as ``python -m tests.bench.bench_run``. Both go against a sandbox of their own on the same world and keep to the
ledger's limit of 20 requests per 5 seconds; the floor sends the payloads that the run froze in its outbox.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pipelines.contracts.shape import paths
from pipelines.contracts.vms import DOCUMENTS
from pipelines.core.settings import Settings
from tests.bench.desk import CLOCK, Cost, Desk, clients, desk, make_world, quickest, say
from tests.bench.kept import Row, keep

DOCUMENT_COUNT = 10_000
LINES = 5
NODES = 500
KEYS = 50


def measure_run(at: Desk) -> Cost:
    """Run once, let the ledger post, and see that every document has been booked."""
    at.sandbox.control("POST", "clock", {"now": CLOCK})
    at.sandbox.control("POST", "ledger/settings", {"posting_every_minutes": None})
    cost = at.run()
    booked = at.sandbox.control("POST", "ledger/post", {})
    if cost.counts("documents")["sent"] != DOCUMENT_COUNT or booked["posted"] != DOCUMENT_COUNT:
        raise AssertionError(cost.report, booked)
    return cost


def measure_behind(at: Desk) -> tuple[Cost, Cost]:
    """Measure the run that reads back what the ledger has booked, and one behind it, when nothing is new."""
    at.sandbox.control("POST", "ledger/settings", {"credits_per_hour": None})
    back = at.run()
    # Its own actuals come back from the VMS once.
    at.run()
    return back, quickest(at)


def measure_floor(settings: Settings, payloads: list[list[dict[str, Any]]]) -> float:
    """Send the same requests and look at no answer; return seconds."""
    begin = time.perf_counter()
    send_requests(settings, payloads)
    return time.perf_counter() - begin


def send_requests(settings: Settings, payloads: list[list[dict[str, Any]]]) -> None:
    """Read the documents, send the vouchers in mutations of 500 nodes, read the statuses, acknowledge."""
    nodes = [node for payload in payloads for node in payload]
    per_voucher = len(payloads[0])
    size = NODES // per_voucher * per_voucher
    keys = [payload[0]["node"]["trRegNumber"] for payload in payloads]
    with clients(settings) as (vms, ledger), ThreadPoolExecutor(settings.vms.workers) as pool:
        for _ in vms.pages("Document", fields=paths(DOCUMENTS), filters=["invoicingStatus.statusTypeCode(EQ)RFP"]):
            pass
        for start in range(0, len(nodes), size):
            ledger.mutate("addGLImportItems", nodes[start : start + size])
        chunks = [keys[start : start + KEYS] for start in range(0, len(keys), KEYS)]
        list(pool.map(lambda chunk: list(vms.pages_of("Document", "key", chunk, fields=["key"])), chunks))
        list(pool.map(lambda key: vms.put("Document", key, {"invoicingStatus": "POS"}), keys))


def sent_payloads(folder: Path) -> list[list[dict[str, Any]]]:
    """Return the payloads that the run froze, in the order of the document key."""
    with sqlite3.connect(folder / "springline.ctl.sqlite") as control:
        rows = control.execute("SELECT payload FROM outbox WHERE kind = 'voucher' ORDER BY document_key").fetchall()
    return [json.loads(payload) for (payload,) in rows]


def row_of(what: str, cost: Cost) -> Row:
    """Give a row of what a process took."""
    spent = {"processor s": round(cost.processor, 2), "clock s": round(cost.seconds, 2)}
    return {"what": what, **spent, "peak MB": round(cost.megabytes)}


def main() -> None:
    """Measure a whole run, its floor and the runs behind it, and print them with their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seed = make_world(folder, documents=DOCUMENT_COUNT, lines=LINES)
        with desk(folder, seed) as at:
            cost = measure_run(at)
            back, idle = measure_behind(at)
        with desk(folder, seed, state="floor.sqlite") as at:
            floor = measure_floor(at.settings(), sent_payloads(folder))
    whole = "the whole run: read, check, send, acknowledge, compare, publish"
    rows: list[Row] = [
        {**row_of(whole, cost), "clock times": round(cost.seconds / floor, 2)},
        {"what": "the same requests alone", "clock s": round(floor, 2), "clock times": 1.0},
        row_of("the run that reads back what was booked", back),
        row_of("all jobs with nothing new", idle),
    ]
    keep("run", {"whole": rows})
    rate, most = DOCUMENT_COUNT / cost.seconds, DOCUMENT_COUNT / floor
    say(
        f"{DOCUMENT_COUNT:>7,} documents of {LINES} lines, all booked and acknowledged: whole run {cost} "
        f"({rate:,.0f}/s), floor (same requests alone) {floor:.1f} s ({most:,.0f}/s), ratio "
        f"{floor / cost.seconds:.2f}\n        reading back what was booked {back}; all jobs with nothing new {idle}"
    )


if __name__ == "__main__":
    main()
