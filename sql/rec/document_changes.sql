-- One document whose content in the VMS is another than was sent, its total left aside, and what has changed.
-- Lines are compared by account, vessel, voyage, partner and text. A taxed line was sent with its share of the VAT, and
-- what was rounded went to one line, so amounts are compared within 0.05 a line (half a unit where that is more).
-- What only the mapping decides, whose commission a line is and which VAT line taxes it, is taken from what was sent.
-- Answers: What did somebody change in the VMS after we had sent the document?
-- Read by: accountants, as the reason in rec.documents; rec.document_facts.
-- grain: document_key
-- parts: document_key
WITH compared AS (
    SELECT
        vouchers.document_key,
        documents.fetch_id,
        vouchers.document_no AS sent_document_no,
        documents.document_no,
        vouchers.company_code AS sent_company_code,
        documents.company_code,
        vouchers.voucher_type,
        COALESCE(vouchers.partner_code, vouchers.subledger_no) AS sent_partner_code,
        documents.partner_code,
        -- One whose code was changed is the same partner: that is told once, of the partner (post.renamed_partners).
        COALESCE(vouchers.partner_key = documents.partner_key, FALSE) AS is_same_partner,
        vouchers.currency,
        documents.currency_code,
        documents.company_currency_code,
        vouchers.invoice_no,
        documents.external_no,
        COALESCE(vouchers.invoice_date, vouchers.posted_date) AS sent_date,
        documents.document_date,
        -- A GL document of a closed period was posted on the first day of a later one.
        vouchers.invoice_date IS NULL
        AND EXTRACT(DAY FROM vouchers.posted_date) = 1
        AND vouchers.posted_date > documents.document_date AS is_moved,
        documents.is_credit_note,
        vouchers.first_due_date,
        vouchers.last_due_date,
        vouchers.control_count,
        CASE documents.currency_minor_units
            WHEN 0 THEN CAST('0.5' AS DECIMAL(38, 4))
            ELSE CAST('0.05' AS DECIMAL(38, 4))
        END * vouchers.line_count AS tolerance
    FROM
        rec.sent_vouchers AS vouchers
    INNER JOIN rec.vms_documents AS documents
        ON vouchers.document_key = documents.document_key
    WHERE
        NOT vouchers.is_adopted
        AND documents.status_code NOT IN ('GONE', 'REJECTED')
),

-- Lines in another currency were sent with a share of the document's amount: their company amounts tell.
foreign_documents AS (
    SELECT DISTINCT lines.document_key
    FROM
        compared
    INNER JOIN stg_vms.document_lines AS lines
        ON
            compared.document_key = lines.document_key
            AND compared.fetch_id = lines.fetch_id
    WHERE
        NULLIF(UPPER(TRIM(lines.currency_code)), '') <> compared.currency_code
),

first_lines AS (
    SELECT
        compared.document_key,
        MIN(lines.line_key) AS line_key
    FROM
        compared
    INNER JOIN stg_vms.document_lines AS lines
        ON
            compared.document_key = lines.document_key
            AND compared.fetch_id = lines.fetch_id
    WHERE
        compared.control_count = 0
    GROUP BY
        compared.document_key
),

documents AS MATERIALIZED (
    SELECT
        compared.document_key,
        compared.fetch_id,
        compared.document_no,
        compared.partner_code,
        foreign_documents.document_key IS NOT NULL AS is_foreign,
        first_lines.line_key AS first_line_key
    FROM
        compared
    LEFT JOIN foreign_documents
        ON compared.document_key = foreign_documents.document_key
    LEFT JOIN first_lines
        ON compared.document_key = first_lines.document_key
),

