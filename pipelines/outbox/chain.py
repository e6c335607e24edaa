"""The chain over the outbox's events: each carries the hash of the one before, so that an auditor sees every edit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipelines.outbox.intent import canonical_json, sha256
from pipelines.stores.control import Control, named_statements
from pipelines.stores.control_types import ControlConnection, ControlRow, Value

# The hash before the first event.
GENESIS = "0" * 64
# Order does not matter, the names do: they are the keys of the JSON that is hashed.
HASHED = (
    "event_no",
    "outbox_id",
    "at",
    "batch_id",
    "from_state",
    "to_state",
    "payload_hash",
    "detail",
    "previous_hash",
)
PAGE = 5_000
# A store that is damaged throughout has a fault in every row: a hundred say as much as a million.
MOST_FAULTS = 100


@dataclass(frozen=True, slots=True)
class ChainFault:
    """One thing that is not as it was written: the event or the intent, and what is wrong with it."""

    subject: str
    message: str


def event_hash(event: Mapping[str, Value]) -> str:
    """Return the hash of an event: SHA-256 of its columns ``HASHED`` as canonical JSON.

    Anyone can check it with `json.dumps(…, sort_keys=True, separators=(",", ":"), ensure_ascii=False)`.
    """
    return sha256(canonical_json({name: event[name] for name in HASHED}))


def append_events(connection: ControlConnection, events: Iterable[dict[str, Value]]) -> None:
    """Append events (the columns ``HASHED`` without number and previous hash) inside the caller's transaction."""
    # The caller's transaction holds the write lock, so no other process can append between this read and the insert.
    statements = named_statements("outbox")
    last = connection.execute(statements["last_event"]).fetchone()
    number, previous = (last["event_no"], last["hash"]) if last else (0, GENESIS)
    rows = []
    for event in events:
        number += 1
        row = {**event, "event_no": number, "previous_hash": previous}
        row["hash"] = previous = event_hash(row)
        rows.append(row)
    connection.executemany(statements["append_event"], rows)


def verify_chain(control: Control) -> list[ChainFault]:
    """Compare every event with its hash and every intent with its last event; give at most 100 faults.

    Finds edited, inserted, removed and cut-off events, and intents whose state or payload was changed behind the
    events' back.
    """
    faults: list[ChainFault] = []
    for check in (_broken_links, _edited_payloads, _out_of_step):
        for fault in check(control):
            if len(faults) == MOST_FAULTS:
                return faults
            faults.append(fault)
    return faults


def _broken_links(control: Control) -> Iterator[ChainFault]:
    expected, previous = 0, GENESIS
    for row in _pages(control, "events_page", key="event_no", start=0):
        expected += 1
        subject = f"event {row['event_no']}"
        # Go on from what is there, so that one missing event is one fault and not one for each that follows.
        if row["event_no"] != expected:
            yield ChainFault(subject, f"event {expected} is missing before it")
            expected = row["event_no"]
        elif row["previous_hash"] != previous:
            yield ChainFault(subject, "does not follow the event before it")
        if row["hash"] != event_hash({name: row[name] for name in HASHED}):
            yield ChainFault(subject, "was edited: its hash does not fit")
        previous = row["hash"]
    # Cutting off the end breaks no link; but SQLite remembers the highest number that it has ever given out.
    issued = control.one(named_statements("outbox")["events_issued"]) or 0
    if issued != expected:
        yield ChainFault(f"event {issued}", f"the events end at {expected}: the last ones were cut off")


def _edited_payloads(control: Control) -> Iterator[ChainFault]:
    for row in _pages(control, "payload_page", key="id", start=""):
        if sha256(row["payload"]) != row["payload_hash"]:
            yield ChainFault(f"intent {row['id']}", "its payload was edited: its hash does not fit")


def _out_of_step(control: Control) -> Iterator[ChainFault]:
    for row in control.read(named_statements("outbox")["out_of_step"], {"page": MOST_FAULTS}):
        last_event = f"its last event says {row['to_state']}" if row["to_state"] else "it has no event"
        yield ChainFault(f"intent {row['id']}", f"is {row['state']}, but {last_event}, or with another payload")


def _pages(control: Control, name: str, *, key: str, start: Value) -> Iterator[ControlRow]:
    # A query for each page and no open cursor: a batch may append meanwhile, and its events are compared as well.
    after = start
    while page := control.read(named_statements("outbox")[name], {"after": after, "page": PAGE}):
        yield from page
        after = page[-1][key]
