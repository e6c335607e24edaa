-- The control store (SQLite): what was decided, sent and answered. It must never be lost; everything else can be rebuilt.
-- Times are UTC in ISO 8601; money only inside payloads, as text.

-- One fact that a step keeps for the next run, by name.
CREATE TABLE IF NOT EXISTS meta (
    name TEXT PRIMARY KEY,        -- what it is about
    value TEXT NOT NULL           -- as the step wrote it
) STRICT;

-- One run of one or more jobs.
CREATE TABLE IF NOT EXISTS batches (
    batch_id TEXT PRIMARY KEY,    -- time of its start and four random digits
    started_at TEXT NOT NULL,     -- when it began
    ended_at TEXT,                -- when it ended; empty while it runs, or when it was killed
    today TEXT NOT NULL,          -- the accounting day of the batch, Europe/Oslo
    jobs TEXT NOT NULL,           -- job names, comma separated
    operator TEXT NOT NULL,       -- who started it
    exit_code INTEGER,            -- as docs/how-to/exit-codes.md lists them
    summary TEXT                  -- JSON, as `run --json` prints it
) STRICT;

-- One step of a batch, in the order in which they ran.
CREATE TABLE IF NOT EXISTS steps (
    batch_id TEXT NOT NULL REFERENCES batches,  -- the batch
    position INTEGER NOT NULL,    -- place in the batch, from 1
    job TEXT NOT NULL,            -- the job it belongs to
    step TEXT NOT NULL,           -- its name
    started_at TEXT NOT NULL,     -- when it began
    ended_at TEXT,                -- when it ended
    outcome TEXT,                 -- done | skipped | failed
    row_count INTEGER,            -- objects it read
    detail TEXT,                  -- JSON of what it counted, or why it failed
    PRIMARY KEY (batch_id, position)
) STRICT;

-- How far one source has been read.
CREATE TABLE IF NOT EXISTS cursors (
    source TEXT PRIMARY KEY,      -- vms.partners, ledger.suppliers …
    value TEXT NOT NULL,          -- a time, a number or a day, as the source has it
    batch_id TEXT NOT NULL,       -- the batch that moved it
    moved_at TEXT NOT NULL        -- when it was moved or confirmed
) STRICT;

-- One outward write, stored before it is sent.
CREATE TABLE IF NOT EXISTS outbox (
    id TEXT PRIMARY KEY,          -- deterministic: hash of kind and natural_key
    kind TEXT NOT NULL,           -- voucher, acknowledgement, remark, payment, rate, actual, or master data (supplier, project …)
    natural_key TEXT NOT NULL,    -- what it is about, in its own words; unique by kind
    target TEXT NOT NULL CHECK (target IN ('vms', 'ledger')),  -- the side it goes to
    company_code TEXT,            -- company in the VMS
    owner_code INTEGER,           -- entity in the ledger
    document_key INTEGER,         -- database id of the document in the VMS
    document_no TEXT,             -- number of the document in the VMS
    state TEXT NOT NULL CHECK (state IN ('todo', 'sending', 'sent', 'unknown', 'failed')),  -- where it stands
    attempts INTEGER NOT NULL DEFAULT 0,  -- calls made
    attempted_at TEXT,            -- when the last call began: until it has timed out, absence on the other side proves nothing
    payload TEXT NOT NULL,        -- JSON, frozen once sending has begun
    payload_hash TEXT NOT NULL,   -- hash of the payload
    source_hash TEXT NOT NULL,    -- hash of the source fields, to see drift
    look_up TEXT,                 -- JSON: what finds it on the other side (header text, number, date …)
    remote_ids TEXT,              -- JSON: ids the other side answered with
    error_code TEXT,              -- code of the last refusal
    last_error TEXT,              -- what the other side said
    batch_id TEXT NOT NULL,       -- the batch that stored the present payload
    created_at TEXT NOT NULL,     -- when it was stored first
    updated_at TEXT NOT NULL,     -- when it last changed
    sent_at TEXT,                 -- when the other side had it
    UNIQUE (kind, natural_key)
) STRICT;

CREATE INDEX IF NOT EXISTS outbox_by_state ON outbox (kind, state);
CREATE INDEX IF NOT EXISTS outbox_by_document ON outbox (document_key);
CREATE INDEX IF NOT EXISTS outbox_by_number ON outbox (document_no);
-- What has moved since the last batch is copied from here.
CREATE INDEX IF NOT EXISTS outbox_by_time ON outbox (updated_at);

