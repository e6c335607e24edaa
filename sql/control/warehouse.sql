-- The tables of the warehouse (DuckDB) that are made of what the control store keeps as JSON or as a file: what was sent, and
-- what sealed periods consisted of. What is copied column by column is declared in schema.sql. Nothing here is run as it stands:
-- names, types and words are read from it (pipelines/stores/control_schema.py).

-- One voucher as it was sent to the ledger.
CREATE TABLE sent_vouchers (
    id VARCHAR,  -- the outward write in ctl.outbox
    document_key BIGINT,  -- database id of the document in the VMS
    document_no VARCHAR,  -- number of the document in the VMS
    company_code VARCHAR,  -- company in the VMS
    owner_code INTEGER,  -- entity in the ledger
    voucher_type VARCHAR,  -- AP, AR or GL
    invoice_no VARCHAR,  -- invoice number of the control lines
    subledger_no VARCHAR,  -- supplier or customer of the control lines
    vms_partner_code VARCHAR,  -- its code in the VMS, where a mapping file gave it another in the ledger; empty: the same
    vms_partner_key BIGINT,  -- its database id in the VMS; empty: sent by an older release, or GL
    currency VARCHAR,  -- currency of the amounts
    control_amount DECIMAL(38, 18),  -- of the control lines in all, debit positive
    header_text VARCHAR,  -- text of the first control line, which the ledger shows as the voucher's
    header_db_id BIGINT,  -- database id of the voucher's header in the ledger, once found
    state VARCHAR,  -- where the outward write stands
    updated_at VARCHAR  -- when it last changed, UTC
);

-- One line of a voucher as it was sent to the ledger.
CREATE TABLE sent_lines (
    id VARCHAR,  -- the outward write in ctl.outbox
    document_key BIGINT,  -- database id of the document in the VMS
    item_no INTEGER,  -- number of the line in its voucher, from 1 (trItemNumber)
    is_control BOOLEAN,  -- whether it is a control line
    owner_code INTEGER,  -- entity in the ledger
    account VARCHAR,  -- GL account
    gl_object1 VARCHAR,  -- code of the vessel's cost centre; empty: none
    project VARCHAR,  -- code of the voyage's project; empty: none
    currency VARCHAR,  -- currency of the amounts
    direction INTEGER,  -- of a detail line: 1 or -1 times the VMS's amount it is debit positive; empty: not known
    invoice_amount DECIMAL(38, 4),  -- amount in the line's currency, debit positive
    amount DECIMAL(38, 4),  -- amount in the company's currency, debit positive
    subledger_no VARCHAR,  -- supplier or customer of the control lines
    invoice_no VARCHAR,  -- invoice number of the control lines
    tax_rule VARCHAR,  -- the ledger's tax rule; empty: none
    line_text VARCHAR,  -- text of the line
    posted_date DATE,  -- the day it is posted on
    invoice_date DATE,  -- date of the invoice; on control lines alone
    due_date DATE,  -- the day it is due; on control lines alone
    is_mapped BOOLEAN,  -- whether a mapping file gave it another account, dimension or partner than the VMS has
    vms_account VARCHAR,  -- of a mapped line: its account in the VMS when it was sent
    vms_vessel_code VARCHAR,  -- of a mapped line: its vessel in the VMS when it was sent
    vms_voyage_no VARCHAR,  -- of a mapped line: its voyage in the VMS when it was sent
    vms_partner_code VARCHAR,  -- of a mapped line: its partner in the VMS when it was sent
    state VARCHAR,  -- where the outward write stands
    updated_at VARCHAR  -- when it last changed, UTC
);

