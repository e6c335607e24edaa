"""Marks: what a step was made of last, as a hash. When it is the same again, the step has nothing to do.

A mark is kept in the control store under a name (``Control.mark``, ``Control.keep_mark``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.stores.control import Control

BUILT, COMPARED, CLOSED = "models.built_from", "rec.built_from", "close.built_from"
# Not one of those that end in built_from: to note breaks makes no table that could be published.
NOTED = "rec.noted_from"

# How many documents are left alone, by company (companies_others).
_LEFT_ALONE = "documents.left_alone"

# What moves whenever a table of the control store does. Rows are never removed from these tables, so the highest number
# tells what was added, and the latest `until` what has ended.
_MOVES = {
    "outbox_events": "SELECT event_no, hash FROM outbox_events ORDER BY event_no DESC LIMIT 1",
    "decisions": "SELECT count(*), max(decision_no) FROM decisions",
    "break_decisions": "SELECT max(decision_no) FROM break_decisions",
    "ignored": "SELECT count(*), max(coalesce(until, since)) FROM ignored",
    "bank_changes": "SELECT count(*), max(coalesce(decided_at, seen_at)) FROM bank_changes",
    "rejected": "SELECT count(*), max(rejected_id), max(until) FROM rejected",
    "holds": "SELECT count(*), max(hold_id), max(until) FROM holds",
    "breaks": "SELECT count(*), max(break_id), max(until), max(accepted_at), max(comment) FROM breaks",
    "closes": "SELECT count(*), max(updated_at) FROM closes",
    "close_events": "SELECT max(event_no) FROM close_events",
    # Messages and figures change in place, without a new number.
    "open holds": "SELECT hold_id, message FROM holds WHERE until IS NULL ORDER BY 1",
    "open breaks": (
        "SELECT break_id, message, next_step, figures_hash, accepted_by, accepted_at, accepted_hash, comment, "
        "period_month "
        "FROM breaks WHERE until IS NULL ORDER BY 1"
    ),
    "built models": "SELECT name, value FROM meta WHERE name LIKE '%built_from' ORDER BY 1",
}


def mark_of(*parts: object, files: Iterable[Path] = (), control: Control, moves: Collection[str]) -> str:
    """Return a hash over values, the content of files, and what moves with tables of the control store.

    ``moves`` names the tables, ``open holds`` and ``open breaks`` (with their messages), or ``built models``.
    """
    digest = hashlib.sha256(repr(parts).encode())
    for path in sorted(files):
        digest.update(path.read_bytes())
    for name in moves:
        digest.update(repr([tuple(row) for row in control.read(_MOVES[name])]).encode())
    return digest.hexdigest()


def keep_left_alone(control: Control, by_company: Mapping[str, int]) -> None:
    """Keep how many documents are left alone, by company; written only when it has changed."""
    text = json.dumps(by_company)
    if (control.mark(_LEFT_ALONE) or "{}") != text:
        control.keep_mark(_LEFT_ALONE, text)


def left_alone(control: Control) -> dict[str, int]:
    """Return by company how many documents the last run has left alone."""
    found: dict[str, int] = json.loads(control.mark(_LEFT_ALONE) or "{}")
    return found
