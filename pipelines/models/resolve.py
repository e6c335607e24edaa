"""Finds, for every column a model names, the table or step it comes from; what cannot be found is a fault."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from pipelines.core.table_ref import ColumnRef, TableRef
from pipelines.models.model import Columns, ModelFault, nearest
from pipelines.models.syntax import DIALECT, parse_query, place, table_ref, tables

Parents = Mapping[str, tuple[ColumnRef, ...]]

# Clauses in which PostgreSQL too finds a name given in the same SELECT (a subquery replaces QUALIFY there).
_READS_NAMES = (exp.Order, exp.Group, exp.Qualify)


def mapping_schema(known: Mapping[TableRef, Columns]) -> MappingSchema:
    """Tell sqlglot which columns each table has."""
    schema = MappingSchema(dialect=DIALECT, normalize=False)
    for ref, columns in known.items():
        add_table(schema, ref, columns)
    return schema


def add_table(schema: MappingSchema, ref: TableRef, columns: Collection[str]) -> None:
    """Add one table; its types do not matter here."""
    names = dict.fromkeys(columns, "TEXT")
    schema.add_table(exp.table_(ref.name, db=ref.schema), names, dialect=DIALECT, normalize=False, match_depth=False)


@dataclass(slots=True)
class ColumnResolver:
    """Resolves one query against the tables known so far.

    ``path`` and ``sql`` are for messages; ``line`` is where all faults are when the query is made from one line of it.
    """

    path: str
    sql: str
    known: Mapping[TableRef, Columns]
    schema: MappingSchema
    line: int | None = None
    faults: list[ModelFault] = field(default_factory=list)
    _outputs: dict[int, dict[str, frozenset[ColumnRef]]] = field(default_factory=dict)
    _owners: dict[int, Scope] = field(default_factory=dict)

    def resolve(self) -> Parents:
        """Return what each column of the result is computed from; faults are collected."""
        query = parse_query(self.sql)
        if not self._tables_are_known(query):
            return {}  # every column of an unknown table would be one more fault
        try:
            scopes = traverse_scope(self._qualified(query))
        except OptimizeError as error:
            self.faults.append(ModelFault(self.path, self.line or 1, 1, f"{str(error).rstrip('.')}."))
            return {}
        # Three passes: a correlated subquery names tables of the query around it, so every column has its scope first.
        for scope in scopes:
            self._owners.update((id(column), scope) for column in scope.find_all(exp.Column))
        for scope in scopes:
            for column in scope.find_all(exp.Column):
                self._check(column, scope)
        # sqlglot lists inner scopes before those that read them, so what a step gives is known when it is asked for.
        for scope in scopes:
            self._outputs[id(scope)] = self._trace_scope(scope)
        return {name: tuple(sorted(refs)) for name, refs in self._outputs[id(scopes[-1])].items()}

    def _qualified(self, query: exp.Query) -> exp.Query:
        # Aliases are left as they are, so that one that is read beside its own SELECT stays visible.
        return qualify(
            query.copy(),
            dialect=DIALECT,
            schema=self.schema,
            expand_alias_refs=False,
            allow_partial_qualification=True,
            # sqlglot would stop at the first column it does not know; people get all of them at once, see _check.
            validate_qualify_columns=False,
            quote_identifiers=False,
        )

    def _tables_are_known(self, query: exp.Query) -> bool:
        before = len(self.faults)
        for table in tables(query):
            ref = table_ref(table)
            if ref is not None and ref not in self.known:
                self._fault(table, f"there is no table {ref}{nearest(str(ref), map(str, self.known))}.")
        return len(self.faults) == before

    def _check(self, column: exp.Column, scope: Scope) -> None:
        if isinstance(column.this, exp.Star):
            return
        if not column.table:
            self._check_bare(column, scope)
            return
        source = _source(column.table, scope)
        if source is None:
            here = list(scope.selected_sources)
            self._fault(column, f"nothing is called {column.table} here{nearest(column.table, here)}.")
            return
        columns = self._columns(source)
        if column.name not in columns:
            self._fault(column, f"{column.table} has no column {column.name}{nearest(column.name, columns)}.")

    def _check_bare(self, column: exp.Column, scope: Scope) -> None:
        by_source = {name: self._columns(source) for name, (_, source) in scope.selected_sources.items()}
        having = [name for name, columns in by_source.items() if column.name in columns]
        # DuckDB also finds a name that the same SELECT gives; PostgreSQL does so in the clauses of _READS_NAMES alone.
        outputs = scope.expression.named_selects if isinstance(scope.expression, exp.Query) else []
        in_clause = column.find_ancestor(*_READS_NAMES, exp.Select) is not scope.expression
        if len(having) == 1 or (in_clause and column.name in outputs):
            return  # in these clauses sqlglot leaves what could be a source's column or the name of an output as it is
        if having:
            self._fault(column, f"{column.name} is in {' and in '.join(having)}; write which.")
        elif _names(scope.expression, column.name):
            words = "is named in this same SELECT, where PostgreSQL cannot read it; add a step (CTE)."
            self._fault(column, f"{column.name} {words}")
        else:
            available = {name for columns in by_source.values() for name in columns}
            self._fault(column, f"there is no column {column.name} here{nearest(column.name, available)}.")

    def _columns(self, source: exp.Expr | Scope) -> list[str]:
        if isinstance(source, Scope):
            named = source.expression.named_selects if isinstance(source.expression, exp.Query | exp.UDTF) else []
            return list(source.outer_columns or named)
        ref = table_ref(source) if isinstance(source, exp.Table) else None
        return list(self.known.get(ref, {})) if ref else []

    def _trace_scope(self, scope: Scope) -> dict[str, frozenset[ColumnRef]]:
        expression = scope.expression
        if isinstance(expression, exp.SetOperation):
            branches = [self._outputs[id(branch)] for branch in scope.set_operation_scopes]
            # The arms of a UNION meet by position; the first gives the names.
            columns = zip(*(branch.values() for branch in branches), strict=False)
            return dict(zip(branches[0], (frozenset().union(*refs) for refs in columns), strict=False))
        if not isinstance(expression, exp.Select):
            return {}
        return {
            name: self._trace(projection, scope)
            for name, projection in zip(expression.named_selects, expression.selects, strict=True)
        }

    def _trace(self, projection: exp.Expr, scope: Scope) -> frozenset[ColumnRef]:
        found: set[ColumnRef] = set()
        inner = {id(subquery.expression): subquery for subquery in scope.subquery_scopes}
        for node in _value_parts(projection):
            if isinstance(node, exp.Column):
                found |= self._origin(node)
            elif id(node) in inner:  # a scalar subquery: all that it selects is part of the value
                found.update(*self._outputs[id(inner[id(node)])].values())
        return frozenset(found)

    def _origin(self, column: exp.Column) -> frozenset[ColumnRef]:
        scope = self._owners.get(id(column))
        source = _source(column.table, scope) if scope and column.table else None
        if isinstance(source, Scope):
            return self._outputs[id(source)].get(column.name, frozenset())
        ref = table_ref(source) if isinstance(source, exp.Table) else None
        return frozenset({ColumnRef(ref, column.name)}) if ref else frozenset()

    def _fault(self, node: exp.Expr, message: str) -> None:
        line, column = place(node, self.sql) if self.line is None else (self.line, 1)
        self.faults.append(ModelFault(self.path, line, column, message))


def _names(expression: exp.Expr, name: str) -> bool:
    """Tell whether a SELECT gives something a name; a column that is passed on has its own."""
    selects = expression.selects if isinstance(expression, exp.Select) else []
    named = (projection.unalias() for projection in selects if projection.alias_or_name == name)
    return any(not isinstance(value, exp.Column) or value.name != name for value in named)


def _source(name: str, scope: Scope) -> exp.Expr | Scope | None:
    """Find what a table alias stands for, in this SELECT or, for a correlated subquery, in those around it."""
    current: Scope | None = scope
    while current is not None:
        if name in current.selected_sources:
            return current.selected_sources[name][1]
        current = current.parent
    return None


def _value_parts(node: exp.Expr) -> Iterator[exp.Expr]:
    """Walk what a value is computed from; of a nested query yield the query itself and nothing below it.

    The columns that only part or order the rows of an aggregate or a window are left out; a rank is its order.
    """
    yield node
    if isinstance(node, exp.Select | exp.SetOperation):
        return
    for key, child in node.args.items():
        ordered = key == "order" and node.this.find(exp.Column) is not None
        if isinstance(node, exp.Window) and (key == "partition_by" or ordered):
            continue
        if isinstance(node, exp.Order) and node.this is not None and key == "expressions":
            continue
        for part in child if isinstance(child, list) else [child]:
            if isinstance(part, exp.Expr):
                yield from _value_parts(part)
