-- One port call of a voyage and one account: what incoming invoices and credit notes say it cost, and what is booked of it.
-- Without VAT. Disbursements of an agent that name no port call are not among it.
-- Answers: What did each port call cost?
-- Read by: analysts (published).
-- grain: owner_code, voyage_no, port_call_key, account
SELECT
    lines.owner_code,  -- ledger entity
    MIN(companies.company_code) AS company_code,  -- VMS company
    MIN(companies.company_name) AS company_name,  -- name of the entity in the ledger
    lines.voyage_no,  -- reference number of the voyage
    MIN(projects.description) AS voyage_name,  -- vessel and number, as the project is called; empty: no voyage of the VMS
    MIN(lines.vessel_code) AS vessel_code,  -- vessel the lines count for; of several the first by code
    MIN(vessels.description) AS vessel_name,  -- name of that vessel
    lines.port_call_key,  -- database id of the port call in the VMS
    MIN(lines.port_call_sequence) AS port_call_sequence,  -- place of the port call in its voyage
    MIN(lines.port_name) AS port_name,  -- port of the port call
    lines.account,  -- GL account; empty: the line has none
    MIN(accounts.account_name) AS account_name,  -- its name in the ledger; empty: the ledger has no such account
    MIN(lines.company_currency_code) AS company_currency_code,  -- currency of the amounts
    CAST(COUNT(DISTINCT lines.document_key) AS INTEGER) AS document_count,  -- invoices and credit notes
    MIN(lines.document_date) AS first_document_date,  -- date of the first of them
    MAX(lines.document_date) AS last_document_date,  -- date of the last of them
    CAST(SUM(lines.company_amount) AS DECIMAL(38, 4)) AS cost,  -- of all of them, booked or not
    CAST(SUM(CASE WHEN lines.import_state_ledger = 'booked' THEN lines.company_amount ELSE 0 END) AS DECIMAL(38, 4))
        AS cost_booked,  -- part of it that Springline sent and the ledger has booked
    CAST(SUM(CASE WHEN lines.import_state_ledger = 'booked' THEN 0 ELSE lines.company_amount END) AS DECIMAL(38, 4))
        AS cost_not_booked  -- the rest
FROM
    rec.document_lines AS lines
LEFT JOIN rec.company_names AS companies
    ON lines.owner_code = companies.owner_code
LEFT JOIN map.wanted_projects AS projects
    ON lines.voyage_no = projects.code
LEFT JOIN map.wanted_vessels AS vessels
    ON lines.vessel_code = vessels.code
LEFT JOIN rec.account_names AS accounts
    ON
        lines.owner_code = accounts.owner_code
        AND lines.account = accounts.account
WHERE
    lines.port_call_key IS NOT NULL
    AND lines.document_type IN ('INI', 'CRI')
    AND NOT lines.is_vat_line
    AND COALESCE(lines.state, '') <> 'ignored'
GROUP BY
    lines.owner_code,
    lines.voyage_no,
    lines.port_call_key,
    lines.account
