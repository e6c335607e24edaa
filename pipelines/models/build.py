"""Builds the models, each after those it reads: tables, and tables that keep rows of before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import NamedTuple

import duckdb
import structlog

from pipelines.core.errors import ModelError
from pipelines.core.table_ref import TableRef, quote
from pipelines.models.duck import create_statement, fault_of, plain_words
from pipelines.models.functions import create_functions
from pipelines.models.merge import merge
from pipelines.models.model import Model
from pipelines.models.moves import create_follow_notes, forget_followed, given_parts, moved_parts, note_followed, shapes
from pipelines.models.noted import Keys
from pipelines.models.parts import SHADOW, Parts, database_of, open_parts, replace_parts, show_parts
from pipelines.models.slices import Slice, build_slices, show_slice, slices_of
from pipelines.models.stale import forget, note
from pipelines.stores.changes import create_changes, note_rows, note_table
from pipelines.stores.memory import little_memory, most_memory, threads_to_build
from pipelines.stores.rows import number_of
from pipelines.stores.warehouse import transaction

Report = Callable[[str, int, int], None]

_log = structlog.get_logger(__name__)

_MOST_LANES = 2


class Lane(NamedTuple):
    """One of the connections that models are built on side by side."""

    connection: duckdb.DuckDBPyConnection
    number: int
    # Bytes that the database may have where a model cannot do with less; None: what it has.
    most_memory: int | None
    # The name of that database, quoted.
    warehouse: str


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
    is_sparing: bool = False,
    report: Report = lambda _what, _done, _total: None,
) -> tuple[BuildResult, ...]:
    """Build the verified models of these schemas, each after those it reads.

    ``only`` names models to build alone, whatever their schema; what they read is taken as it is. ``marks`` say from
    what they are built, which is noted once all are (see ``stale``): killed or failed before, the next run builds them
    again. ``is_sparing`` builds in little memory, and lifts the limit for a model that needs more: for few new rows
    beside a long history, of which DuckDB would keep whatever it has read. ``report`` gets the model, how many are
    done, how many there are. ModelError names model, line, column and DuckDB's words. The tables get no comments:
    people read those of the published file (``pipelines/publish``), and they cost a seventh of a build.
    """
    # `only` goes before the schemas: an empty set means that nothing is stale, and builds nothing.
    catalog = [*models]
    chosen = [m for m in catalog if (m.ref in only if only is not None else m.ref.schema in schemas)]
    create_functions(connection)
    with little_memory(connection) if is_sparing else nullcontext(), _as_suits(connection) as threads:
        for schema in sorted({model.ref.schema for model in chosen}):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
        # Before the first of them: a note of a table that was only half built anew would hide that it is stale.
        with transaction(connection):
            create_changes(connection)
            forget(connection, [model.ref for model in chosen] if marks else [])
            create_follow_notes(connection)
            parts = open_parts(connection, chosen, catalog)
        built = _side_by_side(connection, chosen, parts, threads, report)
        with transaction(connection):
            note(connection, {made.ref: marks[made.ref] for made in built} if marks else {})
            parts.end(connection)
            forget_followed(connection)
        report("models", len(built), len(chosen))
    for made in built:  # logged once it is committed, so that the log never tells of what did not happen
        if made.note:
            _log.warning("model migrated", model=str(made.ref), note=made.note)
    return tuple(built)


def _side_by_side(
    connection: duckdb.DuckDBPyConnection, models: Sequence[Model], parts: Parts, threads: int, report: Report
) -> list[BuildResult]:
    """Build so many at a time, each in a transaction of its own: only then is it known how large a table has become.

    Of several that can be built the one goes first behind which there is most to do. While there is but one it has all
    threads.
    """
    ahead = _ahead(connection, models)
    lanes = busy = min(_MOST_LANES, threads)
    waiting = {model.ref: model for model in sorted(models, key=lambda model: -ahead[model.ref])}
    built: dict[TableRef, BuildResult] = {}
    running: dict[Future[BuildResult], Lane] = {}
    most, warehouse = most_memory(connection), database_of(connection)
    free = [Lane(connection.cursor(), number, most, warehouse) for number in range(lanes)]
    for lane in free:
        create_functions(lane.connection)
    with _without_shadows(connection, lanes), ThreadPoolExecutor(lanes) as pool:
        while waiting or running:
            missing = {model.ref for model in models}.difference(built)
            ready = [model for model in waiting.values() if missing.isdisjoint(model.reads)]
            for model in ready[: len(free)]:
                report(str(model.ref), len(built), len(models))
                lane = free.pop()
                running[pool.submit(_alone, lane, waiting.pop(model.ref), parts)] = lane
            if len(running) != busy:
                busy = len(running)
                _share_threads(connection, threads, busy)
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                free.append(running.pop(done))
                built[done.result().ref] = done.result()
    return [built[model.ref] for model in models]


def _ahead(connection: duckdb.DuckDBPyConnection, models: Sequence[Model]) -> dict[TableRef, int]:
    """Return for each model how many rows it reads at least, with those that the longest way of others behind it reads.

    The models come after those they read. Of a table that is not there yet nothing is known.
    """
    rows = dict(
        connection.execute(
            "SELECT schema_name || '.' || table_name, estimated_size FROM duckdb_tables() "
            "WHERE database_name = current_database()"
        ).fetchall()
    )
    ahead: dict[TableRef, int] = {}
    for model in reversed(models):
        own = 1 + max((rows.get(str(read), 0) for read in model.reads), default=0)
        ahead[model.ref] = way = ahead.get(model.ref, 0) + own
        ahead |= {read: max(ahead.get(read, 0), way) for read in model.reads}
    return ahead


@contextmanager
def _without_shadows(connection: duckdb.DuckDBPyConnection, lanes: int) -> Iterator[None]:
    """Leave nothing attached behind: the warehouse of a watch stays open."""
    try:
        yield
    finally:
        for number in range(lanes):
            connection.execute(f"DETACH DATABASE IF EXISTS {SHADOW}{number}")


def _alone(lane: Lane, model: Model, parts: Parts) -> BuildResult:
    with _told(model):
        try:
            return _made(lane, model, parts)
        except duckdb.OutOfMemoryException:
            if lane.most_memory is None:
                raise
            # Not all that DuckDB does can go to disk. With the next landing it has its share again.
            lane.connection.execute(f"USE {lane.warehouse}")
            lane.connection.execute(f"SET memory_limit = '{lane.most_memory}B'")
            return _made(lane, model, parts)


def _made(lane: Lane, model: Model, parts: Parts) -> BuildResult:
    connection = lane.connection
    keys = moved_parts(connection, model) if model.moves else parts.keys_of(connection, model)
    slices = slices_of(connection, model, parts.columns) if keys is None and model.divided else ()
    if keys:
        columns = shapes(connection, model.reads) if model.moves else parts.columns
        show_parts(connection, model, keys, columns, lane=lane.number)
    if slices:
        show_slice(connection, model, parts.columns, lane=lane.number)
    if model.ref in parts.current:
        return BuildResult(model.ref, replace_parts(connection, model, frozenset(), lane=lane.number), 0)
    with transaction(connection):
        with parts.following(connection, model, keys):
            made = _parts_made(lane, model, keys, slices)
        if model.moves:
            note_followed(connection, model)
        if model.ref not in parts.unchanged:
            _note_changes(connection, model, keys)
        return made


def _parts_made(lane: Lane, model: Model, keys: Keys | None, slices: Sequence[Slice]) -> BuildResult:
    connection, number = lane.connection, lane.number
    if model.keep:
        return BuildResult(model.ref, *merge(connection, model, keys, lane=number))
    if slices:
        return BuildResult(model.ref, build_slices(connection, model, slices, lane=number), 0)
    if keys is None:
        return _whole(connection, model)
    return BuildResult(model.ref, replace_parts(connection, model, keys, lane=number), 0)


def _note_changes(connection: duckdb.DuckDBPyConnection, model: Model, keys: Keys | None) -> None:
    if keys is None:
        note_table(connection, [model.ref])
        return
    # Of what keeps rows, those that came anew have changed as well.
    new = given_parts(connection, model) if model.keep else frozenset()
    note_rows(connection, model.ref, model.part_column, keys | new)


def build_model(connection: duckdb.DuckDBPyConnection, model: Model) -> BuildResult:
    """Build one verified model whole, in the transaction that is open; ModelError when DuckDB cannot.

    The functions that models call are there (``create_functions``).
    """
    with _told(model):
        return _whole(connection, model)


def _whole(connection: duckdb.DuckDBPyConnection, model: Model) -> BuildResult:
    if model.keep:
        return BuildResult(model.ref, *merge(connection, model))
    return BuildResult(model.ref, number_of(connection.execute(create_statement(model))), 0)


@contextmanager
def _told(model: Model) -> Iterator[None]:
    """Tell what DuckDB cannot do as a ModelError."""
    try:
        yield
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


@contextmanager
def _as_suits(connection: duckdb.DuckDBPyConnection) -> Iterator[int]:
    """Give how many threads there are to build with, and let them write a table in any order.

    Rows have no order but the one a reader asks for, and to keep it takes half more: with a million documents rec took
    36 s instead of 57 on two cores that others used as well. Of two threads one beside the other is better used than
    both for one model: planning is never shared out, and rec as a whole took half more of the processor on two.
    """
    before = number_of(connection.execute("SELECT current_setting('threads')"))
    # A small machine affords one.
    threads = threads_to_build(connection)
    _share_threads(connection, threads, _MOST_LANES)
    connection.execute("SET preserve_insertion_order = false")
    try:
        yield threads
    finally:
        connection.execute("RESET preserve_insertion_order")
        connection.execute(f"SET threads = {before}")


def _share_threads(connection: duckdb.DuckDBPyConnection, threads: int, busy: int) -> None:
    """Let so many lanes together have these threads, and one that works alone all of them."""
    # Even this takes memory, of which a lane may need all that there is: then threads stay as they are.
    with suppress(duckdb.OutOfMemoryException):
        # Those that DuckDB starts itself and one: each lane brings its own.
        connection.execute(f"SET threads = {threads - max(min(busy, threads), 1) + 1}")
