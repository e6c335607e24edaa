"""Verifies the record of what was sent: its chain of hashes, and both systems' own books beside it, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Unpack

from pipelines.batch.run import EXIT_BREAKS, BatchOptions, BatchResult, run_batch
from pipelines.extract import steps as extract
from pipelines.load.ledger.master_data import STAGES
from pipelines.models import steps as models
from pipelines.outbox.chain import ChainFault, verify_chain
from pipelines.outbox.entry import members_of
from pipelines.step.counts import Counts
from pipelines.step.step import Job, Step
from pipelines.stores.control import named_statements
from pipelines.stores.lost import open_control
from pipelines.stores.rows import Row, rows_of

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.core.settings import Settings
    from pipelines.step.context import Context

# As for a control store that is damaged: what was sent can no longer be relied on.
EXIT_EDITED = 10
MOST_SHOWN = 50
# Nothing on the other side says whose these are.
NOT_COMPARED = (
    "Not compared: rates in the VMS, and partners, vessels and voyages in Xledger, that Springline did not send; they "
    "carry no mark of who entered them."
)


@dataclass(slots=True)
class Verification:
    """What does not fit: in the chain, and between the record and both systems; ``events`` is how many were read."""

    events: int = 0
    faults: list[ChainFault] = field(default_factory=list)
    differences: list[Row] = field(default_factory=list)
    batch: BatchResult | None = None
    is_compared: bool = False

    @property
    def exit_code(self) -> int:
        """10: the record was edited; 11 and others: a system could not be read; 16: both differ; 0: all fits."""
        if self.faults:
            return EXIT_EDITED
        if not self.is_compared:
            return (self.batch.exit_code if self.batch else 0) or 11
        return EXIT_BREAKS if self.differences else 0

    @property
    def answer(self) -> str:
        """Say it in a sentence."""
        if self.faults:
            return f"The record of what was sent was edited or is damaged. Faults in its chain: {len(self.faults)}."
        if not self.is_compared:
            return "The chain of events is whole. Both systems could not be read, so nothing was compared."
        if self.differences:
            return f"The chain of events is whole. Writes that one side alone knows of: {len(self.differences):,}."
        return "All fits: the chain of events is whole, and both systems have what was sent and nothing else of ours."

    def as_dict(self) -> dict[str, object]:
        """Return the object that `--json` prints."""
        return {
            "answer": self.answer,
            "events": self.events,
            "chain_faults": [{"subject": fault.subject, "message": fault.message} for fault in self.faults],
            "differences": [dict(row) for row in self.differences],
            "not_compared": NOT_COMPARED,
            "problems": list(self.batch.problems) if self.batch else [],
            "exit_code": self.exit_code,
        }


def run_verify(settings: Settings, **options: Unpack[BatchOptions]) -> Verification:
    """Check the chain, then read both systems and compare. Raises BusyError while a batch holds the warehouse."""
    found = Verification()
    with closing(open_control(settings)) as control:
        found.faults = verify_chain(control)
        found.events = int(control.one("SELECT count(*) FROM outbox_events"))

    def compare(ctx: Context) -> Counts:
        statement = named_statements("recovery", folder="questions")["on_one_side"]
        found.differences = [*rows_of(ctx.warehouse.execute(statement)), *master_data_gone(ctx)]
        found.is_compared = True
        return Counts()

    job = Job(
        "verify",
        (
            Step("read both sides", extract.read_everything_back),
            Step("build models", models.build_models),
            Step("compare both sides", models.build_comparison),
            Step("find what is on one side alone", compare),
        ),
    )
    found.batch = run_batch(settings, jobs=[job], **options)
    return found


def master_data_gone(ctx: Context) -> Iterator[Row]:
    """Yield the partners, vessels and voyages that were sent and whose ids the ledger does not have.

    That somebody else has added one cannot be told: the ledger's own look the same.
    """
    for stage in STAGES:
        there = {str(row[0]) for row in ctx.warehouse.execute(f"SELECT {stage.db_id} FROM {stage.staging}").fetchall()}  # noqa: S608 our own names
        last: dict[str, set[str]] = {}
        for row in ctx.control.read(named_statements("outbox")["sent_ids"], {"kind": stage.kind}):
            # The versions of one come in their order, and the last one says where it stands.
            ids = members_of(row["remote_ids"]).get("dbIds")
            last[row["natural_key"].rpartition("#")[0]] = {str(one) for one in ids} if isinstance(ids, list) else set()
        for subject, sent in last.items():
            if sent and not sent & there:
                what = stage.kind.replace("_", " ")
                yield {"what": what, "subject": subject, "side": "sent, and the ledger does not have it"}


def show_verification(found: Verification, console: Console) -> None:
    """Print the answer first, then what does not fit, and what to do."""
    lines = [found.answer, f"{found.events:,} events read."]
    lines += [f"  {fault.subject}: {fault.message}" for fault in found.faults[:MOST_SHOWN]]
    lines += [f"  {row['what']} {row['subject']}: {row['side']}" for row in found.differences[:MOST_SHOWN]]
    more = max(len(found.faults), len(found.differences)) - MOST_SHOWN
    if more > 0:
        lines.append(f"  … and {more:,} more (--json has all)")
    if found.is_compared:
        lines.append(NOT_COMPARED)
    if found.faults:
        lines.append("Next: keep the file for the auditor, and `springline restore` the last copy that was sound.")
    elif found.differences:
        lines.append("Next: `springline explain` has the story of each document, `springline breaks list` the rest.")
    lines += [f"! {problem}" for problem in (found.batch.problems if found.batch else ())]
    for line in lines:
        console.print(line, markup=False, highlight=False)