-- Asked for twice, of all documents and of few, and made anew each time: nothing but inner joins, so that the few come first.
lines AS NOT MATERIALIZED (
    SELECT
        documents.document_key,
        lines.line_key,
        NULLIF(TRIM(lines.gl_account), '') AS account,
        NULLIF(TRIM(lines.voyage_reference_no), '') AS voyage_no,
        NULLIF(TRIM(lines.partner_code), '') AS partner_code,
        lines.commission_key IS NOT NULL
        AND TRIM(lines.partner_code) <> COALESCE(documents.partner_code, '') AS is_commission,
        -- Without a control line the first line was sent with the document's number before its text.
        CASE
            WHEN lines.line_key = documents.first_line_key
                THEN TRIM(SUBSTRING(documents.document_no || COALESCE(' ' || lines.line_text, ''), 1, 100))
            ELSE NULLIF(SUBSTRING(lines.line_text, 1, 100), '')
        END AS line_text,
        lines.quantity,
        lines.vat_rate,
        lines.vat_code,
        CASE WHEN documents.is_foreign THEN lines.company_currency_amount ELSE lines.document_amount END AS amount
    FROM
        documents
    INNER JOIN stg_vms.document_lines AS lines
        ON
            documents.document_key = lines.document_key
            AND documents.fetch_id = lines.fetch_id
),

sent AS NOT MATERIALIZED (
    SELECT
        details.document_key,
        details.account,
        details.vessel_code,
        details.voyage_no,
        details.subledger_no AS partner_code,
        details.line_text,
        CAST(
            -details.direction * CASE WHEN documents.is_foreign THEN details.amount ELSE details.invoice_amount END
            AS DECIMAL(38, 18)
        ) AS moved
    FROM
        documents
    INNER JOIN rec.sent_details AS details
        ON documents.document_key = details.document_key
),

-- Of most documents every line is as it was sent, to the letter and the cent: what follows is worked out for the others.
-- A commission may count a line for a partner where it did not here, so that its document is always among them.
weighed AS (
    SELECT
        sent.document_key,
        sent.account,
        sent.vessel_code,
        sent.voyage_no,
        sent.partner_code,
        sent.line_text,
        sent.moved
    FROM
        sent
    UNION ALL
    SELECT
        lines.document_key,
        lines.account,
        vessels.vessel_code,
        lines.voyage_no,
        CASE WHEN lines.is_commission THEN lines.partner_code END,
        lines.line_text,
        lines.amount
    FROM
        lines
    LEFT JOIN rec.line_vessels AS vessels
        ON
            lines.document_key = vessels.document_key
            AND lines.line_key = vessels.line_key
    LEFT JOIN seed.vat_accounts AS vat_accounts
        ON lines.account = vat_accounts.account
    WHERE
        vat_accounts.account IS NULL
),

groups AS (
    SELECT weighed.document_key
    FROM
        weighed
    GROUP BY
        weighed.document_key,
        weighed.account,
        weighed.vessel_code,
        weighed.voyage_no,
        weighed.partner_code,
        weighed.line_text
    HAVING
        SUM(weighed.moved) <> 0
),

touched AS MATERIALIZED (
    SELECT groups.document_key
    FROM
        groups
    UNION
    SELECT details.document_key
    FROM
        rec.sent_details AS details
    WHERE
        details.subledger_no IS NOT NULL
),

present AS (
    SELECT
        lines.document_key,
        lines.line_key,
        lines.account,
        vessels.vessel_code,
        lines.voyage_no,
        lines.partner_code,
        lines.is_commission,
        lines.line_text,
        vat_accounts.account IS NOT NULL AS is_vat_line,
        COALESCE(lines.quantity, 0) AS quantity,
        CASE
            WHEN ABS(lines.vat_rate) < 1 AND reverse_charge.vat_code IS NULL
                THEN CAST(ROUND(lines.vat_rate, 9) AS DECIMAL(38, 9))
        END AS vat_rate,
        lines.amount
    FROM
        touched
    INNER JOIN lines
        ON touched.document_key = lines.document_key
    LEFT JOIN rec.line_vessels AS vessels
        ON
            lines.document_key = vessels.document_key
            AND lines.line_key = vessels.line_key
    LEFT JOIN seed.vat_accounts AS vat_accounts
        ON lines.account = vat_accounts.account
    LEFT JOIN seed.reverse_charge AS reverse_charge
        ON TRIM(lines.vat_code) = reverse_charge.vat_code
),

