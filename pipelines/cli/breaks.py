"""breaks list, accept, reopen, comment and what is not ours: what differs, and what people say to it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.common import AsJson, Config, Reason, answer, out, print_json, session, show_message, utc_now
from pipelines.core.drawing import draw_table
from pipelines.core.errors import UsageError
from pipelines.core.words import amount, moment, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from pipelines.steering.accept_shown import Accepted, Sum
    from pipelines.steering.break_decisions import ListedBreak
    from pipelines.steering.ignored_subjects import IgnoredSubject, SubjectDecision

Named = Annotated[
    str,
    typer.Argument(metavar="BREAK", help="Its number in the list, its subject or its document; no:12 means number 12."),
]
Text = Annotated[str, typer.Option(help="What to keep with it, with your name and the time.")]
Kind = Annotated[str | None, typer.Option(help="Only kinds that begin so, as document or 'payment over paid'.")]
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="BREAK", help="Their numbers, as no:12, subjects or documents; or give --kind."),
]
Company = Annotated[str | None, typer.Option(help="Only those of this company of the VMS.")]
Period = Annotated[str | None, typer.Option(help="Only those of this month, as 2026-10.")]
Yes = Annotated[bool, typer.Option("--yes", help="Accept what is shown without asking, in a script.")]
Full = Annotated[bool, typer.Option("--full", help="Each of them with its message and next step.")]
All = Annotated[bool, typer.Option("--all", help="Also those that are over.")]

app = typer.Typer(
    name="breaks",
    help="List what differs and needs a person; accept or comment.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_(
    *,
    kind: Kind = None,
    company: Company = None,
    period: Period = None,
    is_all: All = False,
    is_full: Full = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Count open breaks by kind; list them.

    The oldest first, of the same day the largest; with --kind those of a kind, with --full all of them.
    """
    from pipelines.questions.break_list import show_breaks  # noqa: PLC0415 a command imports what it runs
    from pipelines.steering.break_decisions import list_breaks  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        rows = list_breaks(started.settings, kind=kind, company=company, period=period, is_all=is_all, now=utc_now)
    if as_json:
        print_json({"breaks": [asdict(row) for row in rows]})
    else:
        show_breaks(rows, out, asked={"kind": kind, "company": company, "period": period}, is_full=is_full or is_all)


