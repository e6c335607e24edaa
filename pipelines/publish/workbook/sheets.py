"""The sheets of the workbook, one for each question an accountant asks."""

from __future__ import annotations

from pipelines.publish.workbook.sheet import Column, Sheet

# What is known of a company's own currency, for tables that do not name it.
COMPANY_CURRENCY = """
(SELECT company_code, max(company_currency_code) AS company_currency_code FROM rec.documents GROUP BY company_code)
"""
OWNER_CURRENCY = """
(SELECT owner_code, max(company_currency_code) AS company_currency_code FROM rec.documents GROUP BY owner_code)
"""
# The control store keeps moments as text in UTC.
SINCE = "TRY_CAST(substr(CAST({} AS VARCHAR), 1, 19) AS TIMESTAMP)"

SIDE = """
CASE
    WHEN {0}.document_type IN ('INI', 'CRI') THEN 'Payable'
    WHEN {0}.document_type IN ('INO', 'CRO') THEN 'Receivable'
    ELSE 'General ledger'
END
"""

WHY = (Column("Why", "d.reason", "words"), Column("What to do next", "d.next_step", "words"))
AS_OF = (Column("VMS read at (UTC)", "d.as_of_vms", "time"), Column("Ledger read at (UTC)", "d.as_of_ledger", "time"))
DOCUMENT = (
    Column("Document", "coalesce(d.document_no, d.subject)"),
    Column("State", "d.state"),
    Column("Company", "d.company_code"),
    Column("Type", "d.document_type"),
    Column("Partner", "d.partner_code"),
    Column("Partner name", "d.partner_name"),
    Column("Document date", "d.document_date", "date"),
)


def money(heading: str, expression: str, currency: str = "Currency") -> Column:
    """Return the column of an amount whose currency stands under the heading ``currency``."""
    return Column(heading, expression, "money", currency)


BOTH_SIDES = Sheet(
    tab="Both sides",
    table="BothSides",
    question="Where do the documents of both sides stand?",
    note="Every document that was sent, is ready for posting or is in the ledger with a number of ours, by state.",
    source="rec.documents",
    columns=(
        Column("State", "d.state"),
        Column("Side", SIDE.format("d")),
        Column("Currency", "d.currency_code"),
        Column("Documents", "count(*)", "count"),
        money("In the VMS", "sum(d.amount_vms)"),
        money("In the ledger", "sum(d.amount_ledger)"),
        money("Ledger less VMS", "sum(d.amount_difference)"),
        Column("Oldest in days", "max(d.age_days)", "count"),
    ),
    rows=f"FROM rec.documents AS d GROUP BY d.state, {SIDE.format('d')}, d.currency_code",
    order=f"d.state, {SIDE.format('d')}, d.currency_code",
)

HELD = Sheet(
    tab="Held",
    table="Held",
    question="What has not gone through, and why?",
    note="Documents that are held, of unknown fate, rejected, or waiting for the next run; the largest first.",
    source="rec.documents",
    columns=(
        *DOCUMENT,
        Column("Currency", "d.currency_code"),
        money("Amount", "d.amount_vms"),
        Column("Company currency", "d.company_currency_code"),
        money("Company amount", "d.company_amount_vms", "Company currency"),
        Column("Rules", "h.rules"),
        *WHY,
        Column("Held since (UTC)", SINCE.format("h.since"), "time"),
        Column("Age in days", "d.age_days", "count"),
        *AS_OF,
    ),
    rows="""
    FROM rec.documents AS d
    LEFT JOIN (
        SELECT document_key, string_agg(rule, ', ' ORDER BY rule) AS rules, min(since) AS since
        FROM ctl.holds WHERE until IS NULL AND severity = 'critical' GROUP BY document_key
    ) AS h ON h.document_key = d.document_key
    WHERE d.state IN ('held', 'unknown', 'rejected', 'waiting')
    """,
    order="d.state = 'waiting', abs(d.company_amount_vms) DESC NULLS LAST, d.subject",
    measure="Amount",
    age="Age in days",
    alarm=("State", "<>waiting"),
    call="documents that have not gone through",
)