-- One change of state of an outward write; never changed, and chained by hashes.
CREATE TABLE IF NOT EXISTS outbox_events (
    event_no INTEGER PRIMARY KEY AUTOINCREMENT,  -- place in the chain, from 1
    outbox_id TEXT NOT NULL REFERENCES outbox,  -- the outward write
    at TEXT NOT NULL,             -- when
    batch_id TEXT NOT NULL,       -- the batch that did it
    from_state TEXT,              -- empty for the first
    to_state TEXT NOT NULL,       -- where it stood afterwards
    payload_hash TEXT NOT NULL,   -- hash of the payload then
    detail TEXT,                  -- what was answered, or why
    previous_hash TEXT NOT NULL,  -- hash of the event before
    hash TEXT NOT NULL            -- sha256 over this row as canonical JSON, the previous hash included
) STRICT;

CREATE INDEX IF NOT EXISTS outbox_events_by_intent ON outbox_events (outbox_id);

CREATE TRIGGER IF NOT EXISTS outbox_events_are_final_update BEFORE UPDATE ON outbox_events
BEGIN SELECT RAISE(ABORT, 'outbox_events is append-only'); END;
CREATE TRIGGER IF NOT EXISTS outbox_events_are_final_delete BEFORE DELETE ON outbox_events
BEGIN SELECT RAISE(ABORT, 'outbox_events is append-only'); END;

