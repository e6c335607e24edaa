"""Lands pages: parses, drops what is known already, merges the rest, verifies the counts, removes what has vanished."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from pipelines.contracts.tables import SCHEMAS, create_tables
from pipelines.core.errors import ExtractError
from pipelines.extract.clean import tell_cleaned
from pipelines.extract.readings import Known, Reading, forget_readings
from pipelines.extract.rejected import set_aside_now, settle_rejected
from pipelines.stores.memory import little_memory

if TYPE_CHECKING:
    from pipelines.contracts.contract import Contract
    from pipelines.extract.incoming import Incoming, TableRows
    from pipelines.extract.parse import ParsedPage, RejectedObject
    from pipelines.step.context import Context

# How many objects are compared at a time, and how many new rows go into one merge: both bound the memory. With each so
# many objects, the warehouse puts into its file what it has written, and gives the memory back.
CHUNK = 4_000
LARGEST_MERGE = 120_000
MANY = 20_000
# A time further ahead than any zone's clock is a typing error. A cursor set to it would hide every change until then.
FURTHEST_AHEAD = timedelta(days=1)

_landing_no = itertools.count(1)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReadCounts:
    """What became of the objects of a reading: ``fetched`` = ``landed`` + ``unchanged`` + ``rejected``."""

    fetched: int = 0
    landed: int = 0
    unchanged: int = 0
    rejected: int = 0
    removed: int = 0

    def __add__(self, other: ReadCounts) -> ReadCounts:
        """Add every count."""
        return ReadCounts(*(getattr(self, count.name) + getattr(other, count.name) for count in fields(ReadCounts)))


# A scope is a SQL condition: the staged rows a reading is complete for. Those of them that did not come are deleted.
EVERYTHING = "true"


@dataclass(frozen=True, slots=True)
class LandingResult:
    """A verified landing: its counts, the keys that came (if asked for), those set aside, the newest change seen.

    ``newest`` is naive, in the other side's own time.
    """

    counts: ReadCounts
    keys: frozenset[int]
    rejected_keys: frozenset[int]
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is to be landed of one contract: its pages (JSON arrays), and what they are complete for."""

    contract: Contract
    pages: Iterable[bytes]
    scope: str | None = None
    returns_keys: bool = False


def land(
    ctx: Context, contract: Contract, pages: Iterable[bytes], *, side: str, scope: str | None = None
) -> LandingResult:
    """Land the objects of one contract; see ``land_together``."""
    [landed] = land_together(ctx, [Arrival(contract, pages, scope, returns_keys=True)], side=side)
    return landed


def land_together(ctx: Context, arrivals: Sequence[Arrival], *, side: str) -> list[LandingResult]:
    """Land objects of different contracts in the staging tables of ``side`` in one merge.

    An object whose content is staged already, with all its children, is not touched; when that is true of all, dlt is
    not even imported, and what came byte for byte before is not even parsed. Of an object that comes twice the last one
    counts. Objects that break the contract are set aside in `ctl.rejected`. Killed at any point and run again, nothing
    is doubled and nothing is missing: rows are merged by key, and a parent whose children did not arrive is not
    recognised as known. Raises ExtractError when other rows arrived than were sent.
    """
    with ExitStack() as stack:
        results: dict[int, LandingResult] = {}
        landings: dict[int, _Landing] = {}
        # Taken first, then merged together: each merge starts dlt anew, which takes time whatever it brings.
        for place, arrival in enumerate(arrivals):
            create_tables(ctx.warehouse, arrival.contract, side=side)
            reading = Reading(
                ctx.warehouse,
                arrival.contract,
                arrival.pages,
                schema=SCHEMAS[side],
                scope=arrival.scope,
                returns_keys=arrival.returns_keys,
            )
            set_aside = set_aside_now(ctx, side=side, entity=arrival.contract.entity)
            if known := reading.recognise(set_aside, not_after=_furthest(ctx)):
                results[place] = _known(ctx, arrival, known, side)
            else:
                landings[place] = _begin(ctx, arrival, reading, side, stack)
                _take(ctx, landings[place], side, stack)
        _merge(ctx, [*landings.values()], side)
        settled = {place: _settle(ctx, landing, side) for place, landing in landings.items()}
        return [result for _, result in sorted({**results, **settled}.items())]


@dataclass(slots=True)
class _Landing:
    """One arrival while it lands; ``landed`` counts objects."""

    arrival: Arrival
    reading: Reading
    incoming: Incoming
    rejected: list[RejectedObject] = field(default_factory=list)
    landed: int = 0


def _known(ctx: Context, arrival: Arrival, known: Known, side: str) -> LandingResult:
    """Count a reading that came before, and is staged or set aside as it came."""
    ctx.report(f"{side} {arrival.contract.entity}", known.fetched, 0)
    counts = ReadCounts(known.fetched, unchanged=known.fetched - known.rejected, rejected=known.rejected)
    return LandingResult(counts, frozenset(known.keys), frozenset(known.rejected_keys), known.newest)


