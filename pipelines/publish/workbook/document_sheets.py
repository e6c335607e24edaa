"""The sheets of documents, breaks and payments: one row is one of them."""

from __future__ import annotations

from pipelines.publish.facts import ACCEPTED_BY, BREAKS, IS_ACCEPTED, IS_OPEN, utc_time
from pipelines.publish.workbook.columns import AS_OF, DOCUMENT, WHY, money
from pipelines.publish.workbook.sheet import Sheet, SheetColumn

BOTH_SIDES = Sheet(
    tab="Both sides",
    table="BothSides",
    question="Where do the documents of both sides stand?",
    note="Every document that was sent, is ready for posting or is in the ledger with a number of ours, by state.",
    source="rec.documents",
    columns=(
        SheetColumn("State", "d.state"),
        SheetColumn("Side", "d.side"),
        SheetColumn("Currency", "d.currency_code"),
        SheetColumn("Documents", "d.document_count", "count"),
        money("In the VMS", "d.amount_vms"),
        money("In the ledger", "d.amount_ledger"),
        money("Ledger less VMS", "d.amount_difference"),
        SheetColumn("Oldest in days", "d.oldest_days", "count"),
    ),
    rows="""
    (
        SELECT
            state, side, currency_code, count(*) AS document_count, sum(amount_vms) AS amount_vms,
            sum(amount_ledger) AS amount_ledger, sum(amount_difference) AS amount_difference,
            max(age_days) AS oldest_days
        FROM rec.documents
        GROUP BY state, side, currency_code
    ) AS d
    """,
    order="d.state, d.side, d.currency_code",
)

HELD = Sheet(
    tab="Held",
    table="Held",
    question="What has not gone through, and why?",
    note="Documents that are held, of unknown fate, rejected, or waiting for the next run; the largest first.",
    source="rec.documents",
    columns=(
        *DOCUMENT,
        SheetColumn("Currency", "d.currency_code"),
        money("Amount", "d.amount_vms"),
        SheetColumn("Company currency", "d.company_currency_code"),
        money("Company amount", "d.company_amount_vms", "Company currency"),
        SheetColumn("Rules", "h.rules"),
        *WHY,
        SheetColumn("Held since (UTC)", utc_time("h.since"), "time"),
        SheetColumn("Age in days", "d.age_days", "count"),
        *AS_OF,
    ),
    rows="""
    rec.documents AS d
    LEFT JOIN (
        SELECT document_key, string_agg(rule, ', ' ORDER BY rule) AS rules, min(since) AS since
        FROM ctl.holds WHERE until IS NULL AND severity = 'critical' GROUP BY document_key
    ) AS h ON h.document_key = d.document_key
    """,
    where="d.state IN ('held', 'unknown', 'rejected', 'waiting')",
    # What somebody must act on comes before what only waits.
    order="d.state = 'waiting', abs(d.company_amount_vms) DESC NULLS LAST, d.subject",
    measure="Amount",
    age="Age in days",
    # What waits goes with the next run: nobody has to do anything.
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
        SheetColumn("Period", "d.period_month", "month"),
        SheetColumn("Voucher", "CAST(d.voucher_no_ledger AS VARCHAR)"),
        SheetColumn("Currency", "d.currency_code"),
        money("In the VMS", "d.amount_vms"),
        money("In the ledger", "d.amount_ledger"),
        # What only one side has differs by all of it; the VMS's amounts count against the ledger's.
        money("Ledger less VMS", "coalesce(d.amount_difference, d.amount_ledger, -d.amount_vms)"),
        SheetColumn("Company currency", "d.company_currency_code"),
        money(
            "Company amount ledger less VMS",
            "coalesce(d.company_amount_difference, d.company_amount_ledger, -d.company_amount_vms)",
            "Company currency",
        ),
        SheetColumn("What moved after posting", "d.drift"),
        *WHY,
        SheetColumn("Age in days", "d.age_days", "count"),
        *AS_OF,
    ),
    # A drift is shown even where the state agrees: somebody changed what was posted.
    where="d.state IN ('amount differs', 'fields differ', 'only in VMS', 'only in ledger') OR d.drift IS NOT NULL",
    order="""
    abs(coalesce(d.company_amount_difference, d.company_amount_ledger, -d.company_amount_vms)) DESC NULLS LAST,
    d.subject
    """,
    measure="Ledger less VMS",
    age="Age in days",
    call="documents that differ",
)

