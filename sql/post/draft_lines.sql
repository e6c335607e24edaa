-- One line of the voucher an open document becomes, in the ledger's own terms: control lines first, then detail lines.
-- Columns carry the names of docs/mapping.md#1-1; each amount is signed, debit positive.
-- Answers: What exactly will be sent of this document, line by line?
-- Read by: the loader of vouchers, the checks, `explain` and the dry run.
-- grain: document_key, tr_item_number
WITH details AS (
    SELECT
        amounts.document_key,
        amounts.line_key,
        MAX(CASE WHEN amounts.measure = 'currency' THEN amounts.amount END) AS currency_amount,
        MAX(CASE WHEN amounts.measure = 'company' THEN amounts.amount END) AS amount
    FROM
        post.detail_amounts AS amounts
    GROUP BY
        amounts.document_key, amounts.line_key
),

first_terms AS (
    SELECT
        control_amounts.document_key,
        MIN(CASE WHEN control_amounts.term_no = 1 THEN control_amounts.due_date END) AS due_date
    FROM
        post.control_amounts AS control_amounts
    GROUP BY
        control_amounts.document_key
),

-- One per payment term on AP and AR, one per contra account on GL.
controls AS (
    SELECT
        documents.document_key,
        control_amounts.term_no AS control_no,
        control_accounts.account,
        control_accounts.source,
        facts.vessel_code,
        facts.voyage_reference_no,
        documents.partner_code AS subledger_no,
        payees.bank_account AS subledger_bank_account,
        control_amounts.due_date,
        documents.control_sign * control_amounts.currency_amount AS currency_amount,
        documents.control_sign * control_amounts.amount AS amount,
        documents.document_date AS invoice_date
    FROM
        map.open_documents AS documents
    INNER JOIN post.control_amounts AS control_amounts
        ON documents.document_key = control_amounts.document_key
    INNER JOIN map.document_facts AS facts
        ON documents.document_key = facts.document_key
    INNER JOIN map.control_accounts AS control_accounts
        ON documents.document_key = control_accounts.document_key
    LEFT JOIN map.payee_accounts AS payees
        ON documents.document_key = payees.document_key
    UNION ALL
    SELECT
        contra.document_key,
        contra.contra_no,
        contra.account,
        contra.source,
        contra.vessel_code,
        contra.voyage_reference_no,
        CAST(NULL AS VARCHAR) AS subledger_no,
        CAST(NULL AS VARCHAR) AS subledger_bank_account,
        CAST(NULL AS DATE) AS due_date,
        contra.currency_amount,
        contra.amount,
        CAST(NULL AS DATE) AS invoice_date
    FROM
        post.contra_amounts AS contra
),

control_counts AS (
    SELECT
        document_key,
        COUNT(*) AS control_count
    FROM
        controls
    GROUP BY
        document_key
),

control_lines AS (
    SELECT
        controls.document_key,
        CAST(controls.control_no AS INTEGER) AS tr_item_number,
        'control' AS line_kind,
        CAST(NULL AS BIGINT) AS line_key,
        controls.account,
        controls.source AS account_source,
        controls.vessel_code AS posting1,
        controls.voyage_reference_no AS posting2,
        CAST(NULL AS VARCHAR) AS posting3,
        CAST(NULL AS VARCHAR) AS xgl,
        COALESCE(partners.ledger_partner, controls.subledger_no) AS subledger_no,
        controls.subledger_bank_account,
        controls.due_date,
        CAST(NULL AS VARCHAR) AS tax_rule,
        CAST(NULL AS INTEGER) AS direction,
        controls.currency_amount,
        controls.amount,
        controls.invoice_date,
        -- The voucher is looked up by this text: no blank at its cut end, which the ledger might not keep.
        CASE
            WHEN documents.partner_name IS NULL THEN documents.document_no
            ELSE TRIM(SUBSTRING(documents.document_no || ' ' || documents.partner_name, 1, 100))
        END AS line_text,
        CAST(NULL AS VARCHAR) AS vms_account,
        CAST(NULL AS VARCHAR) AS vms_vessel_code,
        CAST(NULL AS VARCHAR) AS vms_voyage_no,
        controls.subledger_no AS vms_partner_code,
        'subledger: ' || partners.rule_text AS mapping_rules
    FROM
        controls
    INNER JOIN map.open_documents AS documents
        ON controls.document_key = documents.document_key
    LEFT JOIN seed.partner_mapping AS partners
        ON controls.subledger_no = partners.vms_partner
),

