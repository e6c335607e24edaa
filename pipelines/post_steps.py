"""Steps that turn staged rows into models, verdicts and deliveries."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from pathlib import Path

from pipelines import bank_changes
from pipelines.breaks import Break
from pipelines.checks.hold import ready_documents, update_holds
from pipelines.checks.run import run_checks
from pipelines.context import Context
from pipelines.counts import Counts
from pipelines.declared import declared_tables
from pipelines.errors import SettingsError
from pipelines.load import vouchers
from pipelines.load.acknowledge import deliver_acknowledgements
from pipelines.load.actuals import deliver_actuals
from pipelines.load.delivered import Delivered
from pipelines.load.master_data import deliver_master_data
from pipelines.load.payments import deliver_payments
from pipelines.load.rates import deliver_rates
from pipelines.models.build import build
from pipelines.models.external import read_external
from pipelines.models.model import Catalog
from pipelines.models.stale import create_notes, marks_of, stale
from pipelines.models.store import open_catalog
from pipelines.reconcile.breaks import update_breaks
from pipelines.resources import sql_folder
from pipelines.warehouse import copy_control, write_settings

BUILT = "models.built_from"
SCHEMAS = ("map", "post")
NOT_UNIQUE = "code not unique"


def build_models(ctx: Context) -> Counts:
    """Build of map and post what stands on anything that has changed since it was built last."""
    write_settings(
        ctx.warehouse,
        ctx.settings,
        today=ctx.today,
        tax_rules=read_tax_rules(ctx.settings.posting.tax_rules),
        is_dry_run=ctx.is_dry_run,
    )
    copy_control(ctx.warehouse, ctx.control)
    mark = content_mark(ctx)
    if ctx.control.one("SELECT value FROM meta WHERE name = ?", (BUILT,)) == mark:
        return Counts()
    create_notes(ctx.warehouse)
    catalog = open_models(ctx)
    marks = marks_of(ctx.warehouse, catalog.models, read_external(ctx.warehouse))
    due = {ref for ref in stale(ctx.warehouse, marks) if ref.schema in SCHEMAS}
    build(ctx.warehouse, catalog.models, only=due, marks=marks, report=ctx.report)
    with ctx.control.write() as connection:
        connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (BUILT, mark))
    return Counts()


def open_models(ctx: Context) -> Catalog:
    """Return the models, verified against the tables they stand on; kept beside the warehouse until any of it changes.

    Other tables come and go there, and to verify all models takes seconds.
    """
    present = read_external(ctx.warehouse)
    stood_on = {ref: present.get(ref, columns) for ref, columns in declared_tables().items()}
    return open_catalog(sql_folder(), stood_on, cache=ctx.settings.warehouse_path.with_suffix(".models.json"))


def read_tax_rules(path: Path | None) -> Mapping[str, str]:
    """Read the tenant's CSV of VAT code and ledger tax rule (header ``vat_code,tax_rule``); empty when none is set.

    SettingsError names the file and the line that is wrong.
    """
    if path is None:
        return {}
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except OSError as error:
        raise SettingsError(f"posting.tax_rules: {path} cannot be read ({error.strerror}).") from error
    rules: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        code, rule = (row.get("vat_code") or "").strip(), (row.get("tax_rule") or "").strip()
        if not code or not rule or code in rules:
            raise SettingsError(
                f"posting.tax_rules: line {number} of {path} is no VAT code with a tax rule, or the code stands twice.",
                next_step="the header is vat_code,tax_rule; one line a VAT code.",
            )
        rules[code] = rule
    return rules


def note_master_breaks(ctx: Context) -> Counts:
    """Open a break for each code that is not unique, on either side, and close those that are unique again."""
    rows = ctx.warehouse.execute(
        "SELECT side, owner_code, code, found_in, row_count FROM post.master_breaks ORDER BY ALL"
    ).fetchall()
    breaks = [
        Break(
            NOT_UNIQUE,
            # The same subject as where delivery meets it: `<kind>:<owner>:<code>`.
            f"{'cost_centre' if side == 'vessel' else side}:{owner or where}:{code}",
            f"The {side} code {code} stands {count} times in {where}; nothing was written.",
            f"leave one {side} with the code {code} in {where}.",
            figures={"count": count},
        )
        for side, owner, code, where, count in rows
    ]
    return Counts(breaks=len(breaks) if ctx.is_dry_run else update_breaks(ctx, NOT_UNIQUE, breaks))


def send_master_data(ctx: Context) -> Counts:
    """Add to the ledger, or correct there, what partners, vessels and voyages need."""
    return _counts(ctx, deliver_master_data(ctx))


def settle_vouchers(ctx: Context) -> Counts:
    """Find out what became of vouchers that an earlier run left in flight, and draft those anew that did not arrive."""
    in_flight = "SELECT count(*) FROM outbox WHERE kind = 'voucher' AND state IN ('sending', 'unknown')"
    if not ctx.control.one(in_flight):
        return Counts()
    # What stays unknown is looked up, and told, when vouchers are sent.
    settled = vouchers.settle_vouchers(ctx)
    return Counts(sent=settled.sent) + build_models(ctx)


def note_bank_changes(ctx: Context) -> Counts:
    """Put suppliers' changed bank accounts on record until a second person releases them."""
    return Counts(breaks=bank_changes.note_bank_changes(ctx).held)


