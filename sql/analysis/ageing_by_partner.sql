-- One partner of a company and currency with what is open, parted by how long it is overdue. Credit notes count negative.
-- Open is what the ledger has open; of an invoice that is not booked yet, what the VMS has. Of an invoice with several due
-- dates each part is as old as it is.
-- Answers: What is open by partner, and how old is it?
-- Read by: analysts (published), the workbook.
-- grain: owner_code, side, partner_code, currency_code
SELECT
    items.owner_code,  -- ledger entity
    MIN(companies.company_code) AS company_code,  -- VMS company
    MIN(companies.company_name) AS company_name,  -- name of the entity in the ledger
    CASE items.side WHEN 'AP' THEN 'Payable' ELSE 'Receivable' END AS side,  -- Payable | Receivable
    items.partner_code,  -- supplier or customer, by its code
    MIN(items.partner_name) AS partner_name,  -- name of the supplier or customer in the VMS
    items.currency_code,  -- currency of every amount here
    CAST(COUNT(*) AS INTEGER) AS item_count,  -- parts of invoices and credit notes that are open, one a due date
    CAST(SUM(CASE WHEN items.overdue_bucket = 'not due' THEN items.open_amount ELSE 0 END) AS DECIMAL(38, 4))
        AS not_due,  -- what is not due yet
    CAST(SUM(CASE WHEN items.overdue_bucket = '1-30 days' THEN items.open_amount ELSE 0 END) AS DECIMAL(38, 4))
        AS overdue_1_to_30,  -- 1 to 30 days overdue
    CAST(SUM(CASE WHEN items.overdue_bucket = '31-60 days' THEN items.open_amount ELSE 0 END) AS DECIMAL(38, 4))
        AS overdue_31_to_60,  -- 31 to 60 days overdue
    CAST(SUM(CASE WHEN items.overdue_bucket = '61-90 days' THEN items.open_amount ELSE 0 END) AS DECIMAL(38, 4))
        AS overdue_61_to_90,  -- 61 to 90 days overdue
    CAST(SUM(CASE WHEN items.overdue_bucket = 'over 90 days' THEN items.open_amount ELSE 0 END) AS DECIMAL(38, 4))
        AS overdue_over_90,  -- more than 90 days overdue
    CAST(SUM(CASE WHEN items.overdue_bucket = 'no due date' THEN items.open_amount ELSE 0 END) AS DECIMAL(38, 4))
        AS without_due_date,  -- nobody knows when it is due
    CAST(SUM(items.open_amount) AS DECIMAL(38, 4)) AS open_in_all,  -- all of it: the sum of the six before
    MIN(items.company_currency_code) AS company_currency_code,  -- currency of the entity's books
    CAST(SUM(items.open_company_amount) AS DECIMAL(38, 4)) AS company_open_in_all,  -- open_in_all in company currency, as booked
    CAST(SUM(CASE WHEN items.days_overdue > 0 THEN items.open_company_amount ELSE 0 END) AS DECIMAL(38, 4))
        AS company_overdue,  -- part of it that is overdue, in company currency
    MAX(items.days_overdue) AS longest_days_overdue  -- of the item that is overdue longest; empty: none is
FROM
    rec.open_items AS items
LEFT JOIN rec.company_names AS companies
    ON items.owner_code = companies.owner_code
GROUP BY
    items.owner_code,
    items.side,
    items.partner_code,
    items.currency_code
