"""Carries out what people asked to be tried again: what the ledger's posting refused is corrected, never added.

docs/architecture.md#outbox: after the import has taken a voucher and the posting refused it, its waiting items are
corrected by `updateGLImportItems` where the document is mapped otherwise by now; where it is not, the items to see to
are named. A failed voucher is tried again, and one of unknown fate looked up, by every run anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from pipelines.batch.scratch import build_scratch, copy_reference, scratch
from pipelines.core.errors import Refused, Unclear, WireError
from pipelines.extract.steps import extract_documents_by_key, extract_import_state
from pipelines.load.steps import WITHDRAWN, store_voucher_intents
from pipelines.outbox.entry import Entry, Move
from pipelines.outbox.intent import Intent, Json, Kind, canonical_json, intent_id, read_json, sha256
from pipelines.outbox.states import State
from pipelines.outbox.store import Outbox
from pipelines.steering.decisions import RETRIED, retried_up_to
from pipelines.step.counts import Counts
from pipelines.stores.control import Control, named_statements
from pipelines.stores.control_types import ControlRow
from pipelines.stores.rows import rows_of
from pipelines.stores.sent_objects import NOT_CORRECTED, read_corrections
from pipelines.wire.written import written_ids

if TYPE_CHECKING:
    from pipelines.step.context import Context

Node = dict[str, Json]

MUTATION = "updateGLImportItems"
# The ledger's job levels of an import item (docs/systems/ledger.md#a9).
READY, DONE, REFUSED = 1, 3, 9
NOT_WANTED = "the document is mapped otherwise by now, and this correction is no longer of use"
# By these a voucher and its payments are found again: a change of one of them would make another voucher of it. The
# first control line has more, for its text and partner stand in the journal header.
IDENTITY = frozenset(
    {"owner", "transactionSource", "trRegNumber", "trItemNumber", "extOrderNumber", "invoiceNumber", "currency"}
)
IDENTITY_OF_FIRST = IDENTITY | {"subledger", "text"}


@dataclass(frozen=True, slots=True)
class _Voucher:
    """A sent voucher: its row of the outbox, its items in the ledger's import, and its nodes there by item number."""

    sent: ControlRow
    items: Sequence[Mapping[str, Any]]
    nodes: Mapping[int, Node]

    @property
    def key(self) -> int:
        return int(self.sent["document_key"])

    @property
    def levels(self) -> set[int]:
        return {item["job_level"] for item in self.items}

    @property
    def label(self) -> str:
        return f"document {self.sent['document_no']} (key {self.key})"


def carry_out_retries(ctx: Context) -> Counts:
    """Ask the ledger what became of the vouchers whose retry was asked for, and correct what can be corrected.

    Each retry is carried out once; a correction of unknown fate is looked up until it is settled. Raises WireError
    when the ledger cannot be asked; then the next run does it.
    """
    # Read before the work: a retry asked for while it goes on is left to the next run.
    newest = ctx.control.one("SELECT max(decision_no) FROM decisions WHERE action = 'retry'") or 0
    done = retried_up_to(ctx.control)
    pending = ctx.control.read(named_statements("batches")["asked_again"], {"done": done})
    counts, told = _carry_out(ctx, pending) if pending else (Counts(), [])
    # Last: after a crash all of it is done again, which does no harm, for the items are looked at first.
    if newest > done:
        ctx.control.keep_mark(RETRIED, str(newest))
    for message in told:
        ctx.tell(message)
    return counts


def _carry_out(ctx: Context, pending: Sequence[ControlRow]) -> tuple[Counts, list[str]]:
    """Return how many corrections were sent, cannot be made, or are of unknown fate, and what an operator must know."""
    extract_import_state(ctx, [row["document_key"] for row in pending])
    outbox = Outbox.of(ctx)
    _reopen(outbox)
    counts, told, refused = Counts(), list[str](), list[_Voucher]()
    for voucher in (_voucher(ctx, row) for row in pending):
        # One refused item is enough: a correction sets all items of the voucher back to ready.
        if REFUSED in voucher.levels:
            refused.append(voucher)
        else:
            told.append(f"{voucher.label} {_standing(voucher)}")
            _settle(outbox, voucher)
    mapped = _mapped_now(ctx, [voucher.key for voucher in refused]) if refused else {}
    for voucher in refused:
        outcome, words = _correct(ctx, voucher, mapped.get(voucher.key))
        counts += outcome
        told.append(f"{voucher.label}{words}")
    return counts, told


