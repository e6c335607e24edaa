"""Finds the vouchers that were sent: every document is drafted as if it were open, and looked up in the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from pipelines.batch.scratch import build_scratch, copy_staged, scratch
from pipelines.load.acknowledgement import acknowledgement
from pipelines.load.ledger.entities import LedgerEntities, read_entities
from pipelines.load.ledger.vouchers import BREAKS, look_up_vouchers, originals, renumbered_vouchers, voucher_intent
from pipelines.load.look_up import LookUpFinding, Presence, by_finding
from pipelines.outbox.entry import Entry, Move
from pipelines.outbox.intent import Intent
from pipelines.outbox.states import State
from pipelines.outbox.store import Outbox
from pipelines.reconcile.kinds import break_kinds
from pipelines.stores.breaks import Break, open_breaks
from pipelines.stores.control import named_statements, utc_text
from pipelines.stores.rows import iterate_rows

if TYPE_CHECKING:
    from pipelines.step.context import Context

# What a document may be whose voucher was sent: it may have been moved back since, or not been acknowledged yet.
_MAY_BE_SENT = ("PEN", "INV", "RFP", "POS")


@dataclass(slots=True)
class VouchersFound:
    """How many vouchers the ledger has, how many of their documents are still RFP, and which could not be told."""

    sent: int = 0
    to_acknowledge: int = 0
    doubtful: list[str] = field(default_factory=list)
    # By document key, the number under which the ledger's import has a voucher of a document that has another one now.
    renumbered: dict[int, str] = field(default_factory=dict)


def find_vouchers(ctx: Context) -> VouchersFound:
    """Record as sent what the ledger has whole; what is there otherwise becomes a break. Raises WireError.

    What is not found leaves no trace: the documents job looks it up before it is ever sent.
    """
    entities = read_entities(ctx.warehouse)
    intents = _as_booked(ctx, _drafted(ctx), entities)
    entries = {intent.id: _entry(intent) for intent in intents}
    findings = look_up_vouchers(
        [*entries.values()], ledger=ctx.ledger, entities=entities, vouchers=_Ours(ctx, entries).of
    )
    result = _record(ctx, intents, entries, findings, _statuses(ctx))
    absent = [entries[key] for key, finding in findings.items() if finding.presence is Presence.ABSENT]
    _tell_renumbered(ctx, result, entries, renumbered_vouchers(absent, ledger=ctx.ledger, entities=entities))
    return result


def _tell_renumbered(
    ctx: Context, result: VouchersFound, entries: Mapping[str, Entry], numbers: Mapping[str, str]
) -> None:
    """Open a break for each document whose voucher the import has under another number: a person must compare both."""
    kind = BREAKS["already_in_books"]
    opens: list[Break] = []
    for key, number in numbers.items():
        entry = entries[key]
        message = f"{entry.label}: the ledger has a voucher with its key under the number {number}."
        result.renumbered[entry.document_key or 0] = number
        result.doubtful.append(message)
        opens.append(_break(entry, kind, f"{message} Next: {break_kinds()[kind].next_step}"))
    if opens:
        with ctx.control.write() as connection:
            open_breaks(connection, opens, batch_id=ctx.batch_id, at=utc_text(ctx.now()))


def _record(
    ctx: Context,
    intents: Sequence[Intent],
    entries: dict[str, Entry],
    findings: dict[str, LookUpFinding],
    statuses: dict[int, str],
) -> VouchersFound:
    outbox, result = Outbox.of(ctx), VouchersFound()
    moves: list[Move] = []
    follow_up: list[Intent] = []
    opens: list[Break] = []
    closes: list[tuple[str, str]] = []
    for intent_id, finding in findings.items():
        entry = entries[intent_id]
        moves += by_finding(entry, finding)
        if finding.presence is Presence.COMPLETE:
            result.sent += 1
            closes += [(kind, entry.natural_key) for kind in BREAKS.values()]
            # One that is posted already was acknowledged; one that somebody moved back is theirs to move on.
            if statuses.get(entry.document_key or 0) == "RFP":
                follow_up.append(acknowledgement(entry))
        elif finding.presence is not Presence.ABSENT:
            result.doubtful.append(finding.detail)
            if kind := BREAKS.get(finding.code or ""):
                opens.append(_break(entry, kind, finding.detail))
    result.to_acknowledge = len(follow_up)
    moved = {move.intent for move in moves}
    outbox.store_intents(intent for intent in intents if intent.id in moved)
    outbox.apply(moves, follow_up=follow_up, opens=opens, closes=closes)
    return result


def _break(entry: Entry, kind: str, detail: str) -> Break:
    message, _, rest = detail.partition(" Next: ")
    return Break(
        kind,
        entry.natural_key,
        message,
        rest,
        company=entry.company_code,
        document_key=entry.document_key,
        document_no=entry.document_no,
    )


def _drafted(ctx: Context) -> list[Intent]:
    """Draft the voucher of each document that the store does not know as sent, whatever its status."""
    with scratch(ctx) as aside:
        copy_staged(aside, source=ctx.warehouse)
        aside.warehouse.execute(
            "UPDATE stg_vms.documents SET status_code = 'RFP' WHERE status_code IN (SELECT unnest(?))",
            [[*_MAY_BE_SENT]],
        )
        build_scratch(aside, of=ctx)
        statement = named_statements("load", folder="questions")
        # What lacks an amount, a day or an entity was never sent: the checks hold it.
        keys = [key for (key,) in aside.warehouse.execute(statement["draftable"]).fetchall()]
        # Acknowledged in their order, as in the run that sent them: a reversal after what it takes back. Asked first:
        # the lines are read as they are needed, and another question would end that.
        taken_back = originals(aside.warehouse, keys, whatever_state=True)
        lines = iterate_rows(aside.warehouse.execute(statement["draft_lines"], [keys])) if keys else iter(())
        return [
            voucher_intent(list(members), reverses=taken_back.get(key, ()))
            for key, members in groupby(lines, key=itemgetter("document_key"))
        ]


def _as_booked(ctx: Context, intents: Sequence[Intent], entities: LedgerEntities) -> list[Intent]:
    """Date vouchers as the books have them: in a period that is closed by now, a draft has another day."""
    rows = ctx.warehouse.execute(named_statements("load", folder="questions")["booked_days"]).fetchall()
    days = {(str(owner), source, text): day.isoformat() for owner, source, text, day in rows}
    return [*_dated(intents, days, entities)]


def _dated(
    intents: Sequence[Intent], days: dict[tuple[str, str, str], str], entities: LedgerEntities
) -> Iterator[Intent]:
    for intent in intents:
        look_up = cast("dict[str, Any]", intent.look_up)
        day = days.get((str(entities.owner(intent.owner_code)), look_up["source"], look_up["text"]))
        if day is None or day == look_up["posted_date"]:
            yield intent
            continue
        nodes = cast("list[dict[str, Any]]", intent.payload)
        payload = [{**item, "node": {**item["node"], "postedDate": day}} for item in nodes]
        yield replace(intent, payload=cast("Any", payload), look_up={**look_up, "posted_date": day})


def _entry(intent: Intent) -> Entry:
    """Return an intent as the outbox would give it back, before it is known whether it is stored at all."""
    return Entry(
        id=intent.id,
        kind=intent.kind,
        natural_key=intent.natural_key,
        state=State.TODO,
        company_code=intent.company_code,
        owner_code=intent.owner_code,
        document_key=intent.document_key,
        document_no=intent.document_no,
        attempts=0,
        attempted_at=None,
        error_code=None,
        last_error=None,
        look_up=cast("dict[str, Any]", intent.look_up),
        remote_ids={},
    )


class _Ours:
    """Vouchers by document number: those that are looked up here, and those that a copy of the store knew already."""

    def __init__(self, ctx: Context, entries: dict[str, Entry]) -> None:
        self._outbox, self._entries = Outbox.of(ctx), entries
        self._by_number: dict[str | None, list[Entry]] = {}
        for entry in entries.values():
            self._by_number.setdefault(entry.document_no, []).append(entry)

    def of(self, numbers: Collection[str]) -> list[Entry]:
        drafted = [entry for number in sorted(numbers) for entry in self._by_number.get(number, ())]
        return drafted + [entry for entry in self._outbox.vouchers(numbers) if entry.id not in self._entries]


def _statuses(ctx: Context) -> dict[int, str]:
    return dict(ctx.warehouse.execute("SELECT document_key, status_code FROM stg_vms.documents").fetchall())
