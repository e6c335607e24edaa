"""Posting and an idle run beside a history of any size: what was sent and read in earlier years is written straight.

A thousand documents are really sent, booked and acknowledged. The history is copies of what they left in the outbox and
in staging, under keys and numbers of their own; it is as booked as they are, and not in the ledger's books.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import duckdb

from pipelines.contracts.vms import DOCUMENTS
from pipelines.stores.warehouse import keep_digest
from tests.bench.desk import CLOCK, NO_LIMITS, Cost, Desk, clients, desk, make_world, quickest

SENT, BATCH, LINES = 1_000, 100, 5
FIRST_KEY = 10_000_001
JOBS = ("master-data", "documents", "rates", "payments", "actuals")
_NUMBERED = "replace({}, '\"' || document_no, '\"' || n || '-' || document_no)"
# What a copy n of a row says instead: keys and numbers of its own, in what was sent too.
AGAIN = {
    "id": "n || '-' || id",
    "natural_key": "n || '-' || natural_key",
    # The ledger's register numbers have 32 bits.
    "document_key": "document_key + n * 10000",
    "tr_reg_number": "tr_reg_number + n * 10000",
    "document_no": "n || '-' || document_no",
    "payload": f"replace({_NUMBERED.format('payload')}, '\"X-', '\"X-' || (n + 1000))",
    "look_up": f"replace({_NUMBERED.format('look_up')}, '\"X-', '\"X-' || (n + 1000))",
    "invoice_no": "replace(invoice_no, 'X-', 'X-' || (n + 1000))",
    "remote_ids": "replace(remote_ids, '\"2', '\"' || n || '2')",
}
# Tables that grow with what was sent, by the key of their rows, and what else is a copy's own.
COPIED = {
    "post.vouchers": "document_key",
    "post.voucher_lines": "document_key",
    **{f"stg_vms.{table}": "document_key" for table in ("documents", *(one.table for one in DOCUMENTS.children))},
    "stg_ledger.import_items": "tr_reg_number",
}
BOOKED = "CAST(3 AS BIGINT)"
OWN = {
    "stg_vms.documents": ("document_no",),
    "post.vouchers": ("document_no", "invoice_no"),
    "stg_ledger.import_items": ("job_level",),
}
# The history alone is written with these: who kills a bench begins anew. A cache that holds all indexes makes of ten
# minutes one.
IN_HASTE = ("synchronous = OFF", "cache_size = -2000000")


def beside(folder: Path, sizes: Sequence[int]) -> Iterator[Mapping[str, Cost]]:
    """Post a batch beside each size of history, then run with nothing new; what is sent and booked grows in between."""
    seed = make_world(folder, documents=SENT + BATCH * (len(sizes) + 1), lines=LINES)
    hold_back(seed / "vms" / "Document.jsonl")
    with desk(folder, seed, SPRINGLINE_LEDGER__BURST_REQUESTS="10000") as at:
        at.sandbox.control("POST", "ledger/settings", NO_LIMITS)
        at.sandbox.control("POST", "clock", {"now": CLOCK})
        at.run(*JOBS)
        # The first batch settles what the import says of all before it, and is not measured.
        for place, size in enumerate([SENT, *sizes]):
            settle(at)
            multiply(at.folder, first=sizes[place - 2] // SENT if place > 1 else 1, end=size // SENT)
            at.run(*JOBS)
            release(at, FIRST_KEY + SENT + BATCH * place)
            posting = at.run("documents")
            if posting.counts("documents")["sent"] != BATCH:
                raise AssertionError(posting.report)
            if not place:
                continue
            settle(at)
            yield {f"posting {BATCH}": posting, "idle run": quickest(at, *JOBS)}


def hold_back(documents: Path) -> None:
    """Let all but the first documents of a world wait for approval."""
    rows = documents.read_text("utf-8").splitlines(keepends=True)
    waiting = [row.replace('"invoicingStatus":"RFP"', '"invoicingStatus":"INV"') for row in rows[SENT:]]
    documents.write_text("".join(rows[:SENT] + waiting), "utf-8")


def release(at: Desk, first: int) -> None:
    """Approve a batch of documents in the VMS."""
    with clients(at.settings()) as (vms, _):
        for key in range(first, first + BATCH):
            vms.put("Document", key, {"invoicingStatus": "RFP"})


def settle(at: Desk) -> None:
    """Let the ledger post, and read until nothing is new."""
    at.sandbox.control("POST", "ledger/post", {})
    for _ in range(2):
        at.run(*JOBS)


def multiply(folder: Path, *, first: int, end: int) -> None:
    """Write the first documents again, under other keys and numbers, as what was sent and read in earlier years."""
    if end <= first:
        return
    last = FIRST_KEY + SENT
    with closing(sqlite3.connect(folder / "springline.ctl.sqlite")) as control:
        for pragma in IN_HASTE:
            control.execute(f"PRAGMA {pragma}")
        columns = [name for _, name, *_ in control.execute("PRAGMA table_info (outbox)")]
        values = ", ".join(AGAIN.get(name, name) for name in columns)
        with control:
            control.execute(
                f"WITH RECURSIVE copies (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM copies WHERE n < {end - 1}) "  # noqa: S608
                f"INSERT INTO outbox SELECT {values} FROM outbox, copies "
                f"WHERE document_key < {last} AND kind IN ('voucher', 'acknowledgement')"
            )
    with duckdb.connect(str(folder / "springline.duckdb")) as warehouse:
        for table, key in COPIED.items():
            # Booked, as what was sent in earlier years is; else each batch would ask the ledger for all of them.
            also = "".join(f", {AGAIN.get(name, BOOKED)} AS {name}" for name in OWN.get(table, ()))
            warehouse.execute(
                f"INSERT INTO {table} SELECT own.* REPLACE ({AGAIN[key]} AS {key}{also}) "  # noqa: S608
                f"FROM {table} AS own, range({first}, {end}) AS copies (n) WHERE {key} < {last}"
            )
        # The copy of the outbox follows its events: it is made anew.
        keep_digest(warehouse, "moved", "")