@app.command()
def accept(
    names: Names = None,
    *,
    reason: Reason,
    kind: Kind = None,
    company: Company = None,
    period: Period = None,
    is_sure: Yes = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Accept breaks as they are, until their figures move.

    Those that are named, or with --kind all of a kind, after they were shown.
    """
    from pipelines.steering.accept_shown import accept_shown, to_accept  # noqa: PLC0415 a command imports what it runs

    if names and not (kind or company or period):
        _decide("accept", names, words=reason, as_json=as_json, config=config)
        return
    with session(config, as_json=as_json) as started:
        if names or not kind:
            raise UsageError(
                "Which breaks are meant? Name them, or a kind with --kind; --company and --period narrow a kind.",
                next_step="springline breaks list shows names and kinds.",
            )
        shown = to_accept(started.settings, kind=kind, company=company, period=period, now=utc_now)
        if not as_json:
            show_choice(shown, out)
        is_agreed = not shown or is_sure or _ask(len(shown), as_json=as_json)
        result = accept_shown(
            shown if is_agreed else (), settings=started.settings, words=reason, operator=started.operator, now=utc_now
        )
    answer(result, show_accepted, as_json=as_json)


def _ask(count: int, *, as_json: bool) -> bool:
    """Ask whether what is shown is to be accepted; no is the answer of whoever only presses return, or goes away."""
    if as_json or not sys.stdin.isatty():
        raise UsageError(
            "Nothing is accepted: nobody can be asked here.",
            next_step="springline breaks list shows the same breaks; look at them, then run this again with --yes.",
        )
    try:
        what = "this break" if count == 1 else f"these {plural(count, 'break')}"
        return typer.confirm(f"Accept {what}?", default=False)
    except typer.Abort:
        return False


@app.command()
def reopen(name: Named, *, reason: Reason, as_json: AsJson = False, config: Config = None) -> None:
    """Take an acceptance back."""
    _decide("reopen", [name], words=reason, as_json=as_json, config=config)


@app.command()
def comment(name: Named, *, text: Text, as_json: AsJson = False, config: Config = None) -> None:
    """Keep a comment with a break, for the next reader."""
    _decide("comment", [name], words=text, as_json=as_json, config=config)


Subject = Annotated[str, typer.Argument(metavar="KIND", help="project, account, partner or currency.")]
Code = Annotated[str, typer.Argument(metavar="CODE", help="Its code in the ledger.")]
OfCompany = Annotated[str | None, typer.Option("--company", help="Company of the VMS; for projects and accounts.")]


@app.command("ignore-subject")
def ignore_subject(
    subject: Subject,
    code: Code,
    *,
    company: OfCompany = None,
    reason: Reason,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Say once that something is not ours.

    A project, an account, a partner or a currency, by its code. Its open breaks are closed, and none opens while no
    document that Springline sent names it.
    """
    from pipelines.steering import ignored_subjects  # noqa: PLC0415 a command imports what it runs

    _say(ignored_subjects.ignore_subject, subject, code, company, reason=reason, as_json=as_json, config=config)


@app.command("restore-subject")
def restore_subject(
    subject: Subject,
    code: Code,
    *,
    company: OfCompany = None,
    reason: Reason,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Take back that something is not ours."""
    from pipelines.steering import ignored_subjects  # noqa: PLC0415 a command imports what it runs

    _say(ignored_subjects.restore_subject, subject, code, company, reason=reason, as_json=as_json, config=config)


@app.command()
def ignored(
    *,
    is_all: Annotated[bool, typer.Option("--all", help="Also what was taken back.")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """List what is not ours.

    With who said so, and what is left out because of it.
    """
    from pipelines.steering.ignored_subjects import ignored_subjects  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        rows = ignored_subjects(started.settings, is_all=is_all)
    if as_json:
        print_json({"ignored": [asdict(row) for row in rows]})
    else:
        show_ignored(rows, out)


def _say(
    decide: Callable[..., SubjectDecision],
    subject: str,
    code: str,
    company: str | None,
    *,
    reason: str,
    as_json: bool,
    config: Path | None,
) -> None:
    from pipelines.steering.ignored_subjects import subject_of  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        named = subject_of(subject, code, company)
        result = decide(named, settings=started.settings, reason=reason, operator=started.operator, now=utc_now)
    answer(result, show_message, as_json=as_json)


def show_ignored(rows: Sequence[IgnoredSubject], console: Console) -> None:
    """Print what is not ours, one subject after the other."""
    if not rows:
        console.print("Everything is ours: nobody has said otherwise.")
    for row in rows:
        of = f" of company {row.company}" if row.company else ""
        taken_back = f", taken back by {row.ended_by} ({row.end_reason})" if row.until else ""
        said = f"{row.operator}, {moment(row.since)}: {row.reason}{taken_back}"
        console.print(f"{row.subject} {row.code}{of}: {said}", markup=False, highlight=False)
        if row.until is None:
            console.print(f"   {_left_out(row)}", markup=False, highlight=False)


def _left_out(row: IgnoredSubject) -> str:
    if row.sent_document_no is not None:
        return (
            f"Does not count: document {row.sent_document_no}, which Springline sent, names it; its breaks stay open."
        )
    if row.left_out is None:
        return "What is left out is counted by the next run."
    sums = ", ".join(amount(value, currency) for currency, value in row.sums.items())
    return f"{plural(row.left_out, 'difference')} left out{f': {sums}' if sums else ''}."


def _decide(action: str, names: Sequence[str], *, words: str, as_json: bool, config: Path | None) -> None:
    from pipelines.steering.break_decisions import decide  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        results = decide(action, names, settings=started.settings, words=words, operator=started.operator, now=utc_now)
    # Exit code 0 also where nothing new was decided: the message says so, and a script may ask twice.
    if as_json:
        print_json(results[0].as_dict() if len(results) == 1 else {"decisions": [one.as_dict() for one in results]})
        return
    for result in results:
        show_message(result, out)


def show_choice(rows: Sequence[ListedBreak], console: Console) -> None:
    """Print each break that would be accepted, all of them, then their number and sums by kind and currency."""
    from pipelines.steering.accept_shown import sums  # noqa: PLC0415 a command imports what it runs

    if not rows:
        console.print("No break is open there that nobody has accepted.")
        return
    for row in rows:
        _show_break(row, console)
    totals = (
        (one.kind, one.count, *(("no amount known", "") if one.currency is None else _sums(one))) for one in sums(rows)
    )
    console.print(draw_table(("kind", "breaks", "sum", "without signs"), totals))


def _sums(one: Sum) -> tuple[str, str]:
    return amount(one.net, one.currency), amount(one.gross, one.currency)


def show_accepted(result: Accepted, console: Console) -> None:
    """Print how many are accepted, and which of those shown are not, and why."""
    for left in result.left:
        console.print(
            f"no:{left.break_id} ({left.kind}, {left.subject}) {left.why}: not accepted.", markup=False, highlight=False
        )
    count = len(result.accepted)
    what = plural(count, "break is accepted", "breaks are accepted")
    console.print(f"{what}, until the figures move." if count else "Nothing is accepted.")


def _show_break(row: ListedBreak, console: Console) -> None:
    figure = amount(row.amount, row.currency)
    named = (row.kind, row.company, row.document_no or row.subject, row.period, figure)
    console.print(f"no:{row.break_id}: {', '.join(filter(None, named))}", markup=False, highlight=False)
    console.print(f"   {row.message}", markup=False, highlight=False)
