-- One line of a document of the VMS with all that analysts cut amounts by, and where its document stands in both systems.
-- In it are documents of every type that becomes a voucher, in any status, also those posted before the first batch;
-- not those that were deleted, nor those of companies that are left to others, unless Springline sent a voucher of them.
-- Answers: What was billed or accrued by vessel, voyage, port call, claim, off-hire, bill of lading and business unit?
-- Read by: analysts (published).
-- grain: document_key, line_key
-- parts: document_key
WITH wanted AS MATERIALIZED (
    SELECT
        documents.*,
        states.period_month,
        states.state,
        states.import_state_ledger,
        states.voucher_no_ledger,
        states.posted_date_ledger,
        states.as_of_ledger
    FROM
        rec.vms_documents AS documents
    LEFT JOIN map.left_companies AS left_companies
        ON documents.company_code = left_companies.company_code
    -- By the subject: a voucher that the ledger alone has may carry the key of a document and is a row of its own there.
    LEFT JOIN rec.documents AS states
        ON CAST(documents.document_key AS VARCHAR) = states.subject
    WHERE
        documents.status_code <> 'GONE'
        AND (left_companies.company_code IS NULL OR states.document_key IS NOT NULL)
),

-- Each step is made before the next: three large joins at once need more memory than a small machine has.
placed AS MATERIALIZED (
    SELECT
        lines.*,
        vessels.vessel_code
    FROM
        stg_vms.document_lines AS lines
    LEFT JOIN rec.line_vessels AS vessels
        ON
            lines.document_key = vessels.document_key
            AND lines.line_key = vessels.line_key
)

