"""What new payments cost among very many open invoices, beside the same requests alone; and a run with none.

Run as ``python -m tests.bench.bench_payments [--full]``. The sandbox's own time is in both figures.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.core.settings import Settings
from pipelines.extract.books import DELTAS
from pipelines.extract.ledger import lists
from pipelines.load.look_up import chunks
from pipelines.load.vms.documents import ENTITY, FIELDS
from pipelines.outbox.entry import Move
from pipelines.outbox.states import State
from pipelines.outbox.store import Outbox
from pipelines.stores.control import Control
from pipelines.wire.filters import equals, one_of
from pipelines.wire.vms import VmsClient
from tests.bench.desk import CLOCK, NO_LIMITS, Cost, Desk, clients, desk, quickest, reading, say
from tests.flow.returns_seed import FIRST_KEY, PARTNERS, Invoice, Row, returns_seed, sent

if TYPE_CHECKING:
    from pipelines.contracts.contract import Contract
    from pipelines.wire.ledger import LedgerClient

INVOICES, PAYMENTS = 25_000, 1_250
FULL = 4
STORED_AT_ONCE = 1_000
BOOKED_AT_ONCE = 250
TYPES = ("INI", "INO", "INI", "INO", "INI", "CRI", "INO", "CRO", "INI", "INO")
RATES = {"USD": "10", "EUR": "11.5", "NOK": "1"}
# So far on in the list of invoices one has the same type and currency.
ALIKE = 30
CENT = Decimal("0.01")


def invoice(place: int) -> Invoice:
    """Give one of very many: both sides, three currencies, credit notes, split terms now and then."""
    kind = TYPES[place % len(TYPES)]
    currency = tuple(RATES)[place % len(RATES)]
    amount = f"{'-' if kind.startswith('C') else ''}{100 + place % 900}.{place % 100:02}"
    parts = (amount, amount) if place % 7 == 0 else (amount,)
    external = f"X-{place}" if kind == "INI" else None
    return Invoice(str(2_000_000 + place), kind, parts, currency, RATES[currency], external)


def payments() -> Iterator[Row]:
    """Give payments as they are booked by hand: of ten six are in full, two in part, two settle two invoices each."""
    place = number = 0
    while True:
        first = invoice(place)
        if first.type.startswith("C"):
            place += 1
            continue
        kind = number % 10
        settled = [(first, first.total if kind < 6 or kind > 7 else (first.total / 2).quantize(CENT))]
        if kind > 7:
            settled.append((invoice(place + ALIKE), invoice(place + ALIKE).total))
        yield _payment(settled)
        place, number = place + (2 * ALIKE + 1 if kind > 7 else 1), number + 1


def _payment(settled: Sequence[tuple[Invoice, Decimal]]) -> Row:
    first = settled[0][0]
    total = sum((size for _, size in settled), Decimal(0))
    return {
        "owner": 28601,
        "side": first.side,
        "source": "DR",
        "date": "2026-10-20",
        "currency": first.currency,
        "amount": str(total),
        "company_amount": str((total * Decimal(first.rate)).quantize(CENT)),
        "subledger": PARTNERS[first.side],
        "match": [{"invoice_number": paid.invoice_number, "amount": str(size)} for paid, size in settled],
    }


def note_sent(path: Path, invoices: Sequence[Invoice]) -> None:
    """Leave in the control store what runs before would have: every invoice's voucher, sent in parcels."""
    control = Control(path)
    clock = datetime(2026, 11, 1, 8, tzinfo=UTC)
    for start in range(0, len(invoices), STORED_AT_ONCE):
        at = clock + timedelta(seconds=start)
        outbox = Outbox(control, batch_id="before", now=lambda at=at: at)  # type: ignore[misc]
        part = invoices[start : start + STORED_AT_ONCE]
        intents = [sent(FIRST_KEY + start + place, item) for place, item in enumerate(part)]
        outbox.store_intents(intents)
        outbox.begin([intent.id for intent in intents])
        outbox.apply(Move(intent.id, State.SENT) for intent in intents)
    control.close()


def measure_payments(at: Desk) -> tuple[Cost, Cost]:
    """Measure the run that brings the new payments to the VMS, and one with nothing new."""
    new = at.run("payments")
    at.run("payments")
    return new, quickest(at, "payments")


@dataclass(frozen=True, slots=True)
class Read:
    """How far the runs so far have read the books: the cursors of the deltas, and the newest row of each connection."""

    cursors: Mapping[str, str]
    newest: Mapping[Contract, int]


