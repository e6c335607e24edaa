"""control: the control store taken from a file to PostgreSQL, and back; and which two systems it is of."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import Annotated

import typer

from pipelines.cli.common import AsJson, Config, answer, session, utc_now
from pipelines.core.errors import SettingsError, UsageError

app = typer.Typer(
    name="control", help="Move the control store, or tell it that a system has moved.", no_args_is_help=True
)

To = Annotated[
    str,
    typer.Argument(
        metavar="TO",
        help="A file, or a schema of PostgreSQL: postgresql://user@host/database?schema=tenant. The password comes "
        "from PGPASSWORD or a password file.",
    ),
]

Moved = Annotated[
    bool, typer.Option("--moved", help="They are the same systems, which have the addresses of the settings now.")
]


@app.command()
def copy(to: To, *, as_json: AsJson = False, config: Config = None) -> None:
    """Copy the control store to an empty place, and mark the old one as moved.

    Counts and the chain of events are compared first; no batch and no watch may run meanwhile.
    """
    from pipelines.core.control_place import has_password, is_postgres  # noqa: PLC0415 a command imports what it runs
    from pipelines.core.settings_values import read_control_place  # noqa: PLC0415 as above
    from pipelines.recovery.moving import move_control, show_moved  # noqa: PLC0415 as above
    from pipelines.watch.orders import find_watch  # noqa: PLC0415 as above

    with session(config, as_json=as_json) as started:
        if is_postgres(to) and has_password(to):
            message = "The address holds a password, which every program of this machine could read."
            raise UsageError(message, next_step="take it out, and set PGPASSWORD or PGPASSFILE.")
        try:
            place = read_control_place(to)
        except ValueError as error:
            raise UsageError(f"{to} {error}.", next_step="name a file, or a schema of PostgreSQL.") from error
        watch = None
        # One that was moved half is gone on with, and no watch can work on it.
        with suppress(SettingsError):
            watch = find_watch(started.settings, now=utc_now())
        if watch is not None:
            raise UsageError(f"A watch works on the control store ({watch}).", next_step="end it, and do this again.")
        result = move_control(started.settings, place)
    answer(result, show_moved, as_json=as_json)


@app.command()
def systems(*, moved: Moved = False, as_json: AsJson = False, config: Config = None) -> None:
    """Say which VMS and which ledger the control store has worked with; no batch works on it with any others."""
    from pipelines.stores.lost import open_control  # noqa: PLC0415 a command imports what it runs
    from pipelines.stores.systems import Systems, move_systems, show_systems  # noqa: PLC0415 as above

    with session(config, as_json=as_json) as started:
        settings = started.settings
        with closing(open_control(settings, for_reading=not moved)) as control:
            if moved:
                move_systems(control, settings, operator=started.operator)
            result = Systems.of(control, settings)
    answer(result, show_systems, as_json=as_json)
