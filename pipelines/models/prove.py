"""Binds every model on empty tables in memory: DuckDB's own verdict, and the type of every column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import duckdb
from sqlglot import exp

from pipelines.core.table_ref import TableRef, quote
from pipelines.models.duck import create_statement, fault_of, plain_words
from pipelines.models.external import create_tables, read_external
from pipelines.models.functions import create_functions
from pipelines.models.model import Columns, Model, ModelFault
from pipelines.models.syntax import DIALECT, parse_query, place

_INEXACT = ("DOUBLE", "FLOAT")


def prove(
    models: Sequence[Model], external: Mapping[TableRef, Columns]
) -> tuple[Mapping[TableRef, Columns], list[ModelFault]]:
    """Create all tables empty, in order; return the types of the models' columns and what DuckDB refuses.

    A DOUBLE or FLOAT anywhere, also in a step (CTE), is a fault: money is decimal from the first byte to the last.
    """
    faults: list[ModelFault] = []
    schemas = sorted({model.ref.schema for model in models})
    with duckdb.connect() as connection:
        create_tables(connection, external)
        create_functions(connection)
        for schema in schemas:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
        failed: set[TableRef] = set()  # with all that stand on them
        for model in models:
            # What stands on a model that failed would fail for the same reason.
            found = list(_bind(connection, model)) if failed.isdisjoint(model.reads) else []
            if found or not failed.isdisjoint(model.reads):
                failed.add(model.ref)
            faults += found
        return read_external(connection, schemas=schemas), faults


def _bind(connection: duckdb.DuckDBPyConnection, model: Model) -> Iterator[ModelFault]:
    try:
        connection.execute(create_statement(model, suffix="WITH NO DATA"))
    except duckdb.Error as error:
        yield fault_of(model, error)
        return
    if model.keep:
        try:
            connection.execute(model.keep_query)
        except duckdb.Error as error:
            yield ModelFault(model.path, model.keep_line, 1, f"keep: {plain_words(error)}")
    yield from _inexact_columns(connection, model)


def _inexact_columns(connection: duckdb.DuckDBPyConnection, model: Model) -> Iterator[ModelFault]:
    # A DOUBLE in a step may be cast back to DECIMAL at the end, with its cents already lost: so each step is described.
    steps = parse_query(model.sql).args.get("with_")
    written: list[str] = []
    for step in steps.expressions if isinstance(steps, exp.With) else ():
        # Each is written once, and takes those before it along: whole queries copied for every step cost seconds.
        written.append(step.sql(DIALECT))
        kind = "WITH RECURSIVE" if steps is not None and steps.args.get("recursive") else "WITH"
        step_name = exp.to_identifier(step.alias).sql(DIALECT)
        relation = connection.sql(f"{kind} {', '.join(written)} SELECT * FROM {step_name} LIMIT 0")  # noqa: S608 the file's own
        for name, data_type in zip(relation.columns, relation.types, strict=True):
            if str(data_type) in _INEXACT:
                yield _inexact(model, place(step, model.sql), f"{step.alias}.{name}", str(data_type))
    for column, made, *_ in connection.execute(f"DESCRIBE {model.ref.quoted}").fetchall():
        if made in _INEXACT:
            yield _inexact(model, (model.column(column).line, 1), column, made)


def _inexact(model: Model, where: tuple[int, int], name: str, data_type: str) -> ModelFault:
    return ModelFault(
        model.path, *where, f"{name} is {data_type}; nothing here is a float: cast its operands to DECIMAL or HUGEINT."
    )