OPEN_BREAKS = Sheet(
    tab="Breaks",
    table="Breaks",
    question="Which breaks are open?",
    note="Everything on which the two sides differ, until it is gone; what somebody has accepted stands last. "
    "springline breaks accept, comment and reopen decide on one.",
    source="ctl.breaks",
    columns=(
        SheetColumn("Break", "CAST(b.break_id AS VARCHAR)"),
        SheetColumn("Kind", "b.kind"),
        SheetColumn("Subject", "b.subject"),
        SheetColumn("Company", "b.company"),
        SheetColumn("Document", "b.document_no"),
        SheetColumn("Period", "r.period_month", "month"),
        SheetColumn("Currency", "r.currency_code"),
        money("Amount", "r.amount"),
        SheetColumn("What differs", "b.message", "words"),
        SheetColumn("What to do next", "b.next_step", "words"),
        SheetColumn("Open since (UTC)", utc_time("b.since"), "time"),
        SheetColumn("Accepted by", ACCEPTED_BY),
        SheetColumn("Comment", "b.comment", "words"),
    ),
    # ctl.breaks knows since when a break is open and what people decided; the amount comes from rec.breaks.
    rows=BREAKS,
    where=IS_OPEN,
    order=f"{IS_ACCEPTED}, abs(r.amount) DESC NULLS LAST, b.kind, b.subject",
    measure="Amount",
    # Nobody has accepted it, or its figures have moved since.
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
        SheetColumn("Document", "coalesce(d.document_no, d.subject)"),
        SheetColumn("State", "d.state"),
        SheetColumn("Side", "d.side"),
        SheetColumn("Company", "d.company_code"),
        SheetColumn("Type", "d.document_type"),
        SheetColumn("Partner", "d.partner_code"),
        SheetColumn("Partner name", "d.partner_name"),
        SheetColumn("Invoice number", "d.invoice_no"),
        SheetColumn("Document date", "d.document_date", "date"),
        SheetColumn("Due date", "d.due_date", "date"),
        SheetColumn("Days overdue", "d.days_overdue", "count"),
        SheetColumn("Overdue", "d.overdue_bucket"),
        SheetColumn("Currency", "d.currency_code"),
        money("Amount", "coalesce(d.amount_ledger, d.amount_vms)"),
        money("Paid by the ledger", "d.paid_ledger"),
        money("Paid by the VMS", "d.paid_vms"),
        money("Open in the ledger", "d.open_ledger"),
        money("Open in the VMS", "d.open_vms"),
        SheetColumn("Last payment", "d.last_payment_date", "date"),
        *WHY,
        *AS_OF,
    ),
    # What the VMS alone has open is listed too: the payment has not been transferred yet.
    where="d.open_ledger <> 0 OR d.open_vms <> 0",
    order="d.days_overdue DESC NULLS LAST, d.subject",
    measure="Open in the ledger",
    age="Days overdue",
    # What is not due yet is no call.
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
        # Up to the invoice number the columns are the same.
        *UNPAID.columns[:8],
        SheetColumn("Currency", "d.currency_code"),
        money("Paid by the ledger", "d.paid_ledger"),
        money("Netted in the ledger", "d.netted_ledger"),
        money("Paid by the VMS", "d.paid_vms"),
        money("Ledger less VMS", "d.paid_difference"),
        SheetColumn("Last payment", "d.last_payment_date", "date"),
        SheetColumn("A break", "d.is_break", "flag"),
        *WHY,
        *AS_OF,
    ),
    # Part paid is no difference: both sides have the same part.
    where="d.state NOT IN ('agreed', 'part paid')",
    # By currency first: amounts of two currencies have no order.
    order="d.is_break DESC, d.currency_code, abs(d.paid_difference) DESC NULLS LAST, d.subject",
    measure="Ledger less VMS",
    alarm=("A break", "=yes"),
    call="payments that differ",
)
