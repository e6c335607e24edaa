"""The ledger's rows: in memory for reading, written to SQLite before anything is answered."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from pipelines.sandbox.ledger.values import SYSTEM_VALUES, LedgerType, Row, local
from pipelines.sandbox.state import read_setting, transaction, write_setting

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

# Each table with the columns that are indexed by value.
TABLES: dict[str, tuple[str, ...]] = {
    "entities": ("code",),
    "object_kinds": ("name",),
    "object_values": ("code",),
    "accounts": ("code",),
    "xgl_dimensions": ("code",),
    "currencies": ("code",),
    "countries": ("code",),
    "transaction_sources": ("code",),
    "exchange_types": ("name",),
    "companies": ("code", "companyNumber"),
    "subledgers": ("code",),
    "projects": ("code",),
    "bank_accounts": (),
    "exchange_rates": (),
    "periods_closed": (),
    "import_items": ("trRegNumber",),
    "import_errors": ("transactionDbId",),
    "invoice_files": (),
    "headers": ("text",),
    "transactions": ("headerDbId", "matchId"),
    "ap_rows": ("headerDbId", "matchId", "invoiceNumber"),
    "ar_rows": ("headerDbId", "matchId", "invoiceNumber"),
    "webhooks": (),
}
# These rows have no times of their own, their header has (docs/systems/ledger.md#1-4).
_UNTIMED = frozenset({"transactions", "ap_rows", "ar_rows"})
# Each kind of delta with the table whose changes it tells.
DELTA_KINDS = {
    "apTransaction": "ap_rows",
    "arTransaction": "ar_rows",
    "transaction": "transactions",
    "supplier": "subledgers",
    "customer": "subledgers",
    "project": "projects",
}
DELTA_DAYS = 3
# Above every fixed dbId: code lists (values.py) and documented sources (seed.py).
_FIRST_ID = 20_000_000
_COMPACT_ABOVE = 1_000


class Delta(NamedTuple):
    """One change of a row: its place in the order of all changes, what happened and when (seconds since 1970)."""

    seq: int
    kind: str
    db_id: int
    change: str
    at: int


class RowChanges:
    """What one unit of work writes and removes; rows are replaced, never changed in place."""

    def __init__(self) -> None:
        self.puts: dict[tuple[str, int], Row] = {}
        self.removed: dict[tuple[str, int], Row] = {}

    def put(self, table: str, row: Row) -> Row:
        """Write a row, new or in place of the one with its dbId."""
        self.puts[table, row["dbId"]] = row
        return row

    def remove(self, table: str, row: Row) -> None:
        """Take a row out."""
        self.puts.pop((table, row["dbId"]), None)
        self.removed[table, row["dbId"]] = row


class LedgerTable:
    """The rows of one kind, in the order of their last change, with an index over some columns."""

    def __init__(self, indexed: tuple[str, ...]) -> None:
        self.rows: dict[int, Row] = {}
        self.index: dict[str, dict[Any, list[int]]] = {column: defaultdict(list) for column in indexed}
        self._seqs: list[int] = []
        self._ids: list[int] = []
        # By time of change; made when it is first asked for.
        self._moved: list[tuple[str, int]] | None = None

    def put(self, row: Row) -> None:
        """Take a row in at the end of the order."""
        self.remove(row["dbId"])
        self.rows[row["dbId"]] = row
        self._seqs.append(row["seq"])
        self._ids.append(row["dbId"])
        for column, places in self.index.items():
            if value := row.get(column):
                places[value].append(row["dbId"])
        if self._moved is not None:
            insort(self._moved, _moved(row))
        if len(self._seqs) > 2 * len(self.rows) + _COMPACT_ABOVE:
            self._compact()

    def remove(self, db_id: int) -> None:
        """Take a row out, if it is there; its place in the order goes with the next compaction."""
        row = self.rows.pop(db_id, None)
        if row is None:
            return
        for column, places in self.index.items():
            if value := row.get(column):
                places[value].remove(db_id)
                if not places[value]:
                    del places[value]
        if self._moved is not None:
            del self._moved[bisect_left(self._moved, _moved(row))]

    def having(self, column: str, value: object) -> list[Row]:
        """List the rows with this value in an indexed column, in the order of their last change."""
        found = [self.rows[db_id] for db_id in self.index[column].get(value, ())]
        found.sort(key=_seq)
        return found

    def moved_since(self, at: str) -> Iterator[Row]:
        """Walk the rows whose modifiedAt is ``at`` or later."""
        if self._moved is None:
            self._moved = sorted(map(_moved, self.rows.values()))
        return (self.rows[db_id] for _, db_id in self._moved[bisect_left(self._moved, (at, 0)) :])

    def scan(self, *, after: int = 0, before: int | None = None, newest_first: bool = False) -> Iterator[Row]:
        """Walk the rows changed after and before the given places, oldest change first unless told otherwise."""
        low = bisect_right(self._seqs, after)
        high = len(self._seqs) if before is None else bisect_left(self._seqs, before)
        for place in range(high - 1, low - 1, -1) if newest_first else range(low, high):
            row = self.rows.get(self._ids[place])
            if row is not None and row["seq"] == self._seqs[place]:
                yield row

    def _compact(self) -> None:
        ordered = sorted(self.rows.values(), key=_seq)
        self._seqs = [row["seq"] for row in ordered]
        self._ids = [row["dbId"] for row in ordered]


def _seq(row: Row) -> int:
    seq: int = row["seq"]
    return seq


def _moved(row: Row) -> tuple[str, int]:
    return row.get("modifiedAt") or "", row["dbId"]


class LedgerStore:
    """All rows of the ledger on one state file; ``lock`` is held by whoever reads or writes more than one row."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.lock = threading.RLock()
        self.tables = {name: LedgerTable(indexed) for name, indexed in TABLES.items()}
        # Every dbId is given once over all tables, so that a reference is found without knowing its table.
        self.rows: dict[int, Row] = dict(SYSTEM_VALUES)
        self.deltas: dict[str, list[Delta]] = {kind: [] for kind in DELTA_KINDS}
        # Called with each unit of work that is on disk and in memory.
        self.on_commit: Callable[[RowChanges], None] | None = None
        self._db = db
        self._counters: dict[str, int] = {"dbId": _FIRST_ID, "seq": 0}
        create_tables(db)
        self._load()

    def next(self, counter: str, *, first: int = 1) -> int:
        """Count on: ``dbId``, ``matchId``, a voucher number …; stored with the next commit."""
        value = self._counters.get(counter, first - 1) + 1
        self._counters[counter] = value
        return value

    def last_seq(self) -> int:
        """Give the place of the last change."""
        return self._counters["seq"]

    def new(self, **columns: object) -> Row:
        """Begin a row of its own dbId."""
        return {"dbId": self.next("dbId"), **columns}

    def commit(self, changes: RowChanges, *, now: datetime, keep_times: bool = False) -> None:
        """Write a unit of work, to the file first.

        With ``keep_times`` (seeds) rows keep the times they bring and make no deltas: they were there all along.
        """
        if not changes.puts and not changes.removed:
            return
        with self.lock:
            at = local(now)
            deltas = [self._delta(table, row, "DELETED", now=now) for (table, _), row in changes.removed.items()]
            for (table, db_id), row in changes.puts.items():
                # Pages follow this order, so a changed row moves to the end: the vendor's help says that `first` begins
                # with the oldest change.
                row["seq"] = self.next("seq")
                if table not in _UNTIMED:
                    row.setdefault("createdAt", at)
                    row["modifiedAt"] = row.get("modifiedAt", at) if keep_times else at
                deltas.append(self._delta(table, row, "UPDATED" if db_id in self.rows else "ADDED", now=now))
            known = [delta for delta in deltas if delta is not None and not keep_times]
            # The file first: if that fails, memory still agrees with it.
            with transaction(self._db):
                self._write(changes, known, cutoff=self.delta_cutoff(now))
            self._apply(changes, known)
            if self.on_commit is not None:
                self.on_commit(changes)

    def delta_cutoff(self, now: datetime) -> int:
        """Give the oldest moment deltas are still kept for (docs/systems/ledger.md#1-9)."""
        return int((now - timedelta(days=DELTA_DAYS)).timestamp())

    def _delta(self, table: str, row: Row, change: str, *, now: datetime) -> Delta | None:
        kind = _delta_kind(table, row)
        return None if kind is None else Delta(self.next("seq"), kind, row["dbId"], change, int(now.timestamp()))

    def _write(self, changes: RowChanges, deltas: list[Delta], *, cutoff: int) -> None:
        by_table: defaultdict[str, list[tuple[int, int, str]]] = defaultdict(list)
        for (table, db_id), row in changes.puts.items():
            by_table[table].append((db_id, row["seq"], msgspec.json.encode(row).decode()))
        for table, rows in by_table.items():
            self._db.executemany(f"INSERT OR REPLACE INTO ledger_{table} VALUES (?, ?, ?)", rows)  # noqa: S608 (our own names)
        for table, db_id in changes.removed:
            self._db.execute(f"DELETE FROM ledger_{table} WHERE db_id = ?", (db_id,))  # noqa: S608
        self._db.executemany("INSERT INTO ledger_deltas VALUES (?, ?, ?, ?, ?)", deltas)
        # Readers skip what is too old (read_deltas); here it is removed.
        expired = self._db.execute("DELETE FROM ledger_deltas WHERE at < ?", (cutoff,)).rowcount
        if expired > 0:
            for kept in self.deltas.values():
                kept[:] = [delta for delta in kept if delta.at >= cutoff]
        write_setting(self._db, "ledger.counters", value=self._counters)

    def _apply(self, changes: RowChanges, deltas: Iterable[Delta]) -> None:
        for table, db_id in changes.removed:
            self.tables[table].remove(db_id)
            self.rows.pop(db_id, None)
        for (table, db_id), row in changes.puts.items():
            self.tables[table].put(row)
            self.rows[db_id] = row
        for delta in deltas:
            self.deltas[delta.kind].append(delta)

    def _load(self) -> None:
        for name, table in self.tables.items():
            for row in stored_rows(self._db, name):
                table.put(row)
                self.rows[row["dbId"]] = row
        for columns in self._db.execute("SELECT seq, kind, db_id, change, at FROM ledger_deltas ORDER BY seq"):
            delta = Delta(*columns)
            self.deltas[delta.kind].append(delta)
        self._counters |= read_setting(self._db, "ledger.counters", default={})