DIFFERS = Sheet(
    tab="Differs",
    table="Differs",
    question="Which documents differ between the two sides?",
    note="Documents whose amount, fields or presence differ, or that moved after posting; the largest first.",
    source="rec.documents",
    columns=(
        *DOCUMENT,
        Column("Period", "d.period_month", "month"),
        Column("Voucher", "CAST(d.voucher_no_ledger AS VARCHAR)"),
        Column("Currency", "d.currency_code"),
        money("In the VMS", "d.amount_vms"),
        money("In the ledger", "d.amount_ledger"),
        money("Ledger less VMS", "coalesce(d.amount_difference, d.amount_ledger, -d.amount_vms)"),
        Column("Company currency", "d.company_currency_code"),
        money(
            "Company amount ledger less VMS",
            "coalesce(d.company_amount_difference, d.company_amount_ledger, -d.company_amount_vms)",
            "Company currency",
        ),
        Column("What moved after posting", "d.drift"),
        *WHY,
        Column("Age in days", "d.age_days", "count"),
        *AS_OF,
    ),
    rows="""
    FROM rec.documents AS d
    WHERE d.state IN ('amount differs', 'fields differ', 'only in VMS', 'only in ledger') OR d.drift IS NOT NULL
    """,
    order="""
    abs(coalesce(d.company_amount_difference, d.company_amount_ledger, -d.company_amount_vms)) DESC NULLS LAST,
    d.subject
    """,
    measure="Ledger less VMS",
    age="Age in days",
    call="documents that differ",
)

BREAKS = Sheet(
    tab="Breaks",
    table="Breaks",
    question="Which breaks are open?",
    note="Everything on which the two sides differ, until it is gone; what somebody has accepted stands last. "
    "springline breaks accept, comment and reopen decide on one.",
    source="ctl.breaks",
    columns=(
        Column("Break", "CAST(b.break_id AS VARCHAR)"),
        Column("Kind", "b.kind"),
        Column("Subject", "b.subject"),
        Column("Company", "b.company"),
        Column("Document", "b.document_no"),
        Column("Period", "r.period_month", "month"),
        Column("Currency", "r.currency_code"),
        money("Amount", "r.amount"),
        Column("What differs", "b.message", "words"),
        Column("What to do next", "b.next_step", "words"),
        Column("Open since (UTC)", SINCE.format("b.since"), "time"),
        Column("Accepted by", "CASE WHEN b.accepted_hash = b.figures_hash THEN b.accepted_by END"),
        Column("Comment", "b.comment", "words"),
    ),
    rows="""
    FROM ctl.breaks AS b LEFT JOIN rec.breaks AS r ON r.kind = b.kind AND r.subject = b.subject WHERE b.until IS NULL
    """,
    order="coalesce(b.accepted_hash = b.figures_hash, FALSE), abs(r.amount) DESC NULLS LAST, b.kind, b.subject",
    measure="Amount",
    alarm=("Accepted by", "="),
    call="open breaks",
)

