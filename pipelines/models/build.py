"""Builds the models, each after those it reads: tables, and tables that keep rows of before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import structlog

from pipelines.core.errors import ModelError
from pipelines.core.table_ref import TableRef, quote
from pipelines.models.duck import create_statement, fault_of, plain_words
from pipelines.models.functions import create_functions
from pipelines.models.merge import merge
from pipelines.models.model import Model
from pipelines.models.stale import forget, note
from pipelines.stores.memory import threads_to_build
from pipelines.stores.rows import number_of
from pipelines.stores.warehouse import transaction

Report = Callable[[str, int, int], None]

_log = structlog.get_logger(__name__)

_MOST_LANES = 2


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
    """Build the verified models of these schemas, each after those it reads.

    ``only`` names models to build alone, whatever their schema; what they read is taken as it is. ``marks`` say from
    what they are built, which is noted once all are (see ``stale``): killed or failed before, the next run builds them
    again. ``report`` gets the model, how many are done, how many there are. ModelError names model, line, column and
    DuckDB's words. The tables get no comments: people read those of the published file (``pipelines/publish``), and
    they cost a seventh of a build.
    """
    # `only` goes before the schemas: an empty set means that nothing is stale, and builds nothing.
    chosen = [m for m in models if (m.ref in only if only is not None else m.ref.schema in schemas)]
    create_functions(connection)
    with _as_suits(connection) as lanes:
        for schema in sorted({model.ref.schema for model in chosen}):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
        if lanes > 1:
            # Before the first of them: a note of a table that was only half built anew would hide that it is stale.
            forget(connection, [model.ref for model in chosen] if marks else [])
            built = _side_by_side(connection, chosen, lanes, report)
            note(connection, {made.ref: marks[made.ref] for made in built} if marks else {})
        else:
            with transaction(connection):
                built = _in_order(connection, chosen, report)
                note(connection, {made.ref: marks[made.ref] for made in built} if marks else {})
        report("models", len(built), len(chosen))
    for made in built:  # logged once it is committed, so that the log never tells of what did not happen
        if made.note:
            _log.warning("model migrated", model=str(made.ref), note=made.note)
    return tuple(built)


def _in_order(connection: duckdb.DuckDBPyConnection, models: Sequence[Model], report: Report) -> list[BuildResult]:
    built: list[BuildResult] = []
    for model in models:
        report(str(model.ref), len(built), len(models))
        built.append(build_model(connection, model))
    return built


def _side_by_side(
    connection: duckdb.DuckDBPyConnection, models: Sequence[Model], lanes: int, report: Report
) -> list[BuildResult]:
    """Build so many at a time, each in a transaction of its own: only then is it known how large a table has become."""
    waiting = {model.ref: model for model in models}
    built: dict[TableRef, BuildResult] = {}
    running: dict[Future[BuildResult], duckdb.DuckDBPyConnection] = {}
    free = [connection.cursor() for _ in range(lanes)]
    for lane in free:
        create_functions(lane)
    with ThreadPoolExecutor(lanes) as threads:
        while waiting or running:
            missing = {model.ref for model in models}.difference(built)
            ready = [model for model in waiting.values() if missing.isdisjoint(model.reads)]
            for model in ready[: len(free)]:
                report(str(model.ref), len(built), len(models))
                lane = free.pop()
                running[threads.submit(_alone, lane, waiting.pop(model.ref))] = lane
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                free.append(running.pop(done))
                built[done.result().ref] = done.result()
    return [built[model.ref] for model in models]


def _alone(connection: duckdb.DuckDBPyConnection, model: Model) -> BuildResult:
    with transaction(connection):
        return build_model(connection, model)


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
    except duckdb.OutOfMemoryException as error:
        # Behind this DuckDB advises to set what is set already.
        words = plain_words(error).partition(" Possible solutions")[0]
        raise ModelError(
            f"{model.ref} needs more memory than this process may use: {words}",
            next_step="nothing was sent; give it more (MemoryMax= of its service, the limit of its container, "
            "`ulimit`), then do it again.",
        ) from error
    except duckdb.Error as error:
        raise ModelError(
            f"{model.ref} could not be built: {fault_of(model, error)}",
            next_step="nothing was sent; correct the data that the message names. Where it names none, see that the "
            f"disk has room, then go back to the release before and report {model.path}.",
        ) from error
    return BuildResult(model.ref, row_count, kept_count, note)


@contextmanager
def _as_suits(connection: duckdb.DuckDBPyConnection) -> Iterator[int]:
    """Give how many models to build at a time, and let threads write a table in any order.

    Rows have no order but the one a reader asks for, and to keep it takes half more: with a million documents rec took
    36 s instead of 57 on two cores that others used as well. Of two threads one beside the other is better used than
    both for one model: planning is never shared out, and rec as a whole took half more of the processor on two.
    """
    before = number_of(connection.execute("SELECT current_setting('threads')"))
    # A small machine affords one.
    threads = threads_to_build(connection)
    lanes = min(_MOST_LANES, threads)
    # Those that DuckDB starts itself and one: each lane brings its own.
    connection.execute(f"SET threads = {threads - lanes + 1}")
    connection.execute("SET preserve_insertion_order = false")
    try:
        yield lanes
    finally:
        connection.execute("RESET preserve_insertion_order")
        connection.execute(f"SET threads = {before}")
