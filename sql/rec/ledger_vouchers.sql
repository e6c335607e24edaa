-- One voucher in the ledger's books, with what its general-ledger rows come to.
-- Every row repeats the header: that of the lowest id stands for all.
-- Answers: What does a voucher in the books come to?
-- Read by: the comparison of documents.
-- grain: header_db_id
-- parts: header_db_id
WITH totals AS (
    SELECT
        transactions.header_db_id,
        MIN(transactions.transaction_db_id) AS transaction_db_id,
        SUM(CASE WHEN transactions.invoice_amount > 0 THEN transactions.invoice_amount ELSE 0 END) AS debit_currency,
        SUM(CASE WHEN transactions.amount > 0 THEN transactions.amount ELSE 0 END) AS debit_company,
        MIN(transactions.currency_code) AS first_currency,
        MAX(transactions.currency_code) AS last_currency,
        CAST(COUNT(*) AS INTEGER) AS row_count,
        MAX(transactions.fetched_at) AS fetched_at
    FROM
        stg_ledger.transactions AS transactions
    WHERE
        transactions.header_db_id IS NOT NULL
    GROUP BY
        transactions.header_db_id
)

SELECT
    totals.header_db_id,  -- database id of the voucher in the ledger
    entities.owner_code,  -- ledger entity
    entities.currency_code AS company_currency_code,
    transactions.source_code,  -- AP, AR, GL and so on
    transactions.voucher_no,  -- number of the voucher in the ledger
    transactions.header_text,  -- text of the voucher
    transactions.posted_date,  -- posting date of the voucher in the ledger
    transactions.imported_at,  -- when it was imported, Europe/Oslo without a zone; null: typed by hand
    -- Norwegian summer time is from two o'clock on the last Sunday of March until three on that of October: 22 and 21 hours
    -- before the Monday that begins the week of 1 April or 1 November. The hour that comes twice counts as summer time.
    CASE
        WHEN
            transactions.imported_at >= CAST(
                CAST(
                    DATE_TRUNC('week', CAST(CAST(DATE_TRUNC('year', transactions.imported_at) AS DATE) + INTERVAL 3 MONTH AS DATE))
                    AS DATE
                )
                - INTERVAL 22 HOUR AS TIMESTAMP
            )
            AND transactions.imported_at < CAST(
                CAST(
                    DATE_TRUNC('week', CAST(CAST(DATE_TRUNC('year', transactions.imported_at) AS DATE) + INTERVAL 10 MONTH AS DATE))
                    AS DATE
                )
                - INTERVAL 21 HOUR AS TIMESTAMP
            )
            THEN CAST(transactions.imported_at - INTERVAL 2 HOUR AS TIMESTAMP)
        ELSE CAST(transactions.imported_at - INTERVAL 1 HOUR AS TIMESTAMP)
    END AS booked_at,  -- when it was imported, UTC; null: typed by hand
    transactions.imported_at IS NOT NULL AS is_imported,  -- true: it came through the import; false: typed by hand
    totals.debit_currency,  -- sum of all debits, each in its own currency
    totals.debit_company,  -- sum of all debits, in company currency
    totals.first_currency,  -- currency of its rows; with several, the first by code
    totals.last_currency,  -- currency of its rows; with several, the last by code
    totals.row_count,  -- rows of the ledger added up
    totals.fetched_at  -- when one of its rows changed here last
FROM
    totals
INNER JOIN stg_ledger.transactions AS transactions
    ON totals.transaction_db_id = transactions.transaction_db_id
INNER JOIN map.entities AS entities
    ON transactions.owner_db_id = entities.entity_db_id
WHERE
    entities.owner_code IS NOT NULL
