"""Draws the lines of a voucher for a terminal, for a dry run and for an explanation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.markup import escape
from rich.table import Table

from pipelines.core import words
from pipelines.core.drawing import draw_table

if TYPE_CHECKING:
    from rich.console import Console

# The columns of a line that are shown, with their headings.
_COLUMNS = {
    "tr_item_number": "no",
    "account": "account",
    "subledger_no": "subledger",
    "posting1": "posting\n1",
    "posting2": "posting\n2",
    "posting3": "posting\n3",
    "xgl": "xgl",
    "tax_rule": "tax\nrule",
    "due_date": "due",
    "currency_amount": "amount",
    "amount": "company amount",
    "text": "text",
}
_NARROWEST_TEXT = 10


# What fits eighty columns beside a heading.
_SHORT = {
    "tr_item_number": "no",
    "account": "account",
    "subledger_no": "partner",
    "posting2": "voyage",
    "currency_amount": "amount",
    "amount": "company amount",
    "text": "text",
}


def short_lines(lines: Sequence[Mapping[str, Any]], *, company_currency: str | None, width: int) -> Table:
    """Make a table of a voucher's lines, debit positive, that is at most ``width`` wide where its codes are not wider.

    Figures and codes stand whole; the text is cut at its end, with a sign that it is.
    """
    # The vessel stands in the voyage's place where there is none.
    lines = [{**line, "posting2": line["posting2"] or line["posting1"]} for line in lines]
    headings = {**_SHORT, "currency_amount": str(lines[0]["currency"] or ""), "amount": company_currency or ""}
    cells = {
        name: [_cell(line, name, currency=company_currency if name == "amount" else line["currency"]) for line in lines]
        for name in headings
    }
    # In the company's own currency both amounts are one.
    if headings["amount"] == headings["currency_amount"] and cells["amount"] == cells["currency_amount"]:
        del cells["amount"]
    shown = {name: column for name, column in cells.items() if any(column)}
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    left = width
    for name, column in shown.items():
        if name == "text":
            # The last one: it has what the others have left.
            shown[name] = [
                set_cell_size(text, left - 1).rstrip() + "…" if cell_len(text) > left else text for text in column
            ]
        table.add_column(headings[name], justify="right" if name.endswith("amount") else "left", no_wrap=True)
        left = max(left - max(map(cell_len, (headings[name], *column))) - 2, _NARROWEST_TEXT)
    for row in zip(*shown.values(), strict=True):
        table.add_row(*map(escape, row))
    return table


def show_lines(lines: Sequence[Mapping[str, Any]], console: Console, *, company_currency: str | None) -> None:
    """Print a voucher's lines as a table, and below it where its accounts come from and what mapping files changed."""
    # Not cropped: in a narrow terminal text is folded, never cut off.
    console.print(_lines_table(lines, company_currency=company_currency), crop=False)
    for remark in _remarks(lines):
        console.print(remark, markup=False, highlight=False)


def _lines_table(lines: Sequence[Mapping[str, Any]], *, company_currency: str | None) -> Table:
    """Make the table of one voucher's lines, debit positive; a column that no line has a value in is left out."""
    cells = {
        name: [_cell(line, name, currency=company_currency if name == "amount" else line["currency"]) for line in lines]
        for name in _COLUMNS
    }
    # Twelve columns do not fit a narrow terminal.
    shown = {name: column for name, column in cells.items() if any(column)}
    return draw_table((_COLUMNS[name] for name in shown), zip(*shown.values(), strict=True), look=box.SIMPLE)


def _remarks(lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say where the control accounts of a voucher stand, each once, and which mapping files have filled each line."""
    # A frozen payload is what was sent, and that has neither sources nor rules.
    sources = dict.fromkeys(
        f"{line['account']} from {line['account_source']}"
        for line in lines
        if line.get("line_kind") == "control" and line.get("account_source")
    )
    if sources:
        yield f"Control account {', '.join(sources)}."
    yield from (f"Line {line['tr_item_number']}, {rules}." for line in lines if (rules := line.get("mapping_rules")))


def _cell(line: Mapping[str, Any], name: str, *, currency: str | None) -> str:
    value = line[name]
    if value is None:
        return ""
    # In a frozen payload an amount is the text that was sent.
    return words.number(Decimal(str(value)), currency) if name.endswith("amount") else words.value(value)
