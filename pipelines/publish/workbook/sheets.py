"""All sheets of the workbook in their order, one for each question an accountant asks."""

from __future__ import annotations

from pipelines.publish.facts import utc_time
from pipelines.publish.workbook.columns import WHY
from pipelines.publish.workbook.document_sheets import BOTH_SIDES, DIFFERS, HELD, OPEN_BREAKS, PAYMENTS, UNPAID
from pipelines.publish.workbook.period_sheets import ACCRUALS, CLOSE, CONTROL_ACCOUNTS, CONTROL_TOTALS, ROLLFORWARD
from pipelines.publish.workbook.sheet import Sheet, SheetColumn

MASTER_DATA = Sheet(
    tab="Master data",
    table="MasterData",
    question="Which partners, vessels and voyages differ?",
    note="What only the ledger has is left out: it keeps more than ships. Bank accounts show no more than their end.",
    source="rec.partners and rec.voyages",
    columns=(
        SheetColumn("Code", "d.code"),
        SheetColumn("State", "d.state"),
        SheetColumn("Kind", "d.kind"),
        SheetColumn("Entity", "CAST(d.owner_code AS VARCHAR)"),
        SheetColumn("In the VMS", "d.name_vms"),
        SheetColumn("In the ledger", "d.name_ledger"),
        SheetColumn("What differs", "d.differing_fields"),
        *WHY,
        SheetColumn("Age in days", "d.age_days", "count"),
    ),
    rows="""
    (
        SELECT
            partner_code AS code, state, side AS kind, owner_code, name_vms, name_ledger, differing_fields, reason,
            next_step, age_days
        FROM rec.partners
        UNION ALL
        SELECT
            code, state, kind, owner_code, description_vms, description_ledger, differing_fields, reason, next_step,
            age_days
        FROM rec.voyages
    ) AS d
    """,
    # The ledger has partners and projects that are not of ships.
    where="d.state NOT IN ('agreed', 'only in ledger')",
    order="d.kind, d.code, d.owner_code",
    age="Age in days",
    alarm=("State", "<>waiting"),
    call="partners, vessels and voyages that differ",
)

RATES = Sheet(
    tab="Rates",
    table="Rates",
    question="Which exchange rates differ?",
    note="One From is so many To. A rate that only the ledger has goes to the VMS with the next run.",
    source="rec.exchange_rates",
    columns=(
        SheetColumn("Date", "d.rate_date", "date"),
        SheetColumn("State", "d.state"),
        SheetColumn("From", "d.from_currency_code"),
        SheetColumn("To", "d.to_currency_code"),
        SheetColumn("In the ledger", "d.rate_ledger", "rate"),
        SheetColumn("In the VMS", "d.rate_vms", "rate"),
        SheetColumn("Relative difference", "d.relative_difference", "rate"),
        *WHY,
    ),
    where="d.state <> 'agreed'",
    order="d.rate_date DESC, d.from_currency_code, d.to_currency_code",
    # Such a rate goes to the VMS with the next run.
    alarm=("State", "<>only in ledger"),
    call="exchange rates that differ",
)

SET_ASIDE = Sheet(
    tab="Set aside",
    table="SetAside",
    question="What could not be read?",
    note="Objects that are not what their contract says; the rest went through. Each is read again with the next run.",
    source="ctl.rejected",
    columns=(
        SheetColumn("Object", "coalesce(d.document_no, d.object_key, 'none')"),
        SheetColumn("System", "CASE d.side WHEN 'vms' THEN 'VMS' ELSE d.side END"),
        SheetColumn("What it is", "d.entity"),
        SheetColumn("Key", "d.object_key"),
        SheetColumn("Member", "d.member"),
        SheetColumn("Why", "d.message", "words"),
        SheetColumn("Since (UTC)", utc_time("d.since"), "time"),
    ),
    where="d.until IS NULL",
    order="d.since, d.side, d.entity, d.object_key, d.member",
    call="objects that could not be read",
)

NOT_DELIVERED = Sheet(
    tab="Not delivered",
    table="NotDelivered",
    question="What was to be sent and is not there yet?",
    note="Everything in the outbox that is not sent: what failed, whose fate is unknown, and what waits.",
    source="ctl.outbox",
    columns=(
        SheetColumn("What", "d.natural_key"),
        SheetColumn("State", "d.state"),
        SheetColumn("Kind", "d.kind"),
        SheetColumn("To", "CASE d.target WHEN 'vms' THEN 'VMS' ELSE d.target END"),
        SheetColumn("Document", "d.document_no"),
        SheetColumn("Tries", "d.attempts", "count"),
        SheetColumn("Why", "d.last_error", "words"),
        SheetColumn("Since (UTC)", utc_time("d.updated_at"), "time"),
    ),
    where="d.state <> 'sent'",
    # What failed or may have arrived first; what only waits its turn last.
    order="d.state = 'todo', d.updated_at, d.natural_key",
    call="things not delivered",
)

SHEETS = (
    BOTH_SIDES, HELD, DIFFERS, OPEN_BREAKS, UNPAID, PAYMENTS, CONTROL_ACCOUNTS, ROLLFORWARD, ACCRUALS, CLOSE,
    CONTROL_TOTALS, MASTER_DATA, RATES, SET_ASIDE, NOT_DELIVERED,
)  # fmt: skip
