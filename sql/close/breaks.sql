-- One thing that stops a clean close of a period: accruals that do not meet their reversals or the books, documents and
-- payments that are not through, rates that are missing, late postings after the seal, and every other open break of the
-- period, control accounts that do not tie among them. The largest amount in company currency comes first.
-- A break that names no document and no month counts in the month it was first seen in.
--
-- How the comparison, the control store and the close hang together: rec.breaks says what differs now. Step `note breaks`
-- writes that into the control store (ctl.breaks), because three things must outlive every rebuild of the tables: since
-- when a break stands, who accepted it, and for which figures. The close therefore reads others' breaks from ctl.breaks
-- (close.dated_breaks), with month and amount from rec.breaks, and finds its own in the models close.*_breaks. What it has
-- found itself is noted in the control store too (step `note what stops it`), so that a person can accept it; this model
-- is then built once more, to show age and acceptance at once. Nothing goes round in a circle: what the close has noted
-- comes back only as age and acceptance of a row that is found anew.
-- Answers: What keeps a period from being closed?
-- Read by: accountants (`springline close`, workbook, period-end pack); step `note what stops it`.
-- grain: period_month, kind, subject
WITH found AS (
    SELECT *
    FROM
        close.accrual_breaks
    UNION ALL
    SELECT *
    FROM
        close.document_breaks
    UNION ALL
    SELECT *
    FROM
        close.payment_breaks
    UNION ALL
    SELECT *
    FROM
        close.rate_breaks
    UNION ALL
    SELECT *
    FROM
        close.control_breaks
    UNION ALL
    SELECT *
    FROM
        close.late_breaks
    UNION ALL
    SELECT *
    FROM
        close.dated_breaks
),

dated AS (
    SELECT
        found.period_month,
        found.kind,
        found.subject,
        found.company_code,
        found.document_key,
        found.document_no,
        found.voyage_no,
        found.account,
        found.partner_code,
        found.partner_name,
        found.amount,
        found.currency_code,
        found.company_amount,
        found.company_currency_code,
        COALESCE(ABS(found.company_amount), 0) AS size,
        found.reason,
        found.next_step,
        COALESCE(CAST(SUBSTRING(noted.since, 1, 19) AS TIMESTAMP), found.since) AS since,
        found.age_days,
        COALESCE(noted.accepted_hash = noted.figures_hash, FALSE) AS is_accepted,
        noted.accepted_by,
        CAST(SUBSTRING(noted.accepted_at, 1, 19) AS TIMESTAMP) AS accepted_at,
        noted.accepted_reason,
        noted.break_id
    FROM
        found
    LEFT JOIN ctl.breaks AS noted
        ON
            found.kind = noted.kind
            AND found.subject = noted.subject
            AND noted.until IS NULL
)

SELECT
    dated.period_month,  -- first day of the month that it stops from closing
    dated.kind,  -- kind of break, a name of data/seeds/break_kinds.csv
    dated.subject,  -- natural key of what stops it; unique by kind
    dated.company_code,  -- VMS company
    dated.document_key,  -- VMS documentKey of the document; empty: no single document
    dated.document_no,  -- number of the document; empty: no single document
    dated.voyage_no,  -- voyage, where only one is concerned
    dated.account,  -- account, where only one is concerned
    dated.partner_code,  -- supplier or customer, where only one is concerned
    dated.partner_name,  -- its name
    CAST(dated.amount AS DECIMAL(38, 4)) AS amount,  -- in currency_code
    dated.currency_code,  -- currency of amount
    -- An amount whose currency nobody knows is none: it could be added to nothing.
    CASE WHEN dated.company_currency_code IS NOT NULL THEN CAST(dated.company_amount AS DECIMAL(38, 4)) END
        AS company_amount,  -- in company_currency_code; null: nothing that has an amount
    dated.company_currency_code,  -- currency of the company's books
    dated.reason,  -- what is wrong
    dated.next_step,  -- what to do about it, and where
    dated.since,  -- first seen, UTC; null: not noted yet
    -- The day of the run may lie before the clock that has noted it (--today).
    COALESCE(
        dated.age_days,
        CAST(DATE_DIFF('day', CAST(dated.since AS DATE), GREATEST(CAST(dated.since AS DATE), settings.today)) AS INTEGER)
    ) AS age_days,  -- days it stands
    dated.is_accepted,  -- by a person, for these figures
    CASE WHEN dated.is_accepted THEN dated.accepted_by END AS accepted_by,  -- who accepted it
    CASE WHEN dated.is_accepted THEN dated.accepted_at END AS accepted_at,  -- when, UTC
    CASE WHEN dated.is_accepted THEN dated.accepted_reason END AS accepted_reason,  -- why
    dated.break_id,  -- its number, by which `springline breaks accept` takes it; null: not noted yet
    CAST(
        ROW_NUMBER() OVER (PARTITION BY dated.period_month ORDER BY dated.size DESC, dated.kind ASC, dated.subject ASC)
        AS INTEGER
    ) AS rank_no  -- 1: the largest of its period
FROM
    dated
CROSS JOIN seed.settings AS settings
