"""How far back changes are read: as long as one may come with an earlier time; and that only what landed counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest

from pipelines.contracts.tables import create_staging_tables
from pipelines.core.errors import Transient
from pipelines.extract import books, ledger, vms
from pipelines.extract.cursors import changes_since, is_whole, note_changes_read
from tests.support.landing import NOW, make_context

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.step.context import Context
    from pipelines.wire.ledger import LedgerClient
    from pipelines.wire.vms import VmsClient

SOURCE = "ledger.suppliers"
OVERLAP = timedelta(minutes=75)
NOON, ONE = datetime.fromisoformat("2026-11-02T12:00:00"), datetime.fromisoformat("2026-11-02T13:00:00")


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    context = make_context(tmp_path)
    yield context
    context.warehouse.close()
    context.control.close()


def read(ctx: Context, newest: datetime | None, *, minutes: int, takes: int = 0) -> datetime | None:
    """Read changes so many minutes from now, of which the newest is this one; give from when on they are read."""
    began = NOW + timedelta(minutes=minutes)
    at_end = replace(ctx, now=lambda: began + timedelta(minutes=takes))
    since = changes_since(at_end, SOURCE, overlap=OVERLAP)
    note_changes_read(at_end, SOURCE, newest, began=began, overlap=OVERLAP)
    return since


def test_the_first_reading_is_of_everything(ctx: Context) -> None:
    assert read(ctx, NOON, minutes=0) is None


def test_what_may_still_come_is_read_over(ctx: Context) -> None:
    read(ctx, NOON, minutes=0)
    assert [read(ctx, NOON, minutes=minutes) for minutes in (1, 60, 75)] == [NOON - OVERLAP] * 3


def test_the_overlap_is_read_once_more_when_it_is_over(ctx: Context) -> None:
    read(ctx, NOON, minutes=0)
    assert read(ctx, NOON, minutes=76) == NOON - OVERLAP
    assert read(ctx, NOON, minutes=77) == NOON
    assert read(ctx, None, minutes=78) == NOON


def test_a_newer_change_opens_the_overlap_again(ctx: Context) -> None:
    read(ctx, NOON, minutes=0)
    read(ctx, NOON, minutes=76)
    assert read(ctx, ONE, minutes=77) == NOON
    assert read(ctx, ONE, minutes=78) == ONE - OVERLAP
    assert read(ctx, ONE, minutes=200) == ONE - OVERLAP
    assert read(ctx, ONE, minutes=201) == ONE


def test_a_reading_that_began_before_its_end_settles_nothing(ctx: Context) -> None:
    read(ctx, NOON, minutes=0)
    read(ctx, NOON, minutes=70, takes=30)
    assert read(ctx, NOON, minutes=101) == NOON - OVERLAP


def test_an_older_time_moves_nothing_back(ctx: Context) -> None:
    read(ctx, ONE, minutes=0)
    read(ctx, NOON, minutes=76)
    assert read(ctx, NOON, minutes=77) == ONE


class Away:
    """Both sides, of which neither answers what is to be landed; only the ledger says where its changes end."""

    def pages(self, *_: object, **__: object) -> Iterator[bytes]:
        raise Transient("no answer")

    def read(self, readings: Sequence[object]) -> list[Iterator[bytes]]:
        # As the client does: the first pages of all come in one request.
        return [self.pages() for _ in readings]

    def begun(self, readings: Sequence[Iterator[bytes]]) -> Iterator[Iterator[bytes]]:
        return iter(readings)

    def newest_changes(self, connections: Sequence[str]) -> dict[str, str]:
        return dict.fromkeys(connections, "7")

    changes = pages


@pytest.mark.parametrize(
    "extract",
    [
        vms.extract_documents, vms.extract_partners, vms.extract_vessels, vms.extract_voyages,
        ledger.extract_master_data, books.extract_books,
    ],
)  # fmt: skip
def test_what_did_not_land_counts_as_not_read(ctx: Context, extract: Callable[[Context], object]) -> None:
    create_staging_tables(ctx.warehouse)
    away = Away()
    with pytest.raises(Transient):
        extract(replace(ctx, vms=cast("VmsClient", away), ledger=cast("LedgerClient", away)))
    assert [row["source"] for row in ctx.control.read("SELECT source FROM cursors")] == []
    assert not is_whole(ctx, books.BOOKS)
