-- One document of a period that is not through: held, of unknown fate, rejected or waiting.
-- A document that the comparison calls a break by itself counts once, under the comparison's kind (close.dated_breaks).
-- Answers: Which documents of a period are not through?
-- Read by: close.breaks alone.
-- grain: period_month, kind, subject
WITH compared_documents AS (
    SELECT DISTINCT compared.document_key
    FROM
        rec.breaks AS compared
    WHERE
        compared.document_key IS NOT NULL
)

SELECT
    documents.period_month,
    kinds.kind,  -- kind of break, a name of data/seeds/break_kinds.csv
    SUBSTRING(CAST(documents.period_month AS VARCHAR), 1, 7) || ' ' || documents.subject AS subject,  -- month and document; unique by kind
    documents.company_code,
    documents.document_key,
    documents.document_no,
    CAST(NULL AS VARCHAR) AS voyage_no,  -- empty: it concerns no single voyage
    CAST(NULL AS VARCHAR) AS account,  -- empty: it concerns no single account
    documents.partner_code,
    documents.partner_name,
    documents.amount,
    documents.currency_code,
    documents.company_amount,
    documents.company_currency_code,
    documents.reason,
    documents.next_step,
    documents.held_since AS since,
    documents.age_days
FROM
    close.open_documents AS documents
INNER JOIN seed.break_kinds AS kinds
    ON
        kinds.found_by = 'close'
        AND kinds.object = 'document'
        AND documents.state = kinds.state
LEFT JOIN compared_documents
    ON documents.document_key = compared_documents.document_key
WHERE
    compared_documents.document_key IS NULL
