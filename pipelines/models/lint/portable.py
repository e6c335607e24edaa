"""The allow-list: what gives the same on DuckDB, PostgreSQL and Spark, and what to write in place of the rest."""

from __future__ import annotations

from sqlglot import exp

QUERY: frozenset[type[exp.Expr]] = frozenset(
    {
        exp.Select, exp.Union, exp.Except, exp.Intersect, exp.Subquery, exp.With, exp.CTE, exp.From, exp.Join,
        exp.Where, exp.Group, exp.Having, exp.Qualify, exp.Order, exp.Ordered, exp.Distinct, exp.Values, exp.Tuple,
        exp.Table, exp.TableAlias, exp.Alias, exp.Column, exp.Identifier, exp.Star, exp.Var, exp.Literal,
        exp.Boolean, exp.Null, exp.Paren,
    }
)  # fmt: skip

EXPRESSIONS: frozenset[type[exp.Expr]] = frozenset(
    {
        exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between,
        exp.Like, exp.Exists, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Add, exp.Sub, exp.Mul, exp.IntDiv, exp.Mod,
        exp.Neg, exp.DPipe, exp.Case, exp.If, exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam, exp.Interval,
        exp.Window, exp.WindowSpec, exp.Filter,
    }
)  # fmt: skip

FUNCTIONS: frozenset[type[exp.Expr]] = frozenset(
    {
        exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Sum, exp.Count, exp.Min, exp.Max, exp.LogicalAnd,
        exp.LogicalOr, exp.GroupConcat, exp.Round, exp.Trunc, exp.Abs, exp.Sign, exp.Trim, exp.Upper, exp.Lower,
        exp.Length, exp.Substring, exp.StrPosition, exp.Replace, exp.Translate, exp.SplitPart, exp.StartsWith,
        exp.Left, exp.Right, exp.Pad, exp.ConcatWs, exp.Extract, exp.TimestampTrunc, exp.DateTrunc, exp.LastDay,
        exp.DateDiff, exp.DateFromParts, exp.TimeToStr, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead,
        exp.FirstValue,
    }
)  # fmt: skip

ALLOWED = QUERY | EXPRESSIONS | FUNCTIONS

# A cast to any other type is another type elsewhere, or none.
TYPES = frozenset(
    {
        exp.DType.TEXT, exp.DType.VARCHAR, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT, exp.DType.INT128,
        exp.DType.DECIMAL, exp.DType.BOOLEAN, exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ,
    }
)  # fmt: skip

INEXACT = frozenset({exp.DType.DOUBLE, exp.DType.FLOAT})

_CLOCK = ("it gives another answer on every run", "join seed.settings and read today")
_ONE_OF_MANY = ("which row it takes is not said, or not everywhere", "ROW_NUMBER with a complete ORDER BY in QUALIFY")
_PATTERN = ("the engines' regular expressions differ", "LIKE, TRANSLATE, POSITION, SUBSTRING")
_PART = ("PostgreSQL does not have it", "EXTRACT(... FROM ...)")
_JOINED = ("NULL is skipped here and swallows all in Spark", "|| with COALESCE")

ADVICE: dict[type[exp.Expr], tuple[str, str]] = {
    exp.Div: ("it gives DOUBLE, and money is never a float", "multiply by a decimal literal, or divide units by //"),
    exp.Avg: ("it gives DOUBLE, and money is never a float", "SUM and COUNT, divided in whole units by //"),
    exp.ILike: ("Spark reads it from 3.3 on only", "LOWER(...) LIKE"),
    exp.Concat: _JOINED,
    exp.CurrentDate: _CLOCK,
    exp.CurrentTimestamp: _CLOCK,
    exp.AnyValue: _ONE_OF_MANY,
    exp.IgnoreNulls: _ONE_OF_MANY,
    exp.ArgMax: _ONE_OF_MANY,
    exp.ArgMin: _ONE_OF_MANY,
    exp.LastValue: _ONE_OF_MANY,
    exp.RegexpLike: _PATTERN,
    exp.RegexpReplace: _PATTERN,
    exp.RegexpExtract: _PATTERN,
    exp.Year: _PART,
    exp.Month: _PART,
    exp.Day: _PART,
    exp.DayOfWeekIso: _PART,
    exp.Limit: ("which rows are left depends on the order of all", "ROW_NUMBER with a complete ORDER BY in QUALIFY"),
}

UNKNOWN = ("it is not known to be alike on PostgreSQL and Spark", "the constructs of pipelines/models/lint/portable.py")
