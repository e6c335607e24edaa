"""Marks: what a step was made of last, as a hash. When it is the same again, the step has nothing to do.

A mark is kept in the control store under a name (``Control.mark``, ``Control.keep_mark``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from pipelines.stores.control import Control, named_statements

BUILT, COMPARED, CLOSED = "models.built_from", "rec.built_from", "close.built_from"
# Of map and post only what vouchers are made of; once all of them are built, these are too.
VOUCHERS_BUILT = "models.vouchers_built_from"
# Not one of those that end in built_from: to note breaks makes no table that could be published.
NOTED = "rec.noted_from"

# How many documents are left alone, by company (companies_others).
_LEFT_ALONE = "documents.left_alone"


def mark_of(*parts: object, files: Iterable[Path] = (), control: Control, moves: Collection[str]) -> str:
    """Return a hash over values, the content of files, and what moves with tables of the control store.

    ``moves`` names statements of sql/control/marks.sql: the tables, ``open holds`` and ``open breaks`` (with their
    messages), or ``built models``.
    """
    digest = hashlib.sha256(repr(parts).encode())
    for path in sorted(files):
        digest.update(path.read_bytes())
    statements = named_statements("marks")
    for name in moves:
        digest.update(repr([tuple(row) for row in control.read(statements[name])]).encode())
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