def create_tables(db: sqlite3.Connection) -> None:
    """Create what is missing in a state file."""
    for name in TABLES:
        columns = "db_id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, body TEXT NOT NULL"
        db.execute(f"CREATE TABLE IF NOT EXISTS ledger_{name} ({columns})")
    db.execute(
        "CREATE TABLE IF NOT EXISTS ledger_deltas (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL,"
        " db_id INTEGER NOT NULL, change TEXT NOT NULL, at INTEGER NOT NULL)"
    )
    db.execute("CREATE INDEX IF NOT EXISTS ledger_deltas_at ON ledger_deltas (at)")


def stored_rows(db: sqlite3.Connection, table: str) -> Iterator[Row]:
    """Read the rows of a table from the state file, in the order of their last change."""
    for (body,) in db.execute(f"SELECT body FROM ledger_{table} ORDER BY seq"):  # noqa: S608 (our own names)
        yield msgspec.json.decode(body)


def _delta_kind(table: str, row: Row) -> str | None:
    match table:
        case "subledgers":
            return "supplier" if row["ledgerTypeDbId"] == LedgerType.AP else "customer"
        case "projects" | "transactions":
            return table.removesuffix("s")
        case "ap_rows" | "ar_rows":
            return f"{table[:2]}Transaction"
        case _:
            return None
