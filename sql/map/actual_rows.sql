-- One profit-and-loss row of the ledger on a project, and whether the VMS has it already: what came from bunker
-- transactions and accruals, or was typed by hand against one of them, is no actual (docs/mapping.md#5).
-- A row came from such a document when its voucher was imported and its text begins with the document's number.
-- Answers: Which rows of the books are actuals, and which came from the VMS in the first place?
-- Read by: the actuals job and close.voyage_actuals.
-- grain: transaction_db_id
-- parts: header_db_id; map.echo_matches by match_id of stg_ledger.transactions
WITH ledger AS (
    SELECT
        transactions.transaction_db_id,
        transactions.header_db_id,
        entities.owner_code,
        transactions.row_text,
        transactions.header_text,
        transactions.source_code,
        transactions.voucher_no,
        transactions.imported_at IS NOT NULL OR adopted.header_db_id IS NOT NULL AS is_imported,
        COALESCE(transactions.match_id, 0) AS match_id,
        transactions.account_code,
        COALESCE(transactions.is_balance_sheet, FALSE) AS is_balance_sheet,
        COALESCE(transactions.currency_code, entities.currency_code) AS currency_code,
        entities.currency_code AS company_currency_code,
        transactions.period_year,
        transactions.period_month,
        TRIM(transactions.project_code) AS project_code,
        transactions.amount,
        transactions.invoice_amount
    FROM
        stg_ledger.transactions AS transactions
    INNER JOIN map.entities AS entities
        ON transactions.owner_db_id = entities.entity_db_id
    LEFT JOIN map.adopted_vouchers AS adopted
        ON transactions.header_db_id = adopted.header_db_id
    -- The books have all rows; without a project they are nobody's actual.
    WHERE
        NULLIF(TRIM(transactions.project_code), '') IS NOT NULL
),

named AS (
    SELECT
        ledger.transaction_db_id,
        MAX(CASE WHEN ledger.is_imported THEN 1 ELSE 0 END) = 1 AS is_echo,
        MAX(numbers.document_no) AS document_no
    FROM
        ledger
    INNER JOIN map.sent_numbers AS numbers
        ON
            ledger.owner_code = numbers.owner_code
            AND SPLIT_PART(ledger.header_text, ' ', 1) = numbers.first_word
    WHERE
        (ledger.source_code = 'GL' OR NOT ledger.is_imported)
        AND (ledger.header_text = numbers.document_no OR STARTS_WITH(ledger.header_text, numbers.document_no || ' '))
    GROUP BY
        ledger.transaction_db_id
),

named_by_line AS (
    SELECT
        ledger.transaction_db_id,
        MAX(numbers.document_no) AS document_no
    FROM
        ledger
    INNER JOIN map.sent_numbers AS numbers
        ON
            ledger.owner_code = numbers.owner_code
            AND SPLIT_PART(ledger.row_text, ' ', 1) = numbers.first_word
    WHERE
        NOT ledger.is_imported
        AND (ledger.row_text = numbers.document_no OR STARTS_WITH(ledger.row_text, numbers.document_no || ' '))
    GROUP BY
        ledger.transaction_db_id
)

SELECT
    ledger.transaction_db_id,
    ledger.owner_code,  -- ledger entity
    ledger.header_db_id,  -- of the voucher
    ledger.header_text,
    ledger.voucher_no,
    ledger.project_code,
    -- In the VMS's own terms: it knows no account of the ledger that the tenant's file has mapped (posting.gl_accounts).
    COALESCE(returns.vms_account, ledger.account_code) AS account_code,
    ledger.currency_code,
    ledger.company_currency_code,
    CAST(ledger.period_year AS INTEGER) AS period_year,
    CAST(ledger.period_month AS INTEGER) AS period_month,
    CAST(ROUND(COALESCE(ledger.amount, 0), 4) AS DECIMAL(38, 4)) AS company_amount,  -- debit positive
    CAST(ROUND(COALESCE(ledger.invoice_amount, 0), 4) AS DECIMAL(38, 4)) AS document_amount,  -- in currency_code
    COALESCE(named.is_echo, FALSE) AS is_echo,  -- ours: the VMS has it
    CASE
        WHEN NOT ledger.is_imported
            THEN COALESCE(named.document_no, named_by_line.document_no, echo_matches.document_no)
    END AS against_document_no  -- typed by hand against this document of ours
FROM
    ledger
LEFT JOIN named
    ON ledger.transaction_db_id = named.transaction_db_id
LEFT JOIN named_by_line
    ON ledger.transaction_db_id = named_by_line.transaction_db_id
LEFT JOIN map.account_returns AS returns
    ON
        ledger.owner_code = returns.owner_code
        AND ledger.account_code = returns.ledger_account
LEFT JOIN map.echo_matches AS echo_matches
    ON
        ledger.owner_code = echo_matches.owner_code
        AND ledger.match_id = echo_matches.match_id
WHERE
    NOT ledger.is_balance_sheet
    AND ledger.account_code IS NOT NULL
    AND ledger.period_year BETWEEN 1900 AND 9999
    AND ledger.period_month BETWEEN 1 AND 12
