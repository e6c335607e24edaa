-- One document that is ready, in the ledger's terms; amounts are those of its total.
WITH terms AS (
    SELECT
        _dlt_parent_id,
        COUNT(*) AS term_count,
        MIN(CAST(due_date AT TIME ZONE 'UTC' AS DATE)) AS due_date,
        SUM(percentage) AS percentage
    FROM
        {{ source('vms', 'documents__document_payment_terms') }}
    GROUP BY
        _dlt_parent_id
)

SELECT
    documents._dlt_id AS document_id,
    CASE
        WHEN documents.document_type__document_type = 'INI' AND terms.term_count = 1 AND terms.percentage = 100
            THEN documents.key
        ELSE ERROR('only invoices of suppliers with one payment term are mapped')
    END AS trRegNumber,
    documents.document_no AS extOrderNumber,
    CAST(documents.document_date AT TIME ZONE 'UTC' AS DATE) AS postedDate,
    documents.document_currency__currency_code AS currency,
    CAST(documents.company__company_code AS INTEGER) AS owner,
    COALESCE(
        NULLIF(TRIM(SPLIT_PART(documents.external_document_no, '|', 1)), ''), documents.document_no
    ) AS invoiceNumber,
    NULLIF(TRIM(SPLIT_PART(documents.external_document_no, '|', 2)), '') AS extIdentifier,
    CASE
        WHEN documents.company__country__country_code = 'SG' AND addresses.country__country_code = 'SG' THEN 'LS'
        ELSE 'FS'
    END AS glObject3,
    accounts.gl_account AS account,
    documents.business_partner__business_partner_code AS subledger,
    CASE
        WHEN documents.business_partner__bank_account__iban LIKE 'NO%'
            THEN SUBSTRING(documents.business_partner__bank_account__iban, 5)
        ELSE COALESCE(
            documents.business_partner__bank_account__iban, documents.business_partner__bank_account__bank_account_no
        )
    END AS bankAccount,
    terms.due_date AS dueDate,
    TRIM(SUBSTRING(documents.document_no || ' ' || documents.business_partner__business_partner_name, 1, 100)) AS text,
    CAST(documents.document_amount AS DECIMAL(18, 2)) AS invoiceAmount,
    CAST(documents.company_currency_amount AS DECIMAL(18, 2)) AS amount
FROM
    {{ source('vms', 'documents') }} AS documents
LEFT JOIN terms
    ON documents._dlt_id = terms._dlt_parent_id
LEFT JOIN {{ source('vms', 'accounts') }} AS accounts
    ON documents.company__company_code = accounts.company__company_code
LEFT JOIN {{ source('vms', 'documents__business_partner__addresses') }} AS addresses
    ON documents._dlt_id = addresses._dlt_parent_id AND addresses._dlt_list_idx = 0
