"""Webhooks: tells their receivers of changed rows, and knows how each of them is doing.

A webhook keeps its place in the order of all changes and posts what comes behind it; the books themselves are the
queue. So nothing is lost by a restart, a pause or a receiver that is away, and a row that changed twice meanwhile is
told once, as it is now. Source: docs/systems/ledger.md#1-10, #1-11, #a16.
"""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from pipelines.sandbox.callers import Callers, post
from pipelines.sandbox.ledger.errors import BadRequestError
from pipelines.sandbox.ledger.read import changed_rows
from pipelines.sandbox.ledger.store import RowChanges
from pipelines.sandbox.ledger.subscriptions import read_payload, signing_key
from pipelines.sandbox.ledger.values import SYSTEM_VALUES, Row, WebhookState, local
from pipelines.sandbox.state import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from pipelines.sandbox.clock import Clock
    from pipelines.sandbox.ledger.settings import ServedLedgerSettings
    from pipelines.sandbox.ledger.store import LedgerStore

SIGNATURE = "X-XL-Webhook-Signature"
_AT_WORK = (WebhookState.RUNNING, WebhookState.RECOVERING)
# How many changes one post may tell is not known.
_MOST_EDGES = 100
_KEPT = 10_000
_SHOWN = 1_000
_NO_TROUBLE: Row = {"attempts": 0, "retryAt": None, "failingSince": None}
_LISTED = ("dbId", "description", "url", "table", "position", "attempts", "lastSuccessfulPost", "lastFailedPost")


