"""The syntax tree of a model: parsing, positions, and what the outermost SELECT gives."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlglot import exp, parse
from sqlglot.errors import ParseError, TokenError
from sqlglot.optimizer.scope import traverse_scope

from pipelines.core.table_ref import TableRef

if TYPE_CHECKING:
    from collections.abc import Iterator

DIALECT = "duckdb"
_COMMENT = re.compile(r"[ \t]*,?[ \t]*--[ \t]*(?P<text>[^\n]*)")
_LINE = re.compile(r"line (?P<line>\d+), col:? (?P<column>\d+)", re.IGNORECASE)


class SyntaxFault(Exception):
    """The text is not one SELECT; line and column count from 1."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        """Say what is wrong, and where."""
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@lru_cache(maxsize=512)
def parse_query(sql: str) -> exp.Query:
    """Parse one SELECT (WITH and UNION included); SyntaxFault for anything else.

    The tree is shared: copy it before changing it.
    """
    try:
        statements = [statement for statement in parse(sql, dialect=DIALECT) if statement is not None]
    except ParseError as error:
        first = error.errors[0]
        near = str(first["highlight"] or "")  # sqlglot counts to its end, editors to its beginning
        message = f"{str(first['description']).rstrip('.')}, near {near!r}."
        raise SyntaxFault(
            message, line=int(first["line"] or 1), column=max(int(first["col"] or 1) - len(near), 0) + 1
        ) from error
    except TokenError as error:
        found = _LINE.search(str(error))
        line, column = (int(found["line"]), int(found["column"])) if found else (1, 1)
        raise SyntaxFault(str(error).split("\n", 1)[0], line=line, column=column) from error
    if len(statements) != 1:
        raise SyntaxFault(f"a model is one SELECT; this file has {len(statements)} statements.")
    if not isinstance(statements[0], exp.Query):
        raise SyntaxFault(f"a model is one SELECT; this is {statements[0].key.upper()}.")
    return statements[0]


def outer_select(query: exp.Query) -> exp.Select | None:
    """Return the SELECT that names the columns: the first one of a UNION."""
    node: exp.Expr = query  # a UNION names its columns in its first arm
    while isinstance(node, exp.SetOperation | exp.Subquery):
        node = node.this
    return node if isinstance(node, exp.Select) else None


def offset(node: exp.Expr) -> int | None:
    """Return where a node begins: the first token below it that has a place, else the one nearest above."""
    # A node made of others has no place of its own in sqlglot; its first token has.
    starts = [start for part in node.walk() if isinstance(start := part.meta.get("start"), int)]
    if starts:
        return min(starts)
    return offset(node.parent) if node.parent is not None else None


def place(node: exp.Expr, sql: str) -> tuple[int, int]:
    """Return line and column of a node, from 1."""
    position = offset(node) or 0
    before = sql[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


def name_end(projection: exp.Expr) -> int | None:
    """Return the offset just behind a projection's name (alias or column)."""
    named = projection.args.get("alias") if isinstance(projection, exp.Alias) else projection.this
    end = named.meta.get("end") if isinstance(named, exp.Identifier) else None
    return end + 1 if isinstance(end, int) else None


def comment_behind(sql: str, position: int) -> str:
    """Return the comment that ends the line, when nothing but a comma stands before it."""
    match = _COMMENT.match(sql, position)
    return match["text"].strip() if match else ""


def tables(query: exp.Query) -> Iterator[exp.Table]:
    """Yield every reference to a real table (names of CTEs are none)."""
    for scope in traverse_scope(query):
        # A CTE of the same name hides a table, so the scope is asked what each name stands for.
        named = {source for source in scope.sources.values() if isinstance(source, exp.Table)}
        yield from (table for table in scope.tables if table in named)


def table_ref(table: exp.Table) -> TableRef | None:
    """Return the name of a table, None unless it is exactly ``schema.name``."""
    if table.catalog or not table.db or not isinstance(table.this, exp.Identifier):
        return None
    return TableRef(table.db, table.name)