UNPAID = Sheet(
    tab="Unpaid",
    table="Unpaid",
    question="What is unpaid, and how old is it?",
    note="Invoices and credit notes with something open on either side, by the ledger's books; longest overdue first. "
    "The sheet Ageing adds them up.",
    source="rec.payments",
    columns=(
        Column("Document", "coalesce(d.document_no, d.subject)"),
        Column("State", "d.state"),
        Column("Side", "d.side"),
        Column("Company", "d.company_code"),
        Column("Type", "d.document_type"),
        Column("Partner", "d.partner_code"),
        Column("Partner name", "d.partner_name"),
        Column("Invoice number", "d.invoice_no"),
        Column("Document date", "d.document_date", "date"),
        Column("Due date", "d.due_date", "date"),
        Column("Days overdue", "d.days_overdue", "count"),
        Column(
            "Overdue",
            "CASE WHEN d.days_overdue IS NULL THEN 'no due date' WHEN d.days_overdue <= 0 THEN 'not due' "
            "WHEN d.days_overdue <= 30 THEN '1-30 days' WHEN d.days_overdue <= 60 THEN '31-60 days' "
            "WHEN d.days_overdue <= 90 THEN '61-90 days' ELSE 'over 90 days' END",
        ),
        Column("Currency", "d.currency_code"),
        money("Amount", "coalesce(d.amount_ledger, d.amount_vms)"),
        money("Paid by the ledger", "d.paid_ledger"),
        money("Paid by the VMS", "d.paid_vms"),
        money("Open in the ledger", "d.open_ledger"),
        money("Open in the VMS", "d.open_vms"),
        Column("Last payment", "d.last_payment_date", "date"),
        *WHY,
        *AS_OF,
    ),
    rows="FROM rec.payments AS d WHERE d.open_ledger <> 0 OR d.open_vms <> 0",
    order="d.days_overdue DESC NULLS LAST, d.subject",
    measure="Open in the ledger",
    age="Days overdue",
    alarm=("Days overdue", ">0"),
    call="overdue invoices",
)

PAYMENTS = Sheet(
    tab="Payments",
    table="Payments",
    question="Which payments differ between the two sides?",
    note="Payments that one side has and the other has not, or not yet; breaks first.",
    source="rec.payments",
    columns=(
        *UNPAID.columns[:8],
        Column("Currency", "d.currency_code"),
        money("Paid by the ledger", "d.paid_ledger"),
        money("Netted in the ledger", "d.netted_ledger"),
        money("Paid by the VMS", "d.paid_vms"),
        money("Ledger less VMS", "d.paid_difference"),
        Column("Last payment", "d.last_payment_date", "date"),
        Column("A break", "d.is_break", "flag"),
        *WHY,
        *AS_OF,
    ),
    rows="FROM rec.payments AS d WHERE d.state NOT IN ('agreed', 'part paid')",
    order="d.is_break DESC, d.currency_code, abs(d.paid_difference) DESC NULLS LAST, d.subject",
    measure="Ledger less VMS",
    alarm=("A break", "=yes"),
    call="payments that differ",
)

CONTROL_ACCOUNTS = Sheet(
    tab="Control accounts",
    table="ControlAccounts",
    question="Do the control accounts tie?",
    note="By entity, account, currency and month, newest first: the ledger's balance less what only the ledger has and "
    "what is in transit, less the VMS's open items, must be nothing.",
    source="rec.control_accounts",
    columns=(
        Column("Account", "d.control_account"),
        Column("State", "d.state"),
        Column("Entity", "CAST(d.owner_code AS VARCHAR)"),
        Column("Period", "d.period_month", "month"),
        Column("Currency", "d.currency_code"),
        money("Ledger balance", "d.balance_ledger"),
        money("Only in the ledger", "d.ledger_only"),
        money("In transit", "d.in_transit"),
        money("Open in the VMS", "d.open_vms"),
        money("Difference", "d.difference"),
        Column("Company currency", "o.company_currency_code"),
        money("Ledger balance in company currency", "d.balance_company_ledger", "Company currency"),
        money("Of it revaluation", "d.revaluation_company", "Company currency"),
        money("General ledger", "d.gl_balance_company", "Company currency"),
        *WHY,
        *AS_OF,
    ),
    rows=f"FROM rec.control_accounts AS d LEFT JOIN {OWNER_CURRENCY} AS o ON o.owner_code = d.owner_code WHERE TRUE",
    order="d.period_month DESC, d.state = 'agreed', d.owner_code, d.control_account, d.currency_code",
    period="Period",
    measure="Difference",
    alarm=("State", "<>agreed"),
    call="control accounts that do not tie",
)

VOYAGE_ACCOUNT = (
    Column("Voyage", "coalesce(d.voyage_no, 'none')"),
    Column("Account", "d.account"),
    Column("Company", "d.company_code"),
    Column("Period", "d.period_month", "month"),
    Column("State", "d.state"),
    Column("Company currency", "d.company_currency_code"),
)

