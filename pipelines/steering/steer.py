"""Steers single documents: hold, release, ignore, retry, recorded in the control store, effective at the next run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.core.errors import UsageError
from pipelines.core.words import moment
from pipelines.reconcile.kinds import break_kinds
from pipelines.reconcile.record import close_breaks
from pipelines.steering.bank_changes import confirm_changes, open_changes
from pipelines.steering.decisions import Decision, ignored_row, last_retry, record, standing_hold
from pipelines.steering.find_document import Document, find_document
from pipelines.stores.control import Control, utc_text
from pipelines.stores.open_tables import Tables, open_tables

if TYPE_CHECKING:
    import sqlite3

    from pipelines.core.settings import Settings

BY_SUPPLIER = "supplier:"
LONGEST_REASON = 500
# Job level of an import item that the ledger has booked (xledger.md A9).
BOOKED = 3


@dataclass(frozen=True, slots=True)
class Steered:
    """What a command came to; ``is_new`` is false when it had been decided so before and nothing was written."""

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
        return Decision(
            action, "document", document.company, document.key, document.number, self.reason, self.operator, self.at
        )

    def intent(self, document: Document, kind: str = "voucher") -> sqlite3.Row | None:
        rows = self.control.read(
            "SELECT state, sent_at, remote_ids FROM outbox WHERE kind = ? AND document_key = ?", (kind, document.key)
        )
        return rows[0] if rows else None

    def state(self, document: Document, kind: str) -> str | None:
        intent = self.intent(document, kind)
        return None if intent is None else str(intent["state"])

    def rules(self, document: Document) -> list[str]:
        """Return what the rules (not the people) that hold a document say: which rule, and what to do."""
        rows = self.control.read(
            "SELECT message FROM holds WHERE document_key = ? AND until IS NULL AND severity = 'critical' "
            "AND rule <> 'held_by_person' ORDER BY hold_id",
            (document.key,),
        )
        return [row["message"] for row in rows]


def steer(
    action: str, name: str, *, settings: Settings, reason: str, operator: str, now: Callable[[], datetime]
) -> Steered:
    """Carry out hold, release, ignore or retry on the document that ``name`` means (a supplier too, for release).

    Only the control store is written, so that it works while a batch runs. Raises UsageError for a name of several
    documents, a missing reason, and what cannot be decided any more.
    """
    words = " ".join(reason.split())
    if not words or len(words) > LONGEST_REASON:
        raise UsageError(f"--reason has {len(words)} characters.", next_step=f"say why in 1 to {LONGEST_REASON}.")
    control = Control(settings.control_path)
    try:
        with open_tables(settings) as tables:
            desk = _Desk(control, tables, operator.strip(), words, utc_text(now()))
            return _release(desk, name) if action == "release" else ACTIONS[action](desk, _document(desk, name))
    finally:
        control.close()


def _document(desk: _Desk, name: str) -> Document:
    """Find a document; one that was never seen is meant by its number."""
    found = find_document(name, control=desk.control, tables=desk.tables)
    return found or Document(name.strip())


def _hold(desk: _Desk, document: Document) -> Steered:
    _refuse_when_sent(desk, document, "hold")
    if standing := standing_hold(desk.control, document):
        since = moment(standing["at"])
        told = f"{document.label} is held already, by {standing['operator']} since {since}: {standing['reason']}"
        return _steered("hold", document, told, is_new=False)
    record(desk.control, desk.decision("hold", document))
    return _steered(
        "hold", document, f"{document.label} is held from the next run on{_unseen(document)}{_afoot(desk, document)}."
    )


def _ignore(desk: _Desk, document: Document) -> Steered:
    _refuse_when_sent(desk, document, "ignore")
    if row := ignored_row(desk.control, document):
        since = moment(row["since"])
        told = f"{document.label} is ignored already, by {row['operator']} since {since}: {row['reason']}"
        return _steered("ignore", document, told, is_new=False)

    def note(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO ignored (company, document_key, document_no, reason, operator, since) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (document.company, document.key, document.number, desk.reason, desk.operator, desk.at),
        )
        if document.key is not None:
            # Their breaks stay open until a person decides; to ignore the document is to decide.
            waiting = [kind.kind for kind in break_kinds().values() if kind.object == "voucher"]
            close_breaks(connection, [(kind, str(document.key)) for kind in waiting], at=desk.at)

    record(desk.control, desk.decision("ignore", document), also=note)
    told = f"{document.label} is left alone from the next run on{_unseen(document)}{_afoot(desk, document)}."
    return _steered("ignore", document, told)


def _release(desk: _Desk, name: str) -> Steered:
    """Lift what a person put on; a supplier's bank change where no document has the name."""
    is_supplier = name.startswith(BY_SUPPLIER)
    code = name.removeprefix(BY_SUPPLIER).strip()
    changes = open_changes(desk.control, code)
    document = None if is_supplier else find_document(name, control=desk.control, tables=desk.tables)
    if changes and document is not None:
        raise UsageError(
            f"{code} is the number of {document.label} and the code of a supplier whose bank account has changed.",
            next_step=f"release {document.name} or {BY_SUPPLIER}{code}.",
        )
    if changes:
        told = confirm_changes(desk.control, changes, operator=desk.operator, reason=desk.reason, at=desk.at)
        return Steered("release", "supplier", code, None, None, is_new=True, message=told)
    if is_supplier or (document is None and not _is_put_on(desk, Document(name.strip()))):
        raise UsageError(
            f"Nothing is put on {name}: no document and no supplier's bank change of that name is waiting.",
            next_step="springline status lists what is held and ignored.",
        )
    return _release_document(desk, document or Document(name.strip()))


