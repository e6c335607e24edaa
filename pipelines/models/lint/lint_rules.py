"""The lint's rules: each takes a node of a syntax tree and says what is wrong, why, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from sqlglot import exp

from pipelines.models.functions import is_function
from pipelines.models.lint.portable import ADVICE, ALLOWED, INEXACT, TYPES, UNKNOWN


class Remark(NamedTuple):
    """What a rule has to say about a node."""

    node: exp.Expr
    what: str
    why: str
    instead: str


LintRule = Callable[[exp.Expr], Iterator[Remark]]

SHORT_DECIMAL = 18  # digits up to which DuckDB computes a product of decimals in 64 bits
_PARTS_OF_DATES = frozenset({"YEAR", "QUARTER", "MONTH", "DAY", "ISODOW", "HOUR", "MINUTE"})
_RANKING = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead, exp.FirstValue)
# TIMESTAMP as DuckDB has it, without a zone, is TIMESTAMPNTZ to sqlglot.
_TIMES = frozenset({exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ})
_COUNTED = (exp.Left, exp.Right, exp.SplitPart, exp.Pad, exp.Substring)
_NO_TEXTS = TYPES - {exp.DType.TEXT, exp.DType.VARCHAR}
# How columns end whose texts other people enter.
_ENTERED = ("_code", "_codes", "_text", "_name", "_value", "_reference", "_description")
_FORMATS = frozenset({"%Y", "%m", "%d", "%H", "%M", "%S", ""})


def constructs(node: exp.Expr) -> Iterator[Remark]:
    """Only what the allow-list names, and the functions of sql/functions.sql, which are made of it."""
    if isinstance(node, exp.Anonymous) and is_function(node.name):
        return
    # The exact type and not isinstance: a subclass of an allowed construct is another construct.
    if type(node) not in ALLOWED and not isinstance(node.parent, exp.IgnoreNulls):
        yield Remark(node, _called(node), *ADVICE.get(type(node), UNKNOWN))
    elif isinstance(node, exp.If) and not isinstance(node.parent, exp.Case):
        yield Remark(node, "IF()", "PostgreSQL does not have it", "CASE WHEN ... THEN ... END")


def types(node: exp.Expr) -> Iterator[Remark]:
    """Casts to types that all engines have; decimals with both numbers."""
    if not isinstance(node, exp.DataType):
        return
    written = node.sql("duckdb")
    if node.this in INEXACT:
        yield Remark(node, f"a cast to {written}", "money is never a float", "DECIMAL(38, 4) or another DECIMAL")
    elif node.this not in TYPES:
        yield Remark(node, f"a cast to {written}", *UNKNOWN)
    elif node.this == exp.DType.DECIMAL and len(node.expressions) != len(("precision", "scale")):
        why = "the digits it has by itself differ"
        yield Remark(node, f"{written} without its digits", why, "DECIMAL(38, 4), DECIMAL(18, 4)")


def codes(node: exp.Expr) -> Iterator[Remark]:
    """A code is a text that anybody may have entered: one that is no number would stop the model for all rows."""
    if type(node) is not exp.Cast or node.to.this not in _NO_TEXTS:
        return
    inner = node.this.unnest()
    # What stands around it is no protection: '' has no letters either, and a cast may come before its condition.
    if isinstance(inner, exp.Column) and f"_{inner.name}".endswith(_ENTERED):
        yield Remark(node, f"a cast of {inner.name}", "it fails on what is not as it should be", "TRY_CAST(...)")


def literals(node: exp.Expr) -> Iterator[Remark]:
    """No exponents: they are DOUBLE."""
    if isinstance(node, exp.Literal) and not node.is_string and "e" in node.name.lower():
        yield Remark(node, f"the number {node.name}", "an exponent makes it DOUBLE", "all its digits")


def rounding(node: exp.Expr) -> Iterator[Remark]:
    """ROUND and TRUNC with literal digits."""
    if isinstance(node, exp.Round | exp.Trunc):
        digits = node.args.get("decimals")
        if digits is not None and not _is_count(digits):
            why = "DuckDB has no rounding of decimals to digits it learns from a row"
            yield Remark(
                node, f"{_called(node)} to digits that are no literal", why, "CASE minor_units WHEN 0 THEN ..."
            )


def products(node: exp.Expr) -> Iterator[Remark]:
    """No product of decimals of 18 digits or fewer: DuckDB keeps it within 18 digits, and fails when it is longer."""
    if not isinstance(node, exp.Mul):
        return
    for operand in (node.left, node.right):
        inner = operand.unnest()
        if isinstance(inner, exp.Cast) and (width := _width(inner.to)) and width <= SHORT_DECIMAL:
            why = f"a product of decimals of {SHORT_DECIMAL} digits or fewer overflows in 64 bits"
            yield Remark(inner, f"{inner.to.sql('duckdb')} in a product", why, "DECIMAL(38, s) before multiplying")


def integer_division(node: exp.Expr) -> Iterator[Remark]:
    """``//`` and ``%`` between integers that can be seen to be integers: on decimals they give DOUBLE."""
    if not isinstance(node, exp.IntDiv | exp.Mod):
        return
    sign = "//" if isinstance(node, exp.IntDiv) else "%"
    if not _is_integer(node.right):
        why = "between decimals it gives DOUBLE"
        yield Remark(node.right, f"a divisor of {sign} not seen to be an integer", why, "CAST(... AS HUGEINT)")
    # Only what can be seen: a column of a decimal type shows when DuckDB binds the model (prove).
    left = node.left.unnest()
    if isinstance(left, exp.Round | exp.Trunc) or (isinstance(left, exp.Cast) and _width(left.to)):
        yield Remark(left, f"a decimal before {sign}", "it gives DOUBLE", "CAST(... AS HUGEINT) around it")


