"""What `springline status` tells: the last batches, what is held and why, the outbox, what was set aside, requests."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from pipelines.core.settings import Settings
from pipelines.steering.decisions import holds_to_come
from pipelines.stores.control import Control

if TYPE_CHECKING:
    from rich.console import Console

Status = Mapping[str, Any]
SHOWN_MESSAGES = 40
# What was never refused has no error of its own: why it is still to be sent stands in its last event.
UNDELIVERED = """
SELECT
    kind, natural_key, document_no, state, attempts,
    COALESCE(
        last_error,
        (
            SELECT detail FROM outbox_events
            WHERE outbox_id = outbox.id AND detail IS NOT NULL ORDER BY event_no DESC LIMIT 1
        ),
        'waits to be sent with the next run'
    ) AS message,
    updated_at AS since
FROM outbox WHERE state <> 'sent' ORDER BY updated_at, natural_key
"""


def read_status(settings: Settings, *, now: datetime) -> dict[str, Any]:
    """Read the state of things from the control store; works while a batch runs.

    Amounts are not in it. ``held`` has one entry per document and critical rule, and what people put on hold since the
    last batch; ``outbox`` counts by kind and state.
    """
    control = Control(settings.control_path)
    try:
        return {
            "batches": _rows(
                control,
                "SELECT batch_id AS batch, started_at, ended_at, today, jobs, exit_code FROM batches "
                "ORDER BY started_at DESC LIMIT 5",
            ),
            "held": [
                *_rows(
                    control,
                    "SELECT document_no, document_key, company, rule, message, since FROM holds "
                    "WHERE until IS NULL AND severity = 'critical' ORDER BY since, document_key, rule",
                ),
                *holds_to_come(control),
            ],
            "warnings": _rows(
                control,
                "SELECT document_no, document_key, company, rule, message, since FROM holds "
                "WHERE until IS NULL AND severity = 'warning' ORDER BY since, document_key, rule",
            ),
            "outbox": _outbox(control),
            "undelivered": _rows(control, UNDELIVERED),
            "ignored": _rows(
                control,
                "SELECT document_no, document_key, company, reason, operator, since FROM ignored "
                "WHERE until IS NULL ORDER BY since",
            ),
            "rejected": _rows(
                control,
                "SELECT side, entity, object_key, document_no, member, message, since FROM rejected "
                "WHERE until IS NULL ORDER BY since, object_key",
            ),
            "breaks": _rows(
                control,
                "SELECT kind, subject, company, document_no, message, next_step, since FROM breaks "
                "WHERE until IS NULL AND (accepted_hash IS NULL OR accepted_hash <> figures_hash) ORDER BY since",
            ),
            "requests": _requests(control, settings, month=f"{now:%Y-%m}"),
        }
    finally:
        control.close()


def _rows(control: Control, statement: str) -> list[dict[str, Any]]:
    return [_as_dict(row) for row in control.read(statement)]


def _as_dict(row: sqlite3.Row) -> dict[str, Any]:
    return {name: row[name] for name in row.keys()}  # noqa: SIM118 a Row iterates over its values


def _outbox(control: Control) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for row in control.read("SELECT kind, state, count(*) AS n FROM outbox GROUP BY kind, state ORDER BY kind, state"):
        counts.setdefault(row["kind"], {})[row["state"]] = row["n"]
    return counts


def _requests(control: Control, settings: Settings, *, month: str) -> dict[str, Any]:
    by_job = {
        f"{row['side']} {row['job']}": row["n"]
        for row in control.read(
            "SELECT side, job, sum(request_count) AS n FROM requests WHERE month = ? GROUP BY side, job", (month,)
        )
    }
    used = control.one(
        "SELECT coalesce(sum(request_count), 0) FROM requests WHERE month = ? AND side = 'ledger'", (month,)
    )
    return {
        "month": month,
        "ledger_used": used,
        "ledger_included": settings.ledger.monthly_requests,
        "by_job": by_job,
    }


def show_status(status: Status, console: Console) -> None:
    """Print the status for a person."""
    if not status["batches"]:
        console.print("No batch has run yet. Next: springline check, then springline run.")
        if not (status["held"] or status["ignored"]):
            return
    _show(console, "Last batches", ("batch", "today", "jobs", "exit_code"), status["batches"])
    _show(console, "Held", ("document_no", "company", "rule", "message"), status["held"])
    _show(console, "Warnings", ("document_no", "company", "rule", "message"), status["warnings"])
    _show(console, "Not delivered", ("kind", "document_no", "natural_key", "state", "message"), status["undelivered"])
    _show(console, "Set aside", ("entity", "object_key", "document_no", "message"), status["rejected"])
    _show(console, "Breaks", ("kind", "subject", "message", "next_step"), status["breaks"])
    _show(console, "Ignored", ("document_no", "company", "reason", "operator"), status["ignored"])
    outbox = Table("kind", "state", "number", title="Outbox", title_justify="left")
    for kind, states in status["outbox"].items():
        for state, number in states.items():
            outbox.add_row(kind, state, str(number))
    console.print(outbox)
    requests = status["requests"]
    console.print(
        f"Ledger requests in {requests['month']}: {requests['ledger_used']} of {requests['ledger_included']} included."
    )


def _show(console: Console, title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    table = Table(*columns, title=f"{title} ({len(rows)})", title_justify="left")
    for row in rows[:SHOWN_MESSAGES]:
        table.add_row(*(escape("" if row[column] is None else str(row[column])) for column in columns))
    console.print(table)
    if len(rows) > SHOWN_MESSAGES:
        console.print(f"… and {len(rows) - SHOWN_MESSAGES} more: springline status --json")