ROLLFORWARD = Sheet(
    tab="Accrual roll-forward",
    table="RollForward",
    question="How do the accruals roll forward?",
    note="By company, voyage, account and month, newest first: opening, plus posted, plus reversed, is closing.",
    source="close.accrual_rollforward",
    columns=(
        *VOYAGE_ACCOUNT,
        money("Opening", "d.opening", "Company currency"),
        money("Posted", "d.posted", "Company currency"),
        money("Reversed", "d.reversed", "Company currency"),
        money("Closing", "d.closing", "Company currency"),
        money("Not reversed", "d.unreversed_amount", "Company currency"),
        *WHY,
    ),
    rows="FROM close.accrual_rollforward AS d WHERE TRUE",
    order="d.period_month DESC, d.state = 'agreed', abs(d.unreversed_amount) DESC NULLS LAST, "
    "abs(d.closing) DESC NULLS LAST, d.company_code, d.voyage_no, d.account",
    period="Period",
    measure="Not reversed",
    alarm=("State", "<>agreed"),
    call="accruals without a reversal, or reversals without an accrual",
)

ACCRUALS = Sheet(
    tab="Accruals v actuals",
    table="AccrualsActuals",
    question="Were the accruals right?",
    note="By company, voyage, account and month, newest first: what was accrued against estimate less actual, and how "
    "much of earlier accruals actuals have confirmed since.",
    source="close.accruals_vs_actuals",
    columns=(
        *VOYAGE_ACCOUNT,
        money("Estimate to date", "d.estimate_to_date", "Company currency"),
        money("Actual to date", "d.actual_to_date", "Company currency"),
        money("Accrual posted", "d.accrual_posted", "Company currency"),
        money("Accrual recomputed", "d.accrual_recomputed", "Company currency"),
        money("Difference", "d.difference", "Company currency"),
        money("Accrued earlier", "d.earlier_accrued", "Company currency"),
        money("Confirmed since", "d.confirmed_amount", "Company currency"),
        Column("Hit rate", "d.hit_rate", "share"),
        Column("Why", "d.reason", "words"),
    ),
    rows="FROM close.accruals_vs_actuals AS d WHERE TRUE",
    order="d.period_month DESC, abs(d.difference) DESC NULLS LAST, d.company_code, d.voyage_no, d.account",
    period="Period",
    measure="Difference",
    alarm=("State", "<>agreed"),
    call="accruals that are not estimate less actual",
)

CLOSE = Sheet(
    tab="Close",
    table="CloseBreaks",
    question="What stops a clean close?",
    note="By period, newest first, then by size. springline close PERIOD seals a period when nothing is left, or "
    "everything is accepted.",
    source="close.breaks",
    columns=(
        Column("Subject", "d.subject"),
        Column("Kind", "d.kind"),
        Column("Period", "d.period_month", "month"),
        Column("Rank", "d.rank_no", "count"),
        Column("Company", "d.company_code"),
        Column("Document", "d.document_no"),
        Column("Voyage", "d.voyage_no"),
        Column("Account", "d.account"),
        Column("Currency", "d.currency_code"),
        money("Amount", "d.amount"),
        Column("Company currency", "c.company_currency_code"),
        money("Company amount", "d.company_amount", "Company currency"),
        *WHY,
        Column("Accepted", "d.is_accepted", "flag"),
        Column("Since (UTC)", "d.since", "time"),
        Column("Age in days", "d.age_days", "count"),
    ),
    rows=f"FROM close.breaks AS d LEFT JOIN {COMPANY_CURRENCY} AS c ON c.company_code = d.company_code WHERE TRUE",
    order="d.period_month DESC, d.rank_no, d.kind, d.subject",
    measure="Company amount",
    age="Age in days",
    alarm=("Accepted", "=no"),
    call="things that stop a clean close",
)

