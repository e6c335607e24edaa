"""The sheets of the workbook with charts: how old open items are, and accruals against actuals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipelines.core.words import decimals
from pipelines.publish.workbook.book import ACCENT, FILL, LINE, QUIET, Book, as_number, is_exact
from pipelines.publish.workbook.table_sheet import FIRST_TAB, Placed

BUCKETS = ("not due", "1-30 days", "31-60 days", "61-90 days", "over 90 days", "no due date")
SIDES: Mapping[str, str] = {"AP": "Payable", "AR": "Receivable"}
MEASURES = ("Estimate to date", "Actual to date", "Accrual posted", "Accrual recomputed", "Difference")
CHARTED = ("Accrual posted", "Accrual recomputed")
COLOURS = ("#1F4E79", "#C55A11")
FIRST_ROW, LABELS = 4, 2
CHART_ROWS, CHART_WIDTH, CHART_HEIGHT = 16, 560, 300
MOST_GROUPS = 15


@dataclass(frozen=True, slots=True)
class Block:
    """A block of sums, each a formula with its value: a row a group, a column a measure.

    ``groups`` are the two labels of a row, ``currencies`` the currency of its amounts.
    """

    title: str
    groups: Sequence[tuple[str, str]]
    currencies: Sequence[str]
    headings: Sequence[str]
    sums: Sequence[Sequence[tuple[str, Decimal]]]


def ageing_block(placed: Placed) -> Block:
    """Add up what is open by side, currency and days overdue, over the sheet Unpaid."""
    found = _add_up(placed, ("Side", "Currency", "Overdue"), ("Open in the ledger",), currency="Currency")
    groups = sorted({(side, currency) for side, currency, _ in found})
    sums = []
    for side, currency in groups:
        where = {"Side": side, "Currency": currency}
        sums.append(
            [
                (
                    _formula(placed, "Open in the ledger", currency, {**where, "Overdue": bucket}),
                    found.get((side, currency, bucket), {}).get("Open in the ledger", Decimal(0)),
                )
                for bucket in BUCKETS
            ]
        )
    labels = [(SIDES.get(side, side), currency) for side, currency in groups]
    return Block("Open in the ledger", labels, [currency for _, currency in groups], BUCKETS, sums)


def accrual_blocks(placed: Placed) -> Iterator[Block]:
    """Add up the newest month of the sheet Accruals v actuals by account, then by voyage: where most differs."""
    for heading in ("Account", "Voyage"):
        found = _add_up(placed, ("Company currency", heading), MEASURES, currency="Company currency")
        for currency in sorted({currency for currency, _ in found}):
            sized = {group: sums for (one, group), sums in found.items() if one == currency}
            ranked = sorted(sized, key=lambda group: (-abs(sized[group]["Difference"]), group))[:MOST_GROUPS]
            yield Block(
                f"{heading}s where most differs, {placed.period:%Y-%m}, {currency}",
                [(group, currency) for group in ranked],
                [currency] * len(ranked),
                MEASURES,
                [
                    [
                        (
                            _formula(placed, name, currency, {"Company currency": currency, heading: group}),
                            sized[group][name],
                        )
                        for name in MEASURES
                    ]
                    for group in ranked
                ],
            )


def _add_up(
    placed: Placed, keys: Sequence[str], measures: Sequence[str], *, currency: str
) -> dict[tuple[str, ...], dict[str, Decimal]]:
    """Return the sums of the measures by the keys, of the amounts that stand as numbers."""
    key_places = [placed.sheet.place(name) for name in keys]
    measure_places = [(name, placed.sheet.place(name)) for name in measures]
    currency_place = placed.sheet.place(currency)
    sums: dict[tuple[str, ...], dict[str, Decimal]] = {}
    for row in placed.addable:
        kept = sums.setdefault(tuple(str(row[place]) for place in key_places), dict.fromkeys(measures, Decimal(0)))
        for name, place in measure_places:
            amount = row[place]
            if isinstance(amount, Decimal) and is_exact(amount, currency=str(row[currency_place])):
                kept[name] += amount
    return sums


def _formula(placed: Placed, measure: str, currency: str, where: Mapping[str, str]) -> str:
    terms = "".join(f",{placed.column(name)},{_criterion(wanted)}" for name, wanted in where.items())
    if placed.period:
        terms += f",{placed.column(placed.sheet.period)},DATE({placed.period.year},{placed.period.month},1)"
    return f"=ROUND(SUMIFS({placed.column(measure)}{terms}),{decimals(currency)})"


def _criterion(text: str) -> str:
    # Doubled quotes, and a tilde before what Excel takes for a wildcard.
    escaped = text.replace("~", "~~").replace("*", "~*").replace("?", "~?").replace('"', '""')
    return f'"={escaped}"'


def write_ageing(book: Book, placed: Placed) -> None:
    """Write the sheet Ageing: a block of sums, and a chart for each of its rows."""
    page = _begin(book, "Ageing", "How old is what is unpaid?", "What is open in the ledger, by days overdue.")
    block = ageing_block(placed) if placed.rows else None
    if block is None or not block.groups:
        page.write_string(FIRST_ROW, 0, "Nothing is open.", book.look(italic=True, font_color=QUIET))
        return
    _write_block(book, page, FIRST_ROW, block)
    page.fit_to_pages(1, 1)
    below = FIRST_ROW + len(block.groups) + 3
    for number, (group, currency) in enumerate(zip(block.groups, block.currencies, strict=True)):
        row = FIRST_ROW + 1 + number
        chart = _chart(book, f"{group[0]}, {currency}", money_axis=currency)
        chart.add_series(
            _series(
                ["Ageing", row, LABELS, row, LABELS + len(BUCKETS) - 1],
                name=["Ageing", FIRST_ROW, 0],
                colour=COLOURS[0],
                categories=["Ageing", FIRST_ROW, LABELS, FIRST_ROW, LABELS + len(BUCKETS) - 1],
            )
        )
        chart.set_legend({"none": True})
        page.insert_chart(
            below + (number // 2) * CHART_ROWS,
            0,
            chart,
            {"x_offset": (number % 2) * (CHART_WIDTH + 20), **_told(block)},
        )


def write_accrual_charts(book: Book, placed: Placed) -> None:
    """Write the sheet Accrual charts: blocks of sums of the newest period, each with its chart."""
    page = _begin(
        book,
        "Accrual charts",
        "Where were the accruals wrong?",
        "Accrual as posted beside estimate less actual as recomputed, in company currency; "
        f"at most {MOST_GROUPS} accounts and voyages, those that differ most.",
    )
    row, breaks = FIRST_ROW, []
    for block in accrual_blocks(placed):
        _write_block(book, page, row, block)
        chart = _chart(book, block.title, money_axis=block.currencies[0])
        last = row + len(block.groups)
        for name, colour in zip(CHARTED, COLOURS, strict=True):
            place = LABELS + MEASURES.index(name)
            chart.add_series(
                _series(
                    ["Accrual charts", row + 1, place, last, place],
                    name=["Accrual charts", row, place],
                    categories=["Accrual charts", row + 1, 0, last, 0],
                    colour=colour,
                )
            )
        chart.set_legend({"position": "bottom"})
        page.insert_chart(last + 2, 0, chart, {**_told(block), "x_scale": 1})
        row = last + 3 + CHART_ROWS
        breaks.append(row)
    page.set_h_pagebreaks(breaks[:-1])
    if row == FIRST_ROW:
        page.write_string(FIRST_ROW, 0, "There is nothing to show.", book.look(italic=True, font_color=QUIET))


def _begin(book: Book, tab: str, question: str, note: str) -> Any:  # noqa: ANN401 XlsxWriter ships no types
    page = book.file.add_worksheet(tab)
    page.write_string(0, 0, question, book.look(bold=True, font_size=14, font_color=ACCENT))
    page.write_string(1, 0, note, book.look(font_color=QUIET))
    page.write_url(2, 0, f"internal:'{FIRST_TAB}'!A1", book.look(font_color=ACCENT, underline=1), FIRST_TAB)
    page.set_column(0, 0, 22)
    page.set_column(1, 1, 10)
    page.set_column(2, 8, 19)
    page.freeze_panes(FIRST_ROW - 1, 0)
    page.hide_gridlines(2)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.set_footer("&L&8Springline: &A&R&8Page &P of &N")
    return page


def _write_block(book: Book, page: Any, row: int, block: Block) -> None:  # noqa: ANN401 XlsxWriter ships no types
    head = book.look(bold=True, font_color="#FFFFFF", bg_color=ACCENT, align="right", valign="vcenter")
    page.write_string(row, 0, block.title, book.look(bold=True, font_color="#FFFFFF", bg_color=ACCENT))
    page.write_string(row, 1, "Currency", book.look(bold=True, font_color="#FFFFFF", bg_color=ACCENT))
    is_whole = block.headings == BUCKETS
    for place, heading in enumerate([*block.headings, *(["Total"] if is_whole else [])], start=LABELS):
        page.write_string(row, place, heading, head)
    for number, (group, currency, sums) in enumerate(
        zip(block.groups, block.currencies, block.sums, strict=True), start=row + 1
    ):
        page.write_string(number, 0, group[0], book.look(bottom=1, bottom_color=LINE))
        page.write_string(number, 1, currency, book.look(bottom=1, bottom_color=LINE))
        for place, (formula, value) in enumerate(sums, start=LABELS):
            page.write_formula(
                number,
                place,
                formula,
                book.money(currency, bottom=1, bottom_color=LINE),
                as_number(value, currency=currency),
            )
        if is_whole:
            total = as_number(sum((value for _, value in sums), Decimal(0)), currency=currency)
            cells = f"C{number + 1}:{chr(ord('B') + len(sums))}{number + 1}"
            look = book.money(currency, bold=True, bg_color=FILL, bottom=1, bottom_color=LINE)
            page.write_formula(
                number, LABELS + len(sums), f"=ROUND(SUBTOTAL(109,{cells}),{decimals(currency)})", look, total
            )


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


def _told(block: Block) -> dict[str, object]:
    return {"description": f"Chart of the sums above: {block.title}", "object_position": 1}
