"""Writes a model for PostgreSQL or Spark: sqlglot's translation, corrected where it changes what a value is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from sqlglot import ErrorLevel
from sqlglot.errors import UnsupportedError

from pipelines.core.errors import ModelError, UsageError
from pipelines.models.functions import write_out
from pipelines.models.lint.rewrites import REWRITES, Target
from pipelines.models.syntax import parse_query

TARGETS: tuple[Target, ...] = ("postgres", "spark")

# What a session must have set. Spark by itself rounds products of long decimals to six places and says nothing, reads
# times in the machine's zone, and cannot plan close.accrual_months, of which a rule of its optimizer loses a column.
SESSION: Mapping[Target, Mapping[str, str]] = {
    "postgres": {},
    "spark": {
        "spark.sql.decimalOperations.allowPrecisionLoss": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.RemoveRedundantAliases",
    },
}
# The first two by what they do: SQL cannot read a setting. Without the third Spark ends with an error by itself.
_IS_SET = (
    "TYPEOF(CAST(1 AS DECIMAL(38, 18)) * CAST(1 AS DECIMAL(38, 18))) = 'decimal(38,36)' AND CURRENT_TIMEZONE() = 'UTC'"
)
_NOT_SET = "This session would round amounts or shift times: run the SET statements above first."


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


def script(sql: str, target: Target) -> str:
    """Return what sets a session up for a model, and the model's SELECT, which ends with an error in any other session.

    ModelError as ``transpile``.
    """
    settings = "".join(f"SET {name} = {value};\n" for name, value in SESSION[target].items())
    return settings + guarded(sql, target)


def guarded(sql: str, target: Target) -> str:
    """Return a model's SELECT for another engine, which ends with an error where a session is not set up for it."""
    select = transpile(sql, target)
    if not SESSION[target]:
        return select
    return f"SELECT * FROM (\n{select}\n) AS model\nWHERE ASSERT_TRUE({_IS_SET}, '{_NOT_SET}') IS NULL"  # noqa: S608 ours


def target_named(name: str) -> Target:
    """Return the engine of that name; UsageError for any other."""
    for target in TARGETS:
        if name.lower() in {target, f"{target}ql"}:
            return target
    raise UsageError(f"There is no dialect {name}.", next_step=f"use {' or '.join(TARGETS)}.")
