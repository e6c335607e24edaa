-- One reversal on a voyage and account with the accrual it takes back: the one it names (refDocument), else the one of
-- the same company, voyage, account and currency with the negated amount in the month before (docs/mapping.md#6), by the dates
-- of the documents: where a period is closed a reversal may be posted later.
-- A posted accrual is found before one that is not, the earlier document before the later.
-- Answers: Which accrual does a reversal take back?
-- Read by: close.unreversed_accruals.
-- grain: document_key, voyage_no, account
-- parts: voyage_no
WITH named AS (
    SELECT
        reversals.document_key,
        reversals.voyage_no,
        reversals.account,
        COALESCE(reversals.ref_document_key, numbered.document_key) AS accrual_document_key
    FROM
        close.accrual_entries AS reversals
    LEFT JOIN close.accrual_numbers AS numbered
        ON
            reversals.company_code = numbered.company_code
            AND reversals.reverses_type = numbered.document_type
            AND reversals.ref_document_no = numbered.document_no
    WHERE
        reversals.reverses_type IS NOT NULL
),

-- A reference counts only where the accrual has the same voyage and account: a reversal may take back a part.
by_reference AS (
    SELECT named.*
    FROM
        named
    INNER JOIN close.accrual_entries AS accruals
        ON
            named.accrual_document_key = accruals.document_key
            AND named.voyage_no = accruals.voyage_no
            AND named.account = accruals.account
    WHERE
        accruals.reverses_type IS NULL
),

open_accruals AS (
    SELECT
        accruals.document_key,
        accruals.document_type,
        accruals.company_code,
        accruals.voyage_no,
        accruals.account,
        accruals.currency_code,
        accruals.document_amount,
        CAST(DATE_TRUNC('month', accruals.document_date) AS DATE) AS month_start,
        ROW_NUMBER() OVER (
            PARTITION BY
                accruals.document_type,
                accruals.company_code,
                accruals.voyage_no,
                accruals.account,
                accruals.currency_code,
                accruals.document_amount,
                CAST(DATE_TRUNC('month', accruals.document_date) AS DATE)
            ORDER BY CASE WHEN accruals.is_posted THEN 0 ELSE 1 END, accruals.document_key
        ) AS place
    FROM
        close.accrual_entries AS accruals
    LEFT JOIN by_reference
        ON
            accruals.document_key = by_reference.accrual_document_key
            AND accruals.voyage_no = by_reference.voyage_no
            AND accruals.account = by_reference.account
    WHERE
        accruals.reverses_type IS NULL
        AND by_reference.document_key IS NULL
),

open_reversals AS (
    SELECT
        reversals.document_key,
        reversals.reverses_type,
        reversals.company_code,
        reversals.voyage_no,
        reversals.account,
        reversals.currency_code,
        -reversals.document_amount AS document_amount,
        CAST(CAST(DATE_TRUNC('month', reversals.document_date) AS DATE) - INTERVAL 1 MONTH AS DATE) AS month_start,
        ROW_NUMBER() OVER (
            PARTITION BY
                reversals.reverses_type,
                reversals.company_code,
                reversals.voyage_no,
                reversals.account,
                reversals.currency_code,
                reversals.document_amount,
                CAST(DATE_TRUNC('month', reversals.document_date) AS DATE)
            ORDER BY CASE WHEN reversals.is_posted THEN 0 ELSE 1 END, reversals.document_key
        ) AS place
    FROM
        close.accrual_entries AS reversals
    LEFT JOIN by_reference
        ON
            reversals.document_key = by_reference.document_key
            AND reversals.voyage_no = by_reference.voyage_no
            AND reversals.account = by_reference.account
    WHERE
        reversals.reverses_type IS NOT NULL
        AND by_reference.document_key IS NULL
),

by_amount AS (
    SELECT
        open_reversals.document_key,
        open_reversals.voyage_no,
        open_reversals.account,
        open_accruals.document_key AS accrual_document_key
    FROM
        open_reversals
    INNER JOIN open_accruals
        ON
            open_reversals.reverses_type = open_accruals.document_type
            AND open_reversals.company_code = open_accruals.company_code
            AND open_reversals.voyage_no = open_accruals.voyage_no
            AND open_reversals.account = open_accruals.account
            AND open_reversals.currency_code = open_accruals.currency_code
            AND open_reversals.document_amount = open_accruals.document_amount
            AND open_reversals.month_start = open_accruals.month_start
            -- Equal amounts are paired off one by one: without the place each reversal would meet each accrual.
            AND open_reversals.place = open_accruals.place
)

SELECT
    reversals.document_key,
    reversals.voyage_no,  -- reference number of the voyage; empty: none
    reversals.account,
    reversals.document_no,  -- number of the reversal in the VMS
    reversals.is_posted,
    reversals.status_code,  -- state in the VMS; GONE: deleted; REJECTED: its text breaks the contract
    reversals.company_amount,  -- debit positive: of a cost accrual, negative
    COALESCE(by_reference.accrual_document_key, by_amount.accrual_document_key)
        AS accrual_document_key,  -- what it takes back; null: no accrual is found
    CASE
        WHEN by_reference.accrual_document_key IS NOT NULL THEN 'reference'
        WHEN by_amount.accrual_document_key IS NOT NULL THEN 'amount'
    END AS linked_by  -- reference | amount; null: not linked
FROM
    close.accrual_entries AS reversals
LEFT JOIN by_reference
    ON
        reversals.document_key = by_reference.document_key
        AND reversals.voyage_no = by_reference.voyage_no
        AND reversals.account = by_reference.account
LEFT JOIN by_amount
    ON
        reversals.document_key = by_amount.document_key
        AND reversals.voyage_no = by_amount.voyage_no
        AND reversals.account = by_amount.account
WHERE
    reversals.reverses_type IS NOT NULL