numbered AS (
    SELECT
        lines.*,
        COALESCE(counts.control_count, 0) AS control_count,
        ROW_NUMBER() OVER (PARTITION BY lines.document_key ORDER BY lines.line_no) AS detail_no
    FROM
        map.document_lines AS lines
    LEFT JOIN control_counts AS counts
        ON lines.document_key = counts.document_key
    WHERE
        NOT lines.is_vat_line
),

detail_lines AS (
    SELECT
        documents.document_key,
        CAST(lines.control_count + lines.detail_no AS INTEGER) AS tr_item_number,
        'detail' AS line_kind,
        lines.line_key,
        COALESCE(account_rules.ledger_account, lines.gl_account) AS account,
        'line' AS account_source,
        CASE WHEN dimensions.fills_posting1 THEN dimensions.posting1 ELSE lines.vessel_code END AS posting1,
        CASE WHEN dimensions.fills_posting2 THEN dimensions.posting2 ELSE lines.voyage_reference_no END AS posting2,
        CASE
            WHEN dimensions.fills_posting3 THEN dimensions.posting3
            WHEN documents.company_country_code = 'SG' AND documents.partner_country_code = 'SG' THEN 'LS'
            ELSE 'FS'
        END AS posting3,
        CASE
            WHEN dimensions.fills_xgl THEN dimensions.xgl
            WHEN settings.xgl = 'poolCode' THEN COALESCE(lines.pool_code, 'DLVMS')
            WHEN settings.xgl = 'isTc' AND lines.voyage_is_tc THEN 'TC'
            WHEN settings.xgl = 'isTc' AND NOT lines.voyage_is_tc THEN 'VC'
            ELSE 'DLVMS'
        END AS xgl,
        CASE
            WHEN documents.voucher_type = 'AP' AND lines.is_commission
                THEN COALESCE(partners.ledger_partner, lines.partner_code)
        END AS subledger_no,
        CAST(NULL AS VARCHAR) AS subledger_bank_account,
        CASE WHEN documents.voucher_type = 'AP' AND lines.is_commission THEN first_terms.due_date END AS due_date,
        COALESCE(tax_rules.tax_rule, taxed.vat_code, lines.vat_code) AS tax_rule,
        CASE documents.voucher_type WHEN 'GL' THEN lines.gl_direction ELSE -documents.control_sign END AS direction,
        CASE documents.voucher_type WHEN 'GL' THEN lines.gl_direction ELSE -documents.control_sign END
        * details.currency_amount AS currency_amount,
        CASE documents.voucher_type WHEN 'GL' THEN lines.gl_direction ELSE -documents.control_sign END
        * details.amount AS amount,
        CAST(NULL AS DATE) AS invoice_date,
        -- Without a control line the first line is what the ledger shows as the voucher's text.
        CASE
            WHEN lines.control_count + lines.detail_no = 1
                THEN TRIM(SUBSTRING(documents.document_no || COALESCE(' ' || lines.line_text, ''), 1, 100))
            ELSE lines.line_text
        END AS line_text,
        lines.gl_account AS vms_account,
        lines.vessel_code AS vms_vessel_code,
        lines.voyage_reference_no AS vms_voyage_no,
        CASE WHEN documents.voucher_type = 'AP' AND lines.is_commission THEN lines.partner_code END AS vms_partner_code,
        NULLIF(
            CONCAT_WS(
                '; ',
                'account: ' || account_rules.rule_text,
                dimensions.rule_text,
                CASE
                    WHEN documents.voucher_type = 'AP' AND lines.is_commission THEN 'subledger: ' || partners.rule_text
                END,
                'tax rule: ' || tax_rules.rule_text
            ),
            ''
        ) AS mapping_rules
    FROM
        map.open_documents AS documents
    CROSS JOIN seed.settings AS settings
    INNER JOIN numbered AS lines
        ON documents.document_key = lines.document_key
    INNER JOIN details
        ON
            lines.document_key = details.document_key
            AND lines.line_key = details.line_key
    LEFT JOIN first_terms
        ON documents.document_key = first_terms.document_key
    LEFT JOIN map.taxed_lines AS taxed
        ON
            lines.document_key = taxed.document_key
            AND lines.line_key = taxed.line_key
    LEFT JOIN seed.tax_rules AS tax_rules
        ON COALESCE(taxed.vat_code, lines.vat_code) = tax_rules.vat_code
    LEFT JOIN map.account_rules AS account_rules
        ON
            documents.company_code = account_rules.company_code
            AND lines.gl_account = account_rules.vms_account
    LEFT JOIN map.line_dimensions AS dimensions
        ON
            lines.document_key = dimensions.document_key
            AND lines.line_key = dimensions.line_key
    LEFT JOIN seed.partner_mapping AS partners
        ON lines.partner_code = partners.vms_partner
),