class WebhookSwitch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person does to a webhook: pauses it, lets it fail, or sets it going again."""

    webhook: int
    state: Literal["RUNNING", "PAUSED", "FAULTED"]


class LoggedPost(NamedTuple):
    """One attempt: how many changes it told, up to which place, and what went wrong (nothing: it arrived)."""

    number: int
    webhook: int
    at: str
    attempt: int
    edges: int
    sync_version: str
    error: str


class _Post(NamedTuple):
    rows: list[Row]
    body: bytes
    headers: dict[str, str]


class Webhooks:
    """The webhooks of one ledger; they post from threads of their own, after the commit that they tell."""

    def __init__(
        self, store: LedgerStore, db: sqlite3.Connection, clock: Clock, settings: Callable[[], ServedLedgerSettings]
    ) -> None:
        self._store = store
        self._table = store.tables["webhooks"]
        self._db = db
        self._clock = clock
        self._settings = settings
        db.execute(
            "CREATE TABLE IF NOT EXISTS ledger_webhook_posts (number INTEGER PRIMARY KEY, webhook INTEGER NOT NULL,"
            " at TEXT NOT NULL, attempt INTEGER NOT NULL, edges INTEGER NOT NULL, sync_version TEXT NOT NULL,"
            " error TEXT NOT NULL)"
        )
        self._callers = Callers(clock, self._work)
        store.on_commit = self._hear
        for db_id in self._table.rows:
            self._callers.wake(db_id)

    def listed(self) -> list[Row]:
        """List the webhooks with their state and their troubles."""
        return [
            {name: row.get(name) for name in _LISTED}
            | {name: _moment(row[name]) if row.get(name) else None for name in ("retryAt", "failingSince")}
            | {"state": SYSTEM_VALUES[row["stateDbId"]]["name"]}
            for row in self._table.rows.values()
        ]

    def posts(self) -> list[LoggedPost]:
        """List the last attempts, newest first."""
        rows = self._db.execute("SELECT * FROM ledger_webhook_posts ORDER BY number DESC LIMIT ?", (_SHOWN,))
        return [LoggedPost(*row) for row in rows]

    def close(self) -> None:
        """Stop posting; what is not told yet is told after a restart."""
        self._callers.close()

    def _hear(self, changes: RowChanges) -> None:
        """Wake the webhooks that a commit is about."""
        if not self._table.rows:
            return
        tables = {table for table, _ in changes.puts}
        for db_id, row in self._table.rows.items():
            if row["table"] in tables or ("webhooks", db_id) in changes.puts:
                self._callers.wake(db_id)

    def _work(self, db_id: int) -> datetime | None:
        """Make one post for a webhook, if there is anything to tell, and give when to look again."""
        with self._store.lock:
            row = self._table.rows.get(db_id)
            step = None if row is None else self._next(row)
            if row is None or not isinstance(step, _Post):
                return step if isinstance(step, datetime) else None
        # Without the lock: nobody who reads or writes waits for a receiver.
        error = post(row["url"], step.body, step.headers, timeout=self._settings().webhook_timeout_seconds)
        with self._store.lock:
            # It may have been removed, or switched by hand, meanwhile.
            row = self._table.rows.get(db_id)
            return None if row is None or self._callers.is_closed else self._posted(row, step, error)

    def _next(self, row: Row) -> _Post | datetime | None:
        """Give what is to be done for a webhook now: a post, to wait until then, or nothing."""
        now = self._clock.now()
        if row["stateDbId"] == WebhookState.STARTING:
            if now.timestamp() < row["startsAt"]:
                return _moment(row["startsAt"])
            # It tells what changes from now on: what changed before is the client's to read
            # (docs/systems/ledger.md#1-10).
            row = self._write(row, stateDbId=int(WebhookState.RUNNING), position=self._store.last_seq())
        if row["stateDbId"] not in _AT_WORK:
            return None
        if row.get("retryAt") and now.timestamp() < row["retryAt"]:
            return _moment(row["retryAt"])
        rows = list(islice(self._untold(row, after=row["position"]), _MOST_EDGES))
        if rows:
            body = read_payload(row["serializedPayload"]).body(self._store.rows, rows)
            return _Post(rows, body, signed(body, token=row["token"], now=now))
        if row["stateDbId"] == WebhookState.RECOVERING:
            # What could not be told was removed meanwhile.
            self._write(row, **_NO_TROUBLE, stateDbId=int(WebhookState.RUNNING))
        return None

    def _posted(self, row: Row, sent: _Post, error: str) -> datetime | None:
        """Keep what became of a post and give when the next one is due."""
        now, settings, attempt = self._clock.now(), self._settings(), (row.get("attempts") or 0) + 1
        state, due = row["stateDbId"], None
        if error:
            since = row.get("failingSince") or now.timestamp()
            pauses = settings.webhook_retry_seconds
            retry_at = now.timestamp() + pauses[min(attempt, len(pauses)) - 1]
            is_over = now.timestamp() - since >= settings.webhook_fault_seconds
            after = WebhookState.FAULTED if is_over else WebhookState.RECOVERING
            due = None if is_over else _moment(retry_at)
            kept: Row = {"attempts": attempt, "failingSince": since, "retryAt": retry_at, "lastFailedPost": local(now)}
        else:
            position = sent.rows[-1]["seq"]
            is_behind = next(self._untold(row, after=position), None) is not None
            # Until it has caught up it is still recovering.
            after = WebhookState(state) if is_behind and state in _AT_WORK else WebhookState.RUNNING
            due = now if is_behind else None
            kept = _NO_TROUBLE | {"position": position, "lastSuccessfulPost": local(now)}
        with transaction(self._db):
            self._log(row["dbId"], sent, attempt, error, at=local(now))
            # What a person switched meanwhile stays.
            self._write(row, **kept, stateDbId=int(after) if state in _AT_WORK else state)
        return due

    def _untold(self, row: Row, *, after: int) -> Iterator[Row]:
        source = read_payload(row["serializedPayload"]).source
        return changed_rows(self._store, source, owner=row["ownerDbId"], after=after)

    def _write(self, row: Row, **columns: object) -> Row:
        changes = RowChanges()
        changed = changes.put("webhooks", {**row, **columns})
        self._store.commit(changes, now=self._clock.now())
        return changed

    def _log(self, db_id: int, sent: _Post, attempt: int, error: str, *, at: str) -> None:
        values = (db_id, at, attempt, len(sent.rows), str(sent.rows[-1]["seq"]), error)
        number = self._db.execute("INSERT INTO ledger_webhook_posts VALUES (NULL, ?, ?, ?, ?, ?, ?)", values).lastrowid
        self._db.execute("DELETE FROM ledger_webhook_posts WHERE number <= ?", ((number or 0) - _KEPT,))


def signed(body: bytes, *, token: str, now: datetime) -> dict[str, str]:
    """Give the headers of a post: its time, and the signature over time and body (docs/systems/ledger.md#1-11)."""
    message = str(int(now.timestamp())).encode() + b"." + body
    signature = base64.urlsafe_b64encode(hmac.digest(signing_key(token), message, sha256)).rstrip(b"=").decode()
    return {"Date": format_datetime(now.astimezone(UTC), usegmt=True), SIGNATURE: signature}


def switch_webhook(store: LedgerStore, given: WebhookSwitch, now: datetime) -> Row:
    """Put a webhook into a state by hand; raises BadRequestError where there is no such webhook, or it still starts."""
    row = store.tables["webhooks"].rows.get(given.webhook)
    if row is None:
        raise BadRequestError(f"no webhook {given.webhook}")
    if row["stateDbId"] == WebhookState.STARTING:
        raise BadRequestError(f"webhook {given.webhook} is still starting")
    changes = RowChanges()
    changes.put("webhooks", {**row, **_NO_TROUBLE, "stateDbId": int(WebhookState[given.state])})
    store.commit(changes, now=now)
    return {"webhook": given.webhook, "state": given.state}


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
