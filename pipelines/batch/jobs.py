"""The jobs of a batch as data: which steps each has, in which order."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from pipelines.batch.followers import send_followers
from pipelines.batch.retries import carry_out_retries
from pipelines.checks import steps as checks
from pipelines.extract import steps as extract
from pipelines.load import steps as load
from pipelines.models import steps as models
from pipelines.publish import steps as publish
from pipelines.reconcile import steps as reconcile
from pipelines.steering import steps as steering
from pipelines.step.step import Job, Step

# Load asks no other step: what the checks found ready is handed to it, as it stands when the vouchers go.
_send_what_is_ready = partial(load.send_vouchers, ready_documents=checks.ready_documents)
# What a person held by its number stays held when the VMS gives it another: behind what reads documents, and before it,
# for a batch that was killed in between.
_FIND_DECIDED = Step("find the documents that people decided on", steering.note_decided_documents, writes_outside=True)

MASTER_DATA = Job(
    "master-data",
    (
        Step("read partners, vessels and voyages", extract.read_vms_master_data),
        Step("read the ledger's master data", extract.read_ledger),
        Step("build models", models.build_models),
        Step("note codes that are not unique", reconcile.note_master_breaks),
        # Before they are sent: a changed account waits for a person (payment fraud begins with one).
        Step("note changed bank accounts", steering.note_bank_changes),
        Step("send master data", load.send_master_data, writes_outside=True),
    ),
)

DOCUMENTS = Job(
    "documents",
    (
        _FIND_DECIDED,
        Step("read open documents", extract.read_open_documents, is_sparing=True),
        _FIND_DECIDED,
        Step("read the ledger's reference data", extract.read_ledger_when_due),
        # Before any document is mapped with them: a wrong line of a file would otherwise be found voucher by voucher.
        Step("check the mapping files", checks.check_mapping),
        Step("build vouchers", models.build_vouchers),
        # Before anything is drafted: what turns out not to have arrived is open again, and is mapped and checked anew.
        Step("look up vouchers in flight", load.settle_vouchers, writes_outside=True),
        Step("build vouchers", models.build_vouchers, writes_outside=True),
        Step("check posting requirements", checks.check_documents),
        Step("note which mapping is used", checks.note_mapping, writes_outside=True),
        Step("send vouchers", _send_what_is_ready, writes_outside=True),
        Step("carry out retries", carry_out_retries, writes_outside=True),
        # After the ledger has taken a voucher, never before: a document set to posted is read no more.
        Step("acknowledge", load.acknowledge, writes_outside=True),
        Step("note what was acknowledged", extract.note_acknowledged, writes_outside=True),
        Step("send what waited for these", send_followers, writes_outside=True),
        # Only now: what went with these is held no more.
        Step("write reasons of holds to the VMS", load.write_reasons, writes_outside=True),
    ),
    later=(
        Step("read the import back", extract.read_import_back_when_due, writes_outside=True, is_sparing=True),
        Step("build models", models.build_models, writes_outside=True, is_sparing=True),
    ),
)

RATES = Job(
    "rates",
    (
        Step("read exchange rates", extract.read_rates),
        Step("build models", models.build_models),
        Step("note breaks", reconcile.note_rate_breaks),
        Step("send exchange rates", load.send_rates, writes_outside=True),
    ),
)

PAYMENTS = Job(
    "payments",
    (
        Step("read payments and matches", extract.read_payments),
        Step("build models", models.build_models),
        Step("note breaks", reconcile.note_payment_breaks),
        Step("send payments", load.send_payments, writes_outside=True),
    ),
)

ACTUALS = Job(
    "actuals",
    (
        Step("read the general ledger", extract.read_actuals),
        Step("build models", models.build_models),
        Step("note breaks", reconcile.note_actual_breaks),
        Step("send actuals", load.send_actuals, writes_outside=True),
    ),
)

RECONCILE = Job(
    "reconcile",
    (
        _FIND_DECIDED,
        Step("read both sides back", extract.read_everything_back),
        Step("build models", models.build_models),
        Step("compare both sides", models.build_comparison),
        Step("note breaks", reconcile.note_breaks, writes_outside=True),
        Step("build the close", models.build_close),
        Step("note what stops it", reconcile.note_stops),
        Step("build what stops it", models.build_stops),
    ),
)

# Files on disk are no other system, but a dry run has nothing new to show in them.
PUBLISH = Job(
    "publish",
    (
        Step("write the published file", publish.publish_database, writes_outside=True),
        Step("write tables as Parquet", publish.publish_tables, writes_outside=True),
        Step("write the report", publish.publish_report, writes_outside=True),
        Step("write the workbook", publish.publish_workbook, writes_outside=True),
    ),
)

JOBS: Mapping[str, Job] = {
    job.name: job for job in (MASTER_DATA, DOCUMENTS, RATES, PAYMENTS, ACTUALS, RECONCILE, PUBLISH)
}
