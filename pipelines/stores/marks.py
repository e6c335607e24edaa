"""Marks: what a step was made of last, as a hash. When it is the same again, the step has nothing to do.

A mark is kept in the control store under a name (``Control.mark``, ``Control.keep_mark``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path

from pipelines.stores.control import Control, named_statements

BUILT, COMPARED, CLOSED = "models.built_from", "rec.built_from", "close.built_from"
# Not one of those that end in built_from: to note breaks makes no table that could be published.
NOTED = "rec.noted_from"


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
