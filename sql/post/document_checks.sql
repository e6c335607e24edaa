-- One open document with a verdict per posting requirement (docs/mapping.md#1-2 to #1-6) and what each message needs.
-- Comparisons between columns are made here; the suites in expectations/ assert the verdicts.
-- Answers: Does an open document meet each posting requirement?
-- Read by: the checks, which hold what fails, and `springline preflight`.
-- grain: document_key
WITH balances AS (
    SELECT
        document_key,
        MIN(CASE WHEN is_balanced THEN 1 ELSE 0 END) AS is_balanced,
        MAX(CASE WHEN measure = 'currency' THEN rest END) AS difference_currency,
        MAX(CASE WHEN measure = 'company' THEN rest END) AS difference_company
    FROM
        post.detail_amounts
    GROUP BY
        document_key
),

known_types AS (
    SELECT COUNT(*) AS type_count
    FROM
        map.partner_types
),

line_counts AS (
    SELECT
        document_key,
        COUNT(*) AS line_count,
        SUM(CASE WHEN line_kind = 'control' AND account IS NULL THEN 1 ELSE 0 END) AS controls_without_account
    FROM
        post.draft_lines
    GROUP BY
        document_key
),

missing AS (
    SELECT
        document_key,
        STRING_AGG(CASE WHEN code_kind = 'supplier' THEN code_text END, ', ' ORDER BY code) AS missing_suppliers,
        STRING_AGG(CASE WHEN code_kind = 'customer' THEN code_text END, ', ' ORDER BY code) AS missing_customers,
        STRING_AGG(CASE WHEN code_kind = 'project' THEN code_text END, ', ' ORDER BY code) AS missing_voyages,
        STRING_AGG(CASE WHEN code_kind = 'vessel' THEN code_text END, ', ' ORDER BY code) AS missing_vessels,
        STRING_AGG(CASE WHEN code_kind = 'tax_rule' THEN code_text END, ', ' ORDER BY code) AS missing_tax_rules,
        STRING_AGG(CASE WHEN code_kind = 'account' THEN code_text END, ', ' ORDER BY code) AS missing_accounts,
        STRING_AGG(CASE WHEN code_kind = 'currency' THEN code_text END, ', ' ORDER BY code) AS missing_currencies,
        STRING_AGG(CASE WHEN code_kind IN ('location', 'xgl') THEN code_text END, ', ' ORDER BY code) AS missing_dimensions
    FROM
        post.missing_codes
    GROUP BY
        document_key
),

currencies AS (
    SELECT
        owner_code,
        MIN(UPPER(TRIM(currency_code))) AS entity_currency
    FROM
        map.entities
    GROUP BY
        owner_code
),

unopened AS (
    SELECT
        document_key,
        STRING_AGG(project_text, '; ' ORDER BY code) AS closed_projects
    FROM
        post.closed_projects
    GROUP BY
        document_key
),

reversals AS (
    SELECT
        document_key,
        STRING_AGG(CASE WHEN state = 'waits' THEN original_no END, ', ' ORDER BY original_no) AS awaited_originals,
        STRING_AGG(CASE WHEN state = 'ignored' THEN original_no END, ', ' ORDER BY original_no) AS ignored_originals,
        STRING_AGG(CASE WHEN state NOT IN ('sent', 'waits', 'ignored') THEN original_text END, '; ' ORDER BY original_no)
            AS unknown_originals
    FROM
        map.reversal_originals
    GROUP BY
        document_key
),

-- What the ledger refused for a value of the document itself is refused again as long as the document is the same.
refusals AS (
    SELECT
        document_key,
        source_hash,
        MAX(SPLIT_PART(SPLIT_PART(last_error, ' the ledger refused it: ', 2), '. Next: ', 1)) AS words
    FROM
        ctl.outbox
    WHERE
        kind = 'voucher'
        AND state = 'failed'
        AND error_code = 'value_refused'
    GROUP BY
        document_key,
        source_hash
),

-- The partner is the ledger's: two codes of the VMS may stand for one supplier (partners.codes).
numbered AS (
    SELECT
        numbers.document_key,
        numbers.external_no,
        SAME_NUMBER(numbers.external_no) AS same_no,
        documents.owner_code,
        documents.company_code,
        documents.document_type,
        documents.voucher_type,
        COALESCE(partners.ledger_partner, documents.partner_code) AS ledger_partner,
        SIGN(amounts.total_currency) AS side_sign
    FROM
        map.document_numbers AS numbers
    INNER JOIN map.open_documents AS documents
        ON numbers.document_key = documents.document_key
    INNER JOIN map.document_amounts AS amounts
        ON numbers.document_key = amounts.document_key
    LEFT JOIN seed.partner_mapping AS partners
        ON documents.partner_code = partners.vms_partner
    WHERE
        numbers.invoice_no = numbers.external_no
),

control_signs AS (
    SELECT
        voucher_types.voucher_type,
        MIN(voucher_types.control_sign) AS control_sign
    FROM
        seed.voucher_types AS voucher_types
    GROUP BY
        voucher_types.voucher_type
),

-- These keys are found before anything else is read of what was used, which is all that was ever sent.
alike AS (
    SELECT DISTINCT
        used_numbers.document_key,
        used_numbers.has_voucher,
        used_numbers.same_no
    FROM
        numbered
    INNER JOIN post.used_numbers AS used_numbers
        ON numbered.same_no = used_numbers.same_no
),

-- Of those that have no voucher here: their types.
staged AS (
    SELECT
        documents.document_key,
        documents.document_type
    FROM
        alike
    INNER JOIN stg_vms.documents AS documents
        ON alike.document_key = documents.document_key
    WHERE
        NOT alike.has_voucher
),

used AS (
    SELECT
        vouchers.document_key,
        vouchers.document_no,
        vouchers.invoice_no,
        vouchers.owner_code,
        vouchers.company_code,
        vouchers.document_type,
        vouchers.voucher_type,
        COALESCE(partners.ledger_partner, vouchers.partner_code) AS ledger_partner,
        SIGN(vouchers.currency_amount) AS side_sign,
        alike.same_no
    FROM
        alike
    INNER JOIN post.vouchers AS vouchers
        ON alike.document_key = vouchers.document_key
    LEFT JOIN seed.partner_mapping AS partners
        ON vouchers.partner_code = partners.vms_partner
    UNION ALL
    SELECT
        sent.document_key,
        sent.document_no,
        sent.invoice_no,
        sent.owner_code,
        sent.company_code,
        staged.document_type,
        sent.voucher_type,
        sent.subledger_no,
        SIGN(sent.control_amount) * signs.control_sign,
        alike.same_no
    FROM
        alike
    INNER JOIN ctl.sent_vouchers AS sent
        ON alike.document_key = sent.document_key
    INNER JOIN control_signs AS signs
        ON sent.voucher_type = signs.voucher_type
    LEFT JOIN staged
        ON sent.document_key = staged.document_key
    WHERE
        NOT alike.has_voucher
        AND sent.state IN ('sending', 'sent', 'unknown')
),

-- An invoice and the credit note that carries its number are two things, and so are two documents of other types.
same_numbers AS (
    SELECT
        numbered.document_key,
        STRING_AGG(
            used.document_no
            || CASE WHEN used.invoice_no <> numbered.external_no THEN ' (as ' || used.invoice_no || ')' ELSE '' END
            || CASE WHEN used.company_code <> numbered.company_code THEN ' (company ' || used.company_code || ')' ELSE '' END,
            ', ' ORDER BY used.document_no, used.document_key
        ) AS other_documents
    FROM
        numbered
    INNER JOIN used
        ON
            numbered.same_no = used.same_no
            AND numbered.ledger_partner = used.ledger_partner
            AND numbered.owner_code = used.owner_code
            AND numbered.voucher_type = used.voucher_type
            -- Unknown of what the VMS has no more.
            AND numbered.document_type = COALESCE(used.document_type, numbered.document_type)
            AND numbered.side_sign = used.side_sign
            AND numbered.document_key <> used.document_key
    LEFT JOIN map.open_documents AS waiting
        ON used.document_key = waiting.document_key
    WHERE
        -- Of two that wait, the later one is told of the earlier.
        waiting.document_key IS NULL OR waiting.document_key < numbered.document_key
    GROUP BY
        numbered.document_key
)

SELECT
    documents.document_key,
    documents.document_no,
    documents.document_type,
    documents.company_code,
    documents.owner_code,  -- ledger entity
    documents.partner_code,
    documents.partner_name,
    documents.partner_type_code,
    documents.partner_iban,
    documents.voucher_type,
    documents.currency_code AS currency,
    documents.company_currency_code AS company_currency,
    documents.document_date,
    amounts.total_currency AS document_amount,
    documents.external_document_no,
    numbers.invoice_no,
    numbers.x_identifier,
    facts.lines_without_account,
    CASE
        WHEN documents.voucher_type = 'GL'
            THEN 'no contra account is known for ' || COALESCE('lines ' || control_accounts.lines_without, 'it')
        ELSE documents.control_account_code || ' of company ' || documents.company_code || ' has no GL account'
    END AS control_account_finding,  -- which account is missing, where one is
    control_accounts.lines_without AS lines_without_contra,  -- numbers of a GL document's lines: 1, 3
    control_accounts.account AS control_account,  -- null: not known
    CAST(facts.percentage_total AS DECIMAL(38, 4)) AS terms_total,  -- sum of the terms' percentages
    CAST(facts.vat_currency - facts.vat_by_rate AS DECIMAL(38, 4)) AS vat_difference,  -- VAT lines less what the rates make
    balances.difference_currency,  -- total less lines, document currency
    balances.difference_company,  -- total less lines, company currency
    COALESCE(line_counts.line_count, 0) AS line_count,  -- of the voucher
    SUBSTRING(CAST(documents.document_date AS VARCHAR), 1, 7) AS period_text,  -- 2026-07
    -- A charterer that is made a supplier would be paid: what is to be created is the supplier that is chosen instead.
    missing.missing_suppliers || CASE
        WHEN documents.voucher_type = 'AP' AND charterers.partner_type_code IS NOT NULL
            THEN ' (a charterer: choose the supplier in the VMS; create this one only where charterers are paid)'
        ELSE ''
    END AS missing_suppliers,  -- codes the ledger does not have
    missing.missing_customers,  -- codes the ledger does not have
    missing.missing_voyages,  -- reference numbers without a project
    missing.missing_vessels,  -- codes without a cost centre
    missing.missing_tax_rules,  -- VAT codes without a tax rule
    missing.missing_accounts,  -- GL accounts the ledger does not have
    missing.missing_dimensions,  -- XGL and location codes the ledger does not have
    settings.first_year,  -- of a date that is no typing error (posting.first_year)
    facts.first_due_date,  -- the earliest of the payment terms
    refusals.words AS refusal,  -- the ledger's own words, where it refused the document as it is
    unopened.closed_projects,  -- projects that are not open on the posting date, with their dates
    reversals.awaited_originals,  -- numbers of what it takes back and that has no voucher sent yet
    reversals.ignored_originals,  -- numbers of what it takes back and that is on the ignore list
    reversals.unknown_originals,  -- why what it takes back has no voucher and will have none
    impossible.findings AS impossible_amounts,  -- which of its amounts contradict each other, with the rate they imply
    tax_rules.findings AS tax_rule_differences,  -- which of its VAT codes have another rate than their tax rule
    currencies.entity_currency,  -- company currency in the ledger
    same_numbers.other_documents,  -- numbers of those that used the same external number

    -- docs/mapping.md#1-6-1
    facts.lines_without_account IS NULL AS ok_gl_account_missing,
    NOT control_accounts.is_missing AND (
        control_accounts.is_line_account OR COALESCE(line_counts.controls_without_account, 0) = 0
    ) AS ok_control_account_missing,
    NOT control_accounts.is_line_account AS ok_control_account_on_line,

    -- docs/mapping.md#1-6-2
    documents.voucher_type <> 'AP' OR facts.is_reversal OR numbers.external_no IS NOT NULL
        AS ok_external_document_no_missing,

    -- docs/mapping.md#1-6-3
    documents.voucher_type <> 'AP' OR charterers.partner_type_code IS NULL AS ok_partner_is_charterer,
    -- docs/mapping.md#0-optional
    documents.voucher_type <> 'AP'
    OR documents.partner_code IS NULL
    OR known_types.type_count > 0 AS ok_partner_types_unreadable,

    -- docs/mapping.md#1-6-4
    documents.owner_code IS NOT NULL AS ok_company_unknown,
    documents.voucher_type = 'GL'
    OR documents.partner_code IS NOT NULL AS ok_partner_missing,
    documents.voucher_type = 'GL' OR documents.is_credit_note OR facts.term_count > 0 AS ok_due_date_missing,
    documents.voucher_type = 'GL'
    OR (
        facts.terms_without_percentage = 0
        AND (documents.is_credit_note OR facts.terms_without_due_date = 0)
    ) AS ok_payment_terms_incomplete,
    documents.voucher_type = 'GL'
    OR facts.term_count = 0
    OR facts.terms_without_percentage > 0
    OR facts.percentage_total = 100 AS ok_payment_terms_not_100,
    NOT facts.has_impossible_rate
    AND (
        -- Without a taxed line the VAT line itself is the fault, told by the next rule.
        facts.taxed_count = 0
        OR facts.vat_difference
        <= facts.vat_tolerances * CASE documents.currency_minor_units WHEN 0 THEN 0.5 ELSE 0.05 END
    ) AS ok_vat_not_at_rate,
    facts.vat_line_count = 0
    OR documents.voucher_type = 'GL'
    OR (facts.taxed_count > 0 AND NOT facts.is_vat_unclear) AS ok_vat_without_taxed_line,
    documents.voucher_type <> 'GL' OR facts.vat_line_count = 0 AS ok_vat_on_gl_document,
    NOT facts.has_other_currency OR (settings.line_currency = 'convert' AND documents.voucher_type <> 'GL')
        AS ok_line_currency_differs,
    COALESCE(balances.is_balanced, 1) = 1 AS ok_voucher_not_balanced,
    facts.detail_count > 0 AS ok_no_lines,
    NOT amounts.is_amount_missing AND NOT facts.has_line_without_amount AS ok_amount_missing,
    NOT amounts.is_amount_too_large AND NOT facts.has_line_too_large AS ok_amount_too_large,
    COALESCE(line_counts.line_count, 0) <= 500 AS ok_too_many_lines,
    documents.document_key BETWEEN 1 AND 2147483647 AS ok_document_key_too_large,

    EXTRACT(YEAR FROM documents.document_date) >= settings.first_year AS ok_date_too_early,
    documents.voucher_type = 'GL'
    OR documents.is_credit_note
    OR facts.first_due_date IS NULL
    OR EXTRACT(YEAR FROM facts.first_due_date) >= settings.first_year AS ok_due_date_too_early,

    refusals.document_key IS NULL AS ok_refused_as_it_is,

    -- docs/mapping.md#1-6-5
    NOT posting_periods.is_period_closed OR posting_periods.is_moved AS ok_period_closed,

    -- docs/mapping.md#1-6-6
    unopened.document_key IS NULL AS ok_project_not_open,

    -- docs/mapping.md#1-6-7
    reversals.awaited_originals IS NULL AS ok_original_not_sent,
    reversals.ignored_originals IS NULL AS ok_original_ignored,
    reversals.unknown_originals IS NULL AS ok_original_unknown,

    -- docs/mapping.md#1-6-9
    missing.missing_suppliers IS NULL AS ok_supplier_missing,
    missing.missing_customers IS NULL AS ok_customer_missing,
    missing.missing_voyages IS NULL AS ok_voyage_missing,
    missing.missing_vessels IS NULL AS ok_vessel_missing,
    missing.missing_tax_rules IS NULL AS ok_tax_rule_missing,
    missing.missing_accounts IS NULL AS ok_account_missing,
    documents.is_currency_known AND missing.missing_currencies IS NULL AS ok_currency_missing,
    missing.missing_dimensions IS NULL AS ok_dimension_missing,

    -- docs/mapping.md#1-6-10
    impossible.document_key IS NULL AS ok_amounts_contradict,
    COALESCE(currencies.entity_currency = UPPER(TRIM(documents.company_currency_code)), TRUE) AS ok_company_currency_differs,

    -- docs/mapping.md#1-6-11
    tax_rules.document_key IS NULL AS ok_tax_rule_rate_differs,

    -- docs/mapping.md#1-6-warnings
    documents.document_date <= settings.today AS ok_date_in_future,
    same_numbers.document_key IS NULL AS ok_external_document_no_used,
    LENGTH(COALESCE(numbers.external_no, '')) <= 25 AS ok_external_document_no_too_long,
    LENGTH(COALESCE(numbers.x_identifier, '')) <= 30 AS ok_kid_too_long,
    payees.document_key IS NULL AS ok_payee_account_withheld
FROM
    map.open_documents AS documents
CROSS JOIN seed.settings AS settings
CROSS JOIN known_types
INNER JOIN map.document_amounts AS amounts
    ON documents.document_key = amounts.document_key
INNER JOIN map.document_facts AS facts
    ON documents.document_key = facts.document_key
INNER JOIN map.document_numbers AS numbers
    ON documents.document_key = numbers.document_key
INNER JOIN map.control_accounts AS control_accounts
    ON documents.document_key = control_accounts.document_key
INNER JOIN map.posting_periods AS posting_periods
    ON documents.document_key = posting_periods.document_key
LEFT JOIN seed.charterer_types AS charterers
    ON documents.partner_type_code = charterers.partner_type_code
LEFT JOIN balances
    ON documents.document_key = balances.document_key
LEFT JOIN line_counts
    ON documents.document_key = line_counts.document_key
LEFT JOIN missing
    ON documents.document_key = missing.document_key
LEFT JOIN post.impossible_amounts AS impossible
    ON documents.document_key = impossible.document_key
LEFT JOIN post.tax_rule_differences AS tax_rules
    ON documents.document_key = tax_rules.document_key
LEFT JOIN currencies
    ON documents.owner_code = currencies.owner_code
LEFT JOIN unopened
    ON documents.document_key = unopened.document_key
LEFT JOIN reversals
    ON documents.document_key = reversals.document_key
LEFT JOIN refusals
    ON
        documents.document_key = refusals.document_key
        AND documents.content_hash = refusals.source_hash
LEFT JOIN same_numbers
    ON documents.document_key = same_numbers.document_key
LEFT JOIN map.payee_accounts AS payees
    ON
        documents.document_key = payees.document_key
        AND payees.is_waiting
        AND payees.bank_account IS NULL