-- One version of a supplier or customer as it was sent to the ledger: whose it is, and its bank details.
CREATE TABLE sent_partners (
    id VARCHAR,  -- the outward write in ctl.outbox
    side VARCHAR,  -- supplier or customer
    owner_code INTEGER,  -- entity in the ledger; empty: the token's own
    code VARCHAR,  -- code of the supplier or customer
    version_no INTEGER,  -- its versions are counted from 1
    partner_key BIGINT,  -- database id of the partner in the VMS; empty: sent by an older release
    bank_account VARCHAR,  -- bank account; empty: not sent in this version
    swift VARCHAR,  -- SWIFT code; empty: not sent in this version
    bank_routing VARCHAR,  -- routing number of the bank; empty: not sent in this version
    state VARCHAR,  -- where the outward write stands
    updated_at VARCHAR  -- when it last changed, UTC
);

-- One payment as it was sent to the VMS.
CREATE TABLE payments (
    id VARCHAR,  -- the outward write in ctl.outbox
    document_no VARCHAR,  -- number of the document in the VMS
    payment_db_id BIGINT,  -- database id of the payment's row in the ledger
    document_key BIGINT,  -- database id of the document in the VMS
    part_no INTEGER,  -- place among the parts that correct each other, from 1
    document_amount DECIMAL(38, 18),  -- in the document's currency, with the VMS's sign
    source_amount DECIMAL(38, 18),  -- in the currency it was paid in
    company_amount DECIMAL(38, 18),  -- in the company's currency
    state VARCHAR,  -- where the outward write stands
    updated_at VARCHAR  -- when it last changed, UTC
);

-- One actual as it was sent to the VMS.
CREATE TABLE actuals (
    id VARCHAR,  -- the outward write in ctl.outbox
    document_no VARCHAR,  -- number of the document in the VMS
    prefix VARCHAR,  -- what the numbers of one voyage, account and month begin with
    owner_code INTEGER,  -- entity in the ledger
    period_month DATE,  -- first day of the month
    voyage_no VARCHAR,  -- reference number of the voyage
    account VARCHAR,  -- GL account
    currency VARCHAR,  -- currency of the amounts
    part_no INTEGER,  -- place among the parts that correct each other, from 1
    document_amount DECIMAL(38, 18),  -- in the document's currency, with the VMS's sign
    company_amount DECIMAL(38, 18),  -- in the company's currency
    state VARCHAR,  -- where the outward write stands
    updated_at VARCHAR  -- when it last changed, UTC
);

-- One exchange rate as it was sent to the VMS.
CREATE TABLE rates (
    id VARCHAR,  -- the outward write in ctl.outbox
    rate_date DATE,  -- the day the rate is for
    from_currency VARCHAR,  -- 1 of it is exchange_rate of to_currency
    to_currency VARCHAR,  -- the other currency
    part_no INTEGER,  -- place among the parts that correct each other, from 1
    exchange_rate DECIMAL(38, 18),  -- how much of to_currency 1 of from_currency is
    state VARCHAR,  -- where the outward write stands
    updated_at VARCHAR  -- when it last changed, UTC
);

-- One row of close.period_entries as it was when its period was sealed.
CREATE TABLE sealed_entries (
    period_month DATE,  -- first day of the month
    side VARCHAR,  -- ledger, vms or accrual
    subject VARCHAR,  -- of the ledger the voucher, of the VMS the document, of accruals the company, other families named before it
    account VARCHAR,  -- GL account; empty: none
    voyage_no VARCHAR,  -- reference number of the voyage; empty: none
    company_code VARCHAR,  -- company in the VMS
    owner_code INTEGER,  -- entity in the ledger
    document_key BIGINT,  -- database id of the document in the VMS
    document_no VARCHAR,  -- number of the document in the VMS
    header_db_id BIGINT,  -- database id of the voucher's header in the ledger
    voucher_no BIGINT,  -- number of the voucher in the ledger
    status VARCHAR,  -- booked; posted, open or gone; accrued, capitalised or adjusted
    company_currency_code VARCHAR,  -- currency of the amount
    company_amount DECIMAL(38, 4),  -- as it was at the seal; of the ledger and of accruals, debit positive
    row_count INTEGER  -- rows of the ledger added up
);