-- A VAT line that carries the rate taxed one line or all of those that have none: with its VAT or without, a line agrees.
-- Of several VAT lines the one whose quantity, the base, is nearest to the line's amount was for it.
carried AS (
    SELECT
        lines.document_key,
        lines.line_key,
        vat_lines.vat_rate
    FROM
        present AS vat_lines
    INNER JOIN present AS lines
        ON
            vat_lines.document_key = lines.document_key
            AND NOT lines.is_vat_line
            AND lines.vat_rate IS NULL
    WHERE
        vat_lines.is_vat_line
        AND vat_lines.vat_rate <> 0
    QUALIFY
        ROW_NUMBER() OVER (
            PARTITION BY lines.document_key, lines.line_key
            ORDER BY ABS(vat_lines.quantity - COALESCE(lines.amount, 0)), vat_lines.line_key
        ) = 1
),

-- Whose commission a line is was decided when it was sent: only there, and where the VMS says so, does a partner count.
commissions AS (
    SELECT DISTINCT
        details.document_key,
        details.account,
        details.voyage_no,
        details.line_text
    FROM
        rec.sent_details AS details
    WHERE
        details.subledger_no IS NOT NULL
),

sides AS (
    SELECT
        sent.document_key,
        sent.account,
        sent.vessel_code,
        sent.voyage_no,
        sent.partner_code,
        sent.line_text,
        CAST(0 AS DECIMAL(38, 13)) AS vat_share,
        sent.moved,
        CAST(0 AS DECIMAL(38, 18)) AS amount
    FROM
        touched
    INNER JOIN sent
        ON touched.document_key = sent.document_key
    UNION ALL
    SELECT
        present.document_key,
        present.account,
        present.vessel_code,
        present.voyage_no,
        CASE WHEN present.is_commission OR commissions.document_key IS NOT NULL THEN present.partner_code END,
        present.line_text,
        -- To round is dear, and most lines have no VAT.
        CASE
            WHEN COALESCE(present.vat_rate, carried.vat_rate, 0) = 0 THEN CAST(0 AS DECIMAL(38, 13))
            ELSE CAST(ROUND(present.amount, 4) AS DECIMAL(38, 4)) * COALESCE(present.vat_rate, carried.vat_rate)
        END,
        present.amount AS moved,
        present.amount
    FROM
        present
    LEFT JOIN carried
        ON
            present.document_key = carried.document_key
            AND present.line_key = carried.line_key
    LEFT JOIN commissions
        ON
            present.document_key = commissions.document_key
            AND (present.account IS NOT DISTINCT FROM commissions.account)
            AND (present.voyage_no IS NOT DISTINCT FROM commissions.voyage_no)
            AND (present.line_text IS NOT DISTINCT FROM commissions.line_text)
    WHERE
        NOT present.is_vat_line
),

moved AS (
    SELECT
        document_key,
        account,
        vessel_code,
        voyage_no,
        partner_code,
        line_text,
        SUM(vat_share) AS vat_share,
        SUM(moved) AS moved,
        SUM(amount) AS amount
    FROM
        sides
    GROUP BY
        document_key,
        account,
        vessel_code,
        voyage_no,
        partner_code,
        line_text
    HAVING
        SUM(moved) <> 0
),

measured AS (
    SELECT
        moved.document_key,
        moved.account,
        moved.vessel_code,
        moved.voyage_no,
        moved.partner_code,
        moved.line_text,
        CAST(ROUND(moved.amount, 4) AS DECIMAL(38, 4)) AS amount,
        CAST(ROUND(moved.amount, 4) AS DECIMAL(38, 4)) - CAST(ROUND(moved.moved, 4) AS DECIMAL(38, 4)) AS sent_amount,
        CAST(ROUND(moved.moved, 4) AS DECIMAL(38, 4)) AS moved,
        moved.vat_share,
        compared.tolerance,
        CASE
            WHEN foreign_documents.document_key IS NULL THEN compared.currency_code
            ELSE compared.company_currency_code
        END AS compared_currency
    FROM
        moved
    INNER JOIN compared
        ON moved.document_key = compared.document_key
    LEFT JOIN foreign_documents
        ON moved.document_key = foreign_documents.document_key
),