def times(node: exp.Expr) -> Iterator[Remark]:
    """Sums with intervals, and DATE_TRUNC, stand in a cast: DATE in one engine is TIMESTAMP in another."""
    if isinstance(node, exp.Interval) and not isinstance(node.this, exp.Literal):
        yield Remark(node, "an interval of a column", "PostgreSQL cannot read it", "date + days, or a literal interval")
    # The cast may stand further up: around COALESCE or CASE it does as well.
    moved = isinstance(node, exp.Add | exp.Sub) and isinstance(node.right.unnest(), exp.Interval)
    if (moved or isinstance(node, exp.TimestampTrunc | exp.DateTrunc)) and not _is_cast_to_time(node):
        what = "a date and an interval" if moved else "DATE_TRUNC"
        yield Remark(
            node, what, "DATE in one engine, TIMESTAMP in another", "CAST(... AS DATE) or AS TIMESTAMP around it"
        )
    if isinstance(node, exp.Sub) and _is_date(node.left) and _is_date(node.right):
        yield Remark(node, "a date less a date", "days here, an interval in Spark", "DATE_DIFF('day', earlier, later)")


def parts_of_dates(node: exp.Expr) -> Iterator[Remark]:
    """EXTRACT, DATE_DIFF and STRFTIME with what all engines read alike."""
    if isinstance(node, exp.Extract) and node.name.upper() not in _PARTS_OF_DATES:
        listed = ", ".join(sorted(_PARTS_OF_DATES))
        yield Remark(node, f"EXTRACT({node.name.upper()} ...)", "the engines count it differently", listed)
    if isinstance(node, exp.DateDiff) and (node.text("unit") or "DAY").upper() != "DAY":
        why = "the engines count borders, or whole units"
        yield Remark(node, f"DATE_DIFF in {node.text('unit')}", why, "days, or years and months by EXTRACT")
    if isinstance(node, exp.TimeToStr):
        given = node.args.get("format")
        pieces = given.name.replace("-", " ").replace(":", " ").split(" ") if isinstance(given, exp.Literal) else ["?"]
        if not _FORMATS.issuperset(pieces):
            listed = ", ".join(sorted(_FORMATS - {""}))
            yield Remark(node, "this format of a time", "its letters differ", f"a literal of {listed}, - and :")


