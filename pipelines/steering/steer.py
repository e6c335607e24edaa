"""Steers single documents: hold, release, ignore, retry, recorded in the control store, effective at the next run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from shlex import quote
from typing import TYPE_CHECKING

from pipelines.core.errors import UsageError
from pipelines.core.words import moment
from pipelines.reconcile.kinds import break_kinds
from pipelines.steering.bank_changes import confirm_changes, open_changes
from pipelines.steering.decisions import (
    RECOVERED,
    Decision,
    decision_on,
    ignored_row,
    insert_decision,
    last_retry,
    reason_text,
    standing_hold,
)
from pipelines.steering.find_document import Document, find_document
from pipelines.stores.breaks import close_breaks
from pipelines.stores.control import Control, named_statements, utc_text
from pipelines.stores.control_types import ControlRow
from pipelines.stores.lost import open_control
from pipelines.stores.open_tables import Tables, open_tables

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

BY_SUPPLIER = "supplier:"
# Job level of an import item that the ledger has booked (docs/systems/ledger.md#a9).
BOOKED = 3


@dataclass(frozen=True, slots=True)
class SteeringResult:
    """What a command has decided; ``is_new`` is false when it had been decided so before and nothing was written."""

    action: str
    subject: str
    document_no: str
    document_key: int | None
    company: str | None
    is_new: bool
    message: str

    def as_dict(self) -> dict[str, object]:
        """Return the object that `--json` prints."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Desk:
    """One command at work: who decides, why, and what can be looked at."""

    control: Control
    tables: Tables | None
    operator: str
    reason: str
    at: str

    def decision(self, action: str, document: Document) -> Decision:
        return decision_on(document, action, reason=self.reason, operator=self.operator, at=self.at)

    def intent(self, document: Document, kind: str = "voucher") -> ControlRow | None:
        rows = self.control.read(
            "SELECT state, sent_at, remote_ids FROM outbox WHERE kind = ? AND document_key = ?", (kind, document.key)
        )
        return rows[0] if rows else None

    def is_acknowledged(self, document: Document) -> bool:
        """Tell whether nothing is left to try again about setting a document to posted in the VMS."""
        intent = self.intent(document, "acknowledgement")
        return intent is None or intent["state"] not in {"failed", "unknown"}

    def rules(self, document: Document) -> list[str]:
        """Return what the rules (not the people) that hold a document say: which rule, and what to do."""
        rows = self.control.read(named_statements("decisions")["rules_holding"], {"key": document.key})
        return [row["message"] for row in rows]


def steer(
    action: str, name: str, *, settings: Settings, reason: str, operator: str, now: Callable[[], datetime]
) -> SteeringResult:
    """Carry out hold, release, ignore or retry on the document that ``name`` means (a supplier too, for release).

    Only the control store is written, so that it works while a batch runs. Raises UsageError for a name of several
    documents, a missing reason, and what can no longer be decided.
    """
    words = reason_text(reason)
    with closing(open_control(settings)) as control, open_tables(settings) as tables:
        desk = _Desk(control, tables, operator.strip(), words, utc_text(now()))
        if action == "release":
            return _release(desk, name)
        # A document that was never read can be decided on by its number, before it arrives.
        document = find_document(name, control=control, tables=tables) or Document(name.strip())
        return ACTIONS[action](desk, document)


def _hold(desk: _Desk, document: Document) -> SteeringResult:
    _refuse_when_sent(desk, document, "hold")
    # One that a rebuilt store has put on is no person's: it falls with `springline confirm`, and this one must not.
    if (standing := standing_hold(desk.control, document)) and standing["reason"] != RECOVERED:
        since = moment(standing["at"])
        message = f"{document.label} is held already, by {standing['operator']} since {since}: {standing['reason']}"
        return _result("hold", document, message, is_new=False)
    # Only recorded here: the next batch puts the hold on the document, with those of the rules.
    with desk.control.write() as connection:
        insert_decision(connection, desk.decision("hold", document))
    return _result("hold", document, f"{document.label} is held from the next run on{_remarks(desk, document)}.")