def _is_put_on(desk: _Desk, document: Document) -> bool:
    return bool(standing_hold(desk.control, document) or ignored_row(desk.control, document))


def _release_document(desk: _Desk, document: Document) -> Steered:
    hold, ignored = standing_hold(desk.control, document), ignored_row(desk.control, document)
    rules = desk.rules(document)
    if not hold and not ignored:
        if rules:
            raise UsageError(
                f"{document.label} is held by a rule, and no rule is released: {' '.join(rules)}",
                next_step="correct that; the next run lets it go by itself.",
            )
        told = f"{document.label}: no person has put a hold or an ignore on it, nothing to release."
        return _steered("release", document, told, is_new=False)

    def note(connection: sqlite3.Connection) -> None:
        if ignored:
            connection.execute("UPDATE ignored SET until = ? WHERE rowid = ?", (desk.at, ignored["row_no"]))

    record(desk.control, desk.decision("release", document), also=note)
    lifted = " and ".join(what for what, is_on in (("hold", hold), ("ignore", ignored)) if is_on)
    still = f" It is still held by a rule: {' '.join(rules)}" if rules else ""
    return _steered("release", document, f"{document.label}: {lifted} lifted, effective at the next run.{still}")


def _retry(desk: _Desk, document: Document) -> Steered:
    voucher = desk.intent(document)
    if voucher is None:
        raise UsageError(
            f"{document.label}: nothing has been sent yet, so there is nothing to try again.",
            next_step=" ".join(desk.rules(document)) or "springline explain tells where it stands.",
        )
    state = voucher["state"]
    if state == "todo":
        return _steered("retry", document, f"{document.label} waits for the next run as it is.", is_new=False)
    told = _settled(desk, document) if state == "sent" else None
    if told:
        return _steered("retry", document, told, is_new=False)
    is_told = state == "sent" and desk.state(document, "acknowledgement") in {"failed", "unknown"}
    promise = ACKNOWLEDGE if is_told else RETRIES[state]
    but = _in_the_way(desk, document)
    if last_retry(desk.control, document) is not None:
        return _steered("retry", document, f"{document.label}: already asked for. {promise}{but}", is_new=False)
    record(desk.control, desk.decision("retry", document))
    return _steered("retry", document, f"{document.label}: {promise}{but}")


RETRIES: Mapping[str, str] = {
    "failed": "the next run tries it again.",
    "unknown": "the next run looks it up in the ledger and sends it again only where it is certainly not there.",
    "sending": "the next run looks it up in the ledger and sends it again only where it is certainly not there.",
    "sent": "the next run asks the ledger what has become of it; items its posting refused are corrected where the "
    "mapping has changed since, nothing is ever added.",
}


def _in_the_way(desk: _Desk, document: Document) -> str:
    """Say what keeps a document from going out in spite of a retry."""
    rules = desk.rules(document)
    put_on = " and ".join(
        words
        for words, is_on in (
            ("held by a person", standing_hold(desk.control, document)),
            ("on the ignore list", ignored_row(desk.control, document)),
        )
        if is_on
    )
    told = [f"It is {put_on}: `springline release {document.name}` comes first."] if put_on else []
    return "".join(f" {words}" for words in [*told, *(["It is held by a rule:", *rules] if rules else [])])


ACKNOWLEDGE = "its voucher is in the ledger; the next run sets it to posted in the VMS, where its status still allows."

ACTIONS: Mapping[str, Callable[[_Desk, Document], Steered]] = {"hold": _hold, "ignore": _ignore, "retry": _retry}


def _settled(desk: _Desk, document: Document) -> str | None:
    """Say that there is nothing to do, where the ledger's import as landed has booked every item, or people have."""
    if _remote(desk, document).get("adopted"):
        return f"{document.label} was posted by hand and adopted: nothing to do."
    if desk.state(document, "acknowledgement") in {"failed", "unknown"}:
        return None
    if desk.tables is None:
        return None
    booked = desk.tables.rows(
        "SELECT DISTINCT job_level FROM stg_ledger.import_items WHERE tr_reg_number = ? AND ext_order_number = ?",
        (document.key, document.number),
    )
    if [row["job_level"] for row in booked] != [BOOKED]:
        return None
    return f"{document.label} was sent and the ledger has booked it: nothing to do."


def _remote(desk: _Desk, document: Document) -> dict[str, object]:
    voucher = desk.intent(document)
    return dict(json.loads(voucher["remote_ids"])) if voucher is not None and voucher["remote_ids"] else {}


def _refuse_when_sent(desk: _Desk, document: Document, action: str) -> None:
    voucher = desk.intent(document)
    if voucher is not None and voucher["state"] == "sent":
        raise UsageError(
            f"{document.label}: its voucher is in the ledger since {moment(voucher['sent_at'])}; "
            f"{action} cannot call it back.",
            next_step="reverse the document in the VMS; the reversal is posted like any other document.",
        )


def _unseen(document: Document) -> str:
    return "" if document.key is not None else " (no document with this number has been read yet)"


def _afoot(desk: _Desk, document: Document) -> str:
    voucher = desk.intent(document)
    if voucher is None or voucher["state"] not in {"sending", "unknown"}:
        return ""
    return "; an earlier run may have sent it: the next one looks it up first, and withdraws it where it is not there"


def _steered(action: str, document: Document, message: str, *, is_new: bool = True) -> Steered:
    return Steered(action, "document", document.number, document.key, document.company, is_new, message)