def _voucher(ctx: Context, row: ControlRow) -> _Voucher:
    statement = named_statements("retries", folder="steps")["items"]
    items = rows_of(ctx.warehouse.execute(statement, [row["document_key"], row["document_no"]]))
    return _Voucher(row, items, _corrected(ctx.control, row))


def _standing(voucher: _Voucher) -> str:
    """Say how a voucher stands whose items do not lie in the ledger's import, refused."""
    if not voucher.levels:
        return "is no longer in the ledger's import; `springline explain` shows what its books have of it."
    if voucher.levels == {DONE}:
        return "has been booked by the ledger: nothing to do."
    return "waits for the ledger's posting job, which a person can also start in Xledger."


def _corrected(control: Control, row: ControlRow) -> dict[int, Node]:
    """Return the nodes as sent with the corrections that have arrived since laid over them."""
    nodes, key = _nodes(read_json(row["payload"])), row["document_key"]
    for number, change in read_corrections(control, key).get(key, NOT_CORRECTED).changes.items():
        nodes[number] = {**nodes[number], **change}
    return nodes


def _nodes(payload: Json) -> dict[int, Node]:
    """Return the nodes of a voucher's payload by item number."""
    nodes = [cast("Node", item["node"]) for item in cast("list[Node]", payload)]
    return {int(str(node["trItemNumber"])): node for node in nodes}


class _Mapped(NamedTuple):
    """A document as it is mapped now: its nodes by item number, and what the mapping files fill of them."""

    nodes: Mapping[int, Node]
    by_files: Mapping[str, Json]


def _mapped_now(ctx: Context, keys: Sequence[int]) -> dict[int, _Mapped]:
    """Read documents again and map them as if they had not been sent."""
    with scratch(ctx) as aside:
        copy_reference(aside, source=ctx.warehouse, control=ctx.control)
        extract_documents_by_key(aside, keys)
        # Posted by now, and the models map only what is ready for posting.
        aside.warehouse.execute("UPDATE stg_vms.documents SET status_code = 'RFP'")
        build_scratch(aside, of=ctx, forgotten=keys)
        store_voucher_intents(aside, keys)
        outbox = Outbox.of(aside)
        payloads = outbox.payloads([intent_id(Kind.VOUCHER, str(key)) for key in keys])
        # Named also where they fill nothing: what they filled before counts no more.
        return {
            entry.document_key: _Mapped(
                _nodes(payloads[entry.id]), {name: entry.look_up.get(name, {}) for name in ("read", "mapped")}
            )
            for entry in outbox.entries(Kind.VOUCHER, [State.TODO])
            if entry.document_key is not None and entry.id in payloads
        }


def _correct(ctx: Context, voucher: _Voucher, mapped: _Mapped | None) -> tuple[Counts, str]:
    outbox = Outbox.of(ctx)
    inputs = _inputs(voucher, mapped.nodes if mapped else {})
    if mapped is None or not inputs:
        # One that was on its way corrects nothing any more.
        outbox.apply(Move(e.id, State.FAILED, NOT_WANTED, error_code=WITHDRAWN) for e in _open_of(outbox, voucher))
        return Counts(failed=1), _to_see_to(voucher, is_other=inputs is None)
    intent = _intent(outbox, voucher, inputs, mapped.by_files)
    # Look-up before the first send: done above, the items have just been read as refused.
    outbox.store_intents([intent])
    outbox.begin([intent.id])
    try:
        ids = written_ids(inputs, ctx.ledger.mutate(MUTATION, inputs))
        if None in ids:
            raise Unclear(f"{MUTATION}: the ledger's answer does not name {ids.count(None)} of {len(ids)} items.")
    except Refused as refusal:
        outbox.apply([Move(intent.id, State.FAILED, str(refusal), error_code="refused")])
        return Counts(failed=1), f": the ledger refused its correction: {refusal}"
    except WireError as error:
        outbox.apply([Move(intent.id, State.UNKNOWN if error.sent else State.TODO, str(error))])
        return Counts(unknown=1), ": whether its correction arrived is not known; the next run looks it up."
    outbox.apply([Move(intent.id, State.SENT, f"{len(inputs)} items corrected", {"voucher": voucher.sent["id"]})])
    return Counts(sent=1), ": corrected in the ledger's import, whose posting job tries it again."


