"""The functions that models may call on texts: made on a connection, written out in translations.

They are no general macros (docs/decisions/0012): nothing here adds, multiplies or rounds, so neither the lint nor a
translation loses sight of what happens to an amount.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from string import ascii_uppercase, digits
from typing import TYPE_CHECKING

from pipelines.core.money import USUAL_DECIMALS, minor_unit_table
from pipelines.core.resources import sql_folder

if TYPE_CHECKING:
    import duckdb
    from sqlglot import exp


# What stands between the letters and digits of most numbers, and means nothing.
_COMMON = " -./_"


@cache
def functions_sql() -> str:
    """Return the statements that make all functions, each after those it calls."""
    return _decimals_sql() + _bare_sql() + (sql_folder() / "functions.sql").read_text(encoding="utf-8")


def create_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions on a connection: temporary, so that they never get into the warehouse or a published file."""
    connection.execute(functions_sql())


def is_function(name: str) -> bool:
    """Tell whether models may call a function of this name."""
    return name.lower() in _bodies()


def write_out(query: exp.Expr) -> exp.Expr:
    """Return a query with every call replaced by what the function stands for; the tree given is changed."""
    from sqlglot import exp  # noqa: PLC0415 - takes a third of a second, and a build has no use for it

    # Children first: a call may stand among the operands of another.
    for call in reversed(list(query.find_all(exp.Anonymous))):
        if is_function(call.name):
            call.replace(write_out(_called(call)))
    return query


def _called(call: exp.Anonymous) -> exp.Expr:
    from sqlglot import exp  # noqa: PLC0415

    names, body = _bodies()[call.name.lower()]
    operands = dict(zip(names, call.expressions, strict=True))
    written = exp.paren(body.copy())
    for column in list(written.find_all(exp.Column)):
        # In brackets: an operand may be a sum, and what stands around it binds more closely.
        column.replace(exp.paren(operands[column.name].copy()))
    return written


@cache
def _bodies() -> dict[str, tuple[list[str], exp.Expr]]:
    """Operands and expression of each function, by its name in lower case."""
    from sqlglot import exp, parse  # noqa: PLC0415

    bodies: dict[str, tuple[list[str], exp.Expr]] = {}
    for statement in parse(functions_sql(), dialect="duckdb"):
        if isinstance(statement, exp.Create):
            signature, body = statement.this, statement.expression
            bodies[signature.this.name.lower()] = ([operand.name for operand in signature.expressions], body)
    return bodies


def _bare_sql() -> str:
    """Write what takes blanks, dashes and separators out of a text, in capitals; many of them nobody sees in a file."""
    blanks_and_dashes = {"Zs", "Zl", "Zp", "Pd", "Cc", "Cf"}
    # Kinds of a character beyond the first plane have other lengths elsewhere; none of them is on a keyboard.
    listed = "".join(chr(n) for n in range(1, 0x10000) if unicodedata.category(chr(n)) in blanks_and_dashes)
    # A minus sign and a hyphen bullet are no dashes to Unicode; the rest is what people put between digits.
    every = f"{listed}\u2212\u2043./_"
    plain = f"LTRIM(UPPER(number), '{ascii_uppercase}{digits}{_COMMON}') = ''"
    # DuckDB reads such a list anew for every text, which takes 8 microseconds: most numbers have the common ones alone.
    # UPPER stands around the CASE: DuckDB works out once what is called five times over, but for a CASE.
    return (
        "CREATE OR REPLACE TEMPORARY MACRO bare_number(number) AS UPPER("
        f"CASE WHEN {plain} THEN TRANSLATE(number, '{_COMMON}', '') ELSE TRANSLATE(number, '{every}', '') END);\n"
    )


def _decimals_sql() -> str:
    """Write the minor units of all currencies as a function: a join in each sentence would cost more than a CASE."""
    by_decimals: dict[int, list[str]] = {}
    for currency, decimals in sorted(minor_unit_table().items()):
        if decimals != USUAL_DECIMALS:
            by_decimals.setdefault(decimals, []).append(currency)
    # No IN: DuckDB makes a join of each long list, and one model calls this dozens of times. rec.control_accounts took
    # 0.4 s and half a gigabyte for a hundred rows. The blanks keep a part of a code from being found.
    cases = " ".join(
        f"WHEN STRPOS(' {' '.join(listed)} ', ' ' || currency || ' ') > 0 THEN {n}"
        for n, listed in sorted(by_decimals.items())
    )
    return f"CREATE OR REPLACE TEMPORARY MACRO currency_decimals(currency) AS CASE {cases} ELSE {USUAL_DECIMALS} END;\n"
