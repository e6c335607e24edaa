"""Writes a model for PostgreSQL or Spark: sqlglot's translation, corrected where it changes what a value is."""

from __future__ import annotations

from functools import lru_cache

from sqlglot import ErrorLevel
from sqlglot.errors import UnsupportedError

from pipelines.core.errors import ModelError, UsageError
from pipelines.models.functions import write_out
from pipelines.models.lint.rewrites import REWRITES, Target
from pipelines.models.syntax import parse_query

TARGETS: tuple[Target, ...] = ("postgres", "spark")


@lru_cache(maxsize=1024)
def transpile(sql: str, target: Target) -> str:
    r"""Return a model's SELECT for another engine (PostgreSQL 16, Spark 4 and newer), without comments.

    ModelError when sqlglot knows that the target has no such thing; the lint over sql/ finds more.

    >>> transpile("SELECT a // 2 AS half FROM map.x", "postgres")
    'SELECT\n  CAST(DIV(a, 2) AS BIGINT) AS half\nFROM map.x'
    """
    # Functions first of all, so that what they stand for is corrected too. The parsed tree is shared through a cache.
    tree = write_out(parse_query(sql).copy())
    for rewrite in REWRITES:
        # Children first, so that what a parent moves about is already right.
        for node in reversed(list(tree.walk())):
            corrected = rewrite(node, target)
            if corrected is not node:
                node.replace(corrected)
    try:
        return tree.sql(target, pretty=True, comments=False, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise ModelError(
            f"{target} cannot do this: {error}", next_step="write it with what the lint allows."
        ) from error


def target_named(name: str) -> Target:
    """Return the engine of that name; UsageError for any other."""
    for target in TARGETS:
        if name.lower() in {target, f"{target}ql"}:
            return target
    raise UsageError(f"There is no dialect {name}.", next_step=f"use {' or '.join(TARGETS)}.")
