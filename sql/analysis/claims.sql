-- One claim on one document: what was claimed or credited, for how many days, and how much of the document is still open.
-- Demurrage, despatch and what else the VMS keeps as a claim. Without VAT; amounts carry the sign of the VMS.
-- Answers: Which claims are booked, which are unpaid?
-- Read by: analysts (published).
-- grain: document_key, claim_key, currency_code
WITH claimed AS (
    SELECT
        lines.document_key,
        lines.claim_key,
        lines.currency_code,
        MIN(lines.claim_no) AS claim_no,
        MIN(lines.document_no) AS document_no,
        MIN(lines.document_type) AS document_type,
        MIN(lines.owner_code) AS owner_code,
        MIN(lines.company_code) AS company_code,
        MIN(lines.partner_code) AS partner_code,
        MIN(lines.partner_name) AS partner_name,
        MIN(lines.voyage_no) AS voyage_no,
        MIN(lines.vessel_code) AS vessel_code,
        MIN(lines.document_date) AS document_date,
        MIN(lines.status_vms) AS status_vms,
        MIN(lines.state) AS state,
        MIN(lines.company_currency_code) AS company_currency_code,
        SUM(lines.amount) AS amount,
        SUM(lines.company_amount) AS company_amount,
        SUM(CASE WHEN lines.quantity_unit = 'days' THEN lines.quantity END) AS days_claimed
    FROM
        rec.document_lines AS lines
    WHERE
        lines.claim_key IS NOT NULL
        AND NOT lines.is_vat_line
    GROUP BY
        lines.document_key,
        lines.claim_key,
        lines.currency_code
)

SELECT
    claimed.document_key,  -- database id of the document in the VMS
    claimed.claim_key,  -- database id of the claim in the VMS
    claimed.claim_no,  -- number of the claim
    claimed.document_no,  -- number of the document in the VMS
    claimed.document_type,  -- kind of document in the VMS, as INO or CRO
    claimed.owner_code,  -- ledger entity
    claimed.company_code,  -- VMS company
    companies.company_name,  -- name of the entity in the ledger
    claimed.partner_code,  -- supplier or customer, by its code
    claimed.partner_name,  -- name of the supplier or customer in the VMS
    claimed.voyage_no,  -- reference number of the voyage
    projects.description AS voyage_name,  -- vessel and number, as the project is called; empty: no voyage of the VMS
    claimed.vessel_code,  -- vessel the lines count for
    vessels.description AS vessel_name,  -- name of that vessel
    claimed.document_date,  -- date of the document in the VMS
    CAST(claimed.days_claimed AS DECIMAL(38, 18)) AS days_claimed,  -- days that the lines count; empty: they count none
    claimed.currency_code,  -- currency of amount
    CAST(claimed.amount AS DECIMAL(38, 4)) AS amount,  -- what the lines of the claim come to
    claimed.company_currency_code,  -- currency of company_amount
    CAST(claimed.company_amount AS DECIMAL(38, 4)) AS company_amount,  -- what they come to in company currency
    claimed.status_vms,  -- status of the document in the VMS: PEN, INV, RFP, POS
    claimed.state,  -- of its document in rec.documents, as agreed or held; empty: not ready yet, or posted before the first batch
    payments.currency_code AS document_currency_code,  -- currency of document_open
    payments.open_ledger AS document_open,  -- what the ledger has open of the whole document; empty: not booked
    payments.due_date,  -- when the document is due
    payments.days_overdue  -- days since then; empty: nothing is open, or it is not due
FROM
    claimed
LEFT JOIN rec.payments AS payments
    ON CAST(claimed.document_key AS VARCHAR) = payments.subject
LEFT JOIN rec.company_names AS companies
    ON claimed.owner_code = companies.owner_code
LEFT JOIN map.wanted_projects AS projects
    ON claimed.voyage_no = projects.code
LEFT JOIN map.wanted_vessels AS vessels
    ON claimed.vessel_code = vessels.code
