-- Statements of the remarks that say in the VMS why a document is held, by name.

-- name: reasons
SELECT
    document_key,
    document_no,
    company,
    rule,
    message
FROM holds
WHERE until IS NULL AND severity = 'critical' AND document_key IS NOT NULL
ORDER BY document_key, rule;

-- The reasons whose remark does not say yet that it is done, by the latest version of each.
-- name: open_remarks
WITH latest AS (
    SELECT
        SUBSTR(natural_key, 1, INSTR(natural_key, '#') - 1) AS stem,
        MAX(CAST(SUBSTR(natural_key, INSTR(natural_key, '#') + 1) AS INTEGER)) AS version
    FROM outbox
    WHERE kind = 'remark'
    GROUP BY stem
)

SELECT
    latest.stem,
    o.document_key,
    o.document_no,
    o.company_code AS company,
    JSON_EXTRACT(o.look_up, '$.rule') AS rule
FROM latest
INNER JOIN outbox AS o ON o.kind = 'remark' AND o.natural_key = latest.stem || '#' || latest.version
WHERE o.state <> 'sent' OR NOT CAST(JSON_EXTRACT(o.look_up, '$.is_done') AS BOOLEAN)
ORDER BY latest.stem;
