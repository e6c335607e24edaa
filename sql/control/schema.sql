-- The control store (SQLite): what was decided, sent and answered. It must never be lost; everything else can be rebuilt.
-- Times are UTC in ISO 8601; money only inside payloads, as text.

CREATE TABLE IF NOT EXISTS meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS batches (
    batch_id TEXT PRIMARY KEY,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    today TEXT NOT NULL,          -- the accounting day of the batch, Europe/Oslo
    jobs TEXT NOT NULL,           -- job names, comma separated
    operator TEXT NOT NULL,
    exit_code INTEGER,
    summary TEXT                  -- JSON, as `run --json` prints it
) STRICT;

CREATE TABLE IF NOT EXISTS steps (
    batch_id TEXT NOT NULL REFERENCES batches,
    position INTEGER NOT NULL,
    job TEXT NOT NULL,
    step TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    outcome TEXT,                 -- done | skipped | failed
    row_count INTEGER,
    detail TEXT,
    PRIMARY KEY (batch_id, position)
) STRICT;

CREATE TABLE IF NOT EXISTS cursors (
    source TEXT PRIMARY KEY,      -- vms.partners, ledger.suppliers …
    value TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    moved_at TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS outbox (
    id TEXT PRIMARY KEY,          -- deterministic: hash of kind and natural_key
    kind TEXT NOT NULL,           -- voucher, acknowledgement, supplier, customer, company, project, cost_centre, payment, rate, actual
    natural_key TEXT NOT NULL,
    target TEXT NOT NULL CHECK (target IN ('vms', 'ledger')),
    company_code TEXT,
    owner_code INTEGER,
    document_key INTEGER,
    document_no TEXT,
    state TEXT NOT NULL CHECK (state IN ('todo', 'sending', 'sent', 'unknown', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    attempted_at TEXT,            -- when the last call began: until it has timed out, absence on the other side proves nothing
    payload TEXT NOT NULL,        -- JSON, frozen once sending has begun
    payload_hash TEXT NOT NULL,
    source_hash TEXT NOT NULL,    -- hash of the source fields, to see drift
    look_up TEXT,                 -- JSON: what finds it on the other side (header text, number, date …)
    remote_ids TEXT,              -- JSON: ids the other side answered with
    error_code TEXT,
    last_error TEXT,
    batch_id TEXT NOT NULL,       -- the batch that stored the present payload
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    sent_at TEXT,
    UNIQUE (kind, natural_key)
) STRICT;

CREATE INDEX IF NOT EXISTS outbox_by_state ON outbox (kind, state);
CREATE INDEX IF NOT EXISTS outbox_by_document ON outbox (document_key);
CREATE INDEX IF NOT EXISTS outbox_by_number ON outbox (document_no);
-- What has moved since the last batch is copied from here.
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
    hash TEXT NOT NULL            -- sha256 over this row as canonical JSON, the previous hash included
) STRICT;

CREATE INDEX IF NOT EXISTS outbox_events_by_intent ON outbox_events (outbox_id);

CREATE TRIGGER IF NOT EXISTS outbox_events_are_final_update BEFORE UPDATE ON outbox_events
BEGIN SELECT RAISE(ABORT, 'outbox_events is append-only'); END;
CREATE TRIGGER IF NOT EXISTS outbox_events_are_final_delete BEFORE DELETE ON outbox_events
BEGIN SELECT RAISE(ABORT, 'outbox_events is append-only'); END;

CREATE TABLE IF NOT EXISTS holds (
    hold_id INTEGER PRIMARY KEY AUTOINCREMENT,
    company TEXT,
    document_key INTEGER,         -- null when an object other than a document is held
    document_no TEXT,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('critical', 'warning')),
    message TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT,                   -- null while it lasts
    batch_id TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS holds_once ON holds (document_key, rule) WHERE until IS NULL;

CREATE TABLE IF NOT EXISTS decisions (
    decision_no INTEGER PRIMARY KEY AUTOINCREMENT,
    action TEXT NOT NULL CHECK (action IN ('hold', 'release', 'ignore', 'retry', 'confirm', 'adopt')),
    subject TEXT NOT NULL,        -- document, supplier
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
    side TEXT NOT NULL,           -- vms | ledger
    entity TEXT NOT NULL,
    object_key TEXT,
    document_no TEXT,
    member TEXT,
    message TEXT NOT NULL,
    body TEXT NOT NULL,           -- the object as it came, cut to 64 KiB
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
    subject TEXT NOT NULL,        -- natural key of what differs
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
