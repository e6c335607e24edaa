"""Keeps ctl.holds in step with the verdicts and with what people decided, and says which documents may go out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipelines.checks import frames
from pipelines.checks.followers import find_followers, note_followers
from pipelines.checks.messages import document_label, split_message
from pipelines.checks.run import FINGERPRINT, STANDING, fingerprint, rules_mark
from pipelines.checks.suites import CRITICAL, HELD_BY_PERSON, load_rules
from pipelines.checks.verdicts import CheckResult, Verdict, make_verdict
from pipelines.core import words
from pipelines.core.errors import CheckError
from pipelines.stores.control import named_statements, utc_text
from pipelines.stores.control_types import ControlConnection, ControlRow

if TYPE_CHECKING:
    from pipelines.step.context import Context
    from pipelines.stores.rows import Row

RULES_OF_LAST_RUN = "checks.rules"


def update_holds(ctx: Context, result: CheckResult) -> frozenset[int]:
    """Bring the holds up to date, and return the keys of the documents that go out: ready, or following what is.

    A rule that newly fails opens a hold; one that still fails keeps its ``since`` and gets today's message; one that no
    longer fails, or whose document is no longer open, gets its ``until``. Holds by rules of other steps are left alone.
    A reversal that waits only for what is ready is held all the same until that is sent (`noted_followers`).
    All in one transaction, together with the fingerprint that lets the next run skip the checks. A dry run leaves no
    trace of it in the control store, and returns the same keys.
    """
    documents = frames.open_documents(ctx.warehouse)
    now = utc_text(ctx.now())
    verdicts = [(verdict, now) for found in result.verdicts.values() for verdict in found]
    # By document and rule: a document that fails three rules has three holds, each with its own age.
    # The holds that should be open, as rows of ctl.holds; one that is open already keeps its own `since`.
    due: dict[tuple[int, str], dict[str, Any]] = {
        (verdict.document_key, verdict.rule): asdict(verdict) | {"since": since, "batch_id": ctx.batch_id}
        for verdict, since in (*verdicts, *_holds_by_people(ctx, documents))
    }
    own = {*load_rules().rules, HELD_BY_PERSON}
    standing = {"rules": rules_mark(ctx), "documents": result.hashes}
    with ctx.control.write() as connection:
        connection.execute("SAVEPOINT before_holds")
        # Rules of the last run count as ours too: a rule that this version no longer has must not hold for ever.
        former = (ctx.control.mark(RULES_OF_LAST_RUN) or "").split()
        _write_holds(connection, due, rules=own.union(former), now=now)
        ctx.control.keep_mark(FINGERPRINT, result.fingerprint, within=connection)
        ctx.control.keep_mark(STANDING, json.dumps(standing), within=connection)
        ctx.control.keep_mark(RULES_OF_LAST_RUN, " ".join(sorted(own)), within=connection)
        ready = _ready(ctx, documents)
        going = ready | _note_followers(ctx, ready)
        if ctx.is_dry_run:
            # What is ready can only be known with the new holds in place; then they are taken out again.
            holds = ctx.control.read(named_statements("holds")["told"])
            connection.execute("ROLLBACK TO before_holds")
            frames.note_ready(ctx.warehouse, going)
            frames.note_held(ctx.warehouse, map(_told, holds))
    return going


def _told(hold: ControlRow) -> tuple[object, ...]:
    why, next_step = split_message(hold["message"], rule=load_rules().rules.get(hold["rule"]))
    return hold["document_key"], hold["rule"], hold["severity"], why, next_step, hold["since"]


def _note_followers(ctx: Context, ready: frozenset[int]) -> frozenset[int]:
    critical: dict[int, set[str]] = {}
    for row in ctx.control.read(named_statements("holds")["open"]):
        if row["severity"] == CRITICAL:
            critical.setdefault(row["document_key"], set()).add(row["rule"])
    followers = find_followers(ctx.warehouse, critical=critical, ready=ready)
    note_followers(ctx.warehouse, followers)
    return followers


def ready_documents(ctx: Context) -> frozenset[int]:
    """Return the keys of the open documents without a critical hold, by whichever step or person.

    Raises CheckError when the documents are not the ones that were last checked.
    """
    if ctx.is_dry_run:
        return frames.noted_ready(ctx.warehouse)
    if ctx.control.mark(FINGERPRINT) != fingerprint(ctx):
        raise CheckError(
            "The documents have changed since they were checked.",
            next_step="`springline run documents` checks them again.",
        )
    # Read anew and not remembered: a person may have put a document on hold since the checks ran.
    return _ready(ctx, frames.open_documents(ctx.warehouse))


def _ready(ctx: Context, documents: Mapping[int, Row]) -> frozenset[int]:
    held = ctx.control.read(named_statements("holds")["critical"])
    # All critical holds count, whichever step or person made them: this is the last gate before the ledger.
    return frozenset(documents) - {row["document_key"] for row in held}


def _write_holds(
    connection: ControlConnection, due: Mapping[tuple[int, str], Mapping[str, Any]], *, rules: set[str], now: str
) -> None:
    statements = named_statements("holds")
    new = dict(due)
    for row in connection.execute(statements["open"]).fetchall():
        if row["rule"] not in rules:
            continue
        hold = new.pop((row["document_key"], row["rule"]), None)
        if hold is None:
            connection.execute(statements["end"], {"at": now, "hold_id": row["hold_id"]})
        # The severity too: a rule that a new version made critical has to keep the document back from now on.
        elif (hold["severity"], hold["message"]) != (row["severity"], row["message"]):
            connection.execute(statements["reword"], {**hold, "hold_id": row["hold_id"]})
    connection.executemany(statements["add"], [*new.values()])


def _holds_by_people(ctx: Context, documents: Mapping[int, Row]) -> Iterator[tuple[Verdict, str]]:
    """Yield a hold, and since when, for each open document that a person put on hold and none has released."""
    keys_of_number: dict[object, list[int]] = {}
    for key, row in documents.items():
        keys_of_number.setdefault(row["document_no"], []).append(key)
    standing: dict[int, ControlRow] = {}
    for decision in ctx.control.read(named_statements("holds")["decisions"]):
        # A document may be held by its number before it was ever read; then the decision has no key, and counts for
        # every document of that number, in that company where one was named.
        by_number = decision["document_key"] is None
        for key in keys_of_number.get(decision["document_no"], []) if by_number else [decision["document_key"]]:
            if key not in documents:
                continue
            # By its key it is meant in whatever company the VMS has it now.
            if by_number and decision["company"] not in {None, documents[key]["company_code"]}:
                continue
            # In the order of the decisions, so that the last word on a document stands.
            if decision["action"] == "hold":
                standing[key] = decision
            else:
                standing.pop(key, None)
    for key, decision in standing.items():
        yield _held_by_person(documents[key], decision), decision["at"]


def _held_by_person(row: Row, decision: ControlRow) -> Verdict:
    message = (
        f"{document_label(row)}: held by {words.value(decision['operator'])} ({words.value(decision['reason'])}). "
        f"`springline release {row['document_key']} --reason …` lifts it."
    )
    return make_verdict(row, rule=HELD_BY_PERSON, severity=CRITICAL, message=message)
