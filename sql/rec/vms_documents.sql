-- One document of the VMS of a type that becomes a voucher, in any status, its amounts rounded once to minor units.
-- Answers: What does the VMS have of every document, posted or not?
-- Read by: the comparison of documents.
-- grain: document_key
-- parts: document_key
WITH owners AS (
    SELECT
        companies.company_code,
        MIN(companies.owner_code) AS owner_code,
        MIN(entities.currency_code) AS currency_code
    FROM
        map.companies AS companies
    LEFT JOIN map.entities AS entities
        ON companies.owner_code = entities.owner_code
    GROUP BY
        companies.company_code
),

typed AS (
    SELECT
        documents.document_key,
        documents.fetch_id,
        documents.fetched_at,
        documents.modified_at,
        documents.document_no,
        documents.document_type,
        documents.document_date,
        documents.company_code,
        documents.status_code,
        UPPER(TRIM(documents.currency_code)) AS currency_code,
        COALESCE(UPPER(TRIM(documents.company_currency_code)), owners.currency_code) AS company_currency_code,
        owners.owner_code,
        documents.partner_key,
        NULLIF(TRIM(documents.partner_code), '') AS partner_code,
        NULLIF(TRIM(documents.partner_name), '') AS partner_name,
        NULLIF(TRIM(documents.external_document_no), '') AS external_document_no,
        documents.document_amount,
        documents.company_currency_amount,
        voucher_types.voucher_type,
        voucher_types.is_credit_note
    FROM
        stg_vms.documents AS documents
    INNER JOIN seed.voucher_types AS voucher_types
        ON documents.document_type = voucher_types.document_type
    LEFT JOIN owners
        ON documents.company_code = owners.company_code
)

SELECT
    typed.document_key,
    typed.fetch_id,
    typed.fetched_at,
    typed.modified_at,  -- when it was changed last, by the VMS's own clock
    typed.document_no,  -- number of the document in the VMS
    typed.document_type,  -- INI, CRI, INO, CRO, ACC, ACP, ACR, CAP, CAR, BAP, BAR
    typed.document_date,  -- date of the document in the VMS
    CAST(DATE_TRUNC('month', typed.document_date) AS DATE) AS document_month,  -- first day of the month of its date
    typed.company_code,  -- VMS company
    typed.owner_code,  -- ledger entity its voucher goes to; null: no entity is known for the company
    typed.status_code,  -- PEN, INV, RFP, POS; GONE: deleted; REJECTED: its text breaks the contract
    typed.currency_code,  -- currency of the document
    typed.company_currency_code,  -- currency of the company, else of its ledger entity
    typed.partner_key,  -- database id of the partner in the VMS
    typed.partner_code,  -- supplier or customer of the document
    typed.partner_name,  -- name of the supplier or customer in the VMS
    CASE
        WHEN POSITION('|' IN typed.external_document_no) > 0
            THEN NULLIF(TRIM(SPLIT_PART(typed.external_document_no, '|', 1)), '')
        ELSE typed.external_document_no
    END AS external_no,  -- the supplier's own invoice number
    typed.voucher_type,  -- AP, AR or GL
    typed.is_credit_note,  -- true: a credit note
    COALESCE(document_units.minor_units, 2) AS currency_minor_units,  -- decimals of its currency (ISO 4217)
    CASE COALESCE(document_units.minor_units, 2)
        WHEN 0 THEN CAST(ROUND(typed.document_amount, 0) AS DECIMAL(38, 4))
        WHEN 2 THEN CAST(ROUND(typed.document_amount, 2) AS DECIMAL(38, 4))
        WHEN 3 THEN CAST(ROUND(typed.document_amount, 3) AS DECIMAL(38, 4))
        ELSE CAST(ROUND(typed.document_amount, 4) AS DECIMAL(38, 4))
    END AS amount,  -- in currency_code, signed as in the VMS
    CASE COALESCE(company_units.minor_units, 2)
        WHEN 0 THEN CAST(ROUND(typed.company_currency_amount, 0) AS DECIMAL(38, 4))
        WHEN 2 THEN CAST(ROUND(typed.company_currency_amount, 2) AS DECIMAL(38, 4))
        WHEN 3 THEN CAST(ROUND(typed.company_currency_amount, 3) AS DECIMAL(38, 4))
        ELSE CAST(ROUND(typed.company_currency_amount, 4) AS DECIMAL(38, 4))
    END AS company_amount  -- in company_currency_code, signed as in the VMS
FROM
    typed
LEFT JOIN seed.currencies AS document_units
    ON typed.currency_code = document_units.currency_code
LEFT JOIN seed.currencies AS company_units
    ON typed.company_currency_code = company_units.currency_code
