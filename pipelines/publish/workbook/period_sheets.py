"""The sheets of balances and of the close: one row is of a month, or of a day."""

from __future__ import annotations

from pipelines.publish.workbook.columns import AS_OF, WHY, currency_by, money
from pipelines.publish.workbook.sheet import Sheet, SheetColumn

# The key of accruals: one row is a company, a voyage, an account and a month.
VOYAGE_ACCOUNT = (
    SheetColumn("Voyage", "coalesce(d.voyage_no, 'none')"),
    SheetColumn("Account", "d.account"),
    SheetColumn("Company", "d.company_code"),
    SheetColumn("Period", "d.period_month", "month"),
    SheetColumn("State", "d.state"),
    SheetColumn("Company currency", "d.company_currency_code"),
)

CONTROL_ACCOUNTS = Sheet(
    tab="Control accounts",
    table="ControlAccounts",
    question="Do the control accounts tie?",
    note="By entity, account, currency and month, newest first: the ledger's balance less what only the ledger has and "
    "what is in transit, less the VMS's open items, must be nothing.",
    source="rec.control_accounts",
    columns=(
        SheetColumn("Account", "d.control_account"),
        SheetColumn("State", "d.state"),
        SheetColumn("Entity", "CAST(d.owner_code AS VARCHAR)"),
        SheetColumn("Period", "d.period_month", "month"),
        SheetColumn("Currency", "d.currency_code"),
        money("Ledger balance", "d.balance_ledger"),
        money("Only in the ledger", "d.ledger_only"),
        money("In transit", "d.in_transit"),
        money("Open in the VMS", "d.open_vms"),
        money("Difference", "d.difference"),
        SheetColumn("Company currency", "o.company_currency_code"),
        money("Ledger balance in company currency", "d.balance_company_ledger", "Company currency"),
        # Exchange differences, which have no currency amount: the VMS knows nothing of them.
        money("Of it revaluation", "d.revaluation_company", "Company currency"),
        money("General ledger", "d.gl_balance_company", "Company currency"),
        *WHY,
        *AS_OF,
    ),
    # The table knows the entity alone; the currency of its books is that of its documents.
    rows=f"rec.control_accounts AS d LEFT JOIN {currency_by('owner_code')} AS o ON o.owner_code = d.owner_code",
    order="d.period_month DESC, d.state = 'agreed', d.owner_code, d.control_account, d.currency_code",
    period="Period",
    measure="Difference",
    alarm=("State", "<>agreed"),
    call="control accounts that do not tie",
)

ROLLFORWARD = Sheet(
    tab="Accrual roll-forward",
    table="RollForward",
    question="How do the accruals roll forward?",
    note="By company, voyage, account and month, newest first, accruals, capitalisations and bunker adjustments "
    "each by themselves: opening, plus posted, plus reversed, is closing.",
    source="close.accrual_rollforward",
    columns=(
        *VOYAGE_ACCOUNT,
        SheetColumn("Family", "d.family"),
        money("Opening", "d.opening", "Company currency"),
        money("Posted", "d.posted", "Company currency"),
        money("Reversed", "d.reversed", "Company currency"),
        money("Closing", "d.closing", "Company currency"),
        # Beside the sum: what of accruals and reversals up to this month does not meet.
        money("Not reversed", "d.unreversed_amount", "Company currency"),
        *WHY,
    ),
    order="d.period_month DESC, d.state = 'agreed', abs(d.unreversed_amount) DESC NULLS LAST, "
    "abs(d.closing) DESC NULLS LAST, d.company_code, d.voyage_no, d.account, d.family",
    period="Period",
    # What is not reversed stays in the books beside the actual: the cost stands there twice.
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
        # Beside the accrual, never part of the comparison.
        money("Capitalised", "d.capitalised", "Company currency"),
        money("Accrual recomputed", "d.accrual_recomputed", "Company currency"),
        money("Difference", "d.difference", "Company currency"),
        money("Accrued earlier", "d.earlier_accrued", "Company currency"),
        money("Confirmed since", "d.confirmed_amount", "Company currency"),
        # Of what was accrued earlier, how much actuals have confirmed; 1 is all of it.
        SheetColumn("Hit rate", "d.hit_rate", "share"),
        SheetColumn("Why", "d.reason", "words"),
    ),
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
        SheetColumn("Subject", "d.subject"),
        SheetColumn("Kind", "d.kind"),
        SheetColumn("Period", "d.period_month", "month"),
        SheetColumn("Rank", "d.rank_no", "count"),
        SheetColumn("Company", "d.company_code"),
        SheetColumn("Document", "d.document_no"),
        SheetColumn("Voyage", "d.voyage_no"),
        SheetColumn("Account", "d.account"),
        SheetColumn("Currency", "d.currency_code"),
        money("Amount", "d.amount"),
        SheetColumn("Company currency", "c.company_currency_code"),
        money("Company amount", "d.company_amount", "Company currency"),
        *WHY,
        SheetColumn("Accepted", "d.is_accepted", "flag"),
        SheetColumn("Since (UTC)", "d.since", "time"),
        SheetColumn("Age in days", "d.age_days", "count"),
    ),
    rows=f"close.breaks AS d LEFT JOIN {currency_by('company_code')} AS c ON c.company_code = d.company_code",
    order="d.period_month DESC, d.rank_no, d.kind, d.subject",
    measure="Company amount",
    age="Age in days",
    # What is accepted is in the pack, and does not stop the seal.
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
        SheetColumn("Document date", "d.document_date", "date"),
        SheetColumn("State", "d.state"),
        SheetColumn("Company", "d.company_code"),
        SheetColumn("Type", "d.document_type"),
        SheetColumn("Documents in the VMS", "d.count_vms", "count"),
        SheetColumn("Documents in the ledger", "d.count_ledger", "count"),
        SheetColumn("Number ledger less VMS", "d.count_difference", "count"),
        SheetColumn("Company currency", "d.company_currency_code"),
        money("In the VMS", "d.company_amount_vms", "Company currency"),
        money("In the ledger", "d.company_amount_ledger", "Company currency"),
        money("Ledger less VMS", "d.company_amount_difference", "Company currency"),
        *WHY,
    ),
    order="d.state = 'agreed', d.document_date DESC, d.company_code, d.document_type",
    measure="Ledger less VMS",
    # On other days the difference is explained by what waits or is held.
    alarm=("State", "=differs"),
    call="days that differ in number or sum",
)
