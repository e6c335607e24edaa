"""Bank accounts of suppliers that change: recorded when they are seen, sent only when a second person releases them.

docs/mapping.md#2: with `partners.confirm_bank_changes` a change from one account to another waits. The first person is
whoever ran the batch that saw it (docs/decisions/0015-second-person.md). The accounts stand in the control store in
full, because the models compare them; what is shown of them is their last four characters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import structlog

from pipelines.core.errors import UsageError
from pipelines.core.identifiers import masked_account
from pipelines.core.operators import SCHEDULE, VARIABLE, is_person, is_same_person, login_name
from pipelines.steering.decisions import Decision, insert_decision
from pipelines.step.counts import Counts
from pipelines.stores.control import named_statements, utc_text
from pipelines.stores.control_types import ControlConnection, ControlRow
from pipelines.stores.rows import rows_of

if TYPE_CHECKING:
    from pipelines.step.context import Context
    from pipelines.stores.control import Control

log = structlog.get_logger()

RULE = "bank_change"
CONFIRMED = "confirm"
# What became of a change that is no longer seen: the ledger has the new account, or the VMS no longer has it.
APPLIED, WITHDRAWN = "applied", "withdrawn"

Change = tuple[str, str, str]


def note_bank_changes(ctx: Context) -> Counts:
    """Record every change that waits in `ctl.bank_changes` and show it among the holds; close what is over.

    The accounts that the ledger has are kept in `ctl.supplier_accounts`: by these a supplier is known again whose code
    or whose row in the ledger becomes another.

    A release counts for one change: when the same account turns up again later, it is asked for again. The number of
    suppliers that wait is returned as breaks, because each needs a person.
    """
    cursor = ctx.warehouse.execute("SELECT code, description, old_account, new_account FROM post.bank_changes")
    names: dict[Change, str] = {(code, old, new): name for code, name, old, new in cursor.fetchall()}
    if ctx.is_dry_run:
        return Counts()
    standing = {
        (row["partner_code"], row["old_account"], row["new_account"]): row
        for row in ctx.control.read(named_statements("bank_changes")["standing"])
    }
    at = utc_text(ctx.now())
    # The models show it no more: the ledger has taken it, or the VMS went back to the old account.
    over = [row for change, row in standing.items() if change not in names]
    new = [change for change in names if change not in standing]
    # A change that was released stands until the ledger has the account; it waits for nobody.
    waiting = [change for change in names if change not in standing or standing[change]["decision"] is None]
    # A batch in which nothing changed takes no write lock.
    shown = {row["document_no"] for row in ctx.control.read(named_statements("bank_changes")["shown"])}
    seen = rows_of(ctx.warehouse.execute("SELECT * FROM post.seen_accounts"))
    if over or new or seen or shown != {code for code, _, _ in waiting}:
        arrived = _accounts(ctx, over)
        with ctx.control.write() as connection:
            for row in over:
                became = APPLIED if (row["partner_code"], row["new_account"]) in arrived else WITHDRAWN
                connection.execute(named_statements("bank_changes")["end"], (became, at, row["change_id"]))
            noted = [(*change, at, ctx.operator) for change in new]
            connection.executemany(named_statements("bank_changes")["add"], noted)
            connection.executemany(named_statements("bank_changes")["remember"], [{**row, "at": at} for row in seen])
            first = {change: row["seen_by"] for change, row in standing.items()}
            messages = {
                change[0]: waiting_message(change, names[change], first.get(change, ctx.operator)) for change in waiting
            }
            _show(connection, messages, batch_id=ctx.batch_id, at=at)
    return Counts(breaks=len({code for code, _, _ in waiting}))


def open_changes(control: Control, partner_code: str) -> list[ControlRow]:
    """Return the changes of a supplier that wait for a second person."""
    return control.read(named_statements("bank_changes")["waiting"], (partner_code,))


def confirm_changes(control: Control, changes: Sequence[ControlRow], *, operator: str, reason: str, at: str) -> str:
    """Record who releases a supplier's changes, and say it; the next master-data job sends the account.

    UsageError when nobody is named, and for whoever ran the batch that saw a change first: two people have to have seen
    it. Who changed the account in the VMS is not known here.
    """
    if not is_person(operator):
        raise UsageError(
            "A changed bank account is released by a person with a name.",
            next_step="set SPRINGLINE_OPERATOR to yours and release it again.",
        )
    if any(is_same_person(operator, change["seen_by"] or "") for change in changes):
        # Kept in the log: whoever is refused here and gives another name leaves a trace of both.
        log.warning("release_refused", supplier=changes[0]["partner_code"], operator=operator, login=login_name())
        raise UsageError(
            f"{operator} ran the batch that saw the new bank account of supplier {changes[0]['partner_code']} first "
            "and cannot release it: a second person has to look at it.",
            next_step=f"ask somebody else to check it and to release it under their own name. Let scheduled runs have "
            f"the name {SCHEDULE} ({VARIABLE}={SCHEDULE}), so that they keep nobody from releasing.",
        )
    statements, code = named_statements("bank_changes"), changes[0]["partner_code"]
    decision = Decision(CONFIRMED, "supplier", None, None, code, reason, operator, at)
    with control.write() as connection:
        released = [asdict(decision) | {"change_id": change["change_id"]} for change in changes]
        connection.executemany(statements["confirm"], released)
        insert_decision(connection, decision)
        connection.execute(statements["hide"], {"at": at, "code": code})
    moved = ", ".join(f"{_end(change['old_account'])} → {_end(change['new_account'])}" for change in changes)
    return f"Supplier {code}: bank account {moved} released by {operator}; the next run sends it to the ledger."


def _accounts(ctx: Context, over: Sequence[ControlRow]) -> set[tuple[str, str]]:
    """Return code and account of these suppliers as the ledger has them now, in every way a change may write them."""
    rows = ctx.warehouse.execute(
        "SELECT code, coalesce(bank_account, 'no account'), sent_swift, sent_routing FROM map.supplier_banks "
        "WHERE code IN (SELECT unnest(?))",
        [[row["partner_code"] for row in over]],
    ).fetchall()
    endings = ("", " (SWIFT {1})", " (ABA {2})", " (SWIFT {1}, ABA {2})")
    return {(code, ("{0}" + ending).format(*details)) for code, *details in rows for ending in endings}


def _show(connection: ControlConnection, messages: Mapping[str, str], *, batch_id: str, at: str) -> None:
    """Make the open holds of suppliers just those with a message, by code; such a hold has no document key.

    A supplier has one hold, also when several of its changes wait.
    """
    statements = named_statements("bank_changes")
    shown = {row["document_no"] for row in connection.execute(statements["shown"])}
    connection.executemany(statements["hide"], [{"code": code, "at": at} for code in shown - messages.keys()])
    for code, message in messages.items():
        values = {"code": code, "message": message, "at": at, "batch_id": batch_id}
        connection.execute(statements["reword" if code in shown else "show"], values)


def waiting_message(change: Change, name: str, seen_by: str | None) -> str:
    """Say of a supplier's change of account that it waits, and who lets it through; `split_message` parts it."""
    code, old, new = change
    who = f"anybody but {seen_by}, whose run saw it first" if is_person(seen_by or "") else "a second person"
    return (
        f"Supplier {code} ({name}): its bank account changes from {_end(old)} to {_end(new)} and is not sent. Check it "
        f"with the supplier by other means than the invoice; `springline release {code} --reason …`, run by {who}, "
        "then lets it through."
    )


def _end(account: str | None) -> str:
    """Show the end of an account; what stands behind it in brackets names a bank, and is shown as it is."""
    if not account:
        return "none"
    number, bracket, details = account.partition(" (")
    return (masked_account(number) if number != "no account" else number) + bracket + details
