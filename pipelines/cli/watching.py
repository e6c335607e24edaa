"""watch: runs every job at its cadence, until it is ended."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pipelines.cli.common import Config, out, session, utc_now
from pipelines.cli.voice import voice

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.watch.run import Started


def watch(*, config: Config = None) -> None:
    """Run every job at its cadence, until it is ended.

    Documents are posted as they become ready. Other commands work beside it. Ctrl-C or SIGTERM ends it.
    """
    from pipelines.core.log import configure_logging  # noqa: PLC0415 a command imports what it runs
    from pipelines.watch.run import run_watch  # noqa: PLC0415

    with session(config, as_json=False) as started:
        # On a terminal too: what it does is the answer.
        configure_logging(stream=sys.stderr, is_verbose=voice().is_verbose, is_quiet=voice().is_quiet, is_followed=True)
        run_watch(
            started.settings,
            operator=started.operator,
            now=utc_now,
            tell=lambda begun: _show_start(started.settings, begun),
        )
    # All is closed and written by now; the interpreter takes seconds to take down what it has loaded.
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)


def _show_start(settings: Settings, begun: Started) -> None:
    from pipelines.core.drawing import draw_table  # noqa: PLC0415
    from pipelines.watch.budget import words_of  # noqa: PLC0415
    from pipelines.watch.schedule import schedule_rows  # noqa: PLC0415

    out.print(draw_table(("job", "when", "next"), schedule_rows(settings, utc_now()), title=f"Watch {begun.watch_id}"))
    out.print(words_of(begun.plan), markup=False, highlight=False)
    out.print(f"It answers at {begun.address}.", markup=False, highlight=False)
    out.print("Ctrl-C or SIGTERM ends it.", markup=False, highlight=False)
    # Whoever reads it through a pipe need not wait for more.
    sys.stdout.flush()