class Floor:
    """The same requests as a run's, with nothing done to their answers; what they ask for is read from its stores."""

    def __init__(self, folder: Path, before: Read) -> None:
        with closing(sqlite3.connect(folder / "springline.ctl.sqlite")) as control:
            rows = control.execute("SELECT payload FROM outbox WHERE kind = 'payment' ORDER BY id").fetchall()
        self.bodies = [json.loads(payload, parse_float=Decimal) for (payload,) in rows]
        self.before = before

    def measure(self, settings: Settings) -> float:
        """Ask for all of it and return the seconds."""
        with clients(settings) as (vms, ledger), ThreadPoolExecutor(settings.vms.workers) as pool:
            begin = time.perf_counter()
            self._read(ledger)
            self._look_up(vms, pool)
            list(pool.map(lambda body: vms.post(ENTITY, body), self.bodies))
            return time.perf_counter() - begin

    def _read(self, ledger: LedgerClient) -> None:
        changes = ledger.changes({name: cursor or None for name, cursor in self.before.cursors.items()})
        new = [reading(contract, {"dbId_gt": row}) for contract, row in self.before.newest.items()]
        older = {
            contract: [row for row in changes[name].changed if row <= self.before.newest[contract]]
            for contract, name in DELTAS.items()
        }
        by_id = zip_longest(
            *([reading(contract, {"dbId_in": ids}) for ids in lists(own)] for contract, own in older.items())
        )
        for wanted in (new, *by_id):
            for pages in ledger.read([one for one in wanted if one]):
                list(pages)

    def _look_up(self, vms: VmsClient, pool: ThreadPoolExecutor) -> None:
        for kind in ("PMI", "PMO"):
            numbers = [body["documentNo"] for body in self.bodies if body["documentType"] == kind]
            questions = [(equals("documentType.documentType", kind), some) for some in one_of("documentNo", numbers)]
            list(pool.map(lambda filters: vms.find(ENTITY, filters=filters, fields=FIELDS), questions))


def read_so_far(folder: Path) -> Read:
    """Look into the stores of the runs so far."""
    with closing(sqlite3.connect(folder / "springline.ctl.sqlite")) as control:
        cursors = dict(control.execute("SELECT source, value FROM cursors").fetchall())
    with closing(duckdb.connect(str(folder / "springline.duckdb"), read_only=True)) as warehouse:
        newest = {
            contract: warehouse.execute(f"SELECT max({contract.key}) FROM stg_ledger.{contract.table}").fetchall()[0][0]  # noqa: S608
            for contract in DELTAS
        }
    return Read({name: cursors[f"ledger.{name}"] for name in DELTAS.values()}, newest)


def make_worlds(folder: Path, *, count: int, new: int) -> tuple[Cost, Read]:
    """Let a first run read the open invoices, book new payments, and keep that state twice; give what it took."""
    invoices = [invoice(place) for place in range(count)]
    seed = returns_seed(folder / "seed", invoices, ())
    note_sent(folder / "springline.ctl.sqlite", invoices)
    with desk(folder, seed) as at:
        shutil.rmtree(seed)
        at.sandbox.control("POST", "clock", {"now": CLOCK})
        at.sandbox.control("POST", "ledger/settings", NO_LIMITS)
        first = at.run("payments")
        before = read_so_far(folder)
        for part in chunks(islice(payments(), new), size=BOOKED_AT_ONCE):
            at.sandbox.control("POST", "ledger/payments", part)
    shutil.copy(folder / "sandbox.sqlite", folder / "floor.sqlite")
    return first, before


def main(*, is_full: bool = False) -> None:
    """Measure and print all of it."""
    count, new = (number * (FULL if is_full else 1) for number in (INVOICES, PAYMENTS))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first, before = make_worlds(folder, count=count, new=new)
        with desk(folder, None) as at:
            cost, idle = measure_payments(at)
        floor = Floor(folder, before)
        with desk(folder, None, state="floor.sqlite") as at:
            seconds = floor.measure(at.settings())
    say(
        f"{count:>7,} open invoices: first payments run {first}\n        {new:,} new payments ({len(floor.bodies):,} "
        f"documents) {cost}, the same requests alone {seconds:.1f} s; nothing new {idle}"
    )


if __name__ == "__main__":
    main(is_full="--full" in sys.argv[1:])
