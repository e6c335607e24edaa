-- One match of the ledger that holds a row which came from an accrual or a bunker transaction of ours, on a project.
-- Answers: Which document of ours was a row by hand matched with?
-- Read by: map.actual_rows.
-- grain: owner_code, match_id
SELECT
    entities.owner_code,  -- ledger entity
    transactions.match_id,
    MAX(numbers.document_no) AS document_no  -- of the document of ours
FROM
    stg_ledger.transactions AS transactions
INNER JOIN map.entities AS entities
    ON transactions.owner_db_id = entities.entity_db_id
INNER JOIN map.sent_numbers AS numbers
    ON
        entities.owner_code = numbers.owner_code
        AND SPLIT_PART(transactions.header_text, ' ', 1) = numbers.first_word
LEFT JOIN map.adopted_vouchers AS adopted
    ON transactions.header_db_id = adopted.header_db_id
WHERE
    transactions.match_id <> 0
    AND transactions.source_code = 'GL'
    AND (transactions.imported_at IS NOT NULL OR adopted.header_db_id IS NOT NULL)
    AND NULLIF(TRIM(transactions.project_code), '') IS NOT NULL
    AND (
        transactions.header_text = numbers.document_no
        OR STARTS_WITH(transactions.header_text, numbers.document_no || ' ')
    )
GROUP BY
    entities.owner_code,
    transactions.match_id