def windows(node: exp.Expr) -> Iterator[Remark]:
    """Ranking needs an ORDER BY, a frame is in ROWS."""
    if isinstance(node, exp.Window):
        # A named window (OVER w) has its order where it is declared.
        ranking = node.this.unnest() if isinstance(node.this, exp.Paren) else node.this
        if isinstance(ranking, _RANKING) and not node.args.get("order") and not node.args.get("alias"):
            why = "which row comes first is left to chance"
            yield Remark(node, f"{_called(ranking)} without an order", why, "ORDER BY ..., ending in a key column")
    if isinstance(node, exp.WindowSpec) and str(node.args.get("kind") or "ROWS").upper() != "ROWS":
        yield Remark(node, "a frame in RANGE or GROUPS", "the engines measure it differently", "ROWS BETWEEN ...")


def aggregates(node: exp.Expr) -> Iterator[Remark]:
    """STRING_AGG has an order, COUNT(DISTINCT) one operand."""
    if isinstance(node, exp.GroupConcat) and not node.find(exp.Order):
        yield Remark(node, "STRING_AGG without an order", "its text changes from run to run", "ORDER BY inside it")
    counted = node.this.expressions if isinstance(node, exp.Count) and isinstance(node.this, exp.Distinct) else []
    if len(counted) > 1 or any(isinstance(operand, exp.Tuple) for operand in counted):
        why = "PostgreSQL does not have it, Spark leaves NULL out"
        yield Remark(node, "COUNT(DISTINCT) of several columns", why, "COUNT(*) over a SELECT DISTINCT")


def texts(node: exp.Expr) -> Iterator[Remark]:
    """Positions are counted from 1 and from the left; patterns have no backslash."""
    if isinstance(node, _COUNTED):
        numbers = [part for key, part in node.args.items() if isinstance(part, exp.Neg) and key != "this"]
        start = node.args.get("start")
        if numbers or (isinstance(start, exp.Literal) and start.name == "0"):
            yield Remark(
                node, f"{_called(node)} from a place below 1", "the engines count it differently", "count from 1"
            )
    if isinstance(node, exp.Like) and not (
        isinstance(node.expression, exp.Literal) and "\\" not in node.expression.name
    ):
        why = "a backslash, or what a row brings, escapes in PostgreSQL and Spark"
        yield Remark(node, "a pattern that is no plain literal", why, "STARTS_WITH, POSITION")


def sets(node: exp.Expr) -> Iterator[Remark]:
    """No BY NAME, no DISTINCT ON, no GROUP BY ALL, no RECURSIVE, no EXCLUDE."""
    if isinstance(node, exp.SetOperation) and node.args.get("by_name"):
        yield Remark(node, "UNION BY NAME", "PostgreSQL and Spark have none", "columns listed in one order")
    if isinstance(node, exp.Distinct) and node.args.get("on"):
        yield Remark(node, "DISTINCT ON", "Spark does not have it", "ROW_NUMBER with a complete ORDER BY in QUALIFY")
    if isinstance(node, exp.Group) and any(node.args.get(key) for key in ("all", "rollup", "cube", "grouping_sets")):
        yield Remark(node, "GROUP BY ALL or grouping sets", "PostgreSQL has no ALL", "columns listed")
    if isinstance(node, exp.With) and node.args.get("recursive"):
        yield Remark(node, "WITH RECURSIVE", "Spark has it from 4.1 on only", "as many joins as there are levels")
    if isinstance(node, exp.Star) and any(node.args.get(key) for key in ("except_", "replace", "rename")):
        yield Remark(node, "* EXCLUDE, REPLACE or RENAME", "PostgreSQL does not have it", "columns listed")


