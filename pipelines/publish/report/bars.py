"""Bar charts as geometry: where each bar of an inline SVG lies, in the units of its view box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

# One series has its names beside the bars, several have them above, where longer names and lower bars find room.
# In this order: room for the names, width of the whole chart, room for the values at its right.
BESIDE, WIDTH, VALUES = 108, 360, 92
NAME_HEIGHT, BAR_HEIGHT, BAR_GAP, GROUP_GAP = 19, 12, 3, 9
# Narrower than this nobody sees a bar.
LEAST_WIDTH = 1.5


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: left edge, top, width, which series it belongs to, and its value in words."""

    x: float
    y: int
    width: float
    series: int
    value: str


@dataclass(frozen=True, slots=True)
class BarGroup:
    """One category: its name and the baseline of that, top and bottom of its axis, and its bars."""

    name: str
    baseline: int
    top: int
    bottom: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class BarChart:
    """A bar chart: groups from top to bottom, the place of zero, and its height."""

    title: str
    summary: str
    series: tuple[str, ...]
    groups: tuple[BarGroup, ...]
    zero: float
    height: int


def bar_chart(
    title: str, *, summary: str, series: Sequence[str], values: Sequence[tuple[str, Sequence[Decimal]]]
) -> BarChart:
    """Lay out horizontal bars, one group a category with one bar a series; ``values`` are amounts of one currency.

    The longest bars span the plot, negative ones lie to the left of zero; a value too small to see still has a bar.
    """
    # As floats: these are places on a page. Amounts are written from their decimals.
    numbers = [float(value) for _, amounts in values for value in amounts]
    # Zero is always in the chart: a bar whose length does not begin there would mislead.
    low, high = min([0.0, *numbers]), max([0.0, *numbers])
    # Names beside the bars need room; above them they need none.
    left = BESIDE if len(series) == 1 else 0
    scale = (WIDTH - VALUES - left) / (high - low) if high > low else 0.0
    zero = left - low * scale
    groups: list[BarGroup] = []
    height = 0
    for name, amounts in values:
        top = height + (0 if left else NAME_HEIGHT)
        bars = tuple(
            _bar(value, zero=zero, scale=scale, y=top + place * (BAR_HEIGHT + BAR_GAP), series=place)
            for place, value in enumerate(amounts)
        )
        bottom = top + len(amounts) * (BAR_HEIGHT + BAR_GAP) - BAR_GAP
        groups.append(BarGroup(name, top + (BAR_HEIGHT - 1 if left else -5), top, bottom, bars))
        height = bottom + GROUP_GAP
    return BarChart(title, summary, tuple(series), tuple(groups), round(zero, 2), max(height - GROUP_GAP, 1))


def _bar(value: Decimal, *, zero: float, scale: float, y: int, series: int) -> Bar:
    length = abs(float(value)) * scale
    width = max(length, LEAST_WIDTH) if value else 0.0
    return Bar(round(zero - width if value < 0 else zero, 2), y, round(width, 2), series, f"{value:,.0f}")


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a strip: its name, how many, left edge and width."""

    name: str
    count: int
    x: float
    width: float


def strip(counts: Sequence[tuple[str, int]]) -> tuple[Segment, ...]:
    """Divide a strip of 100 units among counts; each part is at least half a unit wide, so that it can be seen."""
    total = sum(count for _, count in counts)
    widths = [max(0.5, 100 * count / total) if count else 0.0 for _, count in counts]
    # Those that were made wider are paid for by all.
    shrink = 100 / sum(widths) if total else 0.0
    segments: list[Segment] = []
    x = 0.0
    for (name, count), width in zip(counts, widths, strict=True):
        segments.append(Segment(name, count, round(x, 3), round(width * shrink, 3)))
        x += width * shrink
    return tuple(segments)
