-- What `springline breaks ignored` reads of the tables: what stands on each subject that is not ours, and whether a
-- document of ours names it. No row where no run has built the tables since the subject was ignored.

-- name: standing
SELECT
    ignored.subject,
    ignored.company_code AS company,
    ignored.code,
    ignored.sent_document_no
FROM
    map.ignored_subjects AS ignored;

-- One row for each thing that would be a break; three statements, because not every job builds the tables of each.
-- name: actuals
SELECT
    CASE actuals.kind WHEN 'voyage unknown in VMS' THEN 'project' ELSE 'account' END AS subject,
    actuals.company_code AS company,
    COALESCE(actuals.account, actuals.voyage_no) AS code,
    actuals.company_amount AS amount,
    actuals.company_currency_code AS currency
FROM
    post.actual_breaks AS actuals
WHERE
    actuals.is_ignored;

-- name: partners
SELECT
    ignored.subject,
    NULL AS company,
    ignored.code,
    NULL AS amount,
    NULL AS currency
FROM
    map.ignored_subjects AS ignored
INNER JOIN rec.partners AS partners
    ON
        ignored.subject = 'partner'
        AND ignored.is_effective
        AND ignored.code = partners.partner_code
WHERE
    partners.state = 'only in VMS';

-- name: rates
SELECT
    ignored.subject,
    NULL AS company,
    ignored.code,
    NULL AS amount,
    NULL AS currency
FROM
    map.ignored_subjects AS ignored
INNER JOIN rec.exchange_rates AS rates
    ON
        ignored.subject = 'currency'
        AND ignored.is_effective
        AND ignored.code = rates.to_currency_code
WHERE
    rates.state = 'only in ledger';

-- A document of ours that names a subject: $1 is what it is, $2 its company (an empty text: all), $3 its code.
-- name: sent
SELECT sent.document_no
FROM
    map.sent_subjects AS sent
WHERE
    sent.subject = $1
    AND sent.company_code = $2
    AND sent.code = $3;
