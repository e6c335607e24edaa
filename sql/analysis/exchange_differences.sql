-- One month of what a company won or lost on exchange when invoices of a partner in a foreign currency were settled.
-- It is what the ledger booked beside the payment in the company's currency, so that invoice and payment come to nothing.
-- Answers: What have exchange rates cost us?
-- Read by: analysts (published).
-- grain: owner_code, side, partner_code, invoice_currency_code, period_month
WITH settled AS (
    SELECT
        ledger.owner_code,
        ledger.side,
        ledger.match_id,
        -- An invoice in several currencies settled at once: whose difference it is nobody can tell.
        CASE WHEN MIN(ledger.currency_code) = MAX(ledger.currency_code) THEN MIN(ledger.currency_code) END AS currency_code,
        MIN(companies.company_currency_code) AS company_currency_code
    FROM
        map.subledger_rows AS ledger
    INNER JOIN rec.company_names AS companies
        ON ledger.owner_code = companies.owner_code
    WHERE
        ledger.match_id <> 0
        AND ledger.row_role IN ('invoice', 'other_invoice')
    GROUP BY
        ledger.owner_code,
        ledger.side,
        ledger.match_id
    HAVING
        MIN(ledger.currency_code) <> MIN(companies.company_currency_code)
        OR MAX(ledger.currency_code) <> MIN(companies.company_currency_code)
),

differences AS (
    SELECT
        ledger.owner_code,
        ledger.side,
        ledger.subledger_code,
        settled.currency_code,
        settled.company_currency_code,
        CAST(DATE_TRUNC('month', ledger.posted_date) AS DATE) AS period_month,
        ledger.match_id,
        -- Seen from the invoice: what closes a payable from below is less paid, which is a gain.
        CAST(
            CASE ledger.side WHEN 'AP' THEN -1 ELSE 1 END * ledger.company_units
            * CASE ledger.company_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
            AS DECIMAL(38, 4)
        ) AS amount
    FROM
        map.subledger_rows AS ledger
    INNER JOIN settled
        ON
            ledger.owner_code = settled.owner_code
            AND ledger.side = settled.side
            AND ledger.match_id = settled.match_id
    WHERE
        ledger.row_role = 'adjustment'
        -- In the currency of the invoice it is a bank's charge or a rounding.
        AND (ledger.currency_code = settled.company_currency_code OR ledger.amount_units = 0)
)

SELECT
    differences.owner_code,  -- ledger entity
    MIN(companies.company_code) AS company_code,  -- VMS company
    MIN(companies.company_name) AS company_name,  -- name of the entity in the ledger
    CASE differences.side WHEN 'AP' THEN 'Payable' ELSE 'Receivable' END AS side,  -- Payable | Receivable
    differences.subledger_code AS partner_code,  -- supplier or customer, by its code in the ledger
    MIN(partners.description) AS partner_name,  -- name of the supplier or customer in the VMS
    differences.currency_code AS invoice_currency_code,  -- currency of the invoices; empty: invoices in several were settled at once
    differences.period_month,  -- first day of the month in which the difference was posted
    MIN(differences.company_currency_code) AS company_currency_code,  -- currency of every amount here
    CAST(COUNT(DISTINCT differences.match_id) AS INTEGER) AS settlement_count,  -- matches that a difference was booked in
    CAST(SUM(CASE WHEN differences.amount > 0 THEN differences.amount ELSE 0 END) AS DECIMAL(38, 4)) AS gain,  -- what was won
    CAST(SUM(CASE WHEN differences.amount < 0 THEN -differences.amount ELSE 0 END) AS DECIMAL(38, 4)) AS loss,  -- what was lost, positive
    CAST(SUM(differences.amount) AS DECIMAL(38, 4)) AS result  -- gain less loss
FROM
    differences
LEFT JOIN rec.company_names AS companies
    ON differences.owner_code = companies.owner_code
LEFT JOIN map.wanted_partners AS partners
    ON differences.subledger_code = partners.code
GROUP BY
    differences.owner_code,
    differences.side,
    differences.subledger_code,
    differences.currency_code,
    differences.period_month
