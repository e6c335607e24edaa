"""A reading that came before byte for byte is not parsed again, unless its bytes may mean something else by now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipelines.contracts.vms import DOCUMENTS
from pipelines.extract import parse, readings
from pipelines.extract.land import EVERYTHING, Arrival, LandingResult, land, land_together
from pipelines.extract.vms import note_posted
from pipelines.wire.pages import Unreadable
from tests.support.landing import make_context, page, vms_document

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.step.context import Context


KEY = 5_200_000


class Parsed:
    """Counts the pages that are parsed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pages = 0
        parse_page = parse.parse_page

        def counted(*given: object) -> parse.ParsedPage:
            self.pages += 1
            return parse_page(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(parse, "parse_page", counted)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Parsed:
    return Parsed(monkeypatch)


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    context = make_context(tmp_path)
    yield context
    context.warehouse.close()
    context.control.close()


def read(ctx: Context, *pages: bytes, scope: str | None = None) -> LandingResult:
    return land(ctx, DOCUMENTS, pages, side="vms", scope=scope)


def status(ctx: Context, number: int) -> str:
    found = ctx.warehouse.execute(f"FROM stg_vms.documents SELECT status_code WHERE document_key = {KEY + number}")
    [(code,)] = found.fetchall()
    return str(code)


def test_a_reading_that_came_before_is_counted_and_not_parsed(ctx: Context, parsed: Parsed) -> None:
    pages = page(vms_document(1), vms_document(2)), page(vms_document(3))
    first, second, third = (read(ctx, *pages) for _ in range(3))
    assert parsed.pages == 2
    assert second == third
    assert (second.counts.fetched, second.counts.unchanged, second.counts.landed) == (3, 3, 0)
    assert second.keys == first.keys == {KEY + 1, KEY + 2, KEY + 3}
    assert second.newest == first.newest


def test_pages_cut_elsewhere_or_complete_for_something_else_are_another_reading(ctx: Context, parsed: Parsed) -> None:
    one, other, both = page(vms_document(1)), page(vms_document(2)), page(vms_document(1), vms_document(2))
    read(ctx, one, other)
    for pages, scope in (((both,), None), ((one, other), EVERYTHING), ((one,), None), ((other, one), None)):
        before = parsed.pages
        read(ctx, *pages, scope=scope)
        assert parsed.pages > before, (pages, scope)


def test_a_reading_without_keys_is_none_with_keys(ctx: Context) -> None:
    # Whoever gets no keys for documents that came would take them for deleted.
    pages = [page(vms_document(1))]
    assert land_together(ctx, [Arrival(DOCUMENTS, pages)], side="vms")[0].keys == frozenset()
    assert land(ctx, DOCUMENTS, pages, side="vms").keys == {KEY + 1}


def test_a_status_of_our_own_makes_the_same_bytes_new(ctx: Context) -> None:
    pages = page(vms_document(1))
    read(ctx, pages)
    note_posted(ctx, [KEY + 1])
    assert read(ctx, pages).counts.landed == 1
    assert status(ctx, 1) == "RFP"


def test_a_change_read_in_between_makes_the_same_bytes_new(ctx: Context) -> None:
    before = page(vms_document(1))
    read(ctx, before)
    read(ctx, page(vms_document(1, remarks="changed", documentNo="2799999")))
    assert read(ctx, before).counts.landed == 1
    number = ctx.warehouse.execute("SELECT document_no FROM stg_vms.documents").fetchall()
    assert number == [("2700001",)]


def test_what_vanished_in_between_makes_the_same_bytes_new(ctx: Context) -> None:
    both = page(vms_document(1), vms_document(2))
    read(ctx, both)
    assert read(ctx, page(vms_document(1)), scope=EVERYTHING).counts.removed == 1
    assert read(ctx, both).counts.landed == 1


def test_what_is_set_aside_stays_so_while_it_comes_as_it_came(ctx: Context, parsed: Parsed) -> None:
    broken = page(vms_document(1, documentDate="no day"), vms_document(2))
    first, second = read(ctx, broken), read(ctx, broken)
    assert (first.counts.rejected, second.counts.rejected) == (1, 1)
    assert second.rejected_keys == {KEY + 1}
    assert (second.counts.unchanged, second.keys) == (1, first.keys)
    assert parsed.pages == 1
    # Once it has come right, the text that was set aside counts as a new one.
    read(ctx, page(vms_document(1)))
    assert ctx.control.one("SELECT count(*) FROM rejected WHERE until IS NULL") == 0
    assert read(ctx, broken).counts.rejected == 1
    assert ctx.control.one("SELECT count(*) FROM rejected WHERE until IS NULL") == 1


def test_the_same_words_in_place_of_another_object_are_another_reading(ctx: Context) -> None:
    words = b"<html>Internal error</html>"
    assert read(ctx, Unreadable(words, key=KEY + 1)).rejected_keys == {KEY + 1}
    assert read(ctx, Unreadable(words, key=KEY + 1)).rejected_keys == {KEY + 1}
    # Not known by its words alone: that object would be missing among those that came, and be taken for deleted.
    assert read(ctx, Unreadable(words, key=KEY + 2)).keys == {KEY + 2}


def test_a_time_too_far_ahead_counts_once_it_is_near(ctx: Context) -> None:
    pages = page(vms_document(1), vms_document(2, modifiedDate="2026-11-05T09:00:00"))
    assert str(read(ctx, pages).newest) == "2026-11-02 08:11:12"
    assert str(read(ctx, pages).newest) == "2026-11-02 08:11:12"
    now = ctx.now() + timedelta(days=3)
    later = replace(ctx, now=lambda: now)
    assert str(read(later, pages).newest) == "2026-11-05 09:00:00"


def test_a_reading_that_failed_is_not_known(ctx: Context) -> None:
    def broken() -> Iterator[bytes]:
        yield page(vms_document(1))
        raise ConnectionError

    with pytest.raises(ConnectionError):
        land(ctx, DOCUMENTS, broken(), side="vms")
    assert read(ctx, page(vms_document(1))).counts.landed == 1


def test_a_large_reading_is_not_kept(ctx: Context, parsed: Parsed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "LARGEST", 100)
    for _ in range(2):
        read(ctx, page(vms_document(1)))
    assert parsed.pages == 2


def test_the_last_readings_of_a_table_are_kept(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "KEPT", 2)
    documents = [vms_document(number) for number in range(3)]
    read(ctx, page(*documents))
    for document in documents:
        assert read(ctx, page(document)).counts.landed == 0
    kept = ctx.warehouse.execute("SELECT table_name, count(*) FROM ctl.readings GROUP BY ALL").fetchall()
    assert kept == [("stg_vms.documents", 2)]