-- One rule, or person, that keeps a document back, or warns of it, and since when.
CREATE TABLE IF NOT EXISTS holds (
    hold_id INTEGER PRIMARY KEY AUTOINCREMENT,  -- counted up
    company TEXT,                 -- company in the VMS
    document_key INTEGER,         -- null when an object other than a document is held
    document_no TEXT,             -- number of the document, or code of the supplier
    rule TEXT NOT NULL,           -- the rule that failed, or held_by_person
    severity TEXT NOT NULL CHECK (severity IN ('critical', 'warning')),  -- a warning goes out all the same
    message TEXT NOT NULL,        -- what is wrong and what to do
    since TEXT NOT NULL,          -- when it was seen first
    until TEXT,                   -- null while it lasts
    batch_id TEXT NOT NULL        -- the batch that saw it first
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS holds_once ON holds (document_key, rule) WHERE until IS NULL;

-- One decision of a person.
CREATE TABLE IF NOT EXISTS decisions (
    decision_no INTEGER PRIMARY KEY AUTOINCREMENT,  -- counted up
    action TEXT NOT NULL CHECK (action IN ('hold', 'release', 'ignore', 'retry', 'confirm', 'adopt')),  -- what was decided
    subject TEXT NOT NULL,        -- document, supplier
    company TEXT,                 -- company in the VMS
    document_key INTEGER,         -- database id of the document in the VMS
    document_no TEXT,             -- number of the document, or code of the supplier
    reason TEXT NOT NULL,         -- why, in the words of who decided
    operator TEXT NOT NULL,       -- who decided
    at TEXT NOT NULL              -- when
) STRICT;

-- One document that is left alone by a decision.
CREATE TABLE IF NOT EXISTS ignored (
    company TEXT,                 -- company in the VMS
    document_key INTEGER,         -- database id of the document in the VMS; empty for one never seen
    document_no TEXT NOT NULL,    -- number of the document
    reason TEXT NOT NULL,         -- why
    operator TEXT NOT NULL,       -- who decided
    since TEXT NOT NULL,          -- from when on
    until TEXT                    -- empty while it lasts
) STRICT;

-- One project, account, partner or currency that somebody said is not ours: what differs about it alone needs nobody.
CREATE TABLE IF NOT EXISTS ignored_subjects (
    subject_no INTEGER PRIMARY KEY AUTOINCREMENT,  -- counted up
    subject TEXT NOT NULL CHECK (subject IN ('project', 'account', 'partner', 'currency')),  -- what it is
    company TEXT,                 -- company in the VMS; empty: partners and currencies are those of all
    code TEXT NOT NULL,           -- its code
    reason TEXT NOT NULL,         -- why it is not ours
    operator TEXT NOT NULL,       -- who said so
    since TEXT NOT NULL,          -- from when on
    until TEXT,                   -- when it was taken back; empty while it lasts
    ended_by TEXT,                -- who took it back
    end_reason TEXT               -- why it was taken back
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS ignored_subjects_once ON ignored_subjects (subject, COALESCE(company, ''), code)
WHERE until IS NULL;

CREATE TRIGGER IF NOT EXISTS ignored_subjects_are_kept BEFORE DELETE ON ignored_subjects
BEGIN SELECT RAISE(ABORT, 'ignored_subjects is never deleted from'); END;

-- One object that broke its contract and was set aside.
CREATE TABLE IF NOT EXISTS rejected (
    rejected_id INTEGER PRIMARY KEY AUTOINCREMENT,  -- counted up
    side TEXT NOT NULL,           -- vms | ledger
    entity TEXT NOT NULL,         -- kind of object
    object_key TEXT,              -- its id on that side
    document_no TEXT,             -- number of the document, where it is one
    member TEXT,                  -- what breaks the contract
    message TEXT NOT NULL,        -- what was expected, what came, what to do
    body TEXT NOT NULL,           -- the object as it came, cut to 64 KiB
    body_hash TEXT NOT NULL,      -- hash of the object
    since TEXT NOT NULL,          -- when it was set aside
    until TEXT,                   -- when it came in order; empty while it stands
    batch_id TEXT NOT NULL        -- the batch that read it
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS rejected_once ON rejected (side, entity, object_key, body_hash) WHERE until IS NULL;

-- How often one operation was asked for in a month, by job.
CREATE TABLE IF NOT EXISTS requests (
    month TEXT NOT NULL,          -- as 2026-11
    side TEXT NOT NULL,           -- vms or ledger
    job TEXT NOT NULL,            -- the job, or the command, that asked
    operation TEXT NOT NULL,      -- query, mutation or entity
    request_count INTEGER NOT NULL,  -- how often
    PRIMARY KEY (month, side, job, operation)
) STRICT;

-- One change of a supplier's bank account, and what a second person decided on it.
CREATE TABLE IF NOT EXISTS bank_changes (
    change_id INTEGER PRIMARY KEY AUTOINCREMENT,  -- counted up
    partner_code TEXT NOT NULL,   -- the supplier
    old_account TEXT,             -- the account in the ledger
    new_account TEXT,             -- the account in the VMS
    seen_at TEXT NOT NULL,        -- when it was seen first
    decided_at TEXT,              -- when it was over
    decided_by TEXT,              -- the second person
    decision TEXT,                -- confirm, applied or withdrawn; empty while it waits
    reason TEXT,                  -- why
    seen_by TEXT                  -- who ran the batch that saw it first, and so cannot release it
) STRICT;

-- One supplier as the ledger last had it with a bank account: it is known again by it, also under another code.
CREATE TABLE IF NOT EXISTS supplier_accounts (
    partner_key INTEGER NOT NULL, -- database id of the partner in the VMS
    owner_code INTEGER NOT NULL,  -- entity in the ledger that sees it; 0: the token's own
    ledger_db_id INTEGER NOT NULL, -- database id of the supplier in the ledger
    code TEXT NOT NULL,           -- its code there
    bank_account TEXT NOT NULL,   -- its account there
    seen_at TEXT NOT NULL,        -- when it was first seen so
    PRIMARY KEY (partner_key, owner_code, ledger_db_id)
) STRICT;

-- One thing on which both sides differ, from when it was first seen until it was gone.
CREATE TABLE IF NOT EXISTS breaks (
    break_id INTEGER PRIMARY KEY AUTOINCREMENT,  -- counted up
    kind TEXT NOT NULL,           -- what kind of difference
    subject TEXT NOT NULL,        -- natural key of what differs
    company TEXT,                 -- company in the VMS
    document_key INTEGER,         -- database id of the document in the VMS
    document_no TEXT,             -- number of the document
    message TEXT NOT NULL,        -- what differs, with both values
    next_step TEXT NOT NULL,      -- what to do, and where
    figures_hash TEXT NOT NULL,   -- hash of the figures as they are
    since TEXT NOT NULL,          -- when it was seen first
    until TEXT,                   -- when it was gone; empty while it stands
    accepted_by TEXT,             -- who accepted it
    accepted_at TEXT,             -- when
    accepted_hash TEXT,           -- hash of the figures that were accepted; others are not
    comment TEXT,                 -- what somebody said of it last, beside an acceptance
    batch_id TEXT NOT NULL,       -- the batch that saw it last
    period_month TEXT,            -- first day of the month it counts in, as 2026-10-01; empty: its document's, or that of since
    accepted_reason TEXT,         -- why it was accepted
    end_reason TEXT               -- who ended it and why; empty: it was gone by itself, or it stands
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS breaks_once ON breaks (kind, subject) WHERE until IS NULL;

-- One decision of a person on a break; never changed.
CREATE TABLE IF NOT EXISTS break_decisions (
    decision_no INTEGER PRIMARY KEY AUTOINCREMENT,  -- counted up
    break_id INTEGER NOT NULL REFERENCES breaks,  -- the break
    action TEXT NOT NULL CHECK (action IN ('accept', 'reopen', 'comment')),  -- what was decided
    words TEXT NOT NULL,          -- the reason, or the comment
    figures_hash TEXT NOT NULL,   -- the figures it was decided on
    operator TEXT NOT NULL,       -- who decided
    at TEXT NOT NULL              -- when
) STRICT;

CREATE INDEX IF NOT EXISTS break_decisions_by_break ON break_decisions (break_id);

CREATE TRIGGER IF NOT EXISTS break_decisions_are_final_update BEFORE UPDATE ON break_decisions
BEGIN SELECT RAISE(ABORT, 'break_decisions is append-only'); END;
CREATE TRIGGER IF NOT EXISTS break_decisions_are_final_delete BEFORE DELETE ON break_decisions
BEGIN SELECT RAISE(ABORT, 'break_decisions is append-only'); END;

-- The accounting day of the batch that wrote first, by which the past is told from what Springline answers for.
CREATE VIEW IF NOT EXISTS first_day AS
SELECT b.today
FROM outbox_events AS e
INNER JOIN batches AS b ON e.batch_id = b.batch_id
ORDER BY e.event_no
LIMIT 1;

-- One period that somebody closes or has closed, as it stands.
CREATE TABLE IF NOT EXISTS closes (
    period TEXT PRIMARY KEY,      -- as 2026-10
    state TEXT NOT NULL CHECK (state IN ('draft', 'sealed', 'reopened')),  -- reopened: sealed before, and open for a further version
    version INTEGER NOT NULL,     -- how often it was sealed; 0: never
    opened_at TEXT NOT NULL,      -- when it was drawn up first
    updated_at TEXT NOT NULL      -- when it last changed
) STRICT;

-- One thing that was done about a close; never changed.
CREATE TABLE IF NOT EXISTS close_events (
    event_no INTEGER PRIMARY KEY AUTOINCREMENT,  -- counted up
    period TEXT NOT NULL REFERENCES closes,  -- as 2026-10
    version INTEGER NOT NULL,     -- which version of the pack it is about
    at TEXT NOT NULL,             -- when
    batch_id TEXT,                -- the batch that read both sides; empty: reopened, which reads nothing
    operator TEXT NOT NULL,       -- who did it
    action TEXT NOT NULL CHECK (action IN ('drawn up', 'sealed', 'looked at', 'reopened')),  -- looked at: it was sealed before
    break_count INTEGER,          -- what stopped it that nobody had accepted
    accepted_count INTEGER,       -- what was accepted
    pack_hash TEXT,               -- of the pack as it was written then; empty when none was
    reason TEXT                   -- why it was reopened
) STRICT;

CREATE TRIGGER IF NOT EXISTS close_events_are_final_update BEFORE UPDATE ON close_events
BEGIN SELECT RAISE(ABORT, 'close_events is append-only'); END;
CREATE TRIGGER IF NOT EXISTS close_events_are_final_delete BEFORE DELETE ON close_events
BEGIN SELECT RAISE(ABORT, 'close_events is append-only'); END;

-- One seal of a period: a version of its pack; never changed.
CREATE TABLE IF NOT EXISTS seals (
    period TEXT NOT NULL REFERENCES closes,  -- as 2026-10
    version INTEGER NOT NULL,     -- 1, and one more each time it was reopened and sealed anew
    sealed_at TEXT NOT NULL,      -- when
    sealed_by TEXT NOT NULL,      -- who sealed it
    pack_hash TEXT NOT NULL,      -- sha256 of the pack's summary.json, which lists those of its other files
    figures TEXT NOT NULL,        -- JSON: the totals it was sealed with, accepted breaks and roll-forward by company
    batch_id TEXT NOT NULL,       -- the batch that read both sides for it
    PRIMARY KEY (period, version)
) STRICT;

-- What a sealed period consisted of, so that later changes can be told even where the pack is lost.
CREATE TABLE IF NOT EXISTS sealed_packs (
    period TEXT NOT NULL,         -- as 2026-10
    version INTEGER NOT NULL,     -- of its seal
    entries BLOB NOT NULL,        -- close.period_entries of the period as a Parquet file
    entries_hash TEXT NOT NULL,   -- sha256 of that file
    entry_count INTEGER NOT NULL, -- rows in it
    PRIMARY KEY (period, version),
    FOREIGN KEY (period, version) REFERENCES seals
) STRICT;

CREATE TRIGGER IF NOT EXISTS sealed_periods_are_reopened BEFORE UPDATE ON closes
WHEN (old.state = 'sealed' AND new.state <> 'reopened') OR new.version < old.version
BEGIN SELECT RAISE(ABORT, 'a sealed period stays as it is'); END;
CREATE TRIGGER IF NOT EXISTS sealed_periods_are_kept BEFORE DELETE ON closes WHEN old.version > 0
BEGIN SELECT RAISE(ABORT, 'a sealed period stays as it is'); END;
CREATE TRIGGER IF NOT EXISTS seals_are_final_update BEFORE UPDATE ON seals
BEGIN SELECT RAISE(ABORT, 'a sealed period stays as it is'); END;
CREATE TRIGGER IF NOT EXISTS seals_are_final_delete BEFORE DELETE ON seals
BEGIN SELECT RAISE(ABORT, 'a sealed period stays as it is'); END;
CREATE TRIGGER IF NOT EXISTS sealed_packs_are_final_update BEFORE UPDATE ON sealed_packs
BEGIN SELECT RAISE(ABORT, 'a sealed period stays as it is'); END;
CREATE TRIGGER IF NOT EXISTS sealed_packs_are_final_delete BEFORE DELETE ON sealed_packs
BEGIN SELECT RAISE(ABORT, 'a sealed period stays as it is'); END;

-- One watch: a process that runs jobs at their cadence.
CREATE TABLE IF NOT EXISTS watches (
    watch_id TEXT PRIMARY KEY,    -- time of its start and four random digits
    started_at TEXT NOT NULL,     -- when it began
    seen_at TEXT NOT NULL,        -- when it last said that it is alive
    ended_at TEXT,                -- when it ended; empty while it runs, or when it was killed
    host TEXT NOT NULL,           -- machine
    pid INTEGER NOT NULL,         -- process
    address TEXT,                 -- where it answers: http://127.0.0.1:8787
    operator TEXT NOT NULL        -- who started it
) STRICT;

-- One run that a command asked a watch for.
CREATE TABLE IF NOT EXISTS orders (
    order_id INTEGER PRIMARY KEY, -- in the order in which they were asked for
    ordered_at TEXT NOT NULL,     -- when it was asked for
    operator TEXT NOT NULL,       -- who asked
    jobs TEXT NOT NULL,           -- job names, comma separated
    today TEXT,                   -- the accounting day that was named; empty: the day on which it runs
    watch_id TEXT,                -- the watch that took it
    batch_id TEXT,                -- the batch that carried it out
    ended_at TEXT,                -- when it was carried out, or given up
    problem TEXT                  -- why it was not carried out
) STRICT;

-- One call of the other side that something has changed there; kept for some days, so that none counts twice.
CREATE TABLE IF NOT EXISTS webhook_events (
    side TEXT NOT NULL CHECK (side IN ('vms', 'ledger')),  -- who called
    event_id TEXT NOT NULL,       -- the caller's own id of the event, or a hash of what it sent
    received_at TEXT NOT NULL,    -- when it came
    job TEXT NOT NULL,            -- the job that looks at what changed
    subject TEXT NOT NULL,        -- what changed: Document 5200777
    batch_id TEXT,                -- the first batch of that job since
    PRIMARY KEY (side, event_id)
) STRICT;

CREATE INDEX IF NOT EXISTS webhook_events_waiting ON webhook_events (job) WHERE batch_id IS NULL;
CREATE INDEX IF NOT EXISTS webhook_events_received ON webhook_events (side, received_at);

-- One subscription that Springline made at the other side.
CREATE TABLE IF NOT EXISTS webhooks (
    side TEXT NOT NULL CHECK (side IN ('vms', 'ledger')),  -- who is to call
    name TEXT NOT NULL,           -- what it is for: documents ready for posting
    subscription TEXT NOT NULL,   -- its key at the other side
    registered_at TEXT NOT NULL,  -- when it was made
    state TEXT NOT NULL,          -- VMS: active, switched off, gone; ledger: RUNNING, RECOVERING, PAUSED, FAULTED, unknown; both: removed
    checked_at TEXT NOT NULL,     -- when the other side was last asked
    removed_at TEXT,              -- when it was taken away, or another one made in its place
    PRIMARY KEY (side, subscription)
) STRICT;

-- One thing that somebody was told of, until it is over.
CREATE TABLE IF NOT EXISTS alerts (
    alert_id INTEGER PRIMARY KEY, -- in the order in which they began
    kind TEXT NOT NULL,           -- what it is about: document held
    subject TEXT NOT NULL,        -- the object, in its own words
    text TEXT NOT NULL,           -- what was told
    began_at TEXT NOT NULL,       -- when it was first found
    told_at TEXT,                 -- when it was delivered; empty: still to be delivered
    over_at TEXT,                 -- when it was found no more
    over_told_at TEXT             -- when that was delivered
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS alerts_standing ON alerts (kind, subject) WHERE over_at IS NULL;