def joins(node: exp.Expr) -> Iterator[Remark]:
    """INNER, LEFT, RIGHT, FULL and CROSS joins; a FULL JOIN on equal columns."""
    if not isinstance(node, exp.Join):
        return
    on, using = node.args.get("on"), node.args.get("using")
    if node.method or node.kind in {"SEMI", "ANTI", "POSITIONAL", "LATERAL"}:
        why = "PostgreSQL or Spark does not have it"
        yield Remark(node, f"{node.method or node.kind} JOIN", why, "INNER, LEFT, FULL or CROSS JOIN, EXISTS")
    elif not (on or using or node.kind == "CROSS"):
        yield Remark(node, "a join without a condition", "it is easily overlooked", "CROSS JOIN, or ON ...")
    # Conditions joined by AND are looked at one by one; OR is never an equality.
    conditions = on.flatten() if isinstance(on, exp.And) else [on] if on else []
    if node.side == "FULL" and not all(isinstance(condition, exp.EQ) for condition in conditions):
        why = "PostgreSQL can only match equal values"
        yield Remark(node, "a FULL JOIN on more than equal columns", why, "columns made equal in a step before")


def untyped_nulls(node: exp.Expr) -> Iterator[Remark]:
    """NULL as a column has a type."""
    if isinstance(node, exp.Null):
        parent = node.parent.parent if isinstance(node.parent, exp.Alias) else node.parent
        if isinstance(parent, exp.Select):
            yield Remark(node, "NULL as a column", "INTEGER here, text in PostgreSQL", "CAST(NULL AS VARCHAR)")


def subqueries(node: exp.Expr) -> Iterator[Remark]:
    """EXISTS and IN (SELECT) stand in WHERE: Spark has them nowhere else."""
    # IN with a list of values is no subquery and may stand anywhere.
    nested = isinstance(node, exp.Exists) or (isinstance(node, exp.In) and node.args.get("query"))
    if nested and not isinstance(node.find_ancestor(exp.Where, exp.Select, exp.Join), exp.Where):
        yield Remark(node, "EXISTS or IN (SELECT) outside WHERE", "Spark cannot read it", "a LEFT JOIN and IS NOT NULL")


RULES: tuple[LintRule, ...] = (
    constructs,
    types,
    codes,
    literals,
    rounding,
    products,
    integer_division,
    times,
    parts_of_dates,
    windows,
    aggregates,
    texts,
    sets,
    joins,
    untyped_nulls,
    subqueries,
)


def _called(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return f"{node.name.upper()}()"
    return f"{node.sql_name()}()" if isinstance(node, exp.Func) else node.key.upper()


def _width(data_type: exp.DataType) -> int:
    """Digits of a DECIMAL, 0 for any other type."""
    digits = data_type.expressions
    return int(digits[0].name) if data_type.this == exp.DType.DECIMAL and digits else 0


def _is_count(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit()


def _is_integer(node: exp.Expr) -> bool:
    inner = node.unnest()
    whole = {exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT, exp.DType.INT128}
    return (
        _is_count(inner)
        or isinstance(inner, exp.Count | exp.Length)
        or (isinstance(inner, exp.Cast) and inner.to.this in whole)
    )


def _is_cast_to_time(node: exp.Expr) -> bool:
    parent = node.parent
    while isinstance(parent, exp.Paren | exp.Add | exp.Sub | exp.Coalesce | exp.Case | exp.If):
        parent = parent.parent
    return isinstance(parent, exp.Cast) and parent.to.this in _TIMES


def _is_date(node: exp.Expr) -> bool:
    inner = node.unnest()
    if isinstance(inner, exp.Cast):
        return bool(inner.to.this == exp.DType.DATE)
    return isinstance(inner, exp.Column) and inner.name.endswith(("_date", "_at"))
