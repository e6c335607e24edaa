"""Builds the models in order, in one transaction: tables, and tables that keep rows of before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import structlog

from pipelines.core.errors import ModelError
from pipelines.core.table_ref import TableRef, quote
from pipelines.models.duck import create_statement, fault_of
from pipelines.models.functions import create_functions
from pipelines.models.merge import merge
from pipelines.models.model import Model
from pipelines.models.stale import note
from pipelines.stores.rows import number_of
from pipelines.stores.warehouse import transaction

Report = Callable[[str, int, int], None]

_log = structlog.get_logger(__name__)

# Staged rows from which more than one thread is used; the bound itself was not measured, only both ends of it.
_WORTH_THREADS = 100_000
_STAGED_ROWS = """
    SELECT coalesce(sum(estimated_size), 0)::BIGINT FROM duckdb_tables()
    WHERE database_name = current_database() AND schema_name IN ('stg_vms', 'stg_ledger')
"""


@dataclass(frozen=True, slots=True)
class BuildResult:
    """One model as built: its rows, how many of them are kept from before, what was migrated."""

    ref: TableRef
    row_count: int
    kept_count: int
    note: str = ""


def build(
    connection: duckdb.DuckDBPyConnection,
    models: Iterable[Model],
    *,
    schemas: Collection[str] = ("map", "post"),
    only: Collection[TableRef] | None = None,
    marks: Mapping[TableRef, str] | None = None,
    report: Report = lambda _what, _done, _total: None,
) -> tuple[BuildResult, ...]:
    """Build the verified models of these schemas in the order given, all of them or none.

    ``only`` names models to build alone, whatever their schema; what they read is taken as it is. ``marks`` say from
    what they are built, which is noted (see ``stale``). ``report`` gets the model, how many are done, how many there
    are. ModelError names model, line, column and DuckDB's words; then nothing has changed. The tables get no comments:
    people read those of the published file (``pipelines/publish``), and they cost a seventh of a build.
    """
    # `only` goes before the schemas: an empty set means that nothing is stale, and builds nothing.
    chosen = [m for m in models if (m.ref in only if only is not None else m.ref.schema in schemas)]
    built: list[BuildResult] = []
    create_functions(connection)
    with _as_suits(connection), transaction(connection):
        for schema in sorted({model.ref.schema for model in chosen}):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
        for model in chosen:
            report(str(model.ref), len(built), len(chosen))
            built.append(build_model(connection, model))
        # In the same transaction: a note of a build that was rolled back would hide that the model is stale.
        note(connection, {made.ref: marks[made.ref] for made in built} if marks else {})
        report("models", len(built), len(chosen))
    for made in built:  # logged once it is committed, so that the log never tells of what did not happen
        if made.note:
            _log.warning("model migrated", model=str(made.ref), note=made.note)
    return tuple(built)


def build_model(connection: duckdb.DuckDBPyConnection, model: Model) -> BuildResult:
    """Build one verified model in the transaction that is open; ModelError when DuckDB cannot.

    The functions that models call are there (``create_functions``).
    """
    kept_count, note = 0, ""
    try:
        if model.keep:
            row_count, kept_count, note = merge(connection, model)
        else:
            row_count = number_of(connection.execute(create_statement(model)))
    except duckdb.Error as error:
        raise ModelError(
            f"{model.ref} could not be built: {fault_of(model, error)}",
            next_step="nothing was changed and nothing was sent; correct the data that the message names. Where it "
            f"names none, see that the disk has room, then go back to the release before and report {model.path}.",
        ) from error
    return BuildResult(model.ref, row_count, kept_count, note)


@contextmanager
def _as_suits(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let all threads write a table: rows have no order but the one a reader asks for, and to keep it takes half more.

    Measured with a million documents: rec in 36 s instead of 57 on two cores that others used as well. A small
    warehouse is built by one thread: a hundred models of a few hundred rows took two thirds of the processor time, most
    of it planning, which is never shared out.
    """
    if number_of(connection.execute(_STAGED_ROWS)) < _WORTH_THREADS:
        connection.execute("SET threads = 1")
    connection.execute("SET preserve_insertion_order = false")
    try:
        yield
    finally:
        connection.execute("RESET preserve_insertion_order")
        connection.execute("RESET threads")
