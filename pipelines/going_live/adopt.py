"""Takes over what people have posted by hand before going live, and holds what they have not.

Documents still ready for posting in the VMS that are dated before the first day are looked for in the ledger's books:
invoices by owner, side, invoice number, partner and amount, GL documents by header text and amount. What is found is
recorded as sent, with the ledger's ids, so that it never goes out and its payments are found; what is not found is put
on hold by a person's decision, and people release it document by document.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Unpack

from pipelines.batch.run import BatchOptions, BatchResult, accounting_day, run_batch
from pipelines.core.drawing import draw_table
from pipelines.core.errors import UsageError
from pipelines.core.words import plural
from pipelines.extract import steps as extract_steps
from pipelines.going_live.search_books import BookedVoucher, Candidate, SearchResult, read_candidates, search
from pipelines.load import steps as post_steps
from pipelines.load.acknowledgement import acknowledgement
from pipelines.load.ledger.vouchers import BREAKS
from pipelines.models import steps as models
from pipelines.outbox.entry import Move
from pipelines.outbox.intent import Intent, Kind
from pipelines.outbox.states import State
from pipelines.outbox.store import Outbox
from pipelines.steering.decisions import Decision, decision_on, decisions_on, insert_decision
from pipelines.step.counts import Counts
from pipelines.step.step import Job, Step
from pipelines.stores.control import utc_text

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.core.settings import Settings
    from pipelines.step.context import Context

# The reason given with each hold.
REASON = "before going live"
_HEADINGS = ("document", "date", "company", "amount", "outcome", "what was found or looked for")


@dataclass(slots=True)
class Adoption:
    """The result of adopting; ``held`` counts the documents newly put on hold."""

    before: date
    is_dry_run: bool
    lines: list[SearchResult] = field(default_factory=list)
    held: int = 0
    batch: BatchResult | None = None

    @property
    def exit_code(self) -> int:
        """The batch's own: 0 unless something could not be read, or not be acknowledged."""
        return self.batch.exit_code if self.batch else 0

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong, and what could not be read."""
        if self.batch is None:
            return ()
        aside = self.batch.outcome.standing.set_aside
        told = f"{plural(aside, 'object')} could not be read. Next: `springline status` says what to correct."
        return (*self.batch.problems, *((told,) if aside else ()))

    def as_dict(self) -> dict[str, object]:
        """Return the object that `adopt --json` prints."""
        outcomes = sorted({line.outcome for line in self.lines})
        return {
            "before": self.before.isoformat(),
            "dry_run": self.is_dry_run,
            "counts": {outcome: sum(line.outcome == outcome for line in self.lines) for outcome in outcomes},
            "newly_held": self.held,
            "documents": [line.as_dict() for line in self.lines],
            "problems": list(self.problems),
            "exit_code": self.exit_code,
        }


def run_adopt(
    settings: Settings,
    *,
    before: date,
    is_acknowledged: bool = False,
    **options: Unpack[BatchOptions],
) -> Adoption:
    """Adopt the documents dated before ``before``, in a batch of its own; ``is_acknowledged`` sets them to posted too.

    A dry run looks and writes nothing. Raises BusyError while another batch holds the warehouse, UsageError when
    ``before`` is still to come.
    """
    if before > (options.get("today") or accounting_day(options["now"]())):
        raise UsageError(f"{before} is still to come.", next_step="name the first day that Springline posts for.")
    adoption = Adoption(before, options.get("is_dry_run", False))

    def adopt(ctx: Context) -> Counts:
        return _adopt(ctx, adoption, is_acknowledged=is_acknowledged)

    acknowledging = (Step("acknowledge", post_steps.acknowledge, writes_outside=True),) if is_acknowledged else ()
    job = Job(
        "adopt",
        (
            Step("read open documents", extract_steps.read_open_documents),
            Step("read the ledger's reference data", extract_steps.read_ledger),
            Step("build models", models.build_models),
            # After the models: what is searched for is the documents as they would be posted.
            Step("look in the books", adopt),
            *acknowledging,
        ),
    )
    adoption.batch = run_batch(settings, jobs=[job], **options)
    return adoption


def _adopt(ctx: Context, adoption: Adoption, *, is_acknowledged: bool) -> Counts:
    outbox = Outbox(ctx.control, batch_id=ctx.batch_id, now=ctx.now)
    # The outbox is asked as well: what an earlier run has sent was posted by us, not by hand.
    results = search(ctx, read_candidates(ctx, before=adoption.before), ours=outbox.vouchers)
    if not ctx.is_dry_run:
        for result in results:
            if result.voucher is not None:
                _take_over(ctx, outbox, result.candidate, result.voucher, is_acknowledged=is_acknowledged)
        adoption.held = _hold(ctx, [result.candidate for result in results if result.voucher is None])
    adoption.lines += results
    return Counts(extracted=len(results), held=adoption.held)


def _take_over(
    ctx: Context, outbox: Outbox, candidate: Candidate, voucher: BookedVoucher, *, is_acknowledged: bool
) -> None:
    """Record a voucher as sent; its intent has no payload, because Springline sent nothing."""
    intent = adopted_intent(candidate, voucher)
    # Together: killed in between, a run of documents would find an intent with nothing to send, or nobody would be
    # named who has decided it.
    with ctx.control.write() as connection:
        # First the intent, then its state, as for a voucher that is sent: the events show when it was adopted.
        outbox.store_intents([intent], within=connection)
        # A number may be that of several documents: the id says which is meant.
        (entry,) = [own for own in outbox.vouchers([candidate.document_no]) if own.id == intent.id]
        outbox.apply(
            [Move(intent.id, State.SENT, f"adopted: {voucher.label}", voucher.remote_ids)],
            follow_up=[acknowledgement(entry)] if is_acknowledged else [],
            # A run before may have noted a break on it, which is settled now.
            closes=[(kind, str(candidate.document_key)) for kind in BREAKS.values()],
            within=connection,
        )
        insert_decision(connection, _decision(ctx, "adopt", candidate, voucher.label))


def adopted_intent(candidate: Candidate, voucher: BookedVoucher) -> Intent:
    """Make the intent of a voucher that somebody else has posted.

    ``look_up`` has all that one of ours has, so that payments and drift are found by it; with 0 lines of ours.
    """
    return Intent(
        Kind.VOUCHER,
        str(candidate.document_key),
        "ledger",
        payload=[],
        # So that a change of the document after its adoption is drift, and becomes a break, as for one of ours.
        source_hash=candidate.content_hash,
        look_up={
            "lines": 0,
            "source": candidate.voucher_type,
            "ext_order_number": candidate.document_no,
            "posted_date": voucher.posted_date,
            "text": voucher.text,
            "invoice_number": voucher.invoice_number,
            "subledger": candidate.partner_code,
            "currency": candidate.currency,
            "control_amount": str(candidate.control_amount),
        },
        company_code=candidate.company,
        owner_code=candidate.owner,
        document_key=candidate.document_key,
        document_no=candidate.document_no,
    )


def _hold(ctx: Context, missing: Iterable[Candidate]) -> int:
    """Put on hold what nobody has decided on yet; what was released before stays released."""
    decisions = [_decision(ctx, "hold", candidate, REASON) for candidate in missing if not _is_decided(ctx, candidate)]
    with ctx.control.write() as connection:
        for decision in decisions:
            insert_decision(connection, decision)
    return len(decisions)


def _is_decided(ctx: Context, candidate: Candidate) -> bool:
    # Also a release counts: to hold it again would undo what a person decided.
    return any(row["action"] in {"hold", "release"} for row in decisions_on(ctx.control, candidate.document))


def _decision(ctx: Context, action: str, candidate: Candidate, reason: str) -> Decision:
    return decision_on(candidate.document, action, reason=reason, operator=ctx.operator, at=utc_text(ctx.now()))


def show_adoption(adoption: Adoption, console: Console) -> None:
    """Print each document with what was found or looked for, and what becomes of it."""
    # What is held comes last, where a reader is when a long list has scrolled by; within a day the keys' order stays.
    lines = sorted(adoption.lines, key=lambda line: (line.outcome, line.candidate.document_date))
    console.print(draw_table(_HEADINGS, (line.cells for line in lines)))
    found = sum(line.outcome == "adopted" for line in adoption.lines)
    did = "would be" if adoption.is_dry_run else "are"
    console.print(
        f"{len(adoption.lines)} documents dated before {adoption.before} are ready for posting: {found} {did} adopted, "
        f"{len(adoption.lines) - found} {did} on hold. `springline release DOCUMENT --reason …` lets one go."
    )
    for problem in adoption.problems:
        console.print(f"! {problem}", markup=False, highlight=False)
