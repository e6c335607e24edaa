-- Version 1: the control store as release 0.1.0 made it. That release wrote no version into the file (user_version 0),
-- so on its stores every statement finds its table there and does nothing. This text never changes.

CREATE TABLE IF NOT EXISTS meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS batches (
    batch_id TEXT PRIMARY KEY,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    today TEXT NOT NULL,
    jobs TEXT NOT NULL,
    operator TEXT NOT NULL,
    exit_code INTEGER,
    summary TEXT
) STRICT;

CREATE TABLE IF NOT EXISTS steps (
    batch_id TEXT NOT NULL REFERENCES batches,
    position INTEGER NOT NULL,
    job TEXT NOT NULL,
    step TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    outcome TEXT,
    row_count INTEGER,
    detail TEXT,
    PRIMARY KEY (batch_id, position)
) STRICT;

CREATE TABLE IF NOT EXISTS cursors (
    source TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    moved_at TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS outbox (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    natural_key TEXT NOT NULL,
    target TEXT NOT NULL CHECK (target IN ('vms', 'ledger')),
    company_code TEXT,
    owner_code INTEGER,
    document_key INTEGER,
    document_no TEXT,
    state TEXT NOT NULL CHECK (state IN ('todo', 'sending', 'sent', 'unknown', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    attempted_at TEXT,
    payload TEXT NOT NULL,
    payload_hash TEXT NOT NULL,
    source_hash TEXT NOT NULL,
    look_up TEXT,
    remote_ids TEXT,
    error_code TEXT,
    last_error TEXT,
    batch_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    sent_at TEXT,
    UNIQUE (kind, natural_key)
) STRICT;

CREATE INDEX IF NOT EXISTS outbox_by_state ON outbox (kind, state);
CREATE INDEX IF NOT EXISTS outbox_by_document ON outbox (document_key);
CREATE INDEX IF NOT EXISTS outbox_by_number ON outbox (document_no);
CREATE INDEX IF NOT EXISTS outbox_by_time ON outbox (updated_at);

CREATE TABLE IF NOT EXISTS outbox_events (
    event_no INTEGER PRIMARY KEY AUTOINCREMENT,
    outbox_id TEXT NOT NULL REFERENCES outbox,
    at TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    from_state TEXT,
    to_state TEXT NOT NULL,
    payload_hash TEXT NOT NULL,
    detail TEXT,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS outbox_events_by_intent ON outbox_events (outbox_id);

CREATE TRIGGER IF NOT EXISTS outbox_events_are_final_update BEFORE UPDATE ON outbox_events
BEGIN SELECT RAISE(ABORT, 'outbox_events is append-only'); END;
CREATE TRIGGER IF NOT EXISTS outbox_events_are_final_delete BEFORE DELETE ON outbox_events
BEGIN SELECT RAISE(ABORT, 'outbox_events is append-only'); END;

CREATE TABLE IF NOT EXISTS holds (
    hold_id INTEGER PRIMARY KEY AUTOINCREMENT,
    company TEXT,
    document_key INTEGER,
    document_no TEXT,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('critical', 'warning')),
    message TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT,
    batch_id TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS holds_once ON holds (document_key, rule) WHERE until IS NULL;

CREATE TABLE IF NOT EXISTS decisions (
    decision_no INTEGER PRIMARY KEY AUTOINCREMENT,
    action TEXT NOT NULL CHECK (action IN ('hold', 'release', 'ignore', 'retry', 'confirm', 'adopt')),
    subject TEXT NOT NULL,
    company TEXT,
    document_key INTEGER,
    document_no TEXT,
    reason TEXT NOT NULL,
    operator TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS ignored (
    company TEXT,
    document_key INTEGER,
    document_no TEXT NOT NULL,
    reason TEXT NOT NULL,
    operator TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT
) STRICT;

CREATE TABLE IF NOT EXISTS rejected (
    rejected_id INTEGER PRIMARY KEY AUTOINCREMENT,
    side TEXT NOT NULL,
    entity TEXT NOT NULL,
    object_key TEXT,
    document_no TEXT,
    member TEXT,
    message TEXT NOT NULL,
    body TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT,
    batch_id TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS rejected_once ON rejected (side, entity, object_key, body_hash) WHERE until IS NULL;

CREATE TABLE IF NOT EXISTS requests (
    month TEXT NOT NULL,
    side TEXT NOT NULL,
    job TEXT NOT NULL,
    operation TEXT NOT NULL,
    request_count INTEGER NOT NULL,
    PRIMARY KEY (month, side, job, operation)
) STRICT;

CREATE TABLE IF NOT EXISTS bank_changes (
    change_id INTEGER PRIMARY KEY AUTOINCREMENT,
    partner_code TEXT NOT NULL,
    old_account TEXT,
    new_account TEXT,
    seen_at TEXT NOT NULL,
    decided_at TEXT,
    decided_by TEXT,
    decision TEXT,
    reason TEXT
) STRICT;

CREATE TABLE IF NOT EXISTS breaks (
    break_id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    company TEXT,
    document_key INTEGER,
    document_no TEXT,
    message TEXT NOT NULL,
    next_step TEXT NOT NULL,
    figures_hash TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT,
    accepted_by TEXT,
    accepted_at TEXT,
    accepted_hash TEXT,
    comment TEXT,
    batch_id TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS breaks_once ON breaks (kind, subject) WHERE until IS NULL;

CREATE TABLE IF NOT EXISTS break_decisions (
    decision_no INTEGER PRIMARY KEY AUTOINCREMENT,
    break_id INTEGER NOT NULL REFERENCES breaks,
    action TEXT NOT NULL CHECK (action IN ('accept', 'reopen', 'comment')),
    words TEXT NOT NULL,
    figures_hash TEXT NOT NULL,
    operator TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS break_decisions_by_break ON break_decisions (break_id);

CREATE TRIGGER IF NOT EXISTS break_decisions_are_final_update BEFORE UPDATE ON break_decisions
BEGIN SELECT RAISE(ABORT, 'break_decisions is append-only'); END;
CREATE TRIGGER IF NOT EXISTS break_decisions_are_final_delete BEFORE DELETE ON break_decisions
BEGIN SELECT RAISE(ABORT, 'break_decisions is append-only'); END;

CREATE VIEW IF NOT EXISTS first_day AS
SELECT b.today
FROM outbox_events AS e
INNER JOIN batches AS b ON e.batch_id = b.batch_id
ORDER BY e.event_no
LIMIT 1;

CREATE TABLE IF NOT EXISTS closes (
    period TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('draft', 'sealed')),
    opened_at TEXT NOT NULL,
    sealed_at TEXT,
    sealed_by TEXT,
    pack_hash TEXT,
    figures TEXT,
    batch_id TEXT,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS close_events (
    event_no INTEGER PRIMARY KEY AUTOINCREMENT,
    period TEXT NOT NULL REFERENCES closes,
    at TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    operator TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('drawn up', 'sealed', 'looked at')),
    break_count INTEGER NOT NULL,
    accepted_count INTEGER NOT NULL,
    pack_hash TEXT
) STRICT;

CREATE TRIGGER IF NOT EXISTS close_events_are_final_update BEFORE UPDATE ON close_events
BEGIN SELECT RAISE(ABORT, 'close_events is append-only'); END;
CREATE TRIGGER IF NOT EXISTS close_events_are_final_delete BEFORE DELETE ON close_events
BEGIN SELECT RAISE(ABORT, 'close_events is append-only'); END;

CREATE TABLE IF NOT EXISTS sealed_packs (
    period TEXT PRIMARY KEY REFERENCES closes,
    entries BLOB NOT NULL,
    entries_hash TEXT NOT NULL,
    entry_count INTEGER NOT NULL
) STRICT;

CREATE TRIGGER IF NOT EXISTS seals_are_final BEFORE UPDATE ON closes WHEN old.state = 'sealed'
BEGIN SELECT RAISE(ABORT, 'a sealed period stays as it is'); END;
CREATE TRIGGER IF NOT EXISTS seals_are_kept BEFORE DELETE ON closes WHEN old.state = 'sealed'
BEGIN SELECT RAISE(ABORT, 'a sealed period stays as it is'); END;
CREATE TRIGGER IF NOT EXISTS sealed_packs_are_final_update BEFORE UPDATE ON sealed_packs
BEGIN SELECT RAISE(ABORT, 'a sealed period stays as it is'); END;
CREATE TRIGGER IF NOT EXISTS sealed_packs_are_final_delete BEFORE DELETE ON sealed_packs
BEGIN SELECT RAISE(ABORT, 'a sealed period stays as it is'); END;
