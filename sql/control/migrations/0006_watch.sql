-- What `springline watch` keeps. The tables begin empty.

-- One watch: a process that runs jobs at their cadence.
CREATE TABLE watches (
    watch_id TEXT PRIMARY KEY,
    started_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    ended_at TEXT,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    address TEXT,
    operator TEXT NOT NULL
) STRICT;

-- One run that a command asked a watch for.
CREATE TABLE orders (
    order_id INTEGER PRIMARY KEY,
    ordered_at TEXT NOT NULL,
    operator TEXT NOT NULL,
    jobs TEXT NOT NULL,
    today TEXT,
    watch_id TEXT,
    batch_id TEXT,
    ended_at TEXT,
    problem TEXT
) STRICT;

-- One call of the other side that something has changed there; kept for some days, so that none counts twice.
CREATE TABLE webhook_events (
    side TEXT NOT NULL CHECK (side IN ('vms', 'ledger')),
    event_id TEXT NOT NULL,
    received_at TEXT NOT NULL,
    job TEXT NOT NULL,
    subject TEXT NOT NULL,
    batch_id TEXT,
    PRIMARY KEY (side, event_id)
) STRICT;

CREATE INDEX webhook_events_waiting ON webhook_events (job) WHERE batch_id IS NULL;
CREATE INDEX webhook_events_received ON webhook_events (side, received_at);

-- One subscription that Springline made at the other side.
CREATE TABLE webhooks (
    side TEXT NOT NULL CHECK (side IN ('vms', 'ledger')),
    name TEXT NOT NULL,
    subscription TEXT NOT NULL,
    registered_at TEXT NOT NULL,
    state TEXT NOT NULL,
    checked_at TEXT NOT NULL,
    removed_at TEXT,
    PRIMARY KEY (side, subscription)
) STRICT;

-- One thing that somebody was told of, until it is over.
CREATE TABLE alerts (
    alert_id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    began_at TEXT NOT NULL,
    told_at TEXT,
    over_at TEXT,
    over_told_at TEXT
) STRICT;

CREATE UNIQUE INDEX alerts_standing ON alerts (kind, subject) WHERE over_at IS NULL;
