"""What a batch came to, in words: what was sent, what stands, what needs a person and which command says more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.core.words import plural
from pipelines.stores.control import Control, named_statements, utc_text

if TYPE_CHECKING:
    from rich.console import Console

VOUCHER, ACKNOWLEDGEMENT = "voucher", "acknowledgement"
# In the order in which they are told, with the words for one and for several; the kinds are those of the outbox.
OTHER_KINDS: Mapping[str, tuple[str, str]] = {
    "correction": ("voucher corrected", "vouchers corrected"),
    "company": ("company", "companies"),
    "supplier": ("supplier", "suppliers"),
    "customer": ("customer", "customers"),
    "cost_centre": ("cost centre", "cost centres"),
    "project": ("project", "projects"),
    "rate": ("exchange rate", "exchange rates"),
    "payment": ("payment", "payments"),
    "actual": ("actual", "actuals"),
    "remark": ("reason of a hold", "reasons of holds"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What waits for somebody when a batch ends, whichever batch found it first."""

    held: int = 0
    set_aside: int = 0
    bank_changes: int = 0
    unknown: int = 0
    failed: int = 0
    breaks: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """``sent`` counts by kind what the other side has taken in this batch; ``standing`` is what waits after it."""

    sent: Mapping[str, int] = field(default_factory=dict)
    standing: Standing = Standing()


def read_outcome(control: Control, *, since: datetime) -> Outcome:
    """Read what was sent from the start of a batch on, and what stands now."""
    statements = named_statements("batches")
    sent = {row["kind"]: row["number"] for row in control.read(statements["sent"], {"since": utc_text(since)})}
    (row,) = control.read(statements["standing"])
    return Outcome(sent, Standing(*(row[one.name] for one in fields(Standing))))


# What each number says that a batch may end with (docs/how-to/exit-codes.md).
EXIT_CODES: Mapping[int, str] = {
    0: "all went through",
    2: "wrong command",
    10: "settings or control store wrong",
    11: "not all could be read",
    12: "a model could not be built, or what follows from them not be written",
    13: "a check could not run",
    14: "documents held",
    15: "delivery incomplete",
    16: "both sides differ",
    17: "stores in use",
    18: "a disk was full",
}


def exit_words(code: int) -> str:
    """Return an exit code with what it says.

    >>> exit_words(14)
    '14 (documents held)'
    """
    return f"{code} ({EXIT_CODES.get(code, 'a fault of Springline')})"


def show_outcome(outcome: Outcome, *, is_dry_run: bool, console: Console) -> None:
    """Print what was sent, what stands, and what to do about it."""
    # What a dry run shows of its vouchers ends with that nothing was sent.
    done, *more = [*_sent(outcome)] or ["" if is_dry_run else "Nothing sent"]
    standing = outcome.standing
    first = ", ".join(filter(None, (done, f"{standing.held:,} held", plural(standing.breaks, "break"))))
    sentences = [f"{one}." for one in (first, *more)]
    steps = list(next_steps(standing, is_dry_run=is_dry_run))
    sentences += ["Needs a person:", *(f"  {step}" for step in steps)] if steps else ["Nothing needs a person."]
    for sentence in sentences:
        console.print(sentence, markup=False, highlight=False)


def _sent(outcome: Outcome) -> Iterator[str]:
    """Yield a sentence of the vouchers, then one of all else, where something was sent."""
    vouchers, acknowledged = (outcome.sent.get(kind, 0) for kind in (VOUCHER, ACKNOWLEDGEMENT))
    if vouchers and vouchers == acknowledged:
        yield f"{plural(vouchers, 'voucher')} sent and acknowledged"
    elif vouchers or acknowledged:
        yield f"{plural(vouchers, 'voucher')} sent, {acknowledged:,} acknowledged"
    others = [plural(number, *words) for kind, words in OTHER_KINDS.items() if (number := outcome.sent.get(kind, 0))]
    if others:
        yield f"Sent: {', '.join(others)}"


def next_steps(standing: Standing, *, is_dry_run: bool) -> Iterator[str]:
    """Yield a line for each thing that waits for a person: how many, and the command that says what to do."""
    if standing.unknown:
        yield f"{plural(standing.unknown, 'call')} of unknown fate: springline status; enter nothing by hand meanwhile"
    if standing.failed:
        yield f"{standing.failed:,} refused by the other side: springline status says why"
    if standing.held:
        # A dry run notes no hold, so `status` would not show it.
        command = "springline preflight" if is_dry_run else "springline status"
        yield f"{plural(standing.held, 'document')} held: {command} says why, and what to correct where"
    if standing.set_aside:
        yield f"{plural(standing.set_aside, 'object')} that could not be read: springline status says what to correct"
    if standing.bank_changes:
        yield f"{plural(standing.bank_changes, 'changed bank account')}: springline status; a second person decides"
    if standing.breaks:
        yield f"{plural(standing.breaks, 'break')}: springline breaks list says what to do about each"
