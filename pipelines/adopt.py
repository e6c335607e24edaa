"""Going live: takes over what people have already posted by hand, and holds what they have not, so that nothing goes out.

Documents still ready for posting in the VMS that are dated before the first day are looked for in the ledger's books:
invoices by owner, side, invoice number, partner and amount, GL documents by header text and amount. What is found is
recorded as sent, with the ledger's ids, so that it never goes out and its payments are found; what is not found is put
on hold by a person's decision and released one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from pipelines import extract_steps, post_steps
from pipelines.adopted import Candidate, Found, Searched, candidates, search
from pipelines.batch import BatchResult, run_batch
from pipelines.control import utc_text
from pipelines.counts import Counts
from pipelines.decisions import Decision, decisions_on, insert_decision, standing_hold
from pipelines.documents_seen import Document
from pipelines.errors import UsageError
from pipelines.jobs import Job, Step
from pipelines.load.acknowledge import acknowledgement
from pipelines.outbox.intent import Intent, Json, Kind, intent_id
from pipelines.outbox.states import State
from pipelines.outbox.store import Move, Outbox

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.context import Context
    from pipelines.settings import Settings

REASON = "before going live"


@dataclass(frozen=True, slots=True)
class Line:
    """One document and what was found of it; amounts in ``currency``, signed as in the VMS."""

    document_no: str
    document_key: int
    document_type: str
    company: str
    document_date: date
    partner: str | None
    currency: str
    amount: Decimal | None
    outcome: str
    detail: str


@dataclass(slots=True)
class Adoption:
    """What adopting came to; ``held`` counts the documents newly put on hold."""

    before: date
    is_dry_run: bool
    lines: list[Line] = field(default_factory=list)
    held: int = 0
    batch: BatchResult | None = None

    @property
    def exit_code(self) -> int:
        """The batch's own: 0 unless something could not be read, or not be acknowledged."""
        return self.batch.exit_code if self.batch else 0

    def as_dict(self) -> dict[str, object]:
        """Return the object that `adopt --json` prints."""
        outcomes = sorted({line.outcome for line in self.lines})
        return {
            "before": self.before.isoformat(),
            "dry_run": self.is_dry_run,
            "counts": {outcome: sum(line.outcome == outcome for line in self.lines) for outcome in outcomes},
            "newly_held": self.held,
            "documents": [asdict(line) for line in self.lines],
            "problems": list(self.batch.problems) if self.batch else [],
            "exit_code": self.exit_code,
        }


def run_adopt(
    settings: Settings,
    *,
    before: date,
    operator: str,
    now: Callable[[], datetime],
    is_dry_run: bool = False,
    is_acknowledged: bool = False,
    today: date | None = None,
    report: Callable[[str, int, int], None] = lambda _what, _done, _total: None,
) -> Adoption:
    """Adopt the documents dated before ``before``, in a batch of its own; ``is_acknowledged`` sets them to posted too.

    A dry run looks and writes nothing. Raises BusyError while another batch holds the warehouse, UsageError when
    ``before`` is still to come.
    """
    adoption = Adoption(before, is_dry_run)

    def check_day(ctx: Context) -> Counts:
        if before > ctx.today:
            raise UsageError(f"{before} is still to come.", next_step="name the first day that Springline posts for.")
        return Counts()

    def adopt(ctx: Context) -> Counts:
        return _adopt(ctx, adoption, is_acknowledged=is_acknowledged)

    acknowledging = (Step("acknowledge", post_steps.acknowledge, writes_outside=True),) if is_acknowledged else ()
    job = Job(
        "adopt",
        (
            Step("check the day", check_day),
            Step("read open documents", extract_steps.read_open_documents),
            Step("read the ledger's reference data", extract_steps.read_ledger),
            Step("build models", post_steps.build_models),
            Step("look in the books", adopt),
            *acknowledging,
        ),
    )
    adoption.batch = run_batch(
        settings, jobs=[job], operator=operator, now=now, today=today, is_dry_run=is_dry_run, report=report
    )
    return adoption


def _adopt(ctx: Context, adoption: Adoption, *, is_acknowledged: bool) -> Counts:
    wanted = candidates(ctx, before=adoption.before)
    outbox = Outbox(ctx.control, batch_id=ctx.batch_id, now=ctx.now)
    searched = search(ctx, wanted, ours=outbox.vouchers)
    found = [one for one in searched if one.found is not None]
    missing = [one for one in searched if one.found is None]
    if not ctx.is_dry_run:
        for one in found:
            _take_over(ctx, outbox, one, is_acknowledged=is_acknowledged)
        adoption.held = _hold(ctx, [one.candidate for one in missing])
    adoption.lines += [_line(one) for one in searched]
    return Counts(extracted=len(searched), held=adoption.held)


def _take_over(ctx: Context, outbox: Outbox, one: Searched, *, is_acknowledged: bool) -> None:
    """Record a voucher as sent; its intent has no payload, because nothing was sent."""
    candidate, found = one.candidate, one.found
    if found is None:
        return
    intent = adopted_intent(candidate, found)
    outbox.store_intents([intent])
    entry = outbox.entries_of([intent.id])[0]
    moves = [Move(intent.id, State.SENT, f"adopted: {found.words}", remote_ids=found.remote_ids)]
    outbox.apply(moves, follow_up=[acknowledgement(entry)] if is_acknowledged else [])
    with ctx.control.write() as connection:
        insert_decision(connection, _decision(ctx, "adopt", candidate, found.words))


def adopted_intent(candidate: Candidate, found: Found) -> Intent:
    """Make the intent of a voucher that somebody else has posted."""
    return Intent(
        Kind.VOUCHER,
        str(candidate.key),
        "ledger",
        payload=[],
        source_hash=candidate.content_hash,
        look_up={
            "lines": 0,
            "source": candidate.voucher_type,
            "ext_order_number": candidate.number,
            "posted_date": found.posted_date,
            "text": found.text,
            "invoice_number": found.invoice_number,
            "subledger": candidate.partner_code,
            "currency": candidate.currency,
            "control_amount": str(candidate.control_amount),
        },
        company_code=candidate.company,
        owner_code=candidate.owner,
        document_key=candidate.key,
        document_no=candidate.number,
    )


def _hold(ctx: Context, missing: Iterable[Candidate]) -> int:
    """Put on hold what nobody has decided on yet; what was released before stays released."""
    decisions = [
        _decision(ctx, "hold", candidate, REASON)
        for candidate in missing
        if not any(row["action"] in {"hold", "release"} for row in decisions_on(ctx.control, _document(candidate)))
    ]
    if decisions:
        with ctx.control.write() as connection:
            for decision in decisions:
                insert_decision(connection, decision)
    return len(decisions)
