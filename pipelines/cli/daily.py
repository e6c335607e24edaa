"""run, status: what happens every day, by itself or by hand."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pipelines.cli.common import AsJson, Config, Today, out, print_json, read_today, session, utc_now

Jobs = Annotated[list[str] | None, typer.Argument(help="Jobs to run; all of them in their order when none.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")]


def run(
    jobs: Jobs = None,
    *,
    is_dry_run: DryRun = False,
    today: Today = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Run jobs once: read both systems, map, check, send."""
    from pipelines.batch import run as batch  # noqa: PLC0415 a command imports what it runs
    from pipelines.checks.steps import ready_documents  # noqa: PLC0415
    from pipelines.questions import dry_run, mapping_changes  # noqa: PLC0415
    from pipelines.step.context import Context  # noqa: PLC0415

    shown: list[dict[str, Any]] = []
    touched: list[dict[str, Any]] | None = None

    # Called while the warehouse is open and nothing has been sent: what a dry run shows is what a run would send.
    def look(context: Context) -> None:
        nonlocal touched
        if is_dry_run:
            # Only what the checks let through: a dry run must not show a voucher that a run would hold.
            ready = ready_documents(context)
            shown.extend(dry_run.read_drafts(context, ready=ready))
            touched = mapping_changes.read_mapping_changes(context, ready=ready)

    with session(config, as_json=as_json) as started:
        result = batch.run_batch(
            started.settings,
            jobs=batch.chosen_jobs(jobs or []),
            operator=started.operator,
            now=utc_now,
            today=read_today(today),
            is_dry_run=is_dry_run,
            report=started.report,
            look=look,
        )
    if as_json:
        print_json(result.as_dict() | ({"vouchers": shown, "mapping_changes": touched or []} if is_dry_run else {}))
    else:
        if is_dry_run:
            dry_run.show_drafts(shown, out)
            mapping_changes.show_mapping_changes(touched, out)
        batch.show_result(result, out, is_dry_run=is_dry_run)
    # The code of the batch, also where everything went through but something is held (14) or differs (16).
    raise typer.Exit(result.exit_code)


def status(*, as_json: AsJson = False, config: Config = None) -> None:
    """Show what is held, sent or unknown, and the last batches."""
    from pipelines.questions.status import read_status, show_status  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        result = read_status(started.settings, now=utc_now())
    if as_json:
        print_json(result)
    else:
        show_status(result, out)
