-- One open document: ready for posting in the VMS, of a type that becomes a voucher, not yet sent and not ignored.
-- The posting path reads only these, so that a tick costs the batch and not the history.
-- Answers: Which documents wait to be posted?
-- Read by: the whole posting path, and `springline hold`.
-- grain: document_key
WITH approved AS (
    SELECT documents.document_key
    FROM
        stg_vms.documents AS documents
    WHERE
        documents.status_code = 'RFP'
),

-- Of those alone: all that was ever sent is looked through, and not kept in memory.
sent AS (
    SELECT DISTINCT outbox.document_key
    FROM
        approved
    INNER JOIN ctl.outbox AS outbox
        ON approved.document_key = outbox.document_key
    WHERE
        outbox.kind = 'voucher'
        -- `todo` and `failed` may be built anew, so they are open; `unknown` may have arrived and must not be sent again.
        AND outbox.state IN ('sending', 'sent', 'unknown')
),

-- Currencies come and go, and some in use are no ISO code (CNH): what the ledger takes is known.
listed AS (
    SELECT DISTINCT currencies.code
    FROM
        stg_ledger.currencies AS currencies
),

ready AS (
    SELECT
        documents.document_key,
        documents.fetch_id,
        documents.content_hash,
        documents.modified_at,
        documents.document_no,
        documents.document_type,
        documents.document_date,
        documents.company_code,
        documents.company_country_code,
        UPPER(TRIM(documents.company_currency_code)) AS company_currency_code,
        UPPER(TRIM(documents.currency_code)) AS currency_code,
        NULLIF(TRIM(documents.external_document_no), '') AS external_document_no,
        NULLIF(TRIM(documents.gl_account), '') AS gl_account,
        documents.partner_key,
        NULLIF(TRIM(documents.partner_code), '') AS partner_code,
        NULLIF(TRIM(documents.partner_name), '') AS partner_name,
        -- The vendor's spelling first, then that of older installations (docs/mapping.md#0).
        -- A document that shows none has its partner's as last read: the rule on charterers is never off without a word.
        COALESCE(
            NULLIF(TRIM(documents.partner_type), ''),
            NULLIF(TRIM(documents.partner_type_code), ''),
            NULLIF(TRIM(partners.partner_type), ''),
            NULLIF(TRIM(partners.partner_type_code), '')
        ) AS partner_type_code,
        documents.partner_country_code,
        NULLIF(UPPER(REPLACE(documents.partner_iban, ' ', '')), '') AS partner_iban,
        NULLIF(TRIM(documents.partner_bank_account_no), '') AS partner_bank_account_no,
        documents.document_amount,
        documents.company_currency_amount,
        documents.created_by_key,
        voucher_types.voucher_type,
        voucher_types.control_account_code,
        voucher_types.control_sign,
        voucher_types.is_credit_note,
        voucher_types.is_accrual
    FROM
        stg_vms.documents AS documents
    INNER JOIN seed.voucher_types AS voucher_types
        ON documents.document_type = voucher_types.document_type
    LEFT JOIN stg_vms.partners AS partners
        ON documents.partner_key = partners.partner_key
    LEFT JOIN sent
        ON documents.document_key = sent.document_key
    LEFT JOIN ctl.ignored AS ignored
        ON
            ignored.until IS NULL
            AND (
                ignored.document_key = documents.document_key
                OR (ignored.document_key IS NULL AND ignored.document_no = documents.document_no)
            )
    CROSS JOIN seed.settings AS settings
    LEFT JOIN seed.companies AS companies
        ON documents.company_code = companies.company_code
    WHERE
        documents.status_code = 'RFP'
        -- Where only some companies are integrated, the others' documents may be left alone (companies_others).
        AND (
            settings.companies_others <> 'leave'
            OR companies.company_code IS NOT NULL
            OR NOT EXISTS (
                SELECT configured.company_code
                FROM
                    seed.companies AS configured
            )
        )
        AND sent.document_key IS NULL
        AND ignored.document_no IS NULL
)

SELECT
    ready.document_key,
    ready.fetch_id,
    ready.content_hash,
    ready.modified_at,
    ready.document_no,
    ready.document_type,  -- INI, CRI, INO, CRO, ACC, ACP, ACR, CAP, CAR, BAP, BAR
    ready.document_date,  -- the day it is posted on unless its period is closed
    ready.company_code,  -- VMS company
    ready.company_country_code,
    companies.owner_code,  -- ledger entity its voucher goes to; null: no entity is known for the company
    ready.currency_code,  -- of the document
    COALESCE(ready.company_currency_code, entities.currency_code) AS company_currency_code,  -- of the company, else of its entity
    ready.external_document_no,  -- the supplier's number, a KID behind a pipe
    ready.gl_account,  -- the document's own, for GL vouchers
    ready.partner_key,  -- database id of the partner in the VMS: its code may change
    ready.partner_code,
    ready.partner_name,
    ready.partner_type_code,
    ready.partner_country_code,
    ready.partner_iban,  -- without blanks
    ready.partner_bank_account_no,
    ready.document_amount,  -- as the VMS has it, unrounded
    ready.company_currency_amount,  -- as the VMS has it, unrounded
    ready.created_by_key,  -- the VMS user who entered it
    ready.voucher_type,  -- AP, AR or GL
    ready.control_account_code,  -- VMS account whose GL account controls the voucher: APX or ARX; null on GL
    ready.control_sign,  -- of the control line of an AP or AR voucher: 1 or -1
    gl_sign.gl_sign,  -- setting of the company: 1, -1 or revenue; null: debit-positive
    ready.is_credit_note,
    ready.is_accrual,  -- would meet its reversal in a later period
    COALESCE(document_units.minor_units, 2) AS currency_minor_units,  -- decimals of the document's currency (ISO 4217)
    COALESCE(company_units.minor_units, 2) AS company_minor_units,  -- decimals of the company's currency
    document_units.currency_code IS NOT NULL OR listed.code IS NOT NULL
        AS is_currency_known  -- the ledger has the document's currency, or ISO 4217 has it
FROM
    ready
LEFT JOIN map.companies AS companies
    ON ready.company_code = companies.company_code
LEFT JOIN map.entities AS entities
    ON companies.owner_code = entities.owner_code
LEFT JOIN seed.gl_sign AS gl_sign
    ON ready.company_code = gl_sign.company_code
LEFT JOIN seed.currencies AS document_units
    ON ready.currency_code = document_units.currency_code
LEFT JOIN seed.currencies AS company_units
    ON COALESCE(ready.company_currency_code, entities.currency_code) = company_units.currency_code
LEFT JOIN listed
    ON ready.currency_code = listed.code
QUALIFY
    -- A company listed twice in the settings, or an entity with two rows, must not double a voucher.
    ROW_NUMBER() OVER (PARTITION BY ready.document_key ORDER BY companies.owner_code, entities.entity_db_id) = 1
