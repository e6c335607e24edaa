-- The account that a supplier had in the ledger is kept by the partner's key in the VMS. It fills by itself: the
-- next run of master data writes what it reads in the ledger.

CREATE TABLE supplier_accounts (
    partner_key INTEGER NOT NULL,
    owner_code INTEGER NOT NULL,
    ledger_db_id INTEGER NOT NULL,
    code TEXT NOT NULL,
    bank_account TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    PRIMARY KEY (partner_key, owner_code, ledger_db_id)
) STRICT;
