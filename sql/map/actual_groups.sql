-- One entity, month, voyage, account and currency: what the ledger's books say, and what has gone to the VMS of it.
-- Amounts carry the sign the company's GL documents have in the VMS (posting.gl_sign): debit positive, turned, or revenue
-- turned (docs/mapping.md#1). A sign that is set anew makes a difference, and that is sent.
-- A group that has left the books entirely stays as long as something of it was sent: it goes down to zero.
-- Answers: What is to be sent of actuals so that the VMS has what the books have?
-- Read by: the actuals job.
-- grain: owner_code, month_start, voyage_no, account, currency_code
-- parts: voyage_no; map.actual_rows by project_code
WITH booked AS (
    SELECT
        ledger.owner_code,
        months.month_start,
        ledger.project_code AS voyage_no,
        ledger.account_code AS account,
        ledger.currency_code,
        SUM(ledger.document_amount) AS document_amount,
        SUM(ledger.company_amount) AS company_amount
    FROM
        map.actual_rows AS ledger
    INNER JOIN seed.months AS months
        ON
            ledger.period_year = months.calendar_year
            AND ledger.period_month = months.calendar_month
    WHERE
        -- What came from the VMS is not sent back to it.
        NOT ledger.is_echo
        AND ledger.against_document_no IS NULL
    GROUP BY
        ledger.owner_code,
        months.month_start,
        ledger.project_code,
        ledger.account_code,
        ledger.currency_code
),

sent AS (
    SELECT
        actuals.owner_code,
        actuals.period_month AS month_start,
        actuals.voyage_no,
        actuals.account,
        actuals.currency AS currency_code,
        MAX(actuals.part_no) AS last_part_no,
        SUM(CAST(actuals.document_amount AS DECIMAL(38, 4))) AS document_amount,
        SUM(CAST(actuals.company_amount AS DECIMAL(38, 4))) AS company_amount
    FROM
        ctl.actuals AS actuals
    WHERE
        -- What is unknown may have arrived: it counts as sent until a look-up says otherwise.
        actuals.state IN ('sending', 'sent', 'unknown')
    GROUP BY
        actuals.owner_code,
        actuals.period_month,
        actuals.voyage_no,
        actuals.account,
        actuals.currency
),

joined AS (
    SELECT
        COALESCE(booked.owner_code, sent.owner_code) AS owner_code,
        COALESCE(booked.month_start, sent.month_start) AS month_start,
        COALESCE(booked.voyage_no, sent.voyage_no) AS voyage_no,
        COALESCE(booked.account, sent.account) AS account,
        COALESCE(booked.currency_code, sent.currency_code) AS currency_code,
        COALESCE(booked.document_amount, 0) AS booked_document,
        COALESCE(booked.company_amount, 0) AS booked_company,
        COALESCE(sent.document_amount, 0) AS sent_document,
        COALESCE(sent.company_amount, 0) AS sent_company,
        COALESCE(sent.last_part_no, 0) AS last_part_no
    FROM
        booked
    -- FULL: a group that left the books has no row there, and what was sent of it must still be taken back.
    FULL OUTER JOIN sent
        ON
            booked.owner_code = sent.owner_code
            AND booked.month_start = sent.month_start
            AND booked.voyage_no = sent.voyage_no
            AND booked.account = sent.account
            AND booked.currency_code = sent.currency_code
),

turned AS (
    SELECT
        actuals.*,
        CASE
            WHEN gl_sign.gl_sign = '-1' THEN -1
            WHEN gl_sign.gl_sign = 'revenue' AND COALESCE(accounts.is_revenue, FALSE) THEN -1
            ELSE 1
        END AS direction
    FROM
        joined AS actuals
    LEFT JOIN map.actual_companies AS companies
        ON actuals.owner_code = companies.owner_code
    LEFT JOIN seed.gl_sign AS gl_sign
        ON companies.company_code = gl_sign.company_code
    LEFT JOIN map.revenue_accounts AS accounts
        ON actuals.account = accounts.gl_account
)

SELECT
    turned.owner_code,  -- ledger entity
    turned.month_start,
    turned.voyage_no,
    turned.account,
    turned.currency_code,
    CAST(turned.direction AS INTEGER) AS direction,  -- 1 or -1: times the VMS's amount it is debit positive
    CAST(turned.last_part_no AS INTEGER) AS last_part_no,  -- how many documents the VMS has of it
    CASE COALESCE(units.minor_units, 2)
        WHEN 0 THEN CAST(ROUND(turned.direction * turned.booked_document, 0) AS DECIMAL(38, 4))
        WHEN 2 THEN CAST(ROUND(turned.direction * turned.booked_document, 2) AS DECIMAL(38, 4))
        WHEN 3 THEN CAST(ROUND(turned.direction * turned.booked_document, 3) AS DECIMAL(38, 4))
        ELSE CAST(ROUND(turned.direction * turned.booked_document, 4) AS DECIMAL(38, 4))
    END AS booked_document,  -- in currency_code, with the sign of the VMS
    CASE COALESCE(company_units.minor_units, 2)
        WHEN 0 THEN CAST(ROUND(turned.direction * turned.booked_company, 0) AS DECIMAL(38, 4))
        WHEN 2 THEN CAST(ROUND(turned.direction * turned.booked_company, 2) AS DECIMAL(38, 4))
        WHEN 3 THEN CAST(ROUND(turned.direction * turned.booked_company, 3) AS DECIMAL(38, 4))
        ELSE CAST(ROUND(turned.direction * turned.booked_company, 4) AS DECIMAL(38, 4))
    END AS booked_company,  -- in company currency, with the sign of the VMS
    CAST(turned.sent_document AS DECIMAL(38, 4)) AS sent_document,
    CAST(turned.sent_company AS DECIMAL(38, 4)) AS sent_company,
    entities.currency_code AS company_currency_code
FROM
    turned
INNER JOIN map.entities AS entities
    ON turned.owner_code = entities.owner_code
LEFT JOIN seed.currencies AS units
    ON turned.currency_code = units.currency_code
LEFT JOIN seed.currencies AS company_units
    ON entities.currency_code = company_units.currency_code
