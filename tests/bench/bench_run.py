"""How fast a whole run is, beside its floors, within the ledger's limits and with none; and the runs behind it.

Run as ``python -m tests.bench.bench_run``. One floor is what the ledger's limits (20 requests per 5 seconds, 500 nodes
a mutation) alone dictate: the time from the first mutation to the last, were nothing else to be done and did no request
take any time. The other one are the same HTTP requests with nothing done to them: it sends the payloads that the run
froze in its outbox. Each goes against a sandbox of its own on the same world.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.contracts.shape import paths
from pipelines.contracts.vms import DOCUMENTS
from pipelines.core.settings import Settings
from tests.bench.desk import CLOCK, NO_LIMITS, Cost, Desk, clients, desk, make_world, quickest, say
from tests.bench.kept import Row, keep

Payloads = list[list[dict[str, Any]]]

DOCUMENT_COUNT = 10_000
LINES = 5
NODES = 500
KEYS = 50
# The limits of both sides that Springline keeps to by itself.
NO_LIMITS_OF_OURS = {"SPRINGLINE_LEDGER__BURST_REQUESTS": "10000", "SPRINGLINE_VMS__REQUESTS_PER_SECOND": "10000"}
WHOLE, ALONE = "the whole run: read, check, send, acknowledge, compare, publish", "the same requests alone"
OF_LIMITS, OF_REQUESTS = "of the limits times", "of the requests times"


def measure_run(at: Desk) -> Cost:
    """Run once, let the ledger post, and see that every document has been booked."""
    at.sandbox.control("POST", "clock", {"now": CLOCK})
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


class Floor(NamedTuple):
    """Seconds that the same requests took alone, by the clock and of this process's processor."""

    seconds: float
    processor: float


def measure_floor(settings: Settings, payloads: Payloads) -> Floor:
    """Send the same requests and look at no answer."""
    clock, processor = time.perf_counter(), time.process_time()
    send_requests(settings, payloads)
    return Floor(time.perf_counter() - clock, time.process_time() - processor)


def dictated(settings: Settings, payloads: Payloads) -> float:
    """Return the seconds between the first mutation and the last that the limits alone dictate."""
    mutations = -(-len(payloads) // (NODES // len(payloads[0])))
    return (mutations - 1) // settings.ledger.burst_requests * settings.ledger.burst_seconds


def send_requests(settings: Settings, payloads: Payloads) -> None:
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


def sent_payloads(folder: Path) -> Payloads:
    """Return the payloads that the run froze, in the order of the document key."""
    with sqlite3.connect(folder / "springline.ctl.sqlite") as control:
        rows = control.execute("SELECT payload FROM outbox WHERE kind = 'voucher' ORDER BY document_key").fetchall()
    return [json.loads(payload) for (payload,) in rows]


def row_of(what: str, cost: Cost) -> Row:
    """Give a row of what a process took."""
    spent = {"processor s": round(cost.processor, 2), "clock s": round(cost.seconds, 2)}
    return {"what": what, **spent, "peak MB": round(cost.megabytes)}


def within_limits(folder: Path, seed: Path) -> list[Row]:
    """Measure a whole run within the ledger's limits, both floors, and the runs behind it."""
    with desk(folder, seed) as at:
        at.sandbox.control("POST", "ledger/settings", {"posting_every_minutes": None})
        cost = measure_run(at)
        back, idle = measure_behind(at)
    payloads = sent_payloads(folder)
    with desk(folder, seed, state="floor.sqlite") as at:
        limits, alone = dictated(at.settings(), payloads), measure_floor(at.settings(), payloads)
    return [
        *beside(cost, alone, "", limits=limits),
        {"what": "what the limits alone dictate", "clock s": limits, OF_LIMITS: 1.0},
        row_of("the run that reads back what was booked", back),
        row_of("all jobs with nothing new", idle),
    ]


def without_limits(folder: Path, seed: Path) -> list[Row]:
    """Measure a whole run with no limits, and the same requests alone."""
    with desk(folder, seed, **NO_LIMITS_OF_OURS) as at:
        at.sandbox.control("POST", "ledger/settings", NO_LIMITS)
        cost = measure_run(at)
    with desk(folder, seed, state="floor.sqlite", **NO_LIMITS_OF_OURS) as at:
        at.sandbox.control("POST", "ledger/settings", NO_LIMITS)
        alone = measure_floor(at.settings(), sent_payloads(folder))
    return beside(cost, alone, ", no limits")


def beside(cost: Cost, alone: Floor, how: str, *, limits: float | None = None) -> list[Row]:
    """Give a row of a whole run and one of the same requests alone, with what they take of the floors."""

    def of(seconds: float) -> dict[str, float]:
        of_limits = {OF_LIMITS: round(seconds / limits, 2)} if limits else {}
        return {**of_limits, OF_REQUESTS: round(seconds / alone.seconds, 2)}

    spent = {"processor s": round(alone.processor, 2), "clock s": round(alone.seconds, 2)}
    return [
        {**row_of(f"{WHOLE}{how}", cost), **of(cost.seconds)},
        {"what": f"{ALONE}{how}", **spent, **of(alone.seconds)},
    ]


def main() -> None:
    """Measure whole runs, their floors and the runs behind them, and print them."""
    rows: list[Row] = []
    for measure in (within_limits, without_limits):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            rows += measure(folder, make_world(folder, documents=DOCUMENT_COUNT, lines=LINES))
    keep("run", {"whole": rows})
    for row in rows:
        told = ", ".join(f"{name} {value}" for name, value in row.items() if name != "what")
        say(f"{DOCUMENT_COUNT:>7,} documents of {LINES} lines: {row['what']}: {told}")


if __name__ == "__main__":
    main()
