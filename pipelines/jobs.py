"""The jobs of a batch as data: which steps each has, in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipelines import extract_steps, post_steps, publish_steps, reconcile_steps
from pipelines.context import Context
from pipelines.corrections import carry_out_retries
from pipelines.counts import Counts
from pipelines.reconcile.returns import note_actual_breaks, note_payment_breaks, note_rate_breaks


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name in `ctl.steps`, what it does, and whether a dry run leaves it out."""

    name: str
    run: Callable[[Context], Counts]
    writes_outside: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One job of `springline run`."""

    name: str
    steps: tuple[Step, ...]


MASTER_DATA = Job(
    "master-data",
    (
        Step("read partners, vessels and voyages", extract_steps.read_vms_master_data),
        Step("read the ledger's master data", extract_steps.read_ledger),
        Step("build models", post_steps.build_models),
        Step("note codes that are not unique", post_steps.note_master_breaks),
        Step("note changed bank accounts", post_steps.note_bank_changes),
        Step("send master data", post_steps.send_master_data, writes_outside=True),
    ),
)

DOCUMENTS = Job(
    "documents",
    (
        Step("read open documents", extract_steps.read_open_documents),
        Step("read the ledger's reference data", extract_steps.read_ledger),
        Step("build models", post_steps.build_models),
        Step("look up vouchers in flight", post_steps.settle_vouchers, writes_outside=True),
        Step("check posting requirements", post_steps.check_documents),
        Step("send vouchers", post_steps.send_vouchers, writes_outside=True),
        Step("carry out retries", carry_out_retries, writes_outside=True),
        Step("acknowledge", post_steps.acknowledge, writes_outside=True),
        Step("note what was acknowledged", extract_steps.note_acknowledged, writes_outside=True),
        Step("read the import back", extract_steps.read_import_back, writes_outside=True),
        Step("build models", post_steps.build_models, writes_outside=True),
    ),
)

RATES = Job(
    "rates",
    (
        Step("read exchange rates", extract_steps.read_rates),
        Step("build models", post_steps.build_models),
        Step("note breaks", note_rate_breaks),
        Step("send exchange rates", post_steps.send_rates, writes_outside=True),
    ),
)

PAYMENTS = Job(
    "payments",
    (
        Step("read payments and matches", extract_steps.read_payments),
        Step("build models", post_steps.build_models),
        Step("note breaks", note_payment_breaks),
        Step("send payments", post_steps.send_payments, writes_outside=True),
    ),
)

ACTUALS = Job(
    "actuals",
    (
        Step("read the general ledger", extract_steps.read_actuals),
        Step("build models", post_steps.build_models),
        Step("note breaks", note_actual_breaks),
        Step("send actuals", post_steps.send_actuals, writes_outside=True),
    ),
)

RECONCILE = Job(
    "reconcile",
    (
        Step("read both sides back", extract_steps.read_everything_back),
        Step("build models", post_steps.build_models),
        Step("compare both sides", reconcile_steps.build_comparison),
        Step("note breaks", reconcile_steps.note_breaks, writes_outside=True),
        Step("build the close", reconcile_steps.build_close),
    ),
)

# Files on disk are no other system, but a dry run has nothing new to show in them.
PUBLISH = Job(
    "publish",
    (
        Step("write the published file", publish_steps.publish_database, writes_outside=True),
        Step("write tables as Parquet", publish_steps.publish_tables, writes_outside=True),
        Step("write the report", publish_steps.publish_report, writes_outside=True),
        Step("write the workbook", publish_steps.publish_workbook, writes_outside=True),
    ),
)

JOBS: Mapping[str, Job] = {
    job.name: job for job in (MASTER_DATA, DOCUMENTS, RATES, PAYMENTS, ACTUALS, RECONCILE, PUBLISH)
}
