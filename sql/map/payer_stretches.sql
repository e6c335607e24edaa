-- One payment with the stretch of its match's invoices, laid end to end, that it fills: in matches in one currency, and
-- in those where a single payment is left to take a part. The last payment has no end: it takes the rest.
-- A payment goes as far as its capacity, and further by each credit note that stands before that point.
-- Answers: Which invoices does each payment of a match reach?
-- Read by: map.filled_parts.
-- grain: side, owner_code, match_id, payment_db_id
WITH ends AS (
    SELECT
        payers.side,
        payers.owner_code,
        payers.match_id,
        payers.payment_db_id,
        payers.payer_no,
        CASE
            WHEN payers.payer_no < payers.payer_count
                THEN MIN(
                        CASE
                            WHEN items.due_so_far >= payers.source_so_far + items.credit_before
                                THEN payers.source_so_far + items.credit_before
                        END
                    )
        END AS ends_at
    FROM
        map.match_payers AS payers
    LEFT JOIN map.match_items AS items
        ON
            payers.side = items.side
            AND payers.owner_code = items.owner_code
            AND payers.match_id = items.match_id
            AND items.due > 0
    WHERE
        payers.payer_kind = 'payment'
        -- Several currencies and several payments: map.shared_parts does that.
        AND (payers.currency_count = 1 OR payers.payer_count = 1)
    GROUP BY
        payers.side,
        payers.owner_code,
        payers.match_id,
        payers.payment_db_id,
        payers.payer_no,
        payers.payer_count
),

beginnings AS (
    SELECT
        *,
        CASE
            WHEN payer_no = 1 THEN 0
            ELSE LAG(ends_at) OVER (PARTITION BY side, owner_code, match_id ORDER BY payer_no)
        END AS begins_at
    FROM
        ends
)

SELECT
    side,
    owner_code,
    match_id,
    payment_db_id,
    CAST(begins_at AS HUGEINT) AS begins_at,
    CAST(ends_at AS HUGEINT) AS ends_at  -- null: no end
FROM
    beginnings
WHERE
    begins_at IS NOT NULL
