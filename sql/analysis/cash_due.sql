-- One week in which something falls due, by company, side and currency: what has to be paid, or is to come in.
-- What is overdue stands in the week in which it was due. Credit notes count negative.
-- Answers: How much money is needed, and when?
-- Read by: analysts (published).
-- grain: owner_code, side, currency_code, due_week
WITH items AS (
    SELECT
        parts.owner_code,
        parts.side,
        parts.currency_code,
        parts.partner_code,
        CAST(DATE_TRUNC('week', parts.due_date) AS DATE) AS due_week,
        parts.open_amount,
        COALESCE(parts.days_overdue, 0) > 0 AS is_overdue,
        parts.is_booked
    FROM
        rec.open_items AS parts
)

SELECT
    items.owner_code,  -- ledger entity
    MIN(companies.company_code) AS company_code,  -- VMS company
    MIN(companies.company_name) AS company_name,  -- name of the entity in the ledger
    CASE items.side WHEN 'AP' THEN 'Payable' ELSE 'Receivable' END AS side,  -- Payable: to be paid; Receivable: to come in
    items.currency_code,  -- currency of every amount here
    items.due_week,  -- Monday of the week in which it is or was due; empty: no due date
    CAST(COUNT(*) AS INTEGER) AS item_count,  -- invoices and credit notes; one with several due dates counts in each week
    CAST(COUNT(DISTINCT items.partner_code) AS INTEGER) AS partner_count,  -- suppliers or customers
    CAST(SUM(items.open_amount) AS DECIMAL(38, 4)) AS open_amount,  -- what is open of them
    CAST(SUM(CASE WHEN items.is_overdue THEN items.open_amount ELSE 0 END) AS DECIMAL(38, 4)) AS overdue_amount,  -- part that is overdue
    CAST(SUM(CASE WHEN items.is_booked THEN 0 ELSE items.open_amount END) AS DECIMAL(38, 4))
        AS not_booked_amount  -- part that the ledger has not booked yet
FROM
    items
LEFT JOIN rec.company_names AS companies
    ON items.owner_code = companies.owner_code
GROUP BY
    items.owner_code,
    items.side,
    items.currency_code,
    items.due_week
