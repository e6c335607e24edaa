"""Keeps ctl.holds in step with the verdicts and with what people decided, and says which documents may go out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines.checks import frames
from pipelines.checks.messages import Row, document_label
from pipelines.checks.run import FINGERPRINT, STANDING, fingerprint, rules_mark
from pipelines.checks.suites import CRITICAL, load_rules
from pipelines.checks.verdicts import CheckResult, Verdict, make_verdict
from pipelines.core import words
from pipelines.core.errors import CheckError
from pipelines.stores.control import utc_text

if TYPE_CHECKING:
    import sqlite3

    from pipelines.step.context import Context

HELD_BY_PERSON: Final = "held_by_person"
RULES_OF_LAST_RUN = "checks.rules"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A hold that should be open, and since when where that is not now."""

    verdict: Verdict
    since: str | None = None


def update_holds(ctx: Context, result: CheckResult) -> frozenset[int]:
    """Bring the holds up to date, and return the keys of the documents that are ready to go out.

    A rule that newly fails opens a hold; one that still fails keeps its ``since`` and gets today's message; one that no
    longer fails, or whose document is no longer open, gets its ``until``. Holds by rules of other steps are left alone.
    All in one transaction, together with the fingerprint that lets the next run skip the checks. A dry run leaves no
    trace of it in the control store, and returns the same keys.
    """
    documents = frames.open_documents(ctx.warehouse)
    wanted = {(v.document_key, v.rule): _Wanted(v) for found in result.verdicts.values() for v in found}
    wanted |= {(hold.verdict.document_key, HELD_BY_PERSON): hold for hold in _holds_by_people(ctx, documents)}
    own = {*load_rules().rules, HELD_BY_PERSON}
    with ctx.control.write() as connection:
        connection.execute("SAVEPOINT before_holds")
        # A rule that a new version no longer has must not hold its documents for ever.
        former = ctx.control.one("SELECT value FROM meta WHERE name = ?", (RULES_OF_LAST_RUN,)) or ""
        _write_holds(ctx, connection, wanted=wanted, rules=own | set(former.split()))
        standing = {"rules": rules_mark(load_rules()), "documents": result.hashes}
        _write_meta(
            connection,
            {
                FINGERPRINT: result.fingerprint,
                STANDING: json.dumps(standing),
                RULES_OF_LAST_RUN: " ".join(sorted(own)),
            },
        )
        ready = _ready(ctx, documents)
        if ctx.is_dry_run:
            connection.execute("ROLLBACK TO before_holds")
            frames.note_ready(ctx.warehouse, ready)
    return ready


def ready_documents(ctx: Context) -> frozenset[int]:
    """Return the keys of the open documents without a critical hold, by whichever step or person.

    Raises CheckError when the documents are not the ones that were last checked.
    """
    if ctx.is_dry_run:
        return frames.noted_ready(ctx.warehouse)
    if ctx.control.one("SELECT value FROM meta WHERE name = ?", (FINGERPRINT,)) != fingerprint(ctx):
        raise CheckError("The documents have changed since they were checked.", next_step="run the checks again.")
    return _ready(ctx, frames.open_documents(ctx.warehouse))


def _ready(ctx: Context, documents: Mapping[int, Row]) -> frozenset[int]:
    held = ctx.control.read("SELECT DISTINCT document_key FROM holds WHERE until IS NULL AND severity = ?", (CRITICAL,))
    return frozenset(documents) - {row["document_key"] for row in held}


def _write_holds(
    ctx: Context, connection: sqlite3.Connection, *, wanted: Mapping[tuple[int, str], _Wanted], rules: set[str]
) -> None:
    now = utc_text(ctx.now())
    opened = dict(wanted)
    for row in connection.execute(
        "SELECT hold_id, document_key, rule, severity, message FROM holds "
        "WHERE until IS NULL AND document_key IS NOT NULL"
    ).fetchall():
        if row["rule"] not in rules:
            continue
        hold = opened.pop((row["document_key"], row["rule"]), None)
        if hold is None:
            connection.execute("UPDATE holds SET until = ? WHERE hold_id = ?", (now, row["hold_id"]))
        elif (hold.verdict.severity, hold.verdict.message) != (row["severity"], row["message"]):
            connection.execute(
                "UPDATE holds SET severity = ?, message = ? WHERE hold_id = ?",
                (hold.verdict.severity, hold.verdict.message, row["hold_id"]),
            )
    connection.executemany(
        "INSERT INTO holds (company, document_key, document_no, rule, severity, message, since, batch_id) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (v.company_code, v.document_key, v.document_no, v.rule, v.severity, v.message, since or now, ctx.batch_id)
            for v, since in ((hold.verdict, hold.since) for hold in opened.values())
        ],
    )


def _write_meta(connection: sqlite3.Connection, values: Mapping[str, str]) -> None:
    connection.executemany(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        list(values.items()),
    )


def _holds_by_people(ctx: Context, documents: Mapping[int, Row]) -> Iterable[_Wanted]:
    """Yield a hold for each open document that a person put on hold and none has released since."""
    keys_of_number: dict[object, list[int]] = {}
    for key, row in documents.items():
        keys_of_number.setdefault(row["document_no"], []).append(key)
    standing: dict[int, sqlite3.Row] = {}
    for decision in ctx.control.read(
        "SELECT action, company, document_key, document_no, reason, operator, at FROM decisions "
        "WHERE subject = 'document' AND action IN ('hold', 'release') ORDER BY decision_no"
    ):
        # A document may be decided on by number before it was ever extracted, and its key known.
        by_number = decision["document_key"] is None
        for key in keys_of_number.get(decision["document_no"], []) if by_number else [decision["document_key"]]:
            if key not in documents or decision["company"] not in {None, documents[key]["company_code"]}:
                continue
            if decision["action"] == "hold":
                standing[key] = decision
            else:
                standing.pop(key, None)
    for key, decision in standing.items():
        yield _Wanted(_held_by_person(documents[key], decision), decision["at"])


def _held_by_person(row: Row, decision: sqlite3.Row) -> Verdict:
    message = (
        f"{document_label(row)}: held by {words.value(decision['operator'])} ({words.value(decision['reason'])}). "
        f"`springline release {row['document_key']}` lifts it."
    )
    return make_verdict(row, rule=HELD_BY_PERSON, severity=CRITICAL, message=message)
