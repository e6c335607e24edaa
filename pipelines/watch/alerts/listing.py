"""What stands of the alerts, for a person: each with since when, whether it was told, and what keeps it from that."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.core import words
from pipelines.core.drawing import indented, say
from pipelines.stores.control import named_statements
from pipelines.stores.lost import open_control
from pipelines.watch.alerts.conditions import find_conditions
from pipelines.watch.alerts.kinds import CLOSING, KINDS
from pipelines.watch.alerts.message import MOST_LISTED
from pipelines.watch.alerts.post import SETTING
from pipelines.watch.alerts.tell import read_delivery

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Alerts:
    """``standing``: kind, subject, text of each; began_at and told_at where it was noted and told already.

    ``is_told`` says whether anybody is to be told, ``problems`` what came of addresses last.
    """

    standing: list[dict[str, str | None]]
    is_told: bool
    problems: list[str]

    def as_dict(self) -> dict[str, object]:
        """Return the object that `--json` prints."""
        return asdict(self)


def read_alerts(settings: Settings, *, now: datetime) -> Alerts:
    """Find what stands at ``now`` (aware), and what was told of it; nothing is noted, and nothing is told."""
    with closing(open_control(settings, for_reading=True)) as control:
        found = find_conditions(settings, control, now=now)
        rows = control.read(named_statements("alerts")["standing"])
        problems = read_delivery(control).problems
    noted = {(row["kind"], row["subject"]): row for row in rows}
    standing = [
        {
            **asdict(one),
            "began_at": noted[one.key]["began_at"] if one.key in noted else None,
            "told_at": noted[one.key]["told_at"] if one.key in noted else None,
        }
        for one in found
    ]
    return Alerts(standing, settings.alerts.urls is not None, problems)


def show_alerts(alerts: Alerts, settings: Settings, console: Console) -> None:
    """Print what stands by kind, the first of each, and whether somebody was told."""
    if not alerts.standing:
        say(console, "No alert stands.", style="bold")
    for name, kind in KINDS.items():
        rows = [row for row in alerts.standing if row["kind"] == name]
        if not rows:
            continue
        say(console, f"{kind.counted(len(rows), settings)}:", style="bold")
        for row in rows[:MOST_LISTED]:
            told = f"told {words.moment(row['told_at'])}" if row["told_at"] else "not told yet"
            shown = f"- {row['text']}" + (f" ({told})" if alerts.is_told else "")
            console.print(indented(shown, console), soft_wrap=False)
        if (more := len(rows) - MOST_LISTED) > 0:
            say(console, f"  and {more:,} more (--json has all)")
        say(console, f"  More: {kind.look.format(rows[0]['subject']) if name == CLOSING else kind.look}")
    if not alerts.is_told:
        say(console, f"Nobody is told: {SETTING} is not set.")
    for problem in alerts.problems if alerts.is_told else ():
        say(console, f"! {problem}; it is tried again.")