def _inputs(voucher: _Voucher, mapped: Mapping[int, Node]) -> list[Node] | None:
    """Return what corrects each item: its changed members; empty when nothing has changed, None when it cannot be done.

    An update leaves alone what it does not name, so a member that is gone, or a line, cannot be corrected away.
    """
    # A line more or less: the document is not mapped now, or would be another voucher.
    numbers = [item["tr_item_number"] for item in voucher.items]
    if numbers != sorted(mapped) or numbers != sorted(voucher.nodes):
        return None
    inputs: list[Node] = []
    has_changed = False
    for item in voucher.items:
        number = item["tr_item_number"]
        before, after = voucher.nodes[number], mapped[number]
        change = {name: value for name, value in after.items() if before.get(name) != value}
        if before.keys() - after.keys() or (IDENTITY_OF_FIRST if number == 1 else IDENTITY).intersection(change):
            return None
        # Every item goes back to ready, changed or not, so that the posting job takes the voucher whole.
        has_changed |= bool(change)
        node: Node = {"dbId": str(item["import_item_db_id"]), **change, "jobLevel": {"dbSubId": READY}}
        inputs.append({"clientId": f"{voucher.key}-{number}", "node": node})
    return inputs if has_changed else []


def _to_see_to(voucher: _Voucher, *, is_other: bool) -> str:
    refused = [
        "item {import_item_db_id} (line {tr_item_number}, account {account_code}): {reason}".format_map(item)
        for item in voucher.items
        if item["reason"]
    ]
    items = ", ".join(str(item["import_item_db_id"]) for item in voucher.items)
    by_hand = f"remove the items {items} there and post the document by hand, for what was sent is never sent again"
    if is_other:
        step = f"the document would be another voucher by now, which no correction can make of it: {by_hand}"
    else:
        step = f"correct that in Xledger, or {by_hand}; nothing here has changed since it was sent"
    reason = "; ".join(refused) or "it does not say why"
    return f": the ledger's posting refused it: {reason}. Next: {step}."


def _intent(outbox: Outbox, voucher: _Voucher, inputs: list[Node], by_files: Mapping[str, Json]) -> Intent:
    stem = str(voucher.key)
    latest = outbox.versions(Kind.CORRECTION, [stem]).get(stem)
    number = 1 if latest is None else latest.next_number
    payload = cast("Json", inputs)
    return Intent(
        Kind.CORRECTION,
        f"{stem}#{number}",
        "ledger",
        payload,
        sha256(canonical_json(payload)),
        look_up=cast("Json", by_files),
        company_code=voucher.sent["company_code"],
        owner_code=voucher.sent["owner_code"],
        document_key=voucher.key,
        document_no=voucher.sent["document_no"],
    )


def _reopen(outbox: Outbox) -> None:
    """Let corrections that an earlier run left open be made again: an update by id may be repeated."""
    outbox.recover([Kind.CORRECTION])
    unknown = outbox.entries(Kind.CORRECTION, [State.UNKNOWN])
    outbox.apply(Move(e.id, State.TODO, "its items still wait as they are, or will be looked at") for e in unknown)


def _settle(outbox: Outbox, voucher: _Voucher) -> None:
    """Take a correction that was on its way as arrived: the items of its voucher are no longer refused."""
    arrived = "its items are no longer refused: it has arrived"
    outbox.apply(Move(entry.id, State.SENT, arrived) for entry in _open_of(outbox, voucher))


def _open_of(outbox: Outbox, voucher: _Voucher) -> list[Entry]:
    """Return the corrections of a voucher that were on their way, and whose items were not looked at yet."""
    return [entry for entry in outbox.entries(Kind.CORRECTION, [State.TODO]) if entry.document_key == voucher.key]