CONTROL_TOTALS = Sheet(
    tab="Control totals",
    table="ControlTotals",
    question="Do number and sum of the documents agree, day by day?",
    note="By document date, company and type; days that differ first, then the newest.",
    source="rec.control_totals",
    columns=(
        Column("Document date", "d.document_date", "date"),
        Column("State", "d.state"),
        Column("Company", "d.company_code"),
        Column("Type", "d.document_type"),
        Column("Documents in the VMS", "d.count_vms", "count"),
        Column("Documents in the ledger", "d.count_ledger", "count"),
        Column("Number ledger less VMS", "d.count_difference", "count"),
        Column("Company currency", "d.company_currency_code"),
        money("In the VMS", "d.company_amount_vms", "Company currency"),
        money("In the ledger", "d.company_amount_ledger", "Company currency"),
        money("Ledger less VMS", "d.company_amount_difference", "Company currency"),
        *WHY,
    ),
    rows="FROM rec.control_totals AS d WHERE TRUE",
    order="d.state = 'agreed', d.document_date DESC, d.company_code, d.document_type",
    measure="Ledger less VMS",
    alarm=("State", "=differs"),
    call="days that differ in number or sum",
)

MASTER_DATA = Sheet(
    tab="Master data",
    table="MasterData",
    question="Which partners, vessels and voyages differ?",
    note="What only the ledger has is left out: it keeps more than ships. Bank accounts show no more than their end.",
    source="rec.partners and rec.voyages",
    columns=(
        Column("Code", "d.code"),
        Column("State", "d.state"),
        Column("Kind", "d.kind"),
        Column("Entity", "CAST(d.owner_code AS VARCHAR)"),
        Column("In the VMS", "d.name_vms"),
        Column("In the ledger", "d.name_ledger"),
        Column("What differs", "d.differing_fields"),
        *WHY,
        Column("Age in days", "d.age_days", "count"),
    ),
    rows="""
    FROM (
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
    WHERE d.state NOT IN ('agreed', 'only in ledger')
    """,
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
        Column("Date", "d.rate_date", "date"),
        Column("State", "d.state"),
        Column("From", "d.from_currency_code"),
        Column("To", "d.to_currency_code"),
        Column("In the ledger", "d.rate_ledger", "rate"),
        Column("In the VMS", "d.rate_vms", "rate"),
        Column("Relative difference", "d.relative_difference", "rate"),
        *WHY,
    ),
    rows="FROM rec.exchange_rates AS d WHERE d.state <> 'agreed'",
    order="d.rate_date DESC, d.from_currency_code, d.to_currency_code",
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
        Column("Object", "coalesce(d.document_no, d.object_key, 'none')"),
        Column("System", "CASE d.side WHEN 'vms' THEN 'VMS' ELSE d.side END"),
        Column("What it is", "d.entity"),
        Column("Key", "d.object_key"),
        Column("Member", "d.member"),
        Column("Why", "d.message", "words"),
        Column("Since (UTC)", SINCE.format("d.since"), "time"),
    ),
    rows="FROM ctl.rejected AS d WHERE d.until IS NULL",
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
        Column("What", "d.natural_key"),
        Column("State", "d.state"),
        Column("Kind", "d.kind"),
        Column("To", "CASE d.target WHEN 'vms' THEN 'VMS' ELSE d.target END"),
        Column("Document", "d.document_no"),
        Column("Tries", "d.attempts", "count"),
        Column("Why", "d.last_error", "words"),
        Column("Since (UTC)", SINCE.format("d.updated_at"), "time"),
    ),
    rows="FROM ctl.outbox AS d WHERE d.state <> 'sent'",
    order="d.state = 'todo', d.updated_at, d.natural_key",
    call="things not delivered",
)

SHEETS = (
    BOTH_SIDES, HELD, DIFFERS, BREAKS, UNPAID, PAYMENTS, CONTROL_ACCOUNTS, ROLLFORWARD, ACCRUALS, CLOSE, CONTROL_TOTALS,
    MASTER_DATA, RATES, SET_ASIDE, NOT_DELIVERED,
)  # fmt: skip
