"""run, status: what happens every day, by itself or by hand."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.common import (
    AsJson,
    Config,
    Tenants,
    Today,
    err,
    errors_as_json,
    out,
    print_json,
    read_today,
    session,
    utc_now,
)
from pipelines.cli.voice import voice
from pipelines.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from pipelines.batch.run import BatchResult
    from pipelines.cli.common import Session
    from pipelines.step.context import Context
    from pipelines.step.step import Job


def _job_names() -> list[str]:
    from pipelines.batch.jobs import JOBS  # noqa: PLC0415 only a shell that completes a word asks

    return [*JOBS]


Jobs = Annotated[
    list[str] | None,
    typer.Argument(metavar="JOB", help="Jobs to run; all of them in their order when none.", autocompletion=_job_names),
]
Company = Annotated[str | None, typer.Option(help="Only this company of the VMS.")]
Rule = Annotated[str | None, typer.Option(help="Only rules, and kinds of break, that begin so.")]
Who = Annotated[str | None, typer.Option(help="Only what this person acts on, as operations or accounting.")]
Full = Annotated[bool, typer.Option("--full", help="Every document and break, and all that was sent.")]
Follow = Annotated[
    bool, typer.Option("--follow", help="Go on until Ctrl-C: redraw on a terminal, elsewhere a line for each change.")
]
Output = Annotated[
    Path | None,
    typer.Option(
        help="With --dry-run, also write what would be sent and what would be held: .xlsx, .csv or .parquet.",
        dir_okay=False,
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")]
AllDrafts = Annotated[
    bool, typer.Option("--full", help="With --dry-run, every voucher; the first 20 of each type otherwise.")
]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a dry run would send; None where the job that makes vouchers did not come to its end."""

    vouchers: list[dict[str, Any]] | None = None
    changes: list[dict[str, Any]] | None = None
    files: tuple[Path, ...] = ()


def _see(context: Context, output: Path | None) -> _Seen:
    from pipelines.batch.jobs import DOCUMENTS  # noqa: PLC0415 a command imports what it runs
    from pipelines.batch.run import is_job_done  # noqa: PLC0415
    from pipelines.checks.steps import ready_documents  # noqa: PLC0415
    from pipelines.questions import dry_run, dry_run_files, mapping_changes  # noqa: PLC0415

    if not is_job_done(context, DOCUMENTS.name):
        return _Seen()
    # Only what the checks let through: a dry run must not show a voucher that a run would hold.
    ready = ready_documents(context)
    return _Seen(
        dry_run.read_drafts(context, ready=ready),
        mapping_changes.read_mapping_changes(context, ready=ready),
        dry_run_files.write_output(context, output) if output is not None else (),
    )


def _run_beside(started: Session, jobs: Sequence[Job], today: date | None) -> BatchResult | None:
    """Have a running watch carry the run out, as it has everything loaded; None where none runs."""
    from pipelines.batch.run import BatchResult  # noqa: PLC0415 a command imports what it runs
    from pipelines.watch.orders import carry_out_beside  # noqa: PLC0415

    summary = carry_out_beside(
        started.settings,
        jobs=[job.name for job in jobs],
        operator=started.operator,
        today=today,
        now=utc_now,
        begin=started.begin,
        tell=started.tell,
    )
    return None if summary is None else BatchResult.of_dict(summary)


def run(
    jobs: Jobs = None,
    *,
    is_dry_run: DryRun = False,
    output: Output = None,
    is_full: AllDrafts = False,
    today: Today = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Run jobs once: read both systems, map, check, send."""
    from pipelines.batch import run as batch  # noqa: PLC0415 a command imports what it runs
    from pipelines.questions import dry_run, mapping_changes  # noqa: PLC0415

    seen = _Seen()

    # Called while the warehouse is open and nothing has been sent: what a dry run shows is what a run would send.
    def look(context: Context) -> None:
        nonlocal seen
        if is_dry_run:
            seen = _see(context, output)

    with session(config, as_json=as_json) as started:
        if output is not None:
            # Told before a batch of minutes, not after it.
            dry_run.check_output(output, is_dry_run=is_dry_run)
        if is_full and not is_dry_run:
            raise UsageError(
                "--full is for a dry run: it shows every voucher that would be sent.",
                next_step="add --dry-run, or leave --full out.",
            )
        chosen = batch.chosen_jobs(jobs or [])
        # A dry run shows what it has seen, which no other process can hand over: it waits for its turn.
        carried = None if is_dry_run else _run_beside(started, chosen, read_today(today))
        result = carried or started.in_turn(
            lambda: batch.run_batch(
                started.settings,
                jobs=chosen,
                operator=started.operator,
                now=utc_now,
                today=read_today(today),
                is_dry_run=is_dry_run,
                report=started.report,
                begin=started.begin,
                look=look,
            )
        )
    if as_json:
        shown = {"vouchers": seen.vouchers or [], "mapping_changes": seen.changes or []} if is_dry_run else {}
        print_json(result.as_dict() | shown)
    else:
        if is_dry_run:
            dry_run.show_drafts(seen.vouchers, out, is_full=is_full)
            mapping_changes.show_mapping_changes(seen.changes, out, most=None if is_full else dry_run.MOST_OF_KIND)
            for file in seen.files:
                out.print(f"Written to {file}.", markup=False, highlight=False)
        batch.show_result(result, out, is_detailed=voice().is_verbose)
    # The code of the batch, also where everything went through but something is held (14) or differs (16).
    raise typer.Exit(result.exit_code)


def _status_of_tenants(tenants: Path, *, as_json: bool) -> None:
    from pipelines.questions.answers import show_age, write_answer  # noqa: PLC0415 a command imports what it runs
    from pipelines.questions.tenants import ask_tenants, status_of_tenants  # noqa: PLC0415

    with (
        errors_as_json(as_json=as_json),
        ask_tenants(tenants, status_of_tenants(), environ=os.environ) as answer,
    ):
        show_age(answer.age, err, now=utc_now())
        write_answer(answer, "json" if as_json else "table", out, output=None, remarks=err)


def status(
    *,
    company: Company = None,
    rule: Rule = None,
    who: Who = None,
    is_full: Full = False,
    is_following: Follow = False,
    tenants: Tenants = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show what needs a person, and who.

    What is held by rule, which breaks are open, what was set aside or not delivered, and how the last run ended.
    """
    from pipelines.questions.status import Filters, read_status  # noqa: PLC0415 a command imports what it runs
    from pipelines.questions.status_show import show_status  # noqa: PLC0415
    from pipelines.watch.observe.follow import follow  # noqa: PLC0415
    from pipelines.watch.observe.health import Health, read_health  # noqa: PLC0415

    if tenants:
        if company or rule or who or is_full or is_following:
            raise UsageError(
                "With --tenants nothing can be chosen or followed.",
                next_step='ask for the rest: springline query "SELECT …" --tenants, or the status of one tenant.',
            )
        _status_of_tenants(tenants, as_json=as_json)
        return
    with session(config, as_json=as_json) as started:
        settings, filters = started.settings, Filters(company, rule, who)

        def read() -> tuple[Health, dict[str, Any]]:
            # First how it is, which raises nothing; then the rest, whose fault is the command's.
            health = read_health(settings, now=(now := utc_now()))
            return health, read_status(settings, now=now, filters=filters, is_published=is_following)

        def show(health: Health, result: dict[str, Any]) -> None:
            if as_json:
                print_json({"health": health.as_dict(), **result})
            else:
                show_status(result, out, health=health.in_short(), is_full=is_full)

        if is_following:
            follow(settings.control_place, read, show, out, as_json=as_json)
        else:
            show(*read())
