"""The whole path beside what a user would otherwise write: documents of the VMS read, mapped, sent, acknowledged.

Run as ``python -m tests.bench.bench_path [DOCUMENTS]``: invoices of five lines, each way against a sandbox of its own
on the same world, with no limits, as a process of its own, a peer in an environment of its own. What both systems have
in the end, and that the ledger books all of it, must be the same before a time is printed; of a peer that differs the
first differences are. Seconds of processor are those of the client's process alone, imports included.

Ours is `springline run documents` in an empty folder. What it does beyond the peers is in its figures: all members of a
document landed and its hash compared, the ledger's reference data read and each code looked for in it, the posting
requirements, an outbox with each payload frozen before it goes, the status read again before it is written, the import
read back. Its first run also verifies the models, which is kept: so it is shown with that done before as well.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from pipelines.contracts.declared import declared_tables
from pipelines.core.resources import sql_folder
from pipelines.models.store import open_catalog
from tests.bench.bench_peers import LEFT_OUT, run_peer
from tests.bench.desk import CLOCK, NO_LIMITS, Cost, Desk, clients, desk, make_world, say, world_settings
from tests.bench.kept import Row, keep

SIZES = [2_000, 10_000]
LINES = 5
SHOWN = 3
AMOUNTS = ("invoiceAmount", "amount")
NO_LIMITS_OF_OURS = {"SPRINGLINE_LEDGER__BURST_REQUESTS": "10000", "SPRINGLINE_VMS__REQUESTS_PER_SECOND": "10000"}


class Books(NamedTuple):
    """What both systems have: members of import items by document and line, statuses by key, what came of booking."""

    lines: dict[str, list[object]]
    statuses: dict[str, str]
    booked: dict[str, int]


def springline(at: Desk) -> Cost:
    """Run the job where nothing has run before."""
    return at.run("documents")


def springline_verified(at: Desk) -> Cost:
    """Run the job where the models were verified before."""
    open_catalog(sql_folder(), declared_tables(), cache=at.folder / "springline.models.json")
    return at.run("documents")


def pandas(at: Desk) -> Cost | None:
    """Let the peer in pandas work."""
    return peer(at, "path_pandas", "pandas")


def dlt_and_dbt(at: Desk) -> Cost | None:
    """Let the peer in dlt and dbt work."""
    return peer(at, "path_dlt_dbt", "dbt")


def peer(at: Desk, module: str, environment: str) -> Cost | None:
    """Let a peer work, told where both systems are and what it takes to sign in."""
    settings = at.folder / "settings.json"
    told = {name.rpartition("__")[2].lower(): value for name, value in at.sandbox.env.items()}
    settings.write_text(json.dumps(told), "utf-8")
    return run_peer(module, environment, settings, at.folder / "peer" / "springline.duckdb")


WAYS: dict[str, Callable[[Desk], Cost | None]] = {
    "Springline, its first run": springline,
    "Springline, models verified before": springline_verified,
    "pandas and requests": pandas,
    "dlt, dbt and requests": dlt_and_dbt,
}


def books_of(at: Desk) -> Books:
    """Give what both systems have, ids aside, and let the ledger book it."""
    # A list, since what was sent twice must be seen.
    lines: dict[str, list[object]] = {}
    for item in at.sandbox.control("GET", "ledger/import-items"):
        node = item["node"]
        for name, value in node.items():
            # An amount may be written as text and with any decimals.
            told = Decimal(str(value)) if name in AMOUNTS else value
            lines.setdefault(f"{node['extOrderNumber']} line {node['trItemNumber']} {name}", []).append(told)
    with clients(at.settings()) as (vms, _):
        found = (json.loads(page) for page in vms.pages("Document", fields=["key", "invoicingStatus.statusTypeCode"]))
        statuses = {str(one["key"]): one["invoicingStatus"]["statusTypeCode"] for page in found for one in page}
    return Books(lines, statuses, at.sandbox.control("POST", "ledger/post", {}))


def differences(ours: Books, theirs: Books) -> Iterator[str]:
    """Say one by one what a peer has otherwise."""
    for name in Books._fields:
        mine, other = getattr(ours, name), getattr(theirs, name)
        for key in sorted(mine.keys() | other.keys()):
            if mine.get(key) != other.get(key):
                yield f"{name}: {key} {other.get(key)} for {mine.get(key)}"


def main(sizes: Sequence[int]) -> None:
    """Go each way with each number of documents, and keep what was measured of the usual ones."""
    rows = [row for documents in sizes for row in measure_ways(documents)]
    if sizes == SIZES:
        keep("path", {"path": rows}, peers=("pandas", "dbt"))


def measure_ways(documents: int) -> Iterator[Row]:
    """Go each way, and print what it took beside ours."""
    say(f"{documents:,} documents of {LINES} lines, from ready in the VMS to acknowledged:")
    ours: tuple[Cost, Books] | None = None
    with tempfile.TemporaryDirectory(prefix="springline-path-") as name:
        seed = make_world(Path(name), documents=documents, lines=LINES)
        for place, (way, work) in enumerate(WAYS.items()):
            folder = Path(name) / str(place)
            folder.mkdir()
            with desk(folder, seed, **NO_LIMITS_OF_OURS, **world_settings(seed)) as at:
                at.sandbox.control("POST", "ledger/settings", NO_LIMITS)
                at.sandbox.control("POST", "clock", {"now": CLOCK})
                cost = work(at)
                if cost is None:
                    say(f"  {way:<28} {LEFT_OUT}")
                    continue
                books = books_of(at)
            if not ours and (set(books.statuses.values()) != {"POS"} or books.booked["posted"] != documents):
                raise AssertionError(books.booked)
            ours = ours or (cost, books)
            say(f"  {way:<28} {told(cost, books, ours)}")
            if not any(differences(ours[1], books)):
                yield {
                    "what": way, "documents": documents, "processor s": round(cost.processor, 2),
                    "processor times": round(cost.processor / ours[0].processor, 2), "clock s": round(cost.seconds, 2),
                    "peak MB": round(cost.megabytes),
                }  # fmt: skip


def told(cost: Cost, books: Books, ours: tuple[Cost, Books]) -> str:
    """Say what a way took, or how what came of it differs from ours."""
    if found := list(differences(ours[1], books)):
        return "\n    ".join([f"DIFFERS in {len(found):,} places", *found[:SHOWN]])
    return (
        f"{cost.processor:6.1f} s of processor {cost.processor / ours[0].processor:5.2f} x  "
        f"{cost.seconds:6.1f} s by the clock {cost.seconds / ours[0].seconds:5.2f} x  peak {cost.megabytes:5,.0f} MB  "
        f"all alike, {books.booked['posted']:,} booked"
    )


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or SIZES)
