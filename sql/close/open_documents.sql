-- One document that is not settled: held by a rule or a person, of unknown fate, rejected, or waiting for the ledger. It
-- counts in the month it is posted in, else of its own date; without a date in the last month that is over.
-- Answers: Which documents of the period are not through?
-- Read by: accountants, in the period-end pack; close.breaks.
-- grain: subject
WITH held AS (
    SELECT
        holds.document_key,
        STRING_AGG(holds.rule, ', ' ORDER BY holds.rule) AS rules,
        MIN(holds.since) AS since
    FROM
        ctl.holds AS holds
    WHERE
        holds.until IS NULL
        AND holds.severity = 'critical'
        AND holds.document_key IS NOT NULL
    GROUP BY
        holds.document_key
)

SELECT
    documents.subject,
    documents.document_key,  -- database id of the document in the VMS
    documents.document_no,  -- number of the document in the VMS
    documents.document_type,  -- kind of document in the VMS, as INI or CRO
    documents.company_code,  -- VMS company
    documents.partner_code,  -- supplier or customer, by its code
    documents.partner_name,  -- name of the supplier or customer in the VMS
    documents.document_date,  -- date of the document in the VMS
    COALESCE(
        documents.period_month,
        CAST(CAST(DATE_TRUNC('month', settings.today) AS DATE) - INTERVAL 1 MONTH AS DATE)
    ) AS period_month,  -- first day of the month
    documents.currency_code,  -- currency of the document
    documents.company_currency_code,  -- currency of the company amounts
    documents.amount_vms AS amount,  -- in currency_code, signed as in the VMS
    documents.company_amount_vms AS company_amount,
    documents.state,  -- held | unknown | rejected | waiting
    held.rules,  -- rules that hold it; held_by_person: a person does
    CAST(SUBSTRING(held.since, 1, 19) AS TIMESTAMP) AS held_since,  -- when it was held, UTC
    documents.reason,
    documents.next_step,  -- what to do about it; empty: nothing
    documents.as_of_vms,
    documents.age_days  -- days since the date of the document
FROM
    rec.documents AS documents
CROSS JOIN seed.settings AS settings
LEFT JOIN held
    ON documents.document_key = held.document_key
WHERE
    documents.state IN ('held', 'unknown', 'rejected', 'waiting')
