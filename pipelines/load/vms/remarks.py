"""Writes to each held document in the VMS why it is held: the setting posting.remarks (docs/mapping.md#1-6-remarks).

The open critical holds of the control store say what the VMS should show: one remark for each document and rule. An
intent is a version of that, `<document key>:<rule>#<n>`: with the message, or marked as done. What the VMS has is
looked up first in any case, and a remark that is there is changed: so a repeat after a crash writes no second one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from pipelines.core.errors import ExtractError, Forbidden
from pipelines.load.delivery import VMS, Cargo, Delivery, DeliveryResult
from pipelines.load.look_up import ABSENT, LookUpFinding, Node, complete, source_of
from pipelines.load.vms.courier import REFUSED, VmsCourier, Written
from pipelines.outbox.intent import Intent, Json, Kind, canonical_json, sha256
from pipelines.outbox.states import State
from pipelines.outbox.store import Outbox
from pipelines.stores.control import Control, named_statements, utc_text
from pipelines.stores.control_types import ControlRow
from pipelines.stores.remarks_state import RemarksState, keep_state, read_state
from pipelines.wire.filters import one_of

if TYPE_CHECKING:
    from pipelines.outbox.entry import Entry, Version
    from pipelines.step.context import Context
    from pipelines.wire.vms import VmsClient

T = TypeVar("T")

ENTITY = "Remark"
FIELDS = ("key", "source", "remarkTitle", "remark")
# By its title a remark of ours is told from those of people.
TITLE, DONE = "Springline: {rule}", "Springline: {rule} (done)"
# What the VMS refuses is tried again when the reasons change, else no more often than this: an idle run asks nothing.
BETWEEN_TRIES = timedelta(hours=1)
# An earlier version whose fate was unknown is settled in the first turn, and what has changed since goes in the next.
TURNS = 3


class Reason(NamedTuple):
    """Why a document is held; a message that is None: it no longer is, by that rule."""

    document_key: int
    document_no: str | None
    company_code: str | None
    rule: str
    message: str | None

    @classmethod
    def of(cls, row: ControlRow, message: str | None) -> Reason:
        """Make it of a row of the statements in sql/control/remarks.sql."""
        return cls(row["document_key"], row["document_no"], row["company"], row["rule"], message)

    @property
    def stem(self) -> str:
        """What the versions of its remark have in common."""
        return f"{self.document_key}:{self.rule}"


def write_remarks(ctx: Context) -> None:
    """Bring the remarks of the VMS in step with the holds; tell what keeps them from it, once until it is over.

    A remark that cannot be written holds nothing and stops nothing. With nothing to write no request is made.
    """
    if not ctx.settings.posting.remarks:
        return
    reasons = _reasons(ctx.control)
    mark = sha256(canonical_json([list(reason) for reason in reasons]))
    before = read_state(ctx.control)
    if not _is_due(before, mark, now=ctx.now()):
        return
    # First of all: a killed run must be seen as such also where the holds are, by then, as they were before it.
    keep_state(ctx.control, RemarksState(mark, is_left=True, problem=before.problem))
    outbox = Outbox.of(ctx)
    delivered, work = DeliveryResult(), _Remarks(ctx.vms, outbox)
    tried: set[tuple[str, str]] = set()
    for turn in range(TURNS):
        # What was refused is not tried twice in one run.
        wanted = wanted_remarks(ctx.control, outbox, reasons)
        intents = [intent for intent in wanted if (intent.id, intent.source_hash) not in tried]
        stored = outbox.store_intents(intents)
        # Later on there is something to do only where the turn before has settled an earlier version.
        if not (stored if turn else intents):
            break
        tried |= {(intent.id, intent.source_hash) for intent in intents if intent.id in stored}
        delivered = _deliver(ctx, work, wanted)
        if work.forbidden or delivered.problems:
            break
    refused = [e for e in outbox.entries(Kind.REMARK, [State.FAILED]) if e.error_code == REFUSED]
    problem = _problem(work, delivered, refused)
    if problem and problem != before.problem:
        ctx.tell(problem)
    # Of unknown fate, or not begun because the VMS did not answer: the next run goes on with it.
    is_under_way = outbox.entries(Kind.REMARK, [State.TODO, State.UNKNOWN]) and not work.forbidden
    again = "" if is_under_way else utc_text(ctx.now() + BETWEEN_TRIES)
    is_left = bool(wanted_remarks(ctx.control, outbox, reasons))
    keep_state(ctx.control, RemarksState(mark, is_left, again if is_left else "", problem))


def wanted_remarks(control: Control, outbox: Outbox, reasons: Sequence[Reason]) -> list[Intent]:
    """Return the next version of each remark that does not say what it should, by what was sent so far."""
    held = {reason.stem: reason for reason in reasons}
    still_open = control.read(named_statements("remarks")["open_remarks"])
    over = {row["stem"]: Reason.of(row, None) for row in still_open if row["stem"] not in held}
    wanted = held | over
    latest = outbox.versions(Kind.REMARK, [*wanted])
    intents: list[Intent] = []
    for stem, reason in wanted.items():
        version = latest.get(stem)
        intent = _intent(reason, version)
        # A version that was not sent is stored anew, with today's message; in flight it is left alone by the outbox.
        if version is None or version.state is not State.SENT or version.source_hash != intent.source_hash:
            intents.append(intent)
    return intents


def _reasons(control: Control) -> list[Reason]:
    return [Reason.of(row, row["message"]) for row in control.read(named_statements("remarks")["reasons"])]


def _is_due(state: RemarksState, mark: str, *, now: datetime) -> bool:
    if state.reasons != mark:
        # The first run of all with nothing held has nothing to do either, and says so by an empty plan.
        return True
    return state.is_left and (not state.again or now >= datetime.fromisoformat(state.again))


def _intent(reason: Reason, version: Version | None) -> Intent:
    number = 1 if version is None else version.next_number
    is_done = reason.message is None
    payload: dict[str, Json] = {
        "source": reason.document_key,
        "remarkTitle": (DONE if is_done else TITLE).format(rule=reason.rule),
    }
    if not is_done:
        # Whole: its end says what to do (docs/systems/vms.md#v20).
        payload["remark"] = reason.message
    source_hash = sha256(canonical_json(payload))
    return Intent(
        Kind.REMARK,
        f"{reason.stem}#{number}",
        "vms",
        payload,
        source_hash,
        look_up={
            "rule": reason.rule,
            "is_done": is_done,
            "hash": source_hash,
            "known_key": None if version is None else version.remote_ids.get("key"),
        },
        company_code=reason.company_code,
        document_key=reason.document_key,
        document_no=reason.document_no,
    )


def _deliver(ctx: Context, work: _Remarks, intents: Sequence[Intent]) -> DeliveryResult:
    hashes = {intent.id: intent.source_hash for intent in intents}

    def is_wanted(entry: Entry) -> bool:
        # One that was in flight may say what no longer holds: it is looked up, and never sent again.
        return hashes.get(entry.id) == entry.look_up["hash"]

    with ThreadPoolExecutor(ctx.settings.vms.workers, thread_name_prefix="remarks") as pool:

        def look_up(entries: Sequence[Entry]) -> Mapping[str, LookUpFinding]:
            return work.look_up(entries, pool)

        # Never waited for: a remark whose fate is unknown is looked up by the next run, and vouchers are not kept.
        delivery = Delivery.of(ctx, Cargo(Kind.REMARK, VMS, is_wanted), sleep=None)
        return VmsCourier(delivery, ctx.vms, ENTITY, pool, look_up, _shows_title, work.write).deliver()


def _shows_title(body: Node, answer: Node) -> bool:
    return bool(answer.get("remarkTitle") == body["remarkTitle"])


def _problem(work: _Remarks, delivered: DeliveryResult, refused: Sequence[Entry]) -> str:
    if work.forbidden:
        return (
            f"Reasons of holds are not written to the VMS. {work.forbidden.message} Next: give the API's user the "
            "right to read and write Remark in the VMS, or set posting.remarks = false."
        )
    if refused:
        more = f" And {len(refused) - 1} more; `springline status` lists them." if len(refused) > 1 else ""
        return f"Not written to the VMS: {refused[0].last_error}{more}"
    return " ".join(delivered.problems)


@dataclass(slots=True)
class _Remarks:
    """What the VMS has, found by the look-up before each write, and how it is written over."""

    vms: VmsClient
    outbox: Outbox
    forbidden: Forbidden | None = None
    _keys: dict[str, int] = field(default_factory=dict)

    def look_up(self, entries: Sequence[Entry], pool: ThreadPoolExecutor) -> dict[str, LookUpFinding]:
        """Look remarks up by their document, at most fifty documents a request; raises WireError."""
        payloads = self.outbox.payloads([entry.id for entry in entries])

        def find(documents: str) -> list[Node]:
            return self._watched(lambda: self.vms.find(ENTITY, filters=[documents], fields=FIELDS))

        keys = [entry.document_key for entry in entries if entry.document_key is not None]
        by_document: dict[int, list[Node]] = {}
        for remark in chain.from_iterable(pool.map(find, one_of("source", keys))):
            # Without it nobody knows whose remark it is, and a second one might be written.
            document_key = source_of(remark)
            if not document_key:
                raise ExtractError("The VMS gives remarks without `source`.", next_step="let the API's user read it.")
            by_document.setdefault(document_key, []).append(remark)
        wanted = {entry.id: cast("Node", payloads[entry.id]) for entry in entries}
        return {e.id: self._judged(e, wanted[e.id], by_document.get(e.document_key or 0, [])) for e in entries}

    def write(self, entry: Entry, body: Node) -> Written:
        """Change the remark that the look-up has found, else make one; ``source`` first (docs/systems/vms.md#1-8)."""
        words: dict[str, object] = {name: body[name] for name in ("remarkTitle", "remark") if name in body}
        key = self._keys.get(entry.id)
        if key is None:
            return Written(self._watched(lambda: self.vms.post(ENTITY, {"source": body["source"], **words})))
        return Written(self._watched(lambda: self.vms.put(ENTITY, key, words)), key)

    def _judged(self, entry: Entry, wanted: Node, there: Sequence[Node]) -> LookUpFinding:
        self._keys.pop(entry.id, None)
        title, done = (words.format(rule=entry.look_up["rule"]) for words in (TITLE, DONE))
        known = entry.look_up["known_key"]
        ours = [r for r in there if r["key"] == known or r.get("remarkTitle") in {title, done}]
        still_open = [remark for remark in ours if remark.get("remarkTitle") != done]
        if entry.look_up["is_done"]:
            # Also where there is none: deleted, with its document or without, or never written.
            if not still_open:
                return complete("no open remark of it is in the VMS", {"key": ours[0]["key"]} if ours else {})
            self._keys[entry.id] = still_open[0]["key"]
            return ABSENT
        for remark in still_open:
            if (remark.get("remarkTitle"), remark.get("remark")) == (title, wanted["remark"]):
                return complete("found in the VMS", {"key": remark["key"]})
        # One that was done before is opened again: one remark a reason.
        if ours:
            self._keys[entry.id] = (still_open or ours)[0]["key"]
        return ABSENT

    def _watched(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except Forbidden as error:
            self.forbidden = error
            raise
