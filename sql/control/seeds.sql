-- The tables of schema seed in the warehouse (DuckDB) that are made of the files of data/seeds, each named as its file. Nothing here
-- is run as it stands: columns and types are read from it (pipelines/stores/control_schema.py).

-- The accruals, and which type takes back which.
CREATE TABLE accrual_types (
    document_type VARCHAR,  -- type of document in the VMS
    family VARCHAR,  -- accrual, capitalisation or bunker adjustment
    reverses_type VARCHAR  -- type of what it takes back; empty: it is no reversal
);

-- One kind of break.
CREATE TABLE break_kinds (
    kind VARCHAR,  -- its name
    found_by VARCHAR,  -- the comparison, the close, or the job that finds it
    found_in VARCHAR,  -- the table, or the moment, in which it is found
    object VARCHAR,  -- what it is a break of
    state VARCHAR,  -- the state of the object that is a break
    subject VARCHAR,  -- what its subject is made of
    meaning VARCHAR,  -- what it means
    who_acts VARCHAR,  -- who acts
    next_step VARCHAR,  -- what to do next
    may_be_accepted VARCHAR,  -- whether a person may accept it
    accepted_for VARCHAR,  -- what an acceptance is bound to
    is_in_close BOOLEAN,  -- whether it can stop a close
    ignored_as VARCHAR  -- what of it somebody may say is not ours: project, account, partner or currency; empty: nothing
);

-- One currency of ISO 4217.
CREATE TABLE currencies (
    currency_code VARCHAR,  -- its code
    minor_units INTEGER,  -- how many decimals it has; empty: none are defined
    currency_name VARCHAR  -- its name
);

-- Two currencies of which one is one of the other, for good.
CREATE TABLE equal_currencies (
    currency_code VARCHAR,  -- its code
    equal_code VARCHAR,  -- the other one
    why VARCHAR  -- why they are equal
);

-- One reason why a row of the ledger leads to no payment.
CREATE TABLE match_reasons (
    reason VARCHAR,  -- the reason
    is_break VARCHAR,  -- when it is a break
    next_step VARCHAR  -- what to do next
);

-- One transaction source of the ledger.
CREATE TABLE payment_sources (
    source_code VARCHAR,  -- its code
    row_role VARCHAR  -- what its rows are in a match
);

-- One day without exchange rates.
CREATE TABLE rate_holidays (
    day DATE,  -- the day
    holiday VARCHAR,  -- its name
    owner VARCHAR,  -- who answers for this line
    why VARCHAR  -- why there are none
);

-- How far two figures may be apart.
CREATE TABLE tolerances (
    measure VARCHAR,  -- what is compared
    tolerance DECIMAL(38, 18),  -- how far apart they may be
    unit VARCHAR,  -- in which unit
    owner VARCHAR,  -- who answers for this line
    why VARCHAR  -- why so much
);

-- Which voucher a document becomes.
CREATE TABLE voucher_types (
    document_type VARCHAR,  -- type of document in the VMS
    voucher_type VARCHAR,  -- AP, AR or GL
    control_account_code VARCHAR,  -- the VMS account whose GL account is the control account; empty: map.contra_accounts finds it
    control_sign INTEGER,  -- sign of the control line
    is_credit_note BOOLEAN,  -- whether it is a credit note
    is_accrual BOOLEAN,  -- whether it accrues, and takes nothing back
    document_type_name VARCHAR  -- the type in words
);
