"""The sheets of the workbook with charts: how old open items are, and accruals against actuals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipelines.core.words import decimals
from pipelines.publish.facts import BUCKETS
from pipelines.publish.workbook.book import ACCENT, FILL, LINE, QUIET, Book, as_number
from pipelines.publish.workbook.page import Page
from pipelines.publish.workbook.table_sheet import SheetLayout, criterion

OPEN, OPEN_COMPANY = "Open in the ledger", "Open in company currency"
MEASURES = ("Estimate to date", "Actual to date", "Accrual posted", "Accrual recomputed", "Difference")
# Told apart by people who cannot tell red from green, and in print.
COLOURS = {OPEN_COMPANY: ACCENT, "Accrual posted": ACCENT, "Accrual recomputed": "#C55A11"}
# Two labels stand before the sums: the group and its currency.
FIRST_ROW, LABELS = 4, 2
# A chart covers 16 rows of the usual height.
CHART_ROWS, CHART_WIDTH, CHART_HEIGHT = 16, 560, 300
MOST_GROUPS = 15


@dataclass(frozen=True, slots=True)
class BlockRow:
    """The sums of one group in one currency, each a formula with its value."""

    group: str
    currency: str
    sums: Sequence[tuple[str, Decimal]]


@dataclass(frozen=True, slots=True)
class SumBlock:
    """A block of sums over another sheet: a row a group, a column a measure; ``has_total`` where these add up."""

    title: str
    headings: Sequence[str]
    rows: Sequence[BlockRow]
    has_total: bool = False


def ageing_block(layout: SheetLayout, measure: str = OPEN) -> SumBlock:
    """Add up what is open by side, currency and days overdue, over the sheet Unpaid."""
    kept = layout.sheet.columns[layout.sheet.place(measure)].currency
    sums = layout.add_up(measure, "Side", kept, "Overdue")
    rows = []
    for side, currency in sorted({(side, currency) for side, currency, _ in sums}):
        group = {"Side": side, kept: currency}
        cells = [
            (
                _formula(layout, measure, currency, {**group, "Overdue": bucket}),
                sums.get((side, currency, bucket), Decimal()),
            )
            for bucket in BUCKETS
        ]
        rows.append(BlockRow(side, currency, cells))
    return SumBlock(measure, BUCKETS, rows, has_total=True)


def accrual_blocks(layout: SheetLayout) -> Iterator[SumBlock]:
    """Add up the month of the sheet Accruals v actuals by account, then by voyage: where most differs."""
    # No month, where all are before Excel's first: they stand as text, and nothing adds up over several months.
    if layout.period is None:
        return
    for heading in ("Account", "Voyage"):
        sums = {name: layout.add_up(name, "Company currency", heading) for name in MEASURES}
        # Equal ones by name, so that the same content gives the same bytes.
        ranked = sorted(sums["Difference"], key=lambda key: (-abs(sums["Difference"][key]), key))
        for currency in sorted({currency for currency, _ in ranked}):
            groups = [group for of_currency, group in ranked if of_currency == currency][:MOST_GROUPS]
            rows = []
            for group in groups:
                # By the currency too: companies whose books are in two currencies may share an account.
                where = {"Company currency": currency, heading: group}
                cells = [(_formula(layout, name, currency, where), sums[name][currency, group]) for name in MEASURES]
                rows.append(BlockRow(group, currency, cells))
            yield SumBlock(f"{heading}s where most differs, {layout.period:%Y-%m}, {currency}", MEASURES, rows)


def _formula(layout: SheetLayout, measure: str, currency: str, where: Mapping[str, str]) -> str:
    terms = [layout.column(measure)]
    for heading, text in where.items():
        terms += [layout.column(heading), f'"{criterion(text)}"']
    if layout.period:
        terms += [layout.column(layout.sheet.period), layout.month]
    return f"=ROUND(SUMIFS({','.join(terms)}),{decimals(currency)})"


def write_ageing(book: Book, layout: SheetLayout) -> None:
    """Write the sheet Ageing: sums in company currency with a chart for each of their rows, then by currency."""
    page = _begin(book, "Ageing", "How old is what is unpaid?", "What is open in the ledger, by days overdue.")
    if not layout.rows:
        book.write_nothing(page, FIRST_ROW, "Nothing is open.")
        return
    block = ageing_block(layout, OPEN_COMPANY)
    _write_block(book, page, FIRST_ROW, block)
    page.fit_to_pages(1, 1)
    below, last = FIRST_ROW + len(block.rows) + 3, LABELS + len(BUCKETS) - 1
    _write_block(book, page, below + -(-len(block.rows) // 2) * CHART_ROWS, ageing_block(layout))
    for number, line in enumerate(block.rows):
        row = FIRST_ROW + 1 + number
        chart = _chart(book, f"{line.group}, {line.currency}", money_axis=line.currency)
        chart.add_series(
            _series(
                ["Ageing", row, LABELS, row, last],
                name=["Ageing", FIRST_ROW, 0],
                categories=["Ageing", FIRST_ROW, LABELS, FIRST_ROW, last],
                colour=COLOURS[OPEN_COMPANY],
            )
        )
        chart.set_legend({"none": True})
        # Two charts beside each other.
        place = {"x_offset": (number % 2) * (CHART_WIDTH + 20), **_described(block)}
        page.insert_chart(below + (number // 2) * CHART_ROWS, 0, chart, place)


def write_accrual_charts(book: Book, layout: SheetLayout) -> None:
    """Write the sheet Accrual charts: blocks of sums of its month, each with its chart."""
    tab = "Accrual charts"
    page = _begin(
        book,
        tab,
        "Where were the accruals wrong?",
        "Accrual as posted beside estimate less actual as recomputed, in company currency; "
        f"at most {MOST_GROUPS} accounts and voyages, those that differ most.",
    )
    row, breaks = FIRST_ROW, []
    for block in accrual_blocks(layout):
        _write_block(book, page, row, block)
        chart = _chart(book, block.title, money_axis=block.rows[0].currency)
        last = row + len(block.rows)
        for name in ("Accrual posted", "Accrual recomputed"):
            place = LABELS + MEASURES.index(name)
            chart.add_series(
                _series(
                    [tab, row + 1, place, last, place],
                    name=[tab, row, place],
                    categories=[tab, row + 1, 0, last, 0],
                    colour=COLOURS[name],
                )
            )
        chart.set_legend({"position": "bottom"})
        page.insert_chart(last + 2, 0, chart, {**_described(block), "x_scale": 1})
        row = last + 3 + CHART_ROWS
        breaks.append(row)
    page.set_h_pagebreaks(breaks[:-1])
    if row == FIRST_ROW:
        book.write_nothing(page, FIRST_ROW)


def _begin(book: Book, tab: str, question: str, note: str) -> Page:
    page = book.add_page(tab)
    book.write_top(page, question, note)
    book.set_up(page)
    page.set_column(0, 0, 22)
    page.set_column(1, 1, 10)
    page.set_column(2, 8, 19)
    page.freeze_panes(FIRST_ROW - 1, 0)
    return page


def _write_block(book: Book, page: Page, row: int, block: SumBlock) -> None:
    page.write_string(row, 0, block.title, book.heading())
    # Its own column, since the amounts beneath it have no unit in their format.
    page.write_string(row, 1, "Currency", book.heading())
    for place, heading in enumerate([*block.headings, *(["Total"] if block.has_total else [])], start=LABELS):
        page.write_string(row, place, heading, book.heading(align="right", valign="vcenter"))
    rule = {"bottom": 1, "bottom_color": LINE}
    for number, line in enumerate(block.rows, start=row + 1):
        page.write_string(number, 0, line.group, book.look(**rule))
        page.write_string(number, 1, line.currency, book.look(**rule))
        for place, (formula, value) in enumerate(line.sums, start=LABELS):
            number_value = as_number(value, currency=line.currency)
            page.write_formula(number, place, formula, book.money(line.currency, **rule), number_value)
        if block.has_total:
            total = as_number(sum((value for _, value in line.sums), Decimal()), currency=line.currency)
            # SUBTOTAL leaves out columns and rows that the reader has hidden.
            cells = f"C{number + 1}:{chr(ord('B') + len(line.sums))}{number + 1}"
            formula = f"=ROUND(SUBTOTAL(109,{cells}),{decimals(line.currency)})"
            look = book.money(line.currency, bold=True, bg_color=FILL, **rule)
            page.write_formula(number, LABELS + len(line.sums), formula, look, total)


def _chart(book: Book, title: str, *, money_axis: str) -> Any:  # noqa: ANN401 XlsxWriter ships no types
    chart = book.file.add_chart({"type": "column"})
    chart.set_title({"name": title, "name_font": {"size": 12, "bold": True}, "overlay": False})
    chart.set_size({"width": CHART_WIDTH, "height": CHART_HEIGHT})
    decimals = {"num_format": "#,##0", "major_gridlines": {"visible": True, "line": {"color": LINE}}}
    chart.set_y_axis({**decimals, "name": money_axis, "line": {"none": True}, "num_font": {"color": QUIET}})
    chart.set_x_axis({"num_font": {"color": QUIET}, "label_position": "low"})
    return chart


def _series(values: list[object], *, name: list[object], categories: list[object], colour: str) -> dict[str, object]:
    """Return a series by the places of its cells: sheet, first row and column, last row and column."""
    return {"values": values, "name": name, "categories": categories, "fill": {"color": colour}, "gap": 60}


def _described(block: SumBlock) -> dict[str, object]:
    return {"description": f"Chart of the sums above: {block.title}", "object_position": 1}
