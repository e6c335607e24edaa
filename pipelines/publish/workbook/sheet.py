"""A sheet of the workbook as data: the question it answers, where its rows come from, and its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import duckdb

# A sheet with more rows than a person reads is no use, and a workbook must be written in seconds.
MOST_ROWS = 5_000
# The first year that Excel has dates of.
FIRST_YEAR = 1900

Kind = Literal["text", "words", "date", "month", "time", "count", "money", "rate", "share", "flag"]
Value = object


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """One column: its heading, the SQL expression it shows, and what that is.

    ``currency`` is the heading of the column that holds the currency of an amount; a ``month`` is its first day.
    """

    heading: str
    expression: str
    kind: Kind = "text"
    currency: str = ""

    @property
    def is_totalled(self) -> bool:
        """Tell whether it is an amount that can be added up, currency by currency."""
        return self.kind == "money" and bool(self.currency)


@dataclass(frozen=True)
class Sheet:
    """One question an accountant asks, as data.

    ``source`` names its tables for readers, ``beyond`` where those rows are that find no room (default: there).
    ``rows`` is the text behind FROM (default: the table ``source`` as ``d``),
    ``where`` says which rows are shown, ``order`` which come first: those that matter most. The first column is never
    empty.

    ``measure`` and ``age`` are the headings of the amount and of the days that the first sheet shows. ``alarm`` chooses
    the rows that somebody must look at: a heading and a condition, written as Excel does (`<>agreed`, `>0`, `=` for
    empty); without it, every row. ``call`` names these rows in words. ``by`` is the heading of a column by whose values
    totals are parted, beside their currency. ``period`` is the heading of the month where
    amounts are balances, or stand in several months: those of several months are never added together.
    """

    tab: str
    table: str
    question: str
    note: str
    source: str
    columns: tuple[SheetColumn, ...]
    order: str
    rows: str = ""
    where: str = "TRUE"
    period: str = ""
    by: str = ""
    measure: str = ""
    age: str = ""
    alarm: Sequence[str] = ()
    call: str = ""
    beyond: str = ""

    def place(self, heading: str) -> int:
        """Return the position of a column by its heading."""
        return self._places[heading]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {column.heading: place for place, column in enumerate(self.columns)}

    @cached_property
    def currency_places(self) -> list[int | None]:
        """Return for each column the position of the one that holds its currency, None where it has none."""
        return [self.place(column.currency) if column.currency else None for column in self.columns]

    def currency_of(self, row: Sequence[Value], place: int) -> str | None:
        """Return the currency of the amount at a place of a row, None where it has none."""
        currency_place = self.currency_places[place]
        currency = None if currency_place is None else row[currency_place]
        return None if currency is None else str(currency)

    def currencies_of(self, row: Sequence[Value]) -> list[str | None]:
        """Return for each column the currency of its amount in a row, None where it has none."""
        return [
            None if place is None or (currency := row[place]) is None else str(currency)
            for place in self.currency_places
        ]

    @cached_property
    def measure_column(self) -> SheetColumn:
        """Return the column of the amount that the first sheet shows; KeyError where ``measure`` is empty."""
        return self.columns[self.place(self.measure)]

    def read(
        self, connection: duckdb.DuckDBPyConnection, *, most: int, parameters: Mapping[str, object]
    ) -> tuple[list[tuple[Value, ...]], int]:
        """Return the first ``most`` rows, and how many there are in all."""
        rows = f"FROM {self.rows or f'{self.source} AS d'} WHERE {self.where}"
        columns = ", ".join(column.expression for column in self.columns)
        query = f"SELECT {columns} {rows} ORDER BY {self.order} LIMIT {most}"
        first = connection.execute(query, dict(parameters) or None).fetchall()
        # Only a sheet that is full can have left any off; to count the others again would double their time.
        if len(first) < most:
            return first, len(first)
        query = f"SELECT count(*) FROM (SELECT 1 {rows}) AS every_row"  # noqa: S608 our own words
        every = connection.execute(query, dict(parameters) or None).fetchone()
        return first, every[0] if every else 0

    def alarms(self, row: Sequence[Value]) -> bool:
        """Tell whether somebody must look at a row, by the same condition as the formulas of the first sheet."""
        if not self.alarm:
            return True
        heading, condition = self.alarm
        value = row[self.place(heading)]
        if condition == ">0":
            return isinstance(value, int) and value > 0
        # What COUNTIFS compares is the text in the cell, where a flag stands as yes or no and nothing as empty text.
        text = "yes" if value is True else "no" if value is False else str(value or "")
        return (text == condition.lstrip("<>=")) == condition.startswith("=")

    def month(self, rows: Sequence[Sequence[Value]], day: date) -> date | None:
        """Return the month of rows with balances that is closed on a day, None where amounts are no balances.

        That is the newest that is over; where none is, the newest.
        """
        if not self.period:
            return None
        place = self.place(self.period)
        # A month before Excel's first stands as text in its cell, which no formula finds.
        months = {month for row in rows if isinstance(month := row[place], date) and month.year >= FIRST_YEAR}
        return max((month for month in months if month < day.replace(day=1)), default=max(months, default=None))


def total_lines(sheet: Sheet, rows: Sequence[Sequence[Value]]) -> list[tuple[str, ...]]:
    """Return what has a line of totals, in order: each currency, with ``by`` each value there and currency."""
    places = {sheet.place(column.currency) for column in sheet.columns if column.is_totalled}
    groups = [sheet.place(sheet.by)] if sheet.by else []
    return sorted(
        {
            (*(str(row[group] or "none") for group in groups), str(row[place]))
            for row in rows
            for place in places
            if row[place] is not None
        }
    )
