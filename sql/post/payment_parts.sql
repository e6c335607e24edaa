-- One part of an invoice that a payment settles and that has not gone to the VMS, in the currencies of the invoice, of
-- the payment and of the company. Invoices that are not ours have their parts too, which go nowhere.
-- What a payment has left in its own currencies is shared over its parts in proportion, the rest on the last, so that
-- the parts add up to the payment. Where that has no meaning, because the parts cancel out or outweigh what is left,
-- each part keeps its own value.
-- Answers: How much of a payment goes to which invoice?
-- Read by: the payments job.
-- grain: side, payment_db_id, invoice_key, is_ours
WITH shares AS (
    SELECT
        *,
        -- Half away from zero in whole minor units; GREATEST keeps the divisor from being 0 where weights cancel out.
        CASE WHEN weight_total < 0 THEN -1 WHEN weight_total > 0 THEN 1 ELSE 0 END AS total_sign,
        CASE
            WHEN is_last THEN 0
            ELSE
                SIGN(weight * source_left) * SIGN(weight_total)
                * (
                    (2 * ABS(weight * source_left) + ABS(weight_total))
                    // CAST(2 * GREATEST(ABS(weight_total), 1) AS HUGEINT)
                )
        END AS source_share,
        CASE
            WHEN is_last THEN 0
            ELSE
                SIGN(weight * company_left) * SIGN(weight_total)
                * (
                    (2 * ABS(weight * company_left) + ABS(weight_total))
                    // CAST(2 * GREATEST(ABS(weight_total), 1) AS HUGEINT)
                )
        END AS company_share
    FROM
        map.part_values
),

rested AS (
    SELECT
        *,
        CASE
            -- The last part takes the rest, so that the parts add up to the payment.
            WHEN is_last THEN source_left - SUM(source_share) OVER (PARTITION BY side, payment_db_id)
            ELSE source_share
        END AS source_part,
        CASE
            WHEN is_last THEN company_left - SUM(company_share) OVER (PARTITION BY side, payment_db_id)
            ELSE company_share
        END AS company_part
    FROM
        shares
),

judged AS (
    SELECT
        *,
        MIN(
            CASE
                WHEN
                    total_sign * source_left > 0
                    AND total_sign * company_left > 0
                    AND source_part * part_units >= 0
                    AND company_part * part_units >= 0
                    THEN 1
                ELSE 0
            END
        ) OVER (PARTITION BY side, payment_db_id) = 1 AS is_shared
    FROM
        rested
)

SELECT
    side,  -- AP or AR
    owner_code,
    match_id,
    payment_db_id,
    invoice_key,  -- document key of an invoice of ours, row id of any other
    is_ours,
    currency_code,
    currency_factor,
    source_currency_code,  -- of the payment
    source_factor,
    company_factor,
    posted_date,
    voucher_no,
    part_units,  -- positive for an invoice, negative for a credit note
    CAST(CASE WHEN is_shared THEN source_part ELSE own_source END AS HUGEINT) AS source_units,
    CAST(CASE WHEN is_shared THEN company_part ELSE own_company END AS HUGEINT) AS company_units
FROM
    judged
