"""Prints the result of the demonstration: what matters on one screen of 24 lines, or every table."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from shlex import quote
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.core.drawing import draw_table
from pipelines.core.words import plural
from pipelines.demo.left import SANDBOX, SPRINGLINE
from pipelines.questions.who_acts import title_of_rule

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.demo.play import DemoResult

EVERYTHING, EVERYTHING_WIDTH = "everything.txt", 120
# Found as foreseen; what they are about is where both sides do not agree.
BREAKS = "breaks told"
# What each comparison is of, in a table and in a sentence, and the kinds of the outbox that moved it.
_KINDS = {
    "rates": ("exchange rates, by day and pair", "exchange rate", ("rate",)),
    "payments": ("invoices, paid and open", "invoice", ("payment",)),
    "transfers": ("transfers of money in the ledger", "transfer", ()),
    "actuals": ("actuals, by month, voyage, account", "actual", ("actual",)),
    BREAKS: ("open breaks", "break", ()),
}
_MASTER_DATA = ("company", "supplier", "customer", "cost_centre", "project")
# Rules, or reasons to differ, that are named on the one screen; differences that are.
NAMED, SHOWN_DIFFERENCES = 3, 5


def show_demo(result: DemoResult, console: Console) -> None:
    """Print one screen: what moved each way, what is held and what differs on purpose, and three things to look at."""
    for line in _verdict(result, most=SHOWN_DIFFERENCES):
        console.print(line, markup=False, highlight=False)
    console.print()
    console.print(_grid(_facts(result)))
    console.print("\nThree things to look at:")
    console.print(_grid((f"  {command}", why) for command, why in _looks(result)))
    console.print()
    console.print(_grid(_more(result)))


def _grid(rows: Iterable[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for row in rows:
        grid.add_row(*map(escape, row))
    return grid


def keep_everything(result: DemoResult) -> None:
    """Write every table into a file in the demonstration's folder."""
    with (result.folder / EVERYTHING).open("w", encoding="utf-8") as file:
        show_everything(result, Console(file=file, width=EVERYTHING_WIDTH))


def show_everything(result: DemoResult, console: Console) -> None:
    """Print every table, each document that is held, and each thing that differs, with its reason."""
    console.print(_documents(result))
    console.print(_ways_back(result))
    console.print(_stopped(result))
    console.print(_meant(result))
    # Once each: a problem shows in every run until it is put right.
    for problem in dict.fromkeys(problem for run in result.runs for problem in run["problems"]):
        console.print(f"! {problem}", markup=False, highlight=False)
    for line in _verdict(result, most=len(result.differences)):
        console.print(line, markup=False, highlight=False)


def _verdict(result: DemoResult, *, most: int) -> Iterator[str]:
    if not result.differences:
        yield "Both sides agree on everything that was not meant to be held or to differ."
        return
    yield "Both sides do not agree on everything that was not meant to be held or to differ."
    yield from (f"DIFFERENT: {difference}" for difference in result.differences[:most])
    if len(result.differences) > most:
        yield f"… and {len(result.differences) - most:,} more."


def _facts(result: DemoResult) -> Iterator[tuple[str, str]]:
    compared = result.comparison
    vouchers, master = result.sent("voucher"), result.sent(*_MASTER_DATA)
    yield "To the ledger", f"{plural(vouchers, 'voucher')}, {master:,} partners, projects and vessels"
    first = (
        f"{plural(result.sent('acknowledgement'), 'acknowledgement')}, {plural(result.sent('rate'), 'exchange rate')}"
    )
    later = f"{plural(result.sent('payment'), 'payment')} and {plural(result.sent('actual'), 'actual')}"
    yield "To the VMS", f"{first}; {later}, after {result.deeds:,} actions of people in the ledger"
    # A supplier whose bank account has changed is held too, and is no document.
    held = {row["document_no"]: row["rule"] for row in compared.held if row["document_key"] is not None}
    rules = Counter(title_of_rule(row["rule"]) for row in compared.held if row["document_key"] is not None)
    aside = len(compared.rejected)
    yield "Held on purpose", f"{plural(len(held), 'document')} by {plural(len(rules), 'rule')}: {_most(rules)}"
    yield "", f"{aside:,} that cannot be read; {plural(_suppliers(result), 'changed bank account')}"
    whys = Counter(row.why for kind in compared.results for row in kind.intended)
    yield "Meant to differ", f"{plural(sum(whys.values()), 'thing')}, for {len(whys)} reasons: {_most(whys)}"
    agreed = ", ".join(plural(kind.agreed, _KINDS[kind.what][1]) for kind in compared.results if kind.what != BREAKS)
    yield "Agree", f"{plural(sum(line.posted for line in compared.counts), 'document')}, {agreed}"


def _suppliers(result: DemoResult) -> int:
    return len({row["document_no"] for row in result.comparison.held if row["document_key"] is None})


def _most(counted: Counter[str]) -> str:
    """Name what is counted most often."""
    # By name where counts are equal, so that two demonstrations print the same.
    first = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    more = " …" if len(first) > NAMED else ""
    return ", ".join(f"{name} ({number})" for name, number in first[:NAMED]) + more


def _looks(result: DemoResult) -> Iterator[tuple[str, str]]:
    command = _at(result.folder / SPRINGLINE)
    held = sorted(str(row["document_no"]) for row in result.comparison.held if row["document_key"] is not None)
    for number in held[:1]:
        yield f"{command} explain {number}", "why a document is held, and what to do"
    yield f"{command} breaks list", "what differs and needs a person"
    yield _at(result.folder / "published" / "report.html"), "both sides on one page, in a browser"


def _more(result: DemoResult) -> Iterable[tuple[str, str]]:
    command = _at(result.folder / SPRINGLINE)
    return (
        ("Everything else", f"{_at(result.folder / EVERYTHING)} (what --full prints)"),
        ("Both systems", f"{_at(result.folder / SANDBOX)} serves them again, as they were left"),
        ("Another run", f"{command} run --today {result.today} (while they are served)"),
    )


def _at(path: Path) -> str:
    """Write a path as it can be typed from here."""
    return quote(os.path.relpath(path))


def _documents(result: DemoResult) -> Table:
    headings = ("type", "posted", "held", "set aside", "left alone")
    return draw_table(headings, map(astuple, result.comparison.counts), title="What moved")


def _ways_back(result: DemoResult) -> Table:
    title = f"What came back, after {result.deeds} actions of people in the ledger"
    rows = (
        (label, result.sent(*kinds) if kinds else None, kind.agreed, len(kind.intended), len(kind.differences))
        for kind in result.comparison.results
        for label, _, kinds in [_KINDS[kind.what]]
    )
    return draw_table(("what", "moved", "agree", "meant to differ", "differ"), rows, title=title)


def _stopped(result: DemoResult) -> Table:
    held = [(row["document_no"], row["rule"], row["message"]) for row in result.comparison.held]
    # Set aside: no rule has seen it, because it could not even be read.
    rejected = [(str(row["document_no"]), "set aside", row["message"]) for row in result.comparison.rejected]
    return draw_table(("document", "rule", "why, and what to do"), held + rejected, title="What is held, and why")


def _meant(result: DemoResult) -> Table:
    rows = ((row.subject, row.why, row.both) for kind in result.comparison.results for row in kind.intended)
    return draw_table(("what", "why", "on each side"), rows, title="What differs on purpose, and why")
