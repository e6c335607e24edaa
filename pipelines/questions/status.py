"""What `springline status` shows: the last batches, what is held and why, the outbox, objects set aside, requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.core.drawing import draw_table
from pipelines.core.settings import Settings
from pipelines.steering.decisions import holds_to_come
from pipelines.stores.control import Control, named_statements
from pipelines.stores.marks import left_alone
from pipelines.stores.remarks_state import read_state

if TYPE_CHECKING:
    from rich.console import Console

Status = Mapping[str, Any]
MOST_SHOWN = 40
# The members of `status --json` that are lists of rows, in its order; each is a statement of that name.
BEFORE_OUTBOX, BEHIND_OUTBOX = ("batches", "held", "warnings"), ("undelivered", "ignored", "rejected", "breaks")
# What a person is shown: the list, its title, its columns.
SHOWN = (
    ("batches", "Last batches", ("batch", "today", "jobs", "exit_code")),
    ("held", "Held", ("document_no", "company", "rule", "message")),
    ("warnings", "Warnings", ("document_no", "company", "rule", "message")),
    ("undelivered", "Not delivered", ("kind", "document_no", "natural_key", "state", "message")),
    ("rejected", "Set aside", ("entity", "object_key", "document_no", "message")),
    ("breaks", "Breaks", ("kind", "subject", "message", "next_step")),
    ("ignored", "Ignored", ("document_no", "company", "reason", "operator")),
)


def read_status(settings: Settings, *, now: datetime) -> dict[str, Any]:
    """Read the state of everything from the control store alone, so that it works while a batch runs.

    Each list has the columns of its statement in sql/control/status.sql; ``held`` has one entry per document and
    critical rule, ``outbox`` counts by kind and state, ``requests`` counts those of the calendar month of ``now``.
    """
    statements = named_statements("status")
    with closing(Control(settings.control_path)) as control:

        def rows(name: str) -> list[dict[str, Any]]:
            return [dict(row) for row in control.read(statements[name])]

        outbox: dict[str, dict[str, int]] = {}
        for row in rows("outbox"):
            # By kind, then state: the questions people ask are "are all vouchers gone" and "what is unknown".
            outbox.setdefault(row["kind"], {})[row["state"]] = row["number"]
        month = f"{now:%Y-%m}"
        requests = control.read(statements["requests"], {"month": month})
        return {
            **{name: rows(name) for name in BEFORE_OUTBOX},
            # What people put on hold since the last batch is held from the next run on.
            "held": [*rows("held"), *holds_to_come(control)],
            "outbox": outbox,
            **{name: rows(name) for name in BEHIND_OUTBOX},
            # What keeps the reasons of holds from being written to the VMS (posting.remarks); empty where nothing does.
            "remarks_problem": read_state(control).problem if settings.posting.remarks else "",
            "rules_off": [*settings.posting.rules_off],
            # Projects, accounts, partners and currencies whose breaks are left out.
            "not_ours": rows("not_ours"),
            # Documents of companies that are not configured, by company (companies_others).
            "left_alone": left_alone(control),
            "requests": {
                "month": month,
                # Only the ledger is metered: what its contract includes is set against what was asked of it.
                "ledger_used": sum(row["number"] for row in requests if row["side"] == "ledger"),
                "ledger_included": settings.ledger.monthly_requests,
                "by_job": {f"{row['side']} {row['job']}": row["number"] for row in requests},
            },
        }


def show_status(status: Status, console: Console) -> None:
    """Print the status for a person."""
    if not status["batches"]:
        console.print("No batch has run yet. Next: springline check, then springline run.")
        if not (status["held"] or status["ignored"] or status["not_ours"]):
            return
    for name, title, columns in SHOWN:
        _show(console, title, columns, status[name])
    outbox = ((kind, *counted) for kind, states in status["outbox"].items() for counted in states.items())
    console.print(draw_table(("kind", "state", "number"), outbox, title="Outbox"))
    if status["left_alone"]:
        listed = ", ".join(f"{company} ({count})" for company, count in status["left_alone"].items())
        console.print(f"Documents left alone, of companies that are not configured: {listed}.")
    if status["not_ours"]:
        console.print(f"Not ours: {len(status['not_ours'])} (springline breaks ignored).")
    if status["remarks_problem"]:
        console.print(f"! {status['remarks_problem']}", markup=False, highlight=False)
    if status["rules_off"]:
        console.print(f"Rules switched off by the settings: {', '.join(status['rules_off'])}.")
    requests = status["requests"]
    console.print(
        f"Ledger requests in {requests['month']}: {requests['ledger_used']} of {requests['ledger_included']} included."
    )


def _show(console: Console, title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    shown = ([row[column] for column in columns] for row in rows[:MOST_SHOWN])
    console.print(draw_table(columns, shown, title=f"{title} ({len(rows)})"))
    if len(rows) > MOST_SHOWN:
        console.print(f"… and {len(rows) - MOST_SHOWN} more: springline status --json")
