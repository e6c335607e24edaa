"""What one message says: what is new and what is over, by kind; of a long list the first ten and how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.core import words
from pipelines.watch.alerts.kinds import CLOSING, KINDS

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

Row = Mapping[str, Any]
MOST_LISTED = 10


@dataclass(frozen=True, slots=True)
class Message:
    """A title, a body in plain text, and whether all of it is good news."""

    title: str
    body: str
    is_good: bool = False


def write_message(new: Sequence[Row], over: Sequence[Row], settings: Settings) -> Message:
    """Write one message of rows of `alerts`: what is new, and what is over, also where nobody was told of it before."""
    headings = [kind.counted(len(rows), settings) for kind, rows in _grouped(new)]
    if over:
        headings.append(f"{words.plural(len(over), 'matter is', 'matters are')} over")
    title = f"Springline: {headings[0]}" + (f", and {len(headings) - 1} more" if len(headings) > 1 else "")
    parts = [*_new(new, settings), *_over(over, settings)]
    return Message(title, "\n\n".join(parts), is_good=not new)


def _grouped(rows: Sequence[Row]) -> Iterator[tuple[Any, list[Row]]]:
    for name, kind in KINDS.items():
        if of_kind := [row for row in rows if row["kind"] == name]:
            yield kind, of_kind


def _new(rows: Sequence[Row], settings: Settings) -> Iterator[str]:
    for kind, of_kind in _grouped(rows):
        look = kind.look.format(of_kind[0]["subject"]) if of_kind[0]["kind"] == CLOSING else kind.look
        yield "\n".join(
            (f"{kind.counted(len(of_kind), settings)}:", *_listed([row["text"] for row in of_kind]), f"More: {look}")
        )


def _over(rows: Sequence[Row], settings: Settings) -> Iterator[str]:
    for kind, of_kind in _grouped(rows):
        texts = [
            f"{row['subject']}, from {words.moment(row['began_at'])} to {words.moment(row['over_at'])}"
            + ("" if row["told_at"] else "; it could not be told while it lasted")
            for row in of_kind
        ]
        yield "\n".join((f"Over: {kind.counted(len(of_kind), settings)}:", *_listed(texts)))


def _listed(texts: Sequence[str]) -> Iterator[str]:
    yield from (f"- {text}" for text in texts[:MOST_LISTED])
    if (more := len(texts) - MOST_LISTED) > 0:
        yield f"and {more:,} more"


def trial() -> Message:
    """Write the message of `springline alerts test`."""
    return Message(
        "Springline: this is a test", "Alerts of Springline reach this address. Nothing needs you.", is_good=True
    )
