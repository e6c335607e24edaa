"""Shows the status: in one screen what needs a person, in words and counts; on request each document and break."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from shlex import quote
from typing import TYPE_CHECKING, Any

from pipelines.batch.outcome import exit_words
from pipelines.core import words
from pipelines.core.drawing import draw_table, say
from pipelines.questions.break_list import as_item
from pipelines.questions.listing import Group, Item, grouped, show_counts, show_groups
from pipelines.questions.who_acts import fault_and_step

if TYPE_CHECKING:
    from rich.console import Console

Status = Mapping[str, Any]
FULL = "springline status --full"
# So many kinds of each on the first screen, that it fits a terminal of 24 lines.
MOST_RULES, MOST_KINDS = 5, 3
# So many documents of each kind where a person has asked for some of them.
MOST_OF_KIND = 5
# What is counted of each list, one and several.
NOUNS: Mapping[str, tuple[str, str]] = {
    "held": ("document held", "documents held"),
    "suppliers": ("changed bank account", "changed bank accounts"),
    "undelivered": ("not delivered", "not delivered"),
    "rejected": ("set aside", "set aside"),
    "breaks": ("break", "breaks"),
}


def show_status(status: Status, console: Console, *, health: str = "", is_full: bool = False) -> None:
    """Print the status for a person: an overview, or the entries themselves when some or all are asked for.

    ``health`` is what `/health` says as well, in a sentence; it is of all, and not told to whoever asks for a part.
    """
    if not status["batches"]:
        say(console, "No batch has run yet. Next: springline check, then springline run.")
        if not (status["held"] or status["ignored"] or status["not_ours"]):
            if health:
                say(console, health)
            return
    _answer(status, console)
    asked = {name: value for name, value in status["filters"].items() if value}
    if health and not asked:
        say(console, health)
    if is_full or asked:
        others = _options({name: value for name, value in asked.items() if name != "rule"})
        more = " ".join(part for part in ("springline status", others, "--rule {} --full") if part)
        show_groups(_groups(status), console, most=None if is_full else MOST_OF_KIND, more=more)
    else:
        _overview(status, console)
    if is_full and not asked:
        _everything_else(status, console)
    _asides(status, console)
    if not (is_full or asked):
        say(console, "More: --who NAME, --rule NAME, --company CODE; all of it: --full", style="dim")


def _answer(status: Status, console: Console) -> None:
    """Say how much needs a person, who they are, and what the last run came to."""
    needs = status["needs"]
    counted = [words.plural(needs[name], *nouns) for name, nouns in NOUNS.items() if needs[name]]
    asked = {name: value for name, value in status["filters"].items() if value}
    nothing = f"Nothing of {_options(asked)} needs a person." if asked else "Nothing needs a person."
    say(console, f"Needs a person: {', '.join(counted)}." if counted else nothing, style="bold")
    # A slip of the pen must not be taken for good news.
    for name in asked if not counted else ():
        say(console, f"--{name} may be: {', '.join(status['there_is'][name]) or 'nothing now'}.")
    people = {who: sum(counts.values()) for who, counts in needs["by_person"].items()}
    if people:
        by = sorted(people.items(), key=lambda person: (-person[1], person[0]))
        say(console, f"By whom: {', '.join(f'{who} {count}' for who, count in by)}.")
    if waiting := sum(not row["who_acts"] for row in status["undelivered"]):
        say(console, f"The next run goes on by itself with {words.plural(waiting, 'object')} not delivered yet.")
    if status["batches"]:
        say(console, _last_batch(status["batches"][0]))


def _options(asked: Mapping[str, str]) -> str:
    return " ".join(f"--{name} {quote(value)}" for name, value in asked.items())


def _last_batch(batch: Mapping[str, Any]) -> str:
    started = f"Last run {words.moment(batch['started_at'])} for {batch['today']} by {batch['operator']}"
    if batch["ended_at"] is None:
        return f"{started}: at work, or ended without a word."
    return f"{started}: {exit_words(batch['exit_code'])}."


def _overview(status: Status, console: Console) -> None:
    held, breaks = grouped(_held(status["held"])), grouped(map(as_item, status["breaks"]))
    for groups, heading, most, more in (
        (held, "held because", MOST_RULES, FULL),
        (breaks, "break", MOST_KINDS, "springline breaks list --full"),
    ):
        if groups:
            console.print()
            show_counts(groups, console, heading=heading, most=most, more=more)
    if besides := grouped((*_rejected(status["rejected"]), *_undelivered(status["undelivered"]))):
        console.print()
        say(console, f"Besides: {'; '.join(f'{group.count} {group.name}' for group in besides)}.")


def _groups(status: Status) -> list[Group]:
    return [
        *grouped(_held(status["held"])),
        *grouped(map(as_item, status["breaks"])),
        *grouped((*_rejected(status["rejected"]), *_undelivered(status["undelivered"]))),
        *grouped(_held(status["warnings"], sign="warning: ")),
    ]


def _held(rows: Sequence[Mapping[str, Any]], *, sign: str = "") -> Iterator[Item]:
    for row in rows:
        yield Item(
            subject=str(row["document_no"] or row["document_key"]),
            group=sign + row["title"],
            code=row["rule"],
            who=row["who_acts"],
            found=_detail(row["finding"], row["title"]),
            step=row["next_step"],
            age_days=row["age_days"],
            company=row["company"],
            amount=row["amount"],
            currency=row["currency"],
            # In the currencies of the companies: near enough to show the largest first, and never added.
            weight=abs(row["company_amount"] or Decimal(0)),
        )


def _detail(finding: str, title: str) -> str:
    """Leave out of a finding what the group's heading says.

    >>> _detail("period is closed (2026-07)", "period is closed"), _detail("no lines", "no lines")
    ('2026-07', '')
    """
    rest = finding.removeprefix(title).strip()
    return rest[1:-1] if rest.startswith("(") and rest.endswith(")") else rest


def _rejected(rows: Sequence[Mapping[str, Any]]) -> Iterator[Item]:
    for row in rows:
        found, step = fault_and_step(row["message"])
        yield Item(
            subject=str(row["document_no"] or row["object_key"]),
            group="set aside (cannot be read)",
            code=row["entity"],
            who=row["who_acts"],
            found=found,
            step=step,
            age_days=row["age_days"],
        )


def _undelivered(rows: Sequence[Mapping[str, Any]]) -> Iterator[Item]:
    for row in rows:
        failed = row["state"] == "failed"
        yield Item(
            subject=str(row["document_no"] or row["natural_key"]),
            group=f"{row['kind'].replace('_', ' ')} not delivered: {row['state']}",
            code=row["kind"],
            who=row["who_acts"] or "the next run",
            found=row["message"],
            step="see to that; the next run tries it again." if failed else "nothing: the next run goes on with it.",
            age_days=row["age_days"],
        )


def _everything_else(status: Status, console: Console) -> None:
    """Print what needs nobody: the last batches, what is left alone, and how much was sent."""
    columns = ("batch", "today", "jobs", "operator", "exit_code")
    batches = ([row[name] for name in columns] for row in status["batches"])
    # After each comma a blank, so that a narrow terminal folds the list of jobs.
    rows = (
        [str(cell).replace(",", ", ") if name == "jobs" else cell for name, cell in zip(columns, row, strict=True)]
        for row in batches
    )
    console.print(draw_table(("batch", "day", "jobs", "by", "exit code"), rows, title="Last batches"))
    if status["ignored"]:
        names = ("document_no", "company", "reason", "operator")
        ignored = ([row[name] for name in names] for row in status["ignored"])
        console.print(draw_table(("document", "company", "reason", "by"), ignored, title="Left alone by people"))
    outbox = ((kind, *counted) for kind, states in status["outbox"].items() for counted in states.items())
    console.print(draw_table(("kind", "state", "number"), outbox, title="Outbox"))


def _asides(status: Status, console: Console) -> None:
    if status["ignored"]:
        say(console, f"Left alone by people: {words.plural(len(status['ignored']), 'document')}.")
    if status["left_alone"]:
        listed = ", ".join(f"{company} ({count})" for company, count in status["left_alone"].items())
        say(console, f"Documents left alone, of companies that are not configured: {listed}.")
    if status["not_ours"]:
        say(console, f"Not ours: {len(status['not_ours'])} (springline breaks ignored).")
    if status["remarks_problem"]:
        say(console, f"! {status['remarks_problem']}")
    if status["rules_off"]:
        say(console, f"Rules switched off by the settings: {', '.join(status['rules_off'])}.")
    requests = status["requests"]
    used, included = requests["ledger_used"], requests["ledger_included"]
    coming = requests["ledger_forecast"]
    pace = "" if coming is None else f"; {coming:,} at this pace"
    say(console, f"Ledger requests in {requests['month']}: {used:,} of {included:,} included{pace}.")
