"""The command line: each command reads its options, calls one function, and prints what that says."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from pipelines.cli import backup, breaks, closing, going_live, query, questions, steering
from pipelines.cli.common import AsJson, Config, err, errors_as_json, operator_name, out, print_json, read_day, utc_now
from pipelines.core.errors import SpringlineError, UsageError

app = typer.Typer(
    name="springline",
    help="Keeps a voyage management system and an accounting system in step.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> NoReturn:
    """Run the command line; an expected failure ends with its message and exit code, a bug with a traceback and 1."""
    try:
        app(standalone_mode=True)
    except SpringlineError as error:
        err.print(str(error), style="red", markup=False, highlight=False)
        sys.exit(error.exit_code)
    sys.exit(0)


@app.command()
def run(
    jobs: Annotated[list[str] | None, typer.Argument(help="Jobs to run; all of them in their order when none.")] = None,
    *,
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")] = False,
    today: Annotated[str | None, typer.Option(help="The accounting day, 2026-11-02; today in Oslo otherwise.")] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Run jobs once: read both systems, map, check, send, acknowledge."""
    from pipelines.batch import run as batch  # noqa: PLC0415
    from pipelines.checks.steps import ready_documents  # noqa: PLC0415
    from pipelines.cli.progress import progress  # noqa: PLC0415
    from pipelines.core import log  # noqa: PLC0415
    from pipelines.core.settings import load_settings  # noqa: PLC0415
    from pipelines.questions import dry_run  # noqa: PLC0415
    from pipelines.step.context import Context  # noqa: PLC0415

    log.configure_logging(stream=sys.stderr)
    shown: list[dict[str, Any]] = []

    def look(context: Context) -> None:
        if is_dry_run:
            shown.extend(dry_run.read_drafts(context, ready=ready_documents(context)))

    with errors_as_json(as_json=as_json):
        settings = load_settings(config, environ=os.environ)
        with progress(err, is_shown=sys.stderr.isatty()) as report:
            result = batch.run_batch(
                settings,
                jobs=batch.chosen_jobs(jobs or []),
                operator=operator_name(os.environ),
                now=utc_now,
                today=None if today is None else read_day(today, option="--today"),
                is_dry_run=is_dry_run,
                report=report,
                look=look,
            )
    if as_json:
        print_json(result.as_dict() | ({"vouchers": shown} if is_dry_run else {}))
    else:
        if is_dry_run:
            dry_run.show_drafts(shown, out)
        batch.show_result(result, out)
    raise typer.Exit(result.exit_code)


@app.command()
def status(*, as_json: AsJson = False, config: Config = None) -> None:
    """Tell what is held and why, what was sent, what is of unknown fate, and the last batches."""
    from pipelines.core.settings import load_settings  # noqa: PLC0415
    from pipelines.questions.status import read_status, show_status  # noqa: PLC0415

    with errors_as_json(as_json=as_json):
        found = read_status(load_settings(config, environ=os.environ), now=utc_now())
    if as_json:
        print_json(found)
    else:
        show_status(found, out)


@app.command()
def check(*, as_json: AsJson = False, config: Config = None) -> None:
    """Check settings, credentials, companies, accounts and dimensions on both sides, one line each."""
    from pipelines.core.settings import load_settings  # noqa: PLC0415
    from pipelines.going_live.check import check_readiness, show_readiness  # noqa: PLC0415

    with errors_as_json(as_json=as_json):
        lines = check_readiness(load_settings(config, environ=os.environ), now=utc_now)
    if as_json:
        print_json({"checks": [line.as_dict() for line in lines]})
    else:
        show_readiness(lines, out)
    raise typer.Exit(max((line.exit_code for line in lines), default=0))


@app.command()
def models(
    name: Annotated[str | None, typer.Argument(help="One model, as post.voucher_lines.")] = None,
    *,
    lineage: Annotated[str | None, typer.Option(help="Show where this column comes from.")] = None,
    dialect: Annotated[str | None, typer.Option(help="Show the model's SQL for postgres or spark.")] = None,
) -> None:
    """List the SQL models, show one, its columns' lineage, or its SQL for another engine."""
    from pipelines.models import show  # noqa: PLC0415
    from pipelines.models.steps import catalog_of_repository  # noqa: PLC0415

    show.show(catalog_of_repository(), out, name=name, lineage=lineage, dialect=dialect)


@app.command()
def sandbox(
    *,
    port: Annotated[int, typer.Option(help="Port on the loopback address; a free one when 0.")] = 0,
    state: Annotated[Path | None, typer.Option(help="SQLite file of its state; a fresh one otherwise.")] = None,
    seed: Annotated[Path | None, typer.Option(help="Folder of the world it begins with; the sample otherwise.")] = None,
) -> None:
    """Serve both systems locally until interrupted; prints the settings to use them, then an empty line."""
    serve = _sandbox_server()
    from pipelines.core.resources import sample_folder  # noqa: PLC0415

    serve(state or Path(tempfile.mkdtemp()) / "sandbox.sqlite", seed=seed or sample_folder(), port=port)


@app.command()
def demo(*, as_json: AsJson = False) -> None:
    """Run both sandboxes and every job once; exit 0 only when both sides agree on all that is not meant to be held."""
    from pipelines import demo as demonstration  # noqa: PLC0415
    from pipelines.core import log  # noqa: PLC0415

    _sandbox_server()
    log.configure_logging(stream=sys.stderr)
    with errors_as_json(as_json=as_json):
        found = demonstration.run_demo(Path("demo"), environ=os.environ, now=utc_now)
    if as_json:
        print_json(found.as_dict())
    else:
        demonstration.show_demo(found, out)
    raise typer.Exit(found.exit_code)


COMMANDS = (
    steering.hold,
    steering.release,
    steering.ignore,
    steering.retry,
    questions.explain,
    questions.preflight,
    query.query,
    going_live.adopt,
    closing.close,
    backup.backup,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(breaks.app)


def _sandbox_server() -> Callable[..., None]:
    try:
        from pipelines.sandbox.serve import serve  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The sandbox needs the package {error.name}.", next_step="pip install 'springline[sandbox]'."
        ) from error
    return serve


if __name__ == "__main__":
    main()
