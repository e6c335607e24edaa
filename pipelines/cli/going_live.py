"""init, check, adopt, sandbox, demo: what comes before the first real run."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import (
    AsJson,
    Config,
    answer,
    err,
    errors_as_json,
    out,
    print_json,
    read_day,
    session,
    show_message,
    shows_lines,
    utc_now,
)  # fmt: skip
from pipelines.cli.voice import voice
from pipelines.core.errors import SettingsError, UsageError

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write; this folder when left out.")]
Before = Annotated[str, typer.Option(help="The first day Springline posts for: documents dated earlier are looked at.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be adopted and held; write nothing.")]
Acknowledge = Annotated[bool, typer.Option("--acknowledge", help="Set what is adopted to posted in the VMS.")]
Port = Annotated[int, typer.Option(help="Port on the loopback address; a free one when 0.", min=0, max=65535)]
State = Annotated[Path | None, typer.Option(help="SQLite file of its state; a fresh one otherwise.")]
Full = Annotated[bool, typer.Option("--full", help="Show every table, not one screen.")]
Seed = Annotated[
    Path | None,
    typer.Option(help="Folder of the world it begins with; the sample otherwise.", exists=True, file_okay=False),
]


def init(folder: Folder = Path(), *, as_json: AsJson = False) -> None:
    """Write a springline.toml to fill in, and its schema.

    Every setting stands in it with meaning, unit, limits and default. No file is ever written over.
    """
    from pipelines.going_live.init import write_settings_files  # noqa: PLC0415 a command imports what it runs

    # No session: there are no settings yet.
    with errors_as_json(as_json=as_json):
        result = write_settings_files(folder)
    answer(result, show_message, as_json=as_json)


def check(*, as_json: AsJson = False, config: Config = None) -> None:
    """Check settings, sign-in, companies and accounts.

    One line for each thing that has to be right on both sides, with what to do where it is not.
    """
    from pipelines.going_live.check import check_readiness, show_readiness  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        lines = check_readiness(started.settings, now=utc_now)
    if as_json:
        print_json({"checks": [line.as_dict() for line in lines]})
    else:
        show_readiness(lines, out)
    # The highest code of all lines: a script sees at once that something is wrong, a person which lines are.
    raise typer.Exit(max((line.exit_code for line in lines), default=0))


def adopt(
    *,
    before: Before,
    dry_run: DryRun = False,
    acknowledge: Acknowledge = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Take over what people posted by hand; hold the rest.

    Documents that are ready for posting are looked for in the ledger's books, so that none is posted a second time.
    """
    from pipelines.going_live.adopt import run_adopt, show_adoption  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        result = started.in_turn(
            lambda: run_adopt(
                started.settings,
                before=read_day(before, option="--before"),
                operator=started.operator,
                now=utc_now,
                is_dry_run=dry_run,
                is_acknowledged=acknowledge,
                report=started.report,
                begin=started.begin,
            )
        )
    answer(result, show_adoption, as_json=as_json)
    raise typer.Exit(result.exit_code)


def sandbox(*, port: Port = 0, state: State = None, seed: Seed = None) -> None:
    """Serve stand-ins of both systems until interrupted.

    Prints the settings with which to use them, then an empty line.
    """
    serve = _sandbox_server()
    from pipelines.core.resources import sample_folder  # noqa: PLC0415
    from pipelines.sandbox.ledger.seed import LedgerSeedError  # noqa: PLC0415
    from pipelines.sandbox.vms.errors import SeedError  # noqa: PLC0415

    # Without --state everything is gone when it ends; a file keeps it, and is served again as it was left.
    with tempfile.TemporaryDirectory(prefix="springline-sandbox-") as gone:
        try:
            serve(state or Path(gone) / "sandbox.sqlite", seed=seed or sample_folder(), port=port)
        except (SeedError, LedgerSeedError) as error:
            raise SettingsError(
                f"The seed cannot be read: {error}.",
                next_step=f"correct that file in {seed or sample_folder()}; without --seed the sample is served.",
            ) from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise UsageError(
                f"Port {port} is in use, perhaps by a sandbox that runs already.",
                next_step="end that one, or leave --port out for a free port.",
            ) from error


def demo(*, is_full: Full = False, as_json: AsJson = False) -> None:
    """Run every job on the sandbox, and compare both sides.

    Ends with 0 only when both sides agree on everything that is not meant to be held.
    """
    from pipelines.cli.progress import progress  # noqa: PLC0415 a command imports what it runs
    from pipelines.core.log import configure_logging  # noqa: PLC0415
    from pipelines.demo.play import run_demo  # noqa: PLC0415
    from pipelines.demo.show import keep_everything, show_demo, show_everything  # noqa: PLC0415

    _sandbox_server()
    # Both stand-ins are on this machine, where no proxy of the network finds them.
    os.environ |= {"no_proxy": "*", "NO_PROXY": "*"}
    # No session: the sandbox gives the settings.
    configure_logging(stream=sys.stderr, is_verbose=voice().is_verbose, is_quiet=voice().is_quiet)
    with errors_as_json(as_json=as_json), progress(err, is_shown=shows_lines()) as lines:
        watcher = lines if shows_lines() else None
        result = run_demo(Path("demo"), environ=os.environ, now=utc_now, watcher=watcher, options=voice().options)
        keep_everything(result)
    answer(result, show_everything if is_full else show_demo, as_json=as_json)
    raise typer.Exit(result.exit_code)


def _sandbox_server() -> Callable[..., None]:
    # The sandbox's own packages are an extra: a server that runs the jobs needs none of them.
    try:
        from pipelines.sandbox.serve import serve  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The sandbox needs the package {error.name}.", next_step="pip install 'springline[sandbox]'."
        ) from error
    return serve