def send_rates(ctx: Context) -> Counts:
    """Post to the VMS the exchange rates it lacks."""
    return _counts(ctx, deliver_rates(ctx))


def send_payments(ctx: Context) -> Counts:
    """Post to the VMS what was paid on its invoices."""
    return _counts(ctx, deliver_payments(ctx))


def send_actuals(ctx: Context) -> Counts:
    """Post to the VMS what the books say was spent and earned on its voyages."""
    return _counts(ctx, deliver_actuals(ctx))


def check_documents(ctx: Context) -> Counts:
    """Run the suites over the open documents and bring the holds up to date."""
    result = run_checks(ctx)
    ready = update_holds(ctx, result)
    return Counts(held=result.checked - len(ready))


def send_vouchers(ctx: Context) -> Counts:
    """Store an intent for each document that is ready, and deliver all vouchers that are not settled."""
    ready = ready_documents(ctx)
    vouchers.store_voucher_intents(ctx, ready)
    return _counts(ctx, vouchers.deliver_vouchers(ctx, ready=ready))


def acknowledge(ctx: Context) -> Counts:
    """Set the documents whose vouchers the ledger has taken to posted in the VMS."""
    delivered = deliver_acknowledgements(ctx)
    return _counts(ctx, Delivered(failed=delivered.failed, unknown=delivered.unknown, problems=delivered.problems))


def _counts(ctx: Context, delivered: Delivered) -> Counts:
    for problem in delivered.problems:
        ctx.tell(problem)
    return Counts(sent=delivered.sent, failed=delivered.failed, unknown=delivered.unknown + delivered.waiting)


def content_mark(ctx: Context) -> str:
    """Hash all that the models follow from: files, settings, the day, what is staged, sent and decided."""
    digest = hashlib.sha256()
    for path in sorted(sql_folder().rglob("*.sql")):
        digest.update(path.read_bytes())
    digest.update(ctx.settings.model_dump_json().encode())
    tables = ctx.warehouse.execute(
        "SELECT table_schema || '.' || table_name FROM information_schema.columns "
        "WHERE table_schema IN ('stg_vms', 'stg_ledger') AND column_name = 'fetched_at' ORDER BY 1"
    ).fetchall()
    marks = " UNION ALL ".join(
        f"SELECT '{table}', count(*), sum(hash(fetched_at)) FROM {table}"  # noqa: S608 names come from the catalogue
        for (table,) in tables
    )
    if marks:
        digest.update(repr(sorted(ctx.warehouse.execute(marks).fetchall())).encode())
    for statement in (
        "SELECT event_no, hash FROM outbox_events ORDER BY event_no DESC LIMIT 1",
        "SELECT count(*), max(decision_no) FROM decisions",
        "SELECT count(*), max(coalesce(until, since)) FROM ignored",
        "SELECT count(*), max(coalesce(decided_at, seen_at)) FROM bank_changes",
    ):
        digest.update(repr([tuple(row) for row in ctx.control.read(statement)]).encode())
    digest.update(f"{ctx.today} {ctx.is_dry_run}".encode())
    return digest.hexdigest()


def catalog_of_repository() -> Catalog:
    """Verify the models against the declared tables, without a warehouse."""
    return open_catalog(sql_folder(), declared_tables())
