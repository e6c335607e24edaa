"""What was sent for a document: its intents in the outbox with their events in order, and whether the chain holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from pipelines.core.identifiers import masked_account
from pipelines.core.words import moment
from pipelines.load.ledger.vouchers import MEMBERS
from pipelines.outbox.chain import GENESIS, HASHED, event_hash, verify_chain
from pipelines.outbox.intent import read_json
from pipelines.outbox.states import State
from pipelines.stores.control import named_statements
from pipelines.stores.rows import Row
from pipelines.stores.sent_objects import NOT_CORRECTED, read_corrections

if TYPE_CHECKING:
    from pipelines.steering.find_document import Document
    from pipelines.stores.control import Control

ACCOUNT = "subledger_bank_account"
# A question must be answered at once: with more events than this only those of the document itself are verified.
MOST_VERIFIED = 100_000


def intents_of(control: Control, document: Document) -> list[dict[str, Any]]:
    """Return the intents of a document, oldest first, each with its events."""
    statements = named_statements("questions")
    intents: list[dict[str, Any]] = []
    for row in control.read(statements["intents"], {"document_key": document.key}):
        intent: dict[str, Any] = dict(row)
        for name in ("look_up", "remote_ids"):
            intent[name] = read_json(intent[name]) if intent[name] else None
        intent["events"] = [dict(event) for event in control.read(statements["events"], {"intent": row["id"]})]
        intents.append(intent)
    return intents


def remarks_of(control: Control, intents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what was last to be written to the document as a remark, by rule, and its key in the VMS."""
    latest: dict[str, dict[str, Any]] = {}
    versions = [intent for intent in intents if intent["kind"] == "remark"]
    for intent in sorted(versions, key=lambda intent: int(intent["natural_key"].rpartition("#")[2])):
        row = control.one("SELECT payload FROM outbox WHERE id = ?", (intent["id"],))
        payload = cast("dict[str, Any]", read_json(row))
        rule = intent["look_up"]["rule"]
        # One that marks a remark as done leaves its text as it is.
        latest[rule] = {
            "rule": rule,
            "title": payload["remarkTitle"],
            "remark": payload.get("remark") or latest.get(rule, {}).get("remark"),
            "state": intent["state"],
            "key": (intent["remote_ids"] or {}).get("key"),
        }
    return [*latest.values()]


def verdict_on_chain(control: Control, document: Document) -> dict[str, Any]:
    """Verify the hash chain: all of it where that is quick, else the links at this document's own events."""
    total = control.one("SELECT count(*) FROM outbox_events") or 0
    if total <= MOST_VERIFIED:
        faults = [f"{fault.subject} {fault.message}" for fault in verify_chain(control)]
        return {"verified": not faults, "events": total, "scope": "all events", "faults": faults}
    faults = _broken_links(control, document)
    return {"verified": not faults, "events": total, "scope": "the events of this document", "faults": faults}


def _broken_links(control: Control, document: Document) -> list[str]:
    rows = control.read(
        named_statements("questions")["events_with_the_hash_before"],
        {"document_key": document.key, "genesis": GENESIS},
    )
    faults: list[str] = []
    for row in rows:
        # Two faults that are told apart: this row was changed, or one before it was taken out.
        if row["hash"] != event_hash({name: row[name] for name in HASHED}):
            faults.append(f"event {row['event_no']} was edited: its hash does not fit")
        if row["previous_hash"] != row["expected"]:
            faults.append(f"event {row['event_no']} does not follow the event before it")
    return faults


def lines_as_sent(control: Control, document: Document, look_up: Mapping[str, Any]) -> list[Row]:
    """Return the voucher as the ledger was given it, corrections included, in the columns of post.draft_lines.

    ``look_up`` is that of its intent. It says what mapping files filled when it was sent: they may have changed since.
    """
    payload = control.one(named_statements("questions")["sent_payload"], {"document_key": document.key})
    inputs = cast("list[dict[str, Any]]", read_json(payload)) if payload else []
    nodes = {item["node"]["trItemNumber"]: dict(item["node"]) for item in inputs}
    correction = read_corrections(control, document.key or -1).get(document.key or -1, NOT_CORRECTED)
    # A correction updates waiting import items one by one.
    for number, change in correction.changes.items():
        nodes[number] |= change
    filled = {**look_up, **correction.by_files}.get("mapped", {})
    lines = [{**_line(node), "mapping_rules": filled.get(str(number))} for number, node in sorted(nodes.items())]
    return masked(lines)


def file_as_sent(control: Control, document: Document, intent: dict[str, Any]) -> dict[str, Any]:
    """Return what the last call with a voucher says of its file: name, size and hash, and the event in words."""
    payload = control.one(named_statements("questions")["sent_payload"], {"document_key": document.key})
    inputs = cast("list[dict[str, Any]]", read_json(payload)) if payload else []
    begun = [event["detail"] for event in intent["events"] if event["to_state"] == State.SENDING]
    return {"file": inputs[0].get("file") if inputs else None, "file_note": begun[-1] if begun else None}


def sent_again(intent: Mapping[str, Any]) -> str:
    """Say that an intent was sent a second time because nobody knows what became of the first call; else empty.

    A look-up that finds nothing proves that nothing is there, and not that nothing ever was: what somebody has removed
    in between looks the same (docs/reliability.md#sent-again).
    """
    lost = looked_up = ""
    for event in intent["events"]:
        states = (event["from_state"], event["to_state"])
        if states[1] == State.UNKNOWN:
            lost = event["at"]
        elif states == (State.UNKNOWN, State.TODO):
            looked_up = event["at"]
        elif states[1] == State.SENDING and looked_up:
            return (
                f"sent again {moment(event['at'])}: what became of the call before was not known ({moment(lost)}), "
                f"and nothing of it was there {moment(looked_up)}. If somebody has removed it in between, this is the "
                "second"
            )
    return ""


def _line(node: dict[str, Any]) -> Row:
    line: Row = {}
    for member in MEMBERS:
        # A reference is an object with one member in the payload ({"code": "60526"}); a column has its value alone.
        value = node.get(member.name)
        line[member.column] = value.get(member.key) if member.key and isinstance(value, dict) else value
    return line


def masked(lines: Sequence[Row]) -> list[Row]:
    """Return the lines with no more of a bank account than its last four characters."""
    return [{**line, ACCOUNT: masked_account(line[ACCOUNT]) if line.get(ACCOUNT) else None} for line in lines]