changed AS (
    SELECT
        measured.document_key,
        STRING_AGG(
            'line ' || COALESCE('"' || measured.line_text || '" ', '')
            || 'on account ' || COALESCE(measured.account, 'none')
            || COALESCE(', vessel ' || measured.vessel_code, '')
            || COALESCE(', voyage ' || measured.voyage_no, '')
            || COALESCE(', partner ' || measured.partner_code, '')
            || ': ' || AMOUNT_TEXT(measured.sent_amount, measured.compared_currency) || ' was sent, the VMS has '
            || AMOUNT_TEXT(measured.amount, measured.compared_currency),
            '; ' ORDER BY
                measured.account, measured.vessel_code, measured.voyage_no, measured.line_text, measured.partner_code
        ) AS lines
    FROM
        measured
    WHERE
        ABS(measured.moved) > measured.tolerance
        AND ABS(measured.moved + measured.vat_share) > measured.tolerance
    GROUP BY
        measured.document_key
),

terms AS (
    SELECT
        compared.document_key,
        COUNT(*) AS term_count,
        MIN(payment_terms.due_date) AS first_due_date,
        MAX(payment_terms.due_date) AS last_due_date
    FROM
        compared
    INNER JOIN stg_vms.document_payment_terms AS payment_terms
        ON
            compared.document_key = payment_terms.document_key
            AND compared.fetch_id = payment_terms.fetch_id
    WHERE
        compared.voucher_type IN ('AP', 'AR')
        AND NOT compared.is_credit_note
    GROUP BY
        compared.document_key
),

told AS (
    SELECT
        compared.document_key,
        CONCAT_WS(
            '; ',
            CASE
                WHEN compared.sent_document_no <> compared.document_no
                    THEN 'number ' || compared.sent_document_no || ' was sent, the VMS has ' || compared.document_no
            END,
            CASE
                WHEN compared.sent_company_code <> compared.company_code
                    THEN 'company ' || compared.sent_company_code || ' was sent, the VMS has ' || compared.company_code
            END,
            CASE
                WHEN
                    (compared.sent_partner_code IS DISTINCT FROM compared.partner_code)
                    AND compared.voucher_type <> 'GL'
                    AND NOT compared.is_same_partner
                    THEN
                        'partner ' || COALESCE(compared.sent_partner_code, 'none') || ' was sent, the VMS has '
                        || COALESCE(compared.partner_code, 'none')
            END,
            CASE
                WHEN compared.currency <> compared.currency_code
                    THEN 'currency ' || compared.currency || ' was sent, the VMS has ' || compared.currency_code
            END,
            CASE
                WHEN
                    compared.voucher_type = 'AP'
                    AND compared.invoice_no <> compared.sent_document_no
                    AND (compared.invoice_no IS DISTINCT FROM compared.external_no)
                    THEN
                        'invoice number ' || compared.invoice_no || ' was sent, the VMS has '
                        || COALESCE(compared.external_no, 'none')
            END,
            CASE
                WHEN compared.sent_date <> compared.document_date AND NOT compared.is_moved
                    THEN
                        'date ' || CAST(compared.sent_date AS VARCHAR) || ' was sent, the VMS has '
                        || CAST(compared.document_date AS VARCHAR)
            END,
            CASE
                WHEN
                    terms.term_count <> compared.control_count
                    OR terms.first_due_date <> compared.first_due_date
                    OR terms.last_due_date <> compared.last_due_date
                    THEN
                        'due dates ' || CAST(compared.first_due_date AS VARCHAR) || ' to '
                        || CAST(compared.last_due_date AS VARCHAR) || ' were sent, the VMS has '
                        || CAST(terms.first_due_date AS VARCHAR) || ' to ' || CAST(terms.last_due_date AS VARCHAR)
            END,
            changed.lines
        ) AS changes
    FROM
        compared
    LEFT JOIN terms
        ON compared.document_key = terms.document_key
    LEFT JOIN changed
        ON compared.document_key = changed.document_key
)

SELECT
    document_key,
    changes  -- each field and line, what was sent and what the VMS has
FROM
    told
WHERE
    changes <> ''
