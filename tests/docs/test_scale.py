"""The arithmetic of docs/scale.md follows from the figures that stand above it, and they from what others say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "scale.md").read_text("utf-8")
SCHEDULE = (DOCS / "how-to" / "schedule.md").read_text("utf-8")
DAY, TENANTS, MONTH = 86_400, (1, 10, 300, 1_000), 31


def cells(begin: str) -> list[str]:
    """Return the cells of the one row of the page whose first begins so."""
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| {begin}")]
    return [cell.strip() for cell in row.strip("|").split("|")]


def number(text: str) -> float:
    found = re.search(r"[\d,]+(?:\.\d+)?", text)
    assert found, text
    return float(found[0].replace(",", ""))


IDLE, POSTING, EVERYTHING = (
    number(cells(begin)[1])
    for begin in ("`run documents publish`, nothing", "the same with one", "`run`, all jobs, nothing")
)


def per_day(row: list[str]) -> float:
    """Return the seconds of processor a day and tenant of a row: ticks of documents, and of all jobs."""
    ticks = [float(text.replace(",", "")) for text in re.findall(r"[\d,.]+", row[1])]
    return ticks[0] * IDLE + sum(ticks[1:]) * EVERYTHING


@pytest.mark.parametrize("begin", ["documents every 10 seconds", "documents every 10 minutes", "webhooks, and a net"])
def test_cores_follow_from_what_a_tick_takes(begin: str) -> None:
    row = cells(begin)
    for tenants, told in zip(TENANTS, row[2:], strict=True):
        decimals = len(told.partition(".")[2])
        assert round(tenants * per_day(row) / DAY, decimals) == number(told), (tenants, told)


def test_cores_of_dagster_follow_from_its_runs() -> None:
    each = number(cells("Dagster itself, for a run")[1])
    for begin, day in (
        ("Dagster itself, every 10", "documents every 10 minutes"),
        ("Dagster itself, with a net", "webhooks"),
    ):
        row = cells(begin)
        ticks = sum(float(text) for text in re.findall(r"[\d.]+", cells(day)[1]))
        assert number(row[1]) == ticks
        for tenants, told in zip(TENANTS, row[2:], strict=True):
            assert round(tenants * ticks * each / DAY, len(told.partition(".")[2])) == number(told), (tenants, told)
    assert f"under Dagster 300 x {IDLE + each:.2f} s, eight minutes" in PAGE
    assert round(300 * (IDLE + each) / 2 / 60) == 8


def test_ticks_with_a_document_are_on_top() -> None:
    row = cells("of 20 ticks a day")
    for tenants, told in zip(TENANTS, row[2:], strict=True):
        decimals = len(told.partition(".")[2])
        assert round(tenants * 20 * (POSTING - IDLE) / DAY, decimals) == number(told), (tenants, told)


def test_ticks_a_day_are_those_of_the_schedule() -> None:
    [runs] = re.findall(r"(\d+) runs of everything", SCHEDULE)
    assert f"and {int(runs) / MONTH:.1f} ticks" in PAGE


def test_requests_are_those_of_the_schedule() -> None:
    [month] = re.findall(r"That is ([\d,]+) of the 5,000", SCHEDULE)
    assert f"the schedule below asks {month}" in PAGE
    assert f"{month} a month and tenant" in PAGE
    assert f"{300 * int(month.replace(',', '')):,} for 300" in PAGE
    left = (5_000 - int(month.replace(",", ""))) // int(number(cells("the same with one")[4]))
    assert f"That leaves {left} such batches, {left // 23} a working day" in PAGE
    vms = [int(number(cells(begin)[3])) for begin in ("`run documents publish`, nothing", "`run`, all jobs, nothing")]
    a_day = 144 * vms[0] + 12.1 * vms[1]
    assert f"{round(a_day, -1):.0f} a day and tenant" in PAGE
    assert f"{300 * a_day / DAY:.1f} a second for 300" in PAGE


def test_two_cores_end_where_the_page_says() -> None:
    assert f"{int(2 * 10 / IDLE)} tenants on two cores" in PAGE


def test_storage_follows_from_what_a_tenant_keeps() -> None:
    control, warehouse, published = (
        number(cells(begin)[2]) for begin in ("control store, file", "warehouse, on each", "published")
    )
    sizes = [round(300 * size / 1_000) for size in (control, warehouse, published)]
    assert (
        f"{sizes[0]} GB of control stores, and on each machine that runs them {sizes[1]} GB of warehouses "
        f"and {sizes[2]} GB" in PAGE
    )
    assert f"a document takes {control / 10:.1f} kB" in PAGE
