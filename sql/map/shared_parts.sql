-- One part of an invoice that a payment settles, in matches in several currencies: each settled amount is shared over
-- the payments in proportion to what they have left in company currency, the rest on the last (docs/mapping.md#3).
-- Refunds, where there are any, share the credit notes, and the other payments the invoices.
-- Answers: Who pays how much of what in a match of several currencies?
-- Read by: map.part_values.
-- grain: side, owner_code, match_id, payment_db_id, invoice_key, is_ours
WITH payers AS (
    SELECT
        *,
        SUM(company_weight) OVER (PARTITION BY side, owner_code, match_id, payer_kind) AS weight_total,
        MAX(CASE WHEN payer_kind = 'refund' THEN 1 ELSE 0 END) OVER (PARTITION BY side, owner_code, match_id) = 1
            AS has_refund
    FROM
        map.match_payers
    WHERE
        currency_count > 1
),

shared AS (
    SELECT
        invoices.side,
        invoices.owner_code,
        invoices.match_id,
        payers.payment_db_id,
        invoices.invoice_key,
        invoices.is_ours,
        payers.payer_no = payers.payer_count AS is_last,
        invoices.left_units,
        SIGN(invoices.left_units) AS left_sign,
        ABS(invoices.left_units) AS left_size,
        payers.company_weight,
        payers.weight_total
    FROM
        map.match_invoices AS invoices
    INNER JOIN payers
        ON
            invoices.side = payers.side
            AND invoices.owner_code = payers.owner_code
            AND invoices.match_id = payers.match_id
    WHERE
        invoices.left_units <> 0
        AND CASE
            WHEN payers.payer_kind = 'refund' THEN payers.direction * invoices.left_units < 0
            -- A single payment takes all in map.filled_parts.
            ELSE
                payers.payer_count > 1
                AND (payers.direction * invoices.left_units > 0 OR NOT payers.has_refund)
        END
),

cut AS (
    SELECT
        *,
        CASE WHEN is_last THEN 0 ELSE (2 * left_size * company_weight + weight_total) // CAST(2 * weight_total AS HUGEINT) END
            AS rounded,
        CASE WHEN is_last THEN 0 ELSE (left_size * company_weight) // CAST(weight_total AS HUGEINT) END AS floored
    FROM
        shared
),

chosen AS (
    SELECT
        *,
        -- Many small shares, each rounded up, may be more than there is.
        CASE
            WHEN SUM(rounded) OVER (PARTITION BY side, owner_code, match_id, invoice_key, is_ours) > left_size THEN floored
            ELSE rounded
        END AS share
    FROM
        cut
),

rested AS (
    SELECT
        side,
        owner_code,
        match_id,
        payment_db_id,
        invoice_key,
        is_ours,
        left_sign * CASE
            WHEN is_last
                THEN left_size - SUM(share) OVER (PARTITION BY side, owner_code, match_id, invoice_key, is_ours)
            ELSE share
        END AS part_units
    FROM
        chosen
)

SELECT
    side,
    owner_code,
    match_id,
    payment_db_id,
    invoice_key,
    is_ours,
    CAST(part_units AS HUGEINT) AS part_units  -- positive for an invoice, negative for a credit note
FROM
    rested
WHERE
    part_units <> 0