SELECT
    lines.document_key,  -- database id of the document in the VMS
    wanted.document_no,  -- number of the document in the VMS
    wanted.document_type,  -- kind of document in the VMS, as INI or CRO
    wanted.company_code,  -- VMS company
    wanted.owner_code,  -- ledger entity its voucher goes to; null: no entity is known for the company
    wanted.partner_code,  -- supplier or customer of the document, by its code
    wanted.partner_name,  -- name of that supplier or customer in the VMS
    wanted.document_date,  -- date of the document in the VMS
    COALESCE(wanted.period_month, wanted.document_month) AS period_month,  -- of the voucher's date, else of the document's
    lines.line_key,  -- database id of the line in the VMS
    NULLIF(TRIM(lines.line_text), '') AS line_text,  -- what the line is for, as the VMS has it
    NULLIF(TRIM(lines.gl_account), '') AS account,  -- GL account of the line in the VMS; posting.gl_accounts may send another one
    lines.vessel_code,  -- vessel the line counts for: its own code, else that of its voyage's vessel on that day
    NULLIF(TRIM(lines.voyage_reference_no), '') AS voyage_no,  -- reference number of the line's voyage
    NULLIF(TRIM(lines.partner_code), '') AS line_partner_code,  -- partner named on the line itself, as the broker of a commission
    lines.port_call_key,  -- database id of the port call the line belongs to; null: none
    lines.port_call_sequence,  -- place of the port call in its voyage, as the VMS counts
    NULLIF(TRIM(lines.port_name), '') AS port_name,  -- port of the port call
    lines.claim_key,  -- database id of the claim the line belongs to, as one for demurrage; null: none
    NULLIF(TRIM(lines.claim_no), '') AS claim_no,  -- number of that claim
    lines.offhire_key,  -- database id of the off-hire period the line belongs to; null: none
    lines.bill_of_lading_key,  -- database id of the bill of lading the line belongs to; null: none
    NULLIF(TRIM(lines.bill_of_lading_no), '') AS bill_of_lading_no,  -- number of that bill of lading
    NULLIF(TRIM(lines.business_unit_code), '') AS business_unit_code,  -- business unit of the line
    NULLIF(TRIM(lines.ref_document_no), '') AS ref_document_no,  -- document that the line takes back or settles
    NULLIF(TRIM(lines.vat_code), '') AS vat_code,  -- VAT code of the line
    vat_accounts.account IS NOT NULL AS is_vat_line,  -- true: the line is VAT, to be left out of sums of revenue and cost
    CAST(lines.quantity AS DECIMAL(38, 18)) AS quantity,  -- how much, in the unit of quantity_unit
    -- What a quantity counts depends on the line (docs/systems/vms.md#3-11).
    CASE
        WHEN lines.quantity IS NULL THEN NULL
        WHEN vat_accounts.account IS NOT NULL THEN 'base of VAT'
        WHEN wanted.document_type IN ('ACP', 'ACR', 'CAP', 'CAR') THEN 'days on hire'
        WHEN wanted.document_type IN ('ACC', 'BAP', 'BAR') THEN 'bunkers'
        WHEN lines.offhire_key IS NOT NULL THEN 'days off hire'
        WHEN lines.claim_key IS NOT NULL THEN 'days'
        WHEN lines.bill_of_lading_key IS NOT NULL THEN 'cargo'
    END AS quantity_unit,  -- base of VAT | days on hire | bunkers | days off hire | days | cargo; null: the VMS does not say
    CAST(lines.unit_price AS DECIMAL(38, 18)) AS unit_price,  -- price of one, in currency_code; of a VAT line its rate
    COALESCE(NULLIF(UPPER(TRIM(lines.currency_code)), ''), wanted.currency_code)
        AS currency_code,  -- currency of amount: the line's own, else the document's
    wanted.currency_code AS document_currency_code,  -- currency of the document
    wanted.company_currency_code,  -- currency of company_amount
    CASE COALESCE(line_units.minor_units, 2)
        WHEN 0 THEN CAST(ROUND(lines.document_amount, 0) AS DECIMAL(38, 4))
        WHEN 2 THEN CAST(ROUND(lines.document_amount, 2) AS DECIMAL(38, 4))
        WHEN 3 THEN CAST(ROUND(lines.document_amount, 3) AS DECIMAL(38, 4))
        ELSE CAST(ROUND(lines.document_amount, 4) AS DECIMAL(38, 4))
    END AS amount,  -- in currency_code, signed as in the VMS: a credit note is negative
    CASE COALESCE(company_units.minor_units, 2)
        WHEN 0 THEN CAST(ROUND(lines.company_currency_amount, 0) AS DECIMAL(38, 4))
        WHEN 2 THEN CAST(ROUND(lines.company_currency_amount, 2) AS DECIMAL(38, 4))
        WHEN 3 THEN CAST(ROUND(lines.company_currency_amount, 3) AS DECIMAL(38, 4))
        ELSE CAST(ROUND(lines.company_currency_amount, 4) AS DECIMAL(38, 4))
    END AS company_amount,  -- in company_currency_code, signed as in the VMS
    wanted.status_code AS status_vms,  -- PEN, INV, RFP, POS; REJECTED: its text breaks the contract, this is the text before
    wanted.import_state_ledger,  -- not sent | waiting | booked | refused; null: not compared
    wanted.voucher_no_ledger,  -- number of the document's voucher in the ledger; null: not booked, or not compared
    wanted.posted_date_ledger,  -- posting date of that voucher in the ledger
    wanted.state,  -- of its document in rec.documents, as agreed or held; null: not ready yet, or posted before the first batch
    wanted.fetched_at AS as_of_vms,  -- UTC: when the document was read from the VMS
    wanted.as_of_ledger  -- UTC: when its voucher, else the books, were read from the ledger; null: not compared
FROM
    wanted
INNER JOIN placed AS lines
    ON
        wanted.document_key = lines.document_key
        AND wanted.fetch_id = lines.fetch_id
LEFT JOIN seed.vat_accounts AS vat_accounts
    ON TRIM(lines.gl_account) = vat_accounts.account
LEFT JOIN seed.currencies AS line_units
    ON COALESCE(NULLIF(UPPER(TRIM(lines.currency_code)), ''), wanted.currency_code) = line_units.currency_code
LEFT JOIN seed.currencies AS company_units
    ON wanted.company_currency_code = company_units.currency_code
