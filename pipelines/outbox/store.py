"""Keeps the intents: stored before the call, moved only along the allowed ways, every move an event in the chain."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from pipelines.outbox.chain import append_events
from pipelines.outbox.entry import Entry, Move, Version, members_of
from pipelines.outbox.intent import Intent, Json, Kind, canonical_json, read_json, sha256
from pipelines.outbox.states import REBUILDABLE, State, check_transition
from pipelines.stores.breaks import Break, close_breaks, open_breaks
from pipelines.stores.control import Control, named_statements, utc_text
from pipelines.stores.control_types import ControlConnection, ControlRow, Value

if TYPE_CHECKING:
    from pipelines.step.context import Context

# Intents in memory at a time: a voucher of 500 lines has a payload of about 200 kB.
STORED_AT_ONCE = 1_000


class Outbox:
    """The intents of one control store, as one batch sees and moves them.

    Every method that writes does so in one transaction, which is on disk when it returns; or ``within`` that of an open
    ``Control.write()``.
    """

    def __init__(self, control: Control, *, batch_id: str, now: Callable[[], datetime]) -> None:
        """Work on ``control`` in the name of a batch."""
        self._control = control
        self._batch_id = batch_id
        self._now = now
        self._statements = named_statements("outbox")

    @classmethod
    def of(cls, ctx: Context) -> Outbox:
        """Open the outbox of the batch that runs."""
        return cls(ctx.control, batch_id=ctx.batch_id, now=ctx.now)

    def store_intents(self, intents: Iterable[Intent], *, within: ControlConnection | None = None) -> list[str]:
        """Store intents as `todo` and return the ids of those that were new or had to be stored again.

        Those in `todo` take a new payload, those in `failed` are tried again, all others are left alone. Intents are
        taken as they come, a thousand at a time: payloads of a large batch need not be in memory together.
        """
        stored: list[str] = []
        remaining = iter(intents)
        # One transaction over all thousands: after a crash either every intent of them is there, or none.
        with self._control.write(within) as connection:
            while batch := list(islice(remaining, STORED_AT_ONCE)):
                stored += self._store(connection, batch, retry_failed=True)
        return stored

    def begin(
        self,
        ids: Collection[str],
        *,
        notes: Mapping[str, str] | None = None,
        payloads: Mapping[str, Json] | None = None,
    ) -> None:
        """Note that the call which writes these intents begins; must return before the call is made.

        ``notes`` go into the events. ``payloads`` take the place of those stored: what is known only now, such as the
        file that goes along, belongs to the evidence of what was sent.

        A process killed after this line has intents in `sending`, which ``recover`` turns into `unknown`. Were the note
        made after the call, a killed process would leave `todo` behind, and the next run would send a second time.
        """
        words = notes or {}
        self.apply((Move(intent, State.SENDING, words.get(intent)) for intent in ids), payloads=payloads)

    def apply(
        self,
        moves: Iterable[Move],
        *,
        follow_up: Sequence[Intent] = (),
        opens: Sequence[Break] = (),
        closes: Sequence[tuple[str, str]] = (),
        payloads: Mapping[str, Json] | None = None,
        within: ControlConnection | None = None,
    ) -> None:
        """Move intents one after the other, and store the intents and breaks that follow from it, in one transaction.

        ``closes`` are kind and subject of breaks that are over; ``payloads`` replace those of intents in `todo`. Raises
        ForbiddenTransition, and then nothing has moved.
        """
        pending = list(moves)
        if not pending:
            return
        at = utc_text(self._now())
        # Together, or a crash in between leaves a voucher sent without its acknowledgement: nothing would ever notice.
        with self._control.write(within) as connection:
            # Before the move, whose event carries the hash of what is stored then.
            self._replace_payloads(connection, payloads or {}, at)
            self._move(connection, pending, at)
            # Not retried: an acknowledgement that failed before must not be reopened by a look-up of its voucher.
            self._store(connection, follow_up, retry_failed=False)
            open_breaks(connection, opens, batch_id=self._batch_id, at=at)
            close_breaks(connection, closes, at=at)

    def recover(self, kinds: Collection[Kind]) -> int:
        """Mark what an earlier process left in flight as `unknown`; give their number.

        Only one batch at a time holds the warehouse, so `sending` found here belongs to a process that has ended.
        Whether its call arrived only a look-up on the other side can tell.
        """
        rows = self._control.read(self._statements["in_flight"], {"kinds": canonical_json([*kinds])})
        self.apply(Move(row["id"], State.UNKNOWN, "found in flight at start-up") for row in rows)
        return len(rows)

    def entries(self, kind: Kind, states: Collection[State]) -> list[Entry]:
        """List intents by document key, then natural key."""
        rows = self._control.read(self._statements["entries"], {"kind": kind, "states": canonical_json([*states])})
        return [Entry.of(row) for row in rows]

    def vouchers(self, document_numbers: Collection[str]) -> list[Entry]:
        """List the vouchers, in any state, of documents with these numbers; a number may be that of several."""
        numbers = canonical_json([*sorted({*document_numbers})])
        return [Entry.of(row) for row in self._control.read(self._statements["vouchers"], {"numbers": numbers})]

    def versions(self, kind: Kind, stems: Collection[str]) -> dict[str, Version]:
        """Find the latest version of each stem that has any."""
        newest: dict[str, Version] = {}
        for row in self._control.read(self._statements["versions"], {"kind": kind, "stems": canonical_json([*stems])}):
            number = row["natural_key"][len(row["stem"]) + 1 :]
            latest = newest.get(row["stem"])
            # A code may hold a # itself: what is no number behind the stem belongs to another stem.
            if number.isdecimal() and (latest is None or int(number) > latest.number):
                remote_ids = members_of(row["remote_ids"])
                state = State(row["state"])
                newest[row["stem"]] = Version(int(number), state, row["source_hash"], remote_ids, row["error_code"])
        return newest

    def payloads(self, ids: Collection[str]) -> dict[str, Json]:
        """Read what these intents send."""
        rows = self._control.read(self._statements["payloads"], {"ids": canonical_json([*ids])})
        return {row["id"]: read_json(row["payload"]) for row in rows}

    def in_states(self, ids: Collection[str], states: Collection[State]) -> set[str]:
        """Return which of these intents stand in one of the states."""
        rows = self._control.read(self._statements["present"], {"ids": canonical_json([*ids])})
        return {row["id"] for row in rows if row["state"] in states}

    def _present(self, connection: ControlConnection, ids: Iterable[str]) -> dict[str, ControlRow]:
        rows = connection.execute(self._statements["present"], {"ids": canonical_json([*ids])})
        return {row["id"]: row for row in rows}

    def _store(self, connection: ControlConnection, intents: Sequence[Intent], *, retry_failed: bool) -> list[str]:
        present = self._present(connection, (intent.id for intent in intents))
        at = utc_text(self._now())
        rows: dict[str, list[dict[str, Value]]] = {"insert": [], "rebuild": []}
        events: list[dict[str, Value]] = []
        for intent in intents:
            before = present.get(intent.id)
            # Made first, since its hash tells whether anything has changed.
            row = self._row(intent, at)
            if before is not None and not _is_rebuilt(before, row, retry_failed=retry_failed):
                continue
            state = None if before is None else State(before["state"])
            check_transition(state, State.TODO, intent=intent.id)
            rows["rebuild" if before else "insert"].append(row)
            events.append(self._event(intent.id, at, state, State.TODO, str(row["payload_hash"]), None))
        for name, batch in rows.items():
            connection.executemany(self._statements[name], batch)
        append_events(connection, events)
        return [str(event["outbox_id"]) for event in events]

    def _replace_payloads(self, connection: ControlConnection, payloads: Mapping[str, Json], at: str) -> None:
        rows = [(intent, canonical_json(payload)) for intent, payload in payloads.items()]
        # Only in `todo`: in any other state the payload is the evidence of what may have left.
        connection.executemany(
            self._statements["payload"],
            [{"id": intent, "payload": text, "payload_hash": sha256(text), "at": at} for intent, text in rows],
        )

    def _move(self, connection: ControlConnection, moves: Sequence[Move], at: str) -> None:
        # Read inside the write transaction: what a caller saw earlier may have been moved by another process since.
        present = self._present(connection, (move.intent for move in moves))
        rows: list[dict[str, Value]] = []
        events: list[dict[str, Value]] = []
        # One intent may move twice in a call (failed -> todo -> sending), so its state is followed from move to move.
        states = {intent: State(row["state"]) for intent, row in present.items()}
        for move in moves:
            before = states[move.intent]
            check_transition(before, move.to, intent=move.intent)
            states[move.intent] = move.to
            rows.append(_change(move, at))
            payload_hash = present[move.intent]["payload_hash"]
            events.append(self._event(move.intent, at, before, move.to, payload_hash, move.detail))
        connection.executemany(self._statements["move"], rows)
        append_events(connection, events)

    def _row(self, intent: Intent, at: str) -> dict[str, Value]:
        payload = canonical_json(intent.payload)
        return {
            "id": intent.id,
            "kind": intent.kind,
            "natural_key": intent.natural_key,
            "target": intent.target,
            "company_code": intent.company_code,
            "owner_code": intent.owner_code,
            "document_key": intent.document_key,
            "document_no": intent.document_no,
            "payload": payload,
            "payload_hash": sha256(payload),
            "source_hash": intent.source_hash,
            "look_up": None if intent.look_up is None else canonical_json(intent.look_up),
            "batch_id": self._batch_id,
            "at": at,
        }

    def _event(  # noqa: PLR0917 the columns of one row, in their order
        self, intent: str, at: str, before: State | None, after: State, payload_hash: str, detail: str | None
    ) -> dict[str, Value]:
        return {
            "outbox_id": intent,
            "at": at,
            "batch_id": self._batch_id,
            "from_state": before,
            "to_state": after,
            "payload_hash": payload_hash,
            "detail": detail,
        }


def _is_rebuilt(before: ControlRow, row: Mapping[str, Value], *, retry_failed: bool) -> bool:
    """Decide whether an intent that the outbox has already is stored again."""
    state = State(before["state"])
    if state not in REBUILDABLE:
        # The payload of what may have left is frozen: it is the evidence of what was sent. A source that has changed
        # since is never written over it: the reconciliation compares the source hashes and opens a break.
        return False
    is_new = before["payload_hash"] != row["payload_hash"] or before["source_hash"] != row["source_hash"]
    return is_new or (state is State.FAILED and retry_failed)


def _change(move: Move, at: str) -> dict[str, Value]:
    # The words of every other move go into its event alone.
    has_error = move.to in {State.FAILED, State.UNKNOWN}
    return {
        "id": move.intent,
        "to_state": move.to,
        "at": at,
        "remote_ids": None if move.remote_ids is None else canonical_json(move.remote_ids),
        "error_code": move.error_code,
        "last_error": move.detail if has_error else None,
    }
