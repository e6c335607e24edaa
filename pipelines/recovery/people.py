"""What people had decided, of which no system keeps a copy: it is listed as lost, and what it may be about waits."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pipelines.steering.decisions import RECOVERED, decision_on, decisions_on, insert_decision, note_login, reason_text
from pipelines.steering.find_document import Document
from pipelines.stores.control import named_statements, utc_text
from pipelines.stores.lost import open_control
from pipelines.stores.open_tables import open_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pipelines.core.settings import Settings
    from pipelines.step.context import Context


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How many documents were let go."""

    released: int

    @property
    def message(self) -> str:
        """Say it in a sentence."""
        if not self.released:
            return "Nothing waits to be confirmed."
        return f"{self.released:,} documents go with the next run, unless a rule or a person holds them."

    def as_dict(self) -> dict[str, object]:
        """Return the object that `--json` prints."""
        return asdict(self)


def lost_words(settings: Settings, *, is_copy: bool) -> list[str]:
    """Say what a new store cannot know; the warehouse, or the published file, gives what was held as a hint."""
    when = " since the copy was made" if is_copy else ""
    words = [
        f"holds, ignores, releases and retries that people decided{when}",
        f"accepted breaks and comments, seals of periods, and what was said not to be ours{when}",
        f"releases of changed bank accounts{when}: a change that has not gone waits for a release again",
    ]
    if not is_copy:
        words.append("the history of what was sent, and the webhooks: `springline webhooks register` makes them anew")
    with open_tables(settings) as tables:
        rows = tables.rows(named_statements("recovery", folder="questions")["stood"]) if tables else []
    as_of = f" ({tables.origin})" if tables else ""
    return [*words, *(f"{row['what']} {row['document_no']}: {row['reason']}{as_of}" for row in rows)]


def hold_the_open(ctx: Context, *, renumbered: Mapping[int, str]) -> int:
    """Put on hold each document that is neither posted nor in the ledger, unless a person holds it; return how many.

    The number is what a booked voucher is found by. One that looks the same and has a number that the VMS does not know
    may be the document under its old number: that one is let go by name alone. So is one of which the import has a
    voucher under another number (``renumbered``, by document key).
    """
    rows = ctx.warehouse.execute(named_statements("recovery", folder="questions")["open"]).fetchall()
    sent = {
        row["document_key"]
        for row in ctx.control.read(
            "SELECT document_key FROM outbox WHERE kind = 'voucher' AND state IN ('sending', 'sent', 'unknown')"
        )
    }
    documents = [Document(number, key, company, kind) for key, number, company, kind in rows if key not in sent]
    decided = bool(ctx.control.one("SELECT EXISTS (SELECT 1 FROM decisions)"))
    waiting = [document for document in documents if not decided or not _is_held(ctx, document)]
    alike = dict(ctx.warehouse.execute(named_statements("recovery", folder="questions")["look_alikes"]).fetchall())
    at = utc_text(ctx.now())
    note_login("hold", subject=f"{len(waiting)} documents, {RECOVERED}", operator=ctx.operator)
    decisions = [
        decision_on(document, "hold", reason=_reason(document, alike, renumbered), operator=ctx.operator, at=at)
        for document in waiting
    ]
    with ctx.control.write() as connection:
        connection.executemany(named_statements("decisions")["append"], [asdict(decision) for decision in decisions])
    return len(decisions)


def _reason(document: Document, alike: Mapping[int, int], renumbered: Mapping[int, str]) -> str:
    key = document.key or 0
    if key in renumbered:
        return f"may be in the ledger already, under the number {renumbered[key]}"
    if key in alike:
        return f"may be in the ledger already, as voucher {alike[key]} under another number"
    return RECOVERED


def _is_held(ctx: Context, document: Document) -> bool:
    words = [row["action"] for row in decisions_on(ctx.control, document) if row["action"] in {"hold", "release"}]
    return bool(words) and words[-1] == "hold"


def confirm(settings: Settings, *, reason: str, operator: str, now: Callable[[], datetime]) -> Confirmation:
    """Let go what a rebuilt or restored store holds and no person does. Raises UsageError for a missing reason."""
    words = reason_text(reason)
    with closing(open_control(settings)) as control:
        rows = control.read(named_statements("decisions")["recovered"], {"reason": RECOVERED})
        at = utc_text(now())
        with control.write() as connection:
            for row in rows:
                document = Document(row["document_no"], row["document_key"], row["company"])
                decision = decision_on(document, "release", reason=words, operator=operator.strip(), at=at)
                insert_decision(connection, decision)
    return Confirmation(len(rows))
