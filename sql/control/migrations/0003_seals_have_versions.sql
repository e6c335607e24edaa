-- Version 3: a period can be reopened and sealed anew, so each seal is a row of its own (seals) and the entries of every
-- version are kept; why a break was accepted no longer stands where the next comment overwrites it.
-- Tables are made anew where a CHECK or a key has changed, which ALTER TABLE cannot do: triggers go first, children next.

ALTER TABLE breaks ADD COLUMN accepted_reason TEXT;

UPDATE breaks
SET
    accepted_reason = (
        SELECT decisions.words
        FROM break_decisions AS decisions
        WHERE decisions.break_id = breaks.break_id AND decisions.action = 'accept'
        ORDER BY decisions.decision_no DESC
        LIMIT 1
    )
WHERE accepted_hash IS NOT NULL;

DROP TRIGGER close_events_are_final_update;
DROP TRIGGER close_events_are_final_delete;
DROP TRIGGER seals_are_final;
DROP TRIGGER seals_are_kept;
DROP TRIGGER sealed_packs_are_final_update;
DROP TRIGGER sealed_packs_are_final_delete;
ALTER TABLE sealed_packs RENAME TO sealed_packs_2;
ALTER TABLE close_events RENAME TO close_events_2;
ALTER TABLE closes RENAME TO closes_2;

CREATE TABLE closes (
    period TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('draft', 'sealed', 'reopened')),
    version INTEGER NOT NULL,
    opened_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE close_events (
    event_no INTEGER PRIMARY KEY AUTOINCREMENT,
    period TEXT NOT NULL REFERENCES closes,
    version INTEGER NOT NULL,
    at TEXT NOT NULL,
    batch_id TEXT,
    operator TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('drawn up', 'sealed', 'looked at', 'reopened')),
    break_count INTEGER,
    accepted_count INTEGER,
    pack_hash TEXT,
    reason TEXT
) STRICT;

CREATE TRIGGER close_events_are_final_update BEFORE UPDATE ON close_events
BEGIN SELECT RAISE(ABORT, 'close_events is append-only'); END;
CREATE TRIGGER close_events_are_final_delete BEFORE DELETE ON close_events
BEGIN SELECT RAISE(ABORT, 'close_events is append-only'); END;

CREATE TABLE seals (
    period TEXT NOT NULL REFERENCES closes,
    version INTEGER NOT NULL,
    sealed_at TEXT NOT NULL,
    sealed_by TEXT NOT NULL,
    pack_hash TEXT NOT NULL,
    figures TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    PRIMARY KEY (period, version)
) STRICT;

CREATE TABLE sealed_packs (
    period TEXT NOT NULL,
    version INTEGER NOT NULL,
    entries BLOB NOT NULL,
    entries_hash TEXT NOT NULL,
    entry_count INTEGER NOT NULL,
    PRIMARY KEY (period, version),
    FOREIGN KEY (period, version) REFERENCES seals
) STRICT;

CREATE TRIGGER sealed_periods_are_reopened BEFORE UPDATE ON closes
WHEN (old.state = 'sealed' AND new.state <> 'reopened') OR new.version < old.version
BEGIN SELECT RAISE(ABORT, 'a sealed period stays as it is'); END;
CREATE TRIGGER sealed_periods_are_kept BEFORE DELETE ON closes WHEN old.version > 0
BEGIN SELECT RAISE(ABORT, 'a sealed period stays as it is'); END;
CREATE TRIGGER seals_are_final_update BEFORE UPDATE ON seals
BEGIN SELECT RAISE(ABORT, 'a sealed period stays as it is'); END;
CREATE TRIGGER seals_are_final_delete BEFORE DELETE ON seals
BEGIN SELECT RAISE(ABORT, 'a sealed period stays as it is'); END;
CREATE TRIGGER sealed_packs_are_final_update BEFORE UPDATE ON sealed_packs
BEGIN SELECT RAISE(ABORT, 'a sealed period stays as it is'); END;
CREATE TRIGGER sealed_packs_are_final_delete BEFORE DELETE ON sealed_packs
BEGIN SELECT RAISE(ABORT, 'a sealed period stays as it is'); END;

INSERT INTO closes (period, state, version, opened_at, updated_at)
SELECT
    period,
    state,
    IIF(state = 'sealed', 1, 0),
    opened_at,
    updated_at
FROM closes_2;

-- A period could be sealed once: all that was done about it was about its first version.
INSERT INTO close_events (
    event_no, period, version, at, batch_id, operator, action, break_count, accepted_count, pack_hash
)
SELECT
    event_no,
    period,
    1,
    at,
    batch_id,
    operator,
    action,
    break_count,
    accepted_count,
    pack_hash
FROM close_events_2;

INSERT INTO seals (period, version, sealed_at, sealed_by, pack_hash, figures, batch_id)
SELECT
    period,
    1,
    sealed_at,
    sealed_by,
    pack_hash,
    figures,
    batch_id
FROM closes_2
WHERE state = 'sealed';

INSERT INTO sealed_packs (period, version, entries, entries_hash, entry_count)
SELECT
    period,
    1,
    entries,
    entries_hash,
    entry_count
FROM sealed_packs_2;

DROP TABLE sealed_packs_2;
DROP TABLE close_events_2;
DROP TABLE closes_2;