all_lines AS (
    SELECT *
    FROM
        control_lines
    UNION ALL
    SELECT *
    FROM
        detail_lines
)

SELECT
    all_lines.document_key,
    all_lines.tr_item_number,  -- 1..n, control lines first
    all_lines.line_kind,  -- control | detail
    all_lines.line_key,  -- VMS line a detail line comes from
    documents.company_code,  -- VMS company
    documents.owner_code AS company,  -- ledger entity
    documents.voucher_type,  -- AP, AR or GL: transactionSource
    documents.document_key AS voucher_no,  -- document key: trRegNumber
    all_lines.account,  -- GL account; the control account on control lines
    all_lines.posting1,  -- cost centre: vessel code, or what posting.dimensions puts there
    all_lines.posting2,  -- project: voyage reference number, or what posting.dimensions puts there
    all_lines.posting3,  -- LS between Singapore parties, else FS
    all_lines.xgl,  -- fourth dimension: pool, TC or VC, else DLVMS
    all_lines.subledger_no,  -- supplier or customer; on a detail line a broker
    all_lines.subledger_bank_account,  -- the supplier's, a Norwegian IBAN as 11 digits
    all_lines.due_date,  -- of the payment term
    all_lines.tax_rule,  -- VAT code, or what posting.tax_rules makes of it
    documents.currency_code AS currency,  -- of the document
    CAST(all_lines.currency_amount AS DECIMAL(38, 4)) AS currency_amount,  -- in currency, debit positive
    CAST(all_lines.amount AS DECIMAL(38, 4)) AS amount,  -- in company currency, debit positive
    posting_periods.posted_date AS voucher_date,  -- the day it is booked on
    all_lines.invoice_date,  -- document date
    CAST(EXTRACT(YEAR FROM posting_periods.posted_date) AS INTEGER) AS fiscal_year,  -- of the voucher date
    CAST(EXTRACT(MONTH FROM posting_periods.posted_date) AS INTEGER) AS period_no,  -- month of the voucher date
    NULLIF(SUBSTRING(all_lines.line_text, 1, 100), '') AS text,  -- 100 characters at most; the first line's is the voucher's
    numbers.invoice_no,  -- invoiceNumber
    numbers.x_identifier,  -- KID: extIdentifier
    documents.document_no AS ext_order_number,  -- document number
    1 AS job_level,  -- 1: imported, not yet booked
    CAST(all_lines.direction AS INTEGER) AS direction,  -- of a detail line: 1 or -1 times the VMS's amount it is debit positive
    all_lines.account_source,  -- where the account stands: line, a VMS account, a setting, a member of the line's account
    all_lines.vms_account,  -- of a detail line: its account in the VMS, which posting.gl_accounts may map
    all_lines.vms_vessel_code,  -- of a detail line: its vessel, whatever posting.dimensions puts into posting1
    all_lines.vms_voyage_no,  -- of a detail line: its voyage, whatever posting.dimensions puts into posting2
    all_lines.vms_partner_code,  -- partner of the subledger as the VMS has it, which partners.codes may map
    all_lines.mapping_rules  -- each field that a line of a mapping file has filled, with file and line; null: none
FROM
    all_lines
INNER JOIN map.open_documents AS documents
    ON all_lines.document_key = documents.document_key
INNER JOIN map.document_numbers AS numbers
    ON all_lines.document_key = numbers.document_key
INNER JOIN map.posting_periods AS posting_periods
    ON all_lines.document_key = posting_periods.document_key
