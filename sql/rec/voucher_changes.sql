-- One document whose voucher in the ledger has other lines than were sent, and which.
-- Lines are compared by account, cost centre and project. The ledger splits the VAT off a line with a tax rule, into
-- rows without dimensions, or on a VAT account with those of the line: what such lines lack must be what those rows have,
-- and never more than half of the line.
-- Answers: What did somebody change in the ledger after we had sent the voucher?
-- Read by: accountants, as the reason in rec.documents; rec.ledger_documents.
-- grain: document_key
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

-- What stands on an account that no line was sent to is turned as the other lines of its document are.
turned AS (
    SELECT
        *,
        COALESCE(
            MIN(direction) OVER (PARTITION BY document_key, account),
            CASE
                WHEN MIN(direction) OVER (PARTITION BY document_key) = MAX(direction) OVER (PARTITION BY document_key)
                    THEN MIN(direction) OVER (PARTITION BY document_key)
            END,
            1
        ) AS account_direction
    FROM
        sides
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
),

judged AS (
    SELECT
        moved.*,
        vouchers.currency,
        -- An invoice is what stands on its control account; a GL document what does not stand on contra accounts alone.
        CASE
            WHEN vouchers.voucher_type <> 'GL' AND moved.account = vouchers.control_account THEN vouchers.control_sign
            WHEN vouchers.voucher_type = 'GL' AND (moved.is_detail = 1 OR moved.is_sent = 0) THEN moved.direction
            ELSE 0
        END AS vms_sign,
        moved.is_sent = 0
        AND (
            (moved.vessel_code IS NULL AND moved.voyage_no IS NULL)
            OR (
                vat_accounts.account IS NOT NULL
                AND MAX(moved.is_taxed) OVER (PARTITION BY moved.document_key, moved.vessel_code, moved.voyage_no) = 1
            )
        ) AS is_vat,
        moved.is_taxed = 1
        AND SIGN(moved.moved_currency) = -SIGN(moved.sent_currency)
        AND ABS(moved.moved_currency) * 2 <= ABS(moved.sent_currency) AS is_net
    FROM
        moved
    INNER JOIN rec.sent_vouchers AS vouchers
        ON moved.document_key = vouchers.document_key
    LEFT JOIN seed.vat_accounts AS vat_accounts
        ON moved.account = vat_accounts.account
    WHERE
        NOT vouchers.is_adopted
),

found AS (
    SELECT
        document_key,
        SUM(vms_sign * moved_currency) AS vms_currency,
        SUM(vms_sign * moved_company) AS vms_company,
        SUM(CASE WHEN is_vat OR is_net THEN moved_currency ELSE 0 END) AS vat_currency,
        SUM(CASE WHEN is_vat OR is_net THEN moved_company ELSE 0 END) AS vat_company,
        SUM(CASE WHEN is_vat OR is_net THEN 0 ELSE 1 END) AS change_count
    FROM
        judged
    GROUP BY
        document_key
    HAVING
        SUM(CASE WHEN is_vat OR is_net THEN 0 ELSE 1 END) > 0
        OR SUM(CASE WHEN is_vat OR is_net THEN moved_currency ELSE 0 END) <> 0
        OR SUM(CASE WHEN is_vat OR is_net THEN moved_company ELSE 0 END) <> 0
),

-- Where the VAT does not add up either, its rows are part of what has changed.
named AS (
    SELECT
        found.document_key,
        'account ' || COALESCE(judged.account, 'none')
        || COALESCE(', cost centre ' || judged.vessel_code, '')
        || COALESCE(', project ' || judged.voyage_no, '')
        || ': ' || AMOUNT_TEXT(CAST(judged.sent_currency AS DECIMAL(38, 4)), judged.currency)
        || ' was sent, the ledger has '
        || AMOUNT_TEXT(CAST(judged.sent_currency + judged.moved_currency AS DECIMAL(38, 4)), judged.currency) AS change
    FROM
        found
    INNER JOIN judged
        ON found.document_key = judged.document_key
    WHERE
        NOT (judged.is_vat OR judged.is_net)
        OR found.vat_currency <> 0
        OR found.vat_company <> 0
),

listed AS (
    SELECT
        document_key,
        STRING_AGG(change, '; ' ORDER BY change) AS changes
    FROM
        named
    GROUP BY
        document_key
)

SELECT
    found.document_key,  -- database id of the document in the VMS
    CAST(found.vms_currency AS DECIMAL(38, 4)) AS vms_currency,  -- with the sign of the VMS, by how much it has moved in the currency sent
    CAST(found.vms_company AS DECIMAL(38, 4)) AS vms_company,  -- with the sign of the VMS, by how much it has moved in company currency
    listed.changes  -- each account with its dimensions, what was sent and what is there
FROM
    found
INNER JOIN listed
    ON found.document_key = listed.document_key
