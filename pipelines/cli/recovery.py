"""rebuild, restore, confirm and verify: for the day when the control store is lost, and for whoever wants proof."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.common import (
    AsJson,
    Config,
    Reason,
    Session,
    Today,
    answer,
    read_today,
    session,
    show_message,
    utc_now,
)
from pipelines.core.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from pipelines.batch.run import BatchOptions
    from pipelines.recovery.rebuild import Recovery

Copy = Annotated[Path, typer.Argument(metavar="BACKUP", help="A file that `springline backup` made.", dir_okay=False)]


def rebuild(*, today: Today = None, as_json: AsJson = False, config: Config = None) -> None:
    """Make a lost control store anew from both systems.

    Nothing is sent. What is not posted yet waits until `springline confirm`.
    """
    from pipelines.recovery.rebuild import run_rebuild  # noqa: PLC0415 a command imports what it runs

    _recover(run_rebuild, today=today, as_json=as_json, config=config)


def restore(backup: Copy, *, today: Today = None, as_json: AsJson = False, config: Config = None) -> None:
    """Put a copy in the place of the control store.

    Nothing is sent: what went after the copy is looked up in both systems. What is not posted yet waits until
    `springline confirm`.
    """
    from pipelines.recovery.rebuild import run_restore  # noqa: PLC0415 a command imports what it runs

    _recover(
        lambda settings, **options: run_restore(settings, backup, **options),
        today=today,
        as_json=as_json,
        config=config,
    )


def confirm(*, reason: Reason, as_json: AsJson = False, config: Config = None) -> None:
    """Let go what rebuild or restore put on hold.

    Hold and ignore first what had been held and ignored before: that stays.
    """
    from pipelines.recovery.people import confirm as confirm_all  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        result = confirm_all(started.settings, reason=reason, operator=started.operator, now=utc_now)
    answer(result, show_message, as_json=as_json)


def verify(*, today: Today = None, as_json: AsJson = False, config: Config = None) -> None:
    """Prove that the record of what was sent is whole.

    Checks its chain of hashes, then reads both systems: each write that one side alone knows of is listed.
    """
    from pipelines.recovery.verify import run_verify, show_verification  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        result = started.in_turn(lambda: run_verify(started.settings, **_options(started, today)))
    answer(result, show_verification, as_json=as_json)
    raise typer.Exit(result.exit_code)


def _recover(work: Callable[..., Recovery], *, today: str | None, as_json: bool, config: Path | None) -> None:
    import sqlite3  # noqa: PLC0415 a command imports what it runs

    from pipelines.recovery.rebuild import show_recovery  # noqa: PLC0415 as above
    from pipelines.watch.orders import find_watch  # noqa: PLC0415 as above

    with session(config, as_json=as_json) as started:
        watch = None
        # A damaged store is what this is for, and no watch can work on one.
        with suppress(sqlite3.Error, SettingsError):
            watch = find_watch(started.settings, now=utc_now())
        if watch is not None:
            raise UsageError(f"A watch works on the control store ({watch}).", next_step="end it, and do this again.")
        result = work(started.settings, **_options(started, today))
    answer(result, show_recovery, as_json=as_json)
    raise typer.Exit(result.exit_code)


def _options(started: Session, today: str | None) -> BatchOptions:
    return {
        "operator": started.operator,
        "now": utc_now,
        "today": read_today(today),
        "report": started.report,
        "begin": started.begin,
    }
