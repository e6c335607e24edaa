-- One thing that was booked into a sealed period, changed in it or taken out of it, after the seal.
-- close.late_postings says what was there at the seal. Of a reopened period nothing is late: its next seal takes all of it in.
-- Answers: What has moved in a period after it was sealed?
-- Read by: close.breaks alone.
-- grain: period_month, kind, subject
SELECT
    postings.period_month,
    kinds.kind,  -- kind of break, a name of data/seeds/break_kinds.csv
    SUBSTRING(CAST(postings.period_month AS VARCHAR), 1, 7) || ' ' || postings.subject AS subject,  -- month and posting; unique by kind
    postings.company_code,
    postings.document_key,
    postings.document_no,
    CAST(NULL AS VARCHAR) AS voyage_no,  -- empty: it concerns no single voyage
    CAST(NULL AS VARCHAR) AS account,  -- empty: it concerns no single account
    documents.partner_code,
    documents.partner_name,
    postings.company_amount AS amount,
    postings.company_currency_code AS currency_code,
    postings.company_amount,
    postings.company_currency_code,
    postings.reason,
    postings.next_step,
    CAST(NULL AS TIMESTAMP) AS since,  -- empty: close.breaks has when it was noted
    CAST(
        DATE_DIFF('day', CAST(postings.sealed_at AS DATE), GREATEST(CAST(postings.sealed_at AS DATE), settings.today)) AS INTEGER
    ) AS age_days  -- since the seal; 0 when the day of the run lies before it
FROM
    close.late_postings AS postings
CROSS JOIN seed.settings AS settings
INNER JOIN seed.break_kinds AS kinds
    ON
        kinds.found_by = 'close'
        AND kinds.object = 'posting'
LEFT JOIN rec.documents AS documents
    ON CAST(postings.document_key AS VARCHAR) = documents.subject
WHERE
    NOT postings.is_reopened
