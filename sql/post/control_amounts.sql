-- One control line of an open invoice or credit note, its due date and its amounts, signed as in the VMS: one per payment term.
-- Each term takes its percentage of the rounded total, rounded again; the last one takes the rest (docs/mapping.md#1-2).
-- grain: document_key, term_no
WITH terms AS (
    SELECT
        documents.document_key,
        COALESCE(payment_terms.term_no, 1) AS term_no,
        COALESCE(payment_terms.term_count, 1) AS term_count,
        CASE WHEN documents.is_credit_note THEN settings.today ELSE payment_terms.due_date END AS due_date,
        COALESCE(payment_terms.percentage, 100) AS percentage,
        COALESCE(amounts.total_currency, 0) AS total_currency,
        COALESCE(amounts.total_company, 0) AS total_company,
        amounts.currency_factor,
        amounts.company_factor
    FROM
        map.open_documents AS documents
    CROSS JOIN seed.settings AS settings
    INNER JOIN map.document_amounts AS amounts
        ON documents.document_key = amounts.document_key
    LEFT JOIN map.payment_terms AS payment_terms
        ON documents.document_key = payment_terms.document_key
    WHERE
        documents.voucher_type IN ('AP', 'AR')
),

parts AS (
    SELECT
        *,
        total_currency * CAST(percentage AS DECIMAL(38, 9)) * 0.01 AS exact_currency,
        total_company * CAST(percentage AS DECIMAL(38, 9)) * 0.01 AS exact_company
    FROM
        terms
),

rounded AS (
    SELECT
        *,
        CASE currency_factor
            WHEN 1 THEN CAST(ROUND(exact_currency, 0) AS DECIMAL(38, 4))
            WHEN 100 THEN CAST(ROUND(exact_currency, 2) AS DECIMAL(38, 4))
            WHEN 1000 THEN CAST(ROUND(exact_currency, 3) AS DECIMAL(38, 4))
            ELSE CAST(ROUND(exact_currency, 4) AS DECIMAL(38, 4))
        END AS part_currency,
        CASE company_factor
            WHEN 1 THEN CAST(ROUND(exact_company, 0) AS DECIMAL(38, 4))
            WHEN 100 THEN CAST(ROUND(exact_company, 2) AS DECIMAL(38, 4))
            WHEN 1000 THEN CAST(ROUND(exact_company, 3) AS DECIMAL(38, 4))
            ELSE CAST(ROUND(exact_company, 4) AS DECIMAL(38, 4))
        END AS part_company
    FROM
        parts
)

SELECT
    document_key,
    term_no,  -- payment term, from 1
    due_date,
    CAST(
        CASE
            WHEN term_no < term_count THEN part_currency
            ELSE part_currency + total_currency - SUM(part_currency) OVER (PARTITION BY document_key)
        END AS DECIMAL(38, 4)
    ) AS currency_amount,  -- document currency, signed as in the VMS
    CAST(
        CASE
            WHEN term_no < term_count THEN part_company
            ELSE part_company + total_company - SUM(part_company) OVER (PARTITION BY document_key)
        END AS DECIMAL(38, 4)
    ) AS amount  -- company currency, signed as in the VMS
FROM
    rounded