def _begin(ctx: Context, arrival: Arrival, reading: Reading, side: str, stack: ExitStack) -> _Landing:
    from pipelines.extract.incoming import Incoming  # noqa: PLC0415 on an idle run all is known, and this needs pyarrow

    incoming = Incoming(ctx.warehouse, arrival.contract, schema=SCHEMAS[side])
    return _Landing(arrival, reading, stack.enter_context(incoming))


def _take(ctx: Context, landing: _Landing, side: str, stack: ExitStack) -> None:
    """Take all pages of one contract, merging in between when very many objects are new."""
    from pipelines.extract.parse import parse_pages  # noqa: PLC0415 as in _begin

    contract, incoming = landing.arrival.contract, landing.incoming
    written = 0
    for parts in _chunks(parse_pages(landing.reading.pages, contract)):
        landing.rejected += [item for part in parts for item in part.rejected]
        incoming.take(parts)
        ctx.report(f"{side} {contract.entity}", incoming.taken + len(landing.rejected), 0)
        if incoming.taken >= MANY and not written:
            written = incoming.taken
            stack.enter_context(little_memory(ctx.warehouse))
        if incoming.waiting >= LARGEST_MERGE:
            _merge(ctx, [landing], side)
            if written and incoming.taken - written >= MANY:
                written = incoming.taken
                # dlt lets a gigabyte come together first, which is kept in memory or spilled, and written at the end.
                ctx.warehouse.execute("CHECKPOINT")


def _settle(ctx: Context, landing: _Landing, side: str) -> LandingResult:
    """Record what was set aside, remove what has vanished, and count."""
    arrival, incoming, rejected = landing.arrival, landing.incoming, landing.rejected
    scope = arrival.scope
    rejected_keys = frozenset(item.key for item in rejected if item.key is not None)
    settle_rejected(
        ctx,
        rejected,
        side=side,
        entity=arrival.contract.entity,
        accepted=incoming.came,
        is_complete=scope == EVERYTHING,
    )
    # An object that broke its contract did come, so it has not vanished: only its new text is set aside.
    removed = incoming.remove_vanished(scope, spared=rejected_keys) if scope else 0
    if landing.landed or removed:
        _log.info("landed", side=side, entity=arrival.contract.entity, landed=landing.landed, removed=removed)
    tell_cleaned(ctx, arrival.contract.entity, incoming.told)
    newest, ahead = incoming.newest(not_after=_furthest(ctx))
    fetched = incoming.taken + len(rejected)
    came = incoming.keys() | rejected_keys if arrival.returns_keys else frozenset[int]()
    brought = Known(fetched, len(rejected), [*came], [*rejected_keys], newest, ahead)
    landing.reading.keep(brought, set_aside_now(ctx, side=side, entity=arrival.contract.entity))
    counts = ReadCounts(fetched, landing.landed, incoming.taken - landing.landed, len(rejected), removed)
    return LandingResult(counts, came, rejected_keys, newest)


def _furthest(ctx: Context) -> datetime:
    return ctx.now().replace(tzinfo=None) + FURTHEST_AHEAD


def _chunks(parts: Iterator[ParsedPage]) -> Iterator[list[ParsedPage]]:
    chunk: list[ParsedPage] = []
    for part in parts:
        chunk.append(part)
        if sum(item.nested.num_rows for item in chunk) >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _merge(ctx: Context, landings: Sequence[_Landing], side: str) -> None:
    """Merge what waits, and count that all of it arrived, before any cursor moves on."""
    full = [landing for landing in landings if landing.incoming.waiting]
    if not full:
        return
    from pipelines.extract.merge import merge  # noqa: PLC0415 dlt takes 1.5 s to import

    schema = SCHEMAS[side]
    # A number for each merge: by it the rows that arrived are counted, and children belong to their parent.
    fetch_id = f"{ctx.batch_id}.{next(_landing_no)}"
    fetched_at = ctx.now().astimezone(UTC).replace(tzinfo=None)
    loads = [(landing, landing.incoming.loads(fetch_id=fetch_id, fetched_at=fetched_at)) for landing in full]
    for landing in full:
        forget_readings(ctx.warehouse, f"{schema}.{landing.arrival.contract.table}")
    if merged := [load for _, own in loads for load in own]:
        path = ctx.settings.warehouse_path
        merge(ctx.warehouse, merged, schema=schema, folder=path.with_name(f".{path.name}.landing"))
        # dlt keeps the frames of who called it, and with them all rows, until garbage is collected some merges later.
        merged.clear()
    while loads:
        _verify(*loads.pop(), schema=schema, fetch_id=fetch_id)


def _verify(landing: _Landing, loads: Sequence[TableRows], *, schema: str, fetch_id: str) -> None:
    """Count that all rows arrived: what dlt reports is not enough, they are counted in the table itself."""
    for load in loads:
        arrived = landing.incoming.count_staged(load.table, fetch_id)
        if arrived != load.rows.num_rows:
            raise ExtractError(
                f"{schema}.{load.table}: {load.rows.num_rows} rows were landed and {arrived} arrived.",
                next_step="run again; if it stays so, move the warehouse file away: the next run rebuilds it from "
                "both systems.",
            )
        landing.landed += load.rows.num_rows if load.is_parent else 0
    landing.incoming.clear()
