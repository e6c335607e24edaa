"""Prints the result of the demonstration."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

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
    table = Table("type", "posted", "held", "set aside", "left alone", title="What moved", title_justify="left")
    for line in result.comparison.counts:
        table.add_row(line.document_type, *map(str, (line.posted, line.held, line.set_aside, line.left_alone)))
    return table


def _ways_back(result: DemoResult) -> Table:
    title = f"What came back, after {result.deeds} actions of people in the ledger"
    table = Table("what", "moved", "agree", "meant to differ", "differ", title=title, title_justify="left")
    for kind in result.comparison.results:
        label, job = _KINDS[kind.what]
        moved = "" if job is None else str(result.moved(job))
        table.add_row(label, moved, *map(str, (kind.agreed, len(kind.intended), len(kind.differences))))
    return table


def _stopped(result: DemoResult) -> Table:
    table = Table("document", "rule", "why, and what to do", title="What is held, and why", title_justify="left")
    rejected = ({**row, "rule": "set aside"} for row in result.comparison.rejected)
    for row in (*result.comparison.held, *rejected):
        table.add_row(escape(str(row["document_no"])), row["rule"], escape(row["message"]))
    return table


def _meant(result: DemoResult) -> Table:
    table = Table("what", "why", "on each side", title="What differs on purpose, and why", title_justify="left")
    for kind in result.comparison.results:
        for row in kind.intended:
            table.add_row(escape(row.subject), row.why, escape(row.both))
    return table
