"""What sqlglot translates word by word although the engines mean different things: one function a difference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from sqlglot import exp

Target = Literal["postgres", "spark"]
Rewrite = Callable[[exp.Expr, Target], exp.Expr]

_WHOLE = (exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT, exp.DType.INT128)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul)


def integer_division(node: exp.Expr, target: Target) -> exp.Expr:
    """Cut toward zero, as ``//`` does: PostgreSQL's DIV gives NUMERIC, Spark's has 64 bits only."""
    if not isinstance(node, exp.IntDiv):
        return node
    left, right = node.left.unnest().copy(), node.right.unnest().copy()
    # 64 or 128 bits: the tree has no types, so it is told from the casts and sums that can be seen in it.
    wide = _is_wide(left) or _is_wide(right)
    if target == "postgres":
        divided = exp.func("DIV", left, right)
        return divided if wide else exp.cast(divided, exp.DType.BIGINT)
    if not wide:
        return node
    # Less its remainder, the dividend is a multiple of the divisor: the fraction that Spark rounds is zero.
    remainder = exp.Mod(this=_paren(left), expression=_paren(right))
    multiple = exp.paren(exp.Sub(this=_paren(left.copy()), expression=remainder))
    return exp.cast(exp.Div(this=multiple, expression=_paren(right.copy())), _decimal38())


def missing_try_cast(node: exp.Expr, target: Target) -> exp.Expr:
    """Ask PostgreSQL (16) whether the text is valid before it is cast: it has no TRY_CAST."""
    if not isinstance(node, exp.TryCast) or target != "postgres":
        return node
    data_type = wide_integers(node.to.copy(), target)
    text = exp.cast(node.this.copy(), exp.DType.TEXT)
    valid = exp.Anonymous(
        this="PG_INPUT_IS_VALID", expressions=[text, exp.Literal.string(data_type.sql(target).lower())]
    )
    return exp.Case(ifs=[exp.If(this=valid, true=exp.Cast(this=node.this.copy(), to=data_type))])


def cast_to_integer(node: exp.Expr, target: Target) -> exp.Expr:
    """Round where arithmetic becomes an integer: Spark cuts the fraction, the others round half away from zero."""
    if type(node) is exp.Cast and target == "spark" and node.to.this in _WHOLE:
        inner = node.this.unnest()
        if isinstance(inner, _ARITHMETIC):
            node.set("this", exp.Round(this=inner, decimals=exp.Literal.number(0)))
    return node


def truncation(node: exp.Expr, target: Target) -> exp.Expr:
    """Cut decimals in Spark by FLOOR and CEIL: its CAST has 64 bits, and its TRUNC is about dates."""
    if not isinstance(node, exp.Trunc) or target != "spark":
        return node
    digits = node.args.get("decimals") or exp.Literal.number(0)
    below = exp.Anonymous(this="FLOOR", expressions=[node.this.copy(), digits.copy()])
    above = exp.Anonymous(this="CEIL", expressions=[node.this.copy(), digits.copy()])
    negative = exp.LT(this=_paren(node.this.copy()), expression=exp.Literal.number(0))
    return exp.Case(ifs=[exp.If(this=negative, true=above)], default=below)


def sign(node: exp.Expr, target: Target) -> exp.Expr:
    """Give 1, 0 or -1 in Spark, whose SIGN is a DOUBLE, and makes one of whatever it is multiplied with."""
    if not isinstance(node, exp.Sign) or target != "spark":
        return node
    ways = ((exp.GT, 1), (exp.LT, -1), (exp.EQ, 0))
    zero = exp.Literal.number(0)
    return exp.Case(
        ifs=[
            exp.If(this=kind(this=_paren(node.this.copy()), expression=zero.copy()), true=exp.convert(value))
            for kind, value in ways
        ]
    )


def materialization(node: exp.Expr, target: Target) -> exp.Expr:
    """Leave out how a step is worked out: Spark has no word for it, and no value depends on it."""
    if isinstance(node, exp.CTE) and target == "spark":
        node.set("materialized", None)
    return node


def calendar(node: exp.Expr, target: Target) -> exp.Expr:
    """Count days between dates, and take and make parts of dates, as DuckDB does."""
    if isinstance(node, exp.DateDiff) and target == "spark":
        # With a unit Spark counts whole 24 hours between times; DuckDB counts midnights.
        days = [exp.cast(part.copy(), exp.DType.DATE) for part in (node.this, node.expression)]
        return exp.Anonymous(this="DATEDIFF", expressions=days)
    if isinstance(node, exp.DateFromParts) and target == "postgres":
        parts = [exp.cast(node.args[part].copy(), exp.DType.INT) for part in ("year", "month", "day")]
        return exp.Anonymous(this="MAKE_DATE", expressions=parts)
    if isinstance(node, exp.Extract):
        if target == "postgres" and not isinstance(node.parent, exp.Cast):
            return exp.cast(node.copy(), exp.DType.BIGINT)  # PostgreSQL gives NUMERIC
        if target == "spark" and node.name.upper() == "ISODOW":
            node.set("this", exp.var("DAYOFWEEK_ISO"))
    return node


def wide_integers(node: exp.Expr, _target: Target) -> exp.Expr:
    """Write HUGEINT, which has 128 bits here only, as a decimal of 38 digits."""
    if isinstance(node, exp.DataType) and node.this == exp.DType.INT128:
        return _decimal38()
    return node


# HUGEINT goes last: the others tell by it how wide an operand is.
REWRITES: tuple[Rewrite, ...] = (
    integer_division,
    missing_try_cast,
    cast_to_integer,
    truncation,
    sign,
    materialization,
    calendar,
    wide_integers,
)


def _is_wide(node: exp.Expr) -> bool:
    """Tell whether an operand visibly has 128 bits: a cast to HUGEINT, a sum, or arithmetic with one of them."""
    inner = node.unnest()
    if isinstance(inner, exp.Cast):
        return bool(inner.to.this == exp.DType.INT128)
    if isinstance(inner, exp.Binary):
        return _is_wide(inner.left) or _is_wide(inner.right)
    if isinstance(inner, exp.Neg | exp.Abs):
        return _is_wide(inner.this)
    return isinstance(inner, exp.Sum)


def _paren(node: exp.Expr) -> exp.Expr:
    return exp.paren(node, copy=False) if isinstance(node, exp.Binary | exp.Neg) else node


def _decimal38() -> exp.DataType:
    return exp.DataType.build("DECIMAL(38, 0)")
