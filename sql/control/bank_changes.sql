-- Changed bank accounts of suppliers, and the holds that show them among what is held, by name.

-- name: standing
SELECT
    change_id,
    partner_code,
    old_account,
    new_account,
    seen_by,
    decision
FROM bank_changes
WHERE decision IS NULL OR decision = 'confirm'
ORDER BY change_id;

-- name: waiting
SELECT
    change_id,
    partner_code,
    old_account,
    new_account,
    seen_at,
    seen_by
FROM bank_changes
WHERE decision IS NULL AND partner_code = ?
ORDER BY change_id;

-- name: add
INSERT INTO bank_changes (partner_code, old_account, new_account, seen_at, seen_by)
VALUES (?, ?, ?, ?, ?);

-- Somebody else may have released it since it was read; the first decision stays.
-- name: confirm
UPDATE bank_changes
SET decision = 'confirm', decided_at = :at, decided_by = :operator, reason = :reason
WHERE change_id = :change_id AND decision IS NULL;

-- name: end
UPDATE bank_changes
SET decision = ?, decided_at = COALESCE(decided_at, ?)
WHERE change_id = ?;

-- name: shown
SELECT
    hold_id,
    document_no
FROM holds
WHERE rule = 'bank_change' AND until IS NULL;

-- name: hide
UPDATE holds
SET until = :at
WHERE rule = 'bank_change' AND document_no = :code AND until IS NULL;

-- name: reword
UPDATE holds
SET message = :message
WHERE rule = 'bank_change' AND document_no = :code AND until IS NULL;

-- name: show
INSERT INTO holds (document_no, rule, severity, message, since, batch_id)
VALUES (:code, 'bank_change', 'critical', :message, :at, :batch_id);

-- name: remember
INSERT INTO supplier_accounts (partner_key, owner_code, ledger_db_id, code, bank_account, seen_at)
VALUES (:partner_key, :owner_code, :ledger_db_id, :code, :bank_account, :at)
ON CONFLICT (partner_key, owner_code, ledger_db_id) DO UPDATE
SET code = excluded.code, bank_account = excluded.bank_account, seen_at = excluded.seen_at;
