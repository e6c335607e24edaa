"""Prints the result of the demonstration."""

from __future__ import annotations

from dataclasses import astuple
from shlex import quote
from typing import TYPE_CHECKING

from pipelines.core.drawing import draw_table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from pipelines.demo.play import DemoResult

# What each comparison is of, and the job that moved it.
_KINDS = {
    "rates": ("exchange rates, by day and pair", "rates"),
    "payments": ("invoices, paid and open", "payments"),
    "transfers": ("transfers of money in the ledger", None),
    "actuals": ("actuals, by month, voyage, account", "actuals"),
    "breaks told": ("open breaks", None),
}


def show_demo(result: DemoResult, console: Console) -> None:
    """Print what moved both ways, what is held or differs and why, and where to look next."""
    console.print(_documents(result))
    console.print(_ways_back(result))
    console.print(_stopped(result))
    console.print(_meant(result))
    # Once each: a problem shows in every run until it is put right.
    for problem in dict.fromkeys(problem for run in result.runs for problem in run["problems"]):
        console.print(f"! {problem}", markup=False, highlight=False)
    for difference in result.differences:
        console.print(f"DIFFERENT: {difference}", markup=False)
    agreement = (
        "do not agree" if result.differences else "agree on everything that was not meant to be held or to differ"
    )
    console.print(f"\nBoth sides {agreement}.")
    published = result.folder / "published"
    console.print(
        f"Look next: set -a; . {quote(str(result.folder / 'settings.env'))}; set +a; springline status\n"
        f"In {published}: report.html for a browser, springline.xlsx for accountants, springline.duckdb for analysts:\n"
        'springline query "FROM rec.documents"\n'
        f"The working file is {result.folder}/springline.duckdb, what was sent and why stands in "
        f"{result.folder}/springline.ctl.sqlite;\n"
        f"springline sandbox --state {result.folder}/sandbox.sqlite shows both systems."
    )


def _documents(result: DemoResult) -> Table:
    headings = ("type", "posted", "held", "set aside", "left alone")
    return draw_table(headings, map(astuple, result.comparison.counts), title="What moved")


def _ways_back(result: DemoResult) -> Table:
    title = f"What came back, after {result.deeds} actions of people in the ledger"
    rows = (
        (label, job and result.moved(job), kind.agreed, len(kind.intended), len(kind.differences))
        for kind in result.comparison.results
        for label, job in [_KINDS[kind.what]]
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