def _ignore(desk: _Desk, document: Document) -> SteeringResult:
    _refuse_when_sent(desk, document, "ignore")
    if row := ignored_row(desk.control, document):
        since = moment(row["since"])
        message = f"{document.label} is ignored already, by {row['operator']} since {since}: {row['reason']}"
        return _result("ignore", document, message, is_new=False)
    decision = desk.decision("ignore", document)
    # Together: a decision without its effect, or the other way round, must not be left by a crash.
    with desk.control.write() as connection:
        insert_decision(connection, decision)
        connection.execute(named_statements("decisions")["ignore"], asdict(decision))
        if document.key is not None:
            # A break of a voucher that could not be sent stays open until a person decides. This is such a decision.
            of_vouchers = [kind.kind for kind in break_kinds().values() if kind.object == "voucher"]
            ended = [(kind, str(document.key)) for kind in of_vouchers]
            why = f"{desk.operator} put the document on the ignore list: {desk.reason}"
            close_breaks(connection, ended, at=desk.at, reason=why)
    return _result(
        "ignore", document, f"{document.label} is left alone from the next run on{_remarks(desk, document)}."
    )


def _release(desk: _Desk, name: str) -> SteeringResult:
    """Lift what a person put on; a supplier's bank change where no document has the name."""
    is_supplier = name.startswith(BY_SUPPLIER)
    code = name.removeprefix(BY_SUPPLIER).strip()
    changes = open_changes(desk.control, code)
    # A name with `supplier:` means the supplier alone, also where a document has that number.
    document = None if is_supplier else find_document(name, control=desk.control, tables=desk.tables)
    # One word must not both release a document and let a bank account through.
    if changes and document is not None:
        raise UsageError(
            f"{code} is the number of {document.label} and the code of a supplier whose bank account has changed.",
            next_step=f"release {document.name} or {BY_SUPPLIER}{code}.",
        )
    if changes:
        message = confirm_changes(desk.control, changes, operator=desk.operator, reason=desk.reason, at=desk.at)
        return SteeringResult("release", "supplier", code, None, None, is_new=True, message=message)
    unread = Document(name.strip())
    if is_supplier or (document is None and not any(_put_on(desk, unread).values())):
        raise UsageError(
            f"Nothing is put on {name}: no document and no supplier's bank change of that name is waiting.",
            next_step="springline status lists what is held and ignored.",
        )
    return _release_document(desk, document or unread)


def _put_on(desk: _Desk, document: Document) -> dict[str, ControlRow | None]:
    """Return what people have put on a document: the hold and the entry of the ignore list."""
    return {"hold": standing_hold(desk.control, document), "ignore": ignored_row(desk.control, document)}


def _release_document(desk: _Desk, document: Document) -> SteeringResult:
    put_on = _put_on(desk, document)
    ignored, rules = put_on["ignore"], desk.rules(document)
    lifted = " and ".join(what for what, row in put_on.items() if row)
    if not lifted:
        if rules:
            raise UsageError(
                f"{document.label} is held by a rule, and no rule is released: {' '.join(rules)}",
                next_step="correct that; the next run lets it go by itself.",
            )
        message = f"{document.label}: no person has put a hold or an ignore on it, nothing to release."
        return _result("release", document, message, is_new=False)
    with desk.control.write() as connection:
        insert_decision(connection, desk.decision("release", document))
        if ignored:
            connection.execute("UPDATE ignored SET until = ? WHERE rowid = ?", (desk.at, ignored["row_no"]))
    still = f" It is still held by a rule: {' '.join(rules)}" if rules else ""
    return _result("release", document, f"{document.label}: {lifted} lifted, effective at the next run.{still}")


