-- One account with cost centre and project on which a booked voucher has other amounts than were sent, and why.
-- The ledger splits the VAT off a line with a tax rule, into rows without dimensions, or on a VAT account with those of the line:
-- what such lines lack is what those rows have, and never more than half of the line.
-- Answers: Which of a voucher's lines stand otherwise in the ledger, and is it the VAT?
-- Read by: rec.voucher_changes, rec.vat_differences.
-- grain: document_key, account, vessel_code, voyage_no
-- parts: document_key; stg_ledger.transactions by header_db_id of rec.booked_vouchers
WITH sides AS (
    SELECT
        lines.document_key,
        lines.account,
        lines.gl_object1 AS vessel_code,
        lines.project AS voyage_no,
        1 AS is_sent,
        CASE WHEN NOT lines.is_control THEN details.direction END AS direction,
        CASE WHEN lines.tax_rule IS NOT NULL THEN 1 ELSE 0 END AS is_taxed,
        CAST(lines.invoice_amount AS DECIMAL(38, 18)) AS sent_currency,
        -CAST(lines.invoice_amount AS DECIMAL(38, 18)) AS moved_currency,
        -CAST(lines.amount AS DECIMAL(38, 18)) AS moved_company
    FROM
        ctl.sent_lines AS lines
    INNER JOIN rec.booked_vouchers AS booked
        ON lines.document_key = booked.document_key
    LEFT JOIN rec.sent_details AS details
        ON
            lines.document_key = details.document_key
            AND lines.item_no = details.item_no
    UNION ALL
    SELECT
        booked.document_key,
        transactions.account_code,
        NULLIF(transactions.vessel_code, ''),
        NULLIF(transactions.project_code, ''),
        0,
        CAST(NULL AS INTEGER),
        0,
        CAST(0 AS DECIMAL(38, 18)),
        transactions.invoice_amount,
        transactions.amount
    FROM
        stg_ledger.transactions AS transactions
    INNER JOIN rec.booked_vouchers AS booked
        ON transactions.header_db_id = booked.header_db_id
),

-- Of most documents nothing has moved: what follows is worked out for the others alone.
weighed AS (
    SELECT sides.document_key
    FROM
        sides
    GROUP BY
        sides.document_key,
        sides.account,
        sides.vessel_code,
        sides.voyage_no
    HAVING
        SUM(sides.moved_currency) <> 0
        OR SUM(sides.moved_company) <> 0
),

touched AS (
    SELECT DISTINCT weighed.document_key
    FROM
        weighed
),

-- What stands on an account that no line was sent to is turned as the other lines of its document are.
turned AS (
    SELECT
        sides.*,
        COALESCE(
            MIN(sides.direction) OVER (PARTITION BY sides.document_key, sides.account),
            CASE
                WHEN MIN(sides.direction) OVER (PARTITION BY sides.document_key)
                    = MAX(sides.direction) OVER (PARTITION BY sides.document_key)
                    THEN MIN(sides.direction) OVER (PARTITION BY sides.document_key)
            END,
            1
        ) AS account_direction
    FROM
        sides
    INNER JOIN touched
        ON sides.document_key = touched.document_key
),

moved AS (
    SELECT
        document_key,
        account,
        vessel_code,
        voyage_no,
        MAX(is_sent) AS is_sent,
        MAX(CASE WHEN direction IS NULL THEN 0 ELSE 1 END) AS is_detail,
        MIN(COALESCE(direction, account_direction)) AS direction,
        MAX(is_taxed) AS is_taxed,
        SUM(sent_currency) AS sent_currency,
        SUM(moved_currency) AS moved_currency,
        SUM(moved_company) AS moved_company
    FROM
        turned
    GROUP BY
        document_key,
        account,
        vessel_code,
        voyage_no
    HAVING
        SUM(moved_currency) <> 0
        OR SUM(moved_company) <> 0
)

SELECT
    moved.document_key,  -- database id of the document in the VMS
    moved.account,  -- GL account; empty: none
    moved.vessel_code,  -- code of the cost centre; empty: none
    moved.voyage_no,  -- code of the project; empty: none
    moved.sent_currency,  -- debit positive
    moved.moved_currency,  -- by how much the ledger has more, debit positive
    moved.moved_company,  -- the same in company currency
    vouchers.currency,
    -- An invoice is what stands on its control account; a GL document what does not stand on contra accounts alone.
    CASE
        WHEN vouchers.voucher_type <> 'GL' AND moved.account = vouchers.control_account THEN vouchers.control_sign
        WHEN vouchers.voucher_type = 'GL' AND (moved.is_detail = 1 OR moved.is_sent = 0) THEN moved.direction
        ELSE 0
    END AS vms_sign,  -- what makes an amount the VMS's: 1, -1, or 0 where it is no part of the document's
    moved.is_sent = 0
    AND (
        (moved.vessel_code IS NULL AND moved.voyage_no IS NULL)
        OR (
            vat_accounts.account IS NOT NULL
            AND MAX(moved.is_taxed) OVER (PARTITION BY moved.document_key, moved.vessel_code, moved.voyage_no) = 1
        )
    ) AS is_vat,  -- rows of VAT, which nobody sent
    moved.is_taxed = 1
    AND SIGN(moved.moved_currency) = -SIGN(moved.sent_currency)
    AND ABS(moved.moved_currency) * 2 <= ABS(moved.sent_currency) AS is_net  -- a taxed line without its VAT
FROM
    moved
INNER JOIN rec.sent_vouchers AS vouchers
    ON moved.document_key = vouchers.document_key
LEFT JOIN seed.vat_accounts AS vat_accounts
    ON moved.account = vat_accounts.account
WHERE
    NOT vouchers.is_adopted