def _retry(desk: _Desk, document: Document) -> SteeringResult:
    """Ask for another try. What it means depends on the state of the voucher; nothing is ever sent twice by it."""
    voucher = desk.intent(document)
    if voucher is None:
        raise UsageError(
            f"{document.label}: nothing has been sent yet, so there is nothing to try again.",
            next_step=" ".join(desk.rules(document)) or "springline explain tells where it stands.",
        )
    state = voucher["state"]
    # Not sent yet: it goes with the next run anyway.
    if state == "todo":
        return _result("retry", document, f"{document.label} waits for the next run as it is.", is_new=False)
    if state == "sent" and (message := _nothing_to_do(desk, document, voucher)):
        return _result("retry", document, message, is_new=False)
    # A sent voucher whose acknowledgement failed needs that alone.
    promise = RETRIES[state] if state != "sent" or desk.is_acknowledged(document) else ACKNOWLEDGE
    promise += "".join(f" {sentence}" for sentence in _obstacles(desk, document))
    # Asked for twice before a run, it is recorded once.
    if last_retry(desk.control, document) is not None:
        return _result("retry", document, f"{document.label}: already asked for. {promise}", is_new=False)
    with desk.control.write() as connection:
        insert_decision(connection, desk.decision("retry", document))
    return _result("retry", document, f"{document.label}: {promise}")


ACTIONS: Mapping[str, Callable[[_Desk, Document], SteeringResult]] = {"hold": _hold, "ignore": _ignore, "retry": _retry}

# A voucher whose call got no answer may be in the ledger: it is looked up, and only proven absence lets it go again.
LOOK_UP = "the next run looks it up in the ledger and sends it again only where it is certainly not there."
RETRIES: Mapping[str, str] = {
    "failed": "the next run tries it again.",
    "unknown": LOOK_UP,
    "sending": LOOK_UP,
    "sent": "the next run asks the ledger what has become of it; items its posting refused are corrected where the "
    "mapping has changed since, nothing is ever added.",
}
ACKNOWLEDGE = "its voucher is in the ledger; the next run sets it to posted in the VMS, where its status still allows."


def _obstacles(desk: _Desk, document: Document) -> list[str]:
    """Say what keeps a document from going out in spite of a retry."""
    words = {"hold": "held by a person", "ignore": "on the ignore list"}
    put_on = " and ".join(words[what] for what, row in _put_on(desk, document).items() if row)
    sentences = [f"It is {put_on}: `springline release {document.name} --reason …` comes first."] if put_on else []
    rules = desk.rules(document)
    return [*sentences, "It is held by a rule:", *rules] if rules else sentences


def _nothing_to_do(desk: _Desk, document: Document, voucher: ControlRow) -> str | None:
    """Say that a retry has nothing to do, where every item is booked in the ledger's import as landed, or by hand."""
    if json.loads(voucher["remote_ids"] or "{}").get("adopted"):
        return f"{document.label} was posted by hand and adopted: nothing to do."
    if desk.tables is None or not desk.is_acknowledged(document):
        return None
    levels = desk.tables.rows(
        "SELECT DISTINCT job_level FROM stg_ledger.import_items WHERE tr_reg_number = ? AND ext_order_number = ?",
        (document.key, document.number),
    )
    # No item at all is no proof either: the import may not have been read back since the voucher was sent.
    if [row["job_level"] for row in levels] != [BOOKED]:
        return None
    return f"{document.label} was sent and the ledger has booked it: nothing to do."


def _refuse_when_sent(desk: _Desk, document: Document, action: str) -> None:
    voucher = desk.intent(document)
    # Nothing in the ledger is ever taken back by Springline; the books are corrected by a reversal.
    if voucher is not None and voucher["state"] == "sent":
        raise UsageError(
            f"{document.label}: its voucher is in the ledger since {moment(voucher['sent_at'])}; "
            f"{action} cannot call it back.",
            next_step="reverse the document in the VMS; the reversal is posted like any other document.",
        )


def _remarks(desk: _Desk, document: Document) -> str:
    """Say that a document was never read, or that its voucher may have gone out before the decision."""
    # An invoice number or a KID would hold nothing, for ever and without a word.
    hint = f"if it is no document number, `springline explain {quote(document.number)}` names the document"
    none_yet = "no document with this number has been read yet; if it gets another one before, decide on that one too"
    unread = "" if document.key is not None else f" ({none_yet}; {hint})"
    voucher = desk.intent(document)
    if voucher is None or voucher["state"] not in {"sending", "unknown"}:
        return unread
    return (
        f"{unread}; an earlier run may have sent it: the next one looks it up first, and withdraws it where it is not "
        "there"
    )


def _result(action: str, document: Document, message: str, *, is_new: bool = True) -> SteeringResult:
    return SteeringResult(action, "document", document.number, document.key, document.company, is_new, message)
