-- One payment of a match that can still take a part, its capacity and place among those of its kind.
-- A `payment` fills invoices, a `refund` flows the other way and fills credit notes. Where every payment has given all
-- it has, the last one takes what charges and rounding leave over.
-- Answers: Which payments of a match can still give something, and in which order?
-- Read by: the payments job.
-- grain: side, owner_code, match_id, payment_db_id
WITH turned AS (
    SELECT
        payments.side,
        payments.owner_code,
        payments.match_id,
        payments.payment_db_id,
        payments.payment_no,
        facts.direction,
        facts.currency_count,
        CASE WHEN facts.direction * payments.source_units > 0 THEN 'payment' ELSE 'refund' END AS payer_kind,
        GREATEST(SIGN(payments.source_units) * payments.source_left, 0) AS source_left,
        GREATEST(SIGN(payments.company_units) * payments.company_left, 0) AS company_left
    FROM
        map.match_payments AS payments
    INNER JOIN map.match_facts AS facts
        ON
            payments.side = facts.side
            AND payments.owner_code = facts.owner_code
            AND payments.match_id = facts.match_id
),

able AS (
    SELECT
        *,
        MAX(source_left) OVER (PARTITION BY side, owner_code, match_id, payer_kind) AS largest_left,
        MAX(payment_no) OVER (PARTITION BY side, owner_code, match_id, payer_kind) AS last_no
    FROM
        turned
)

SELECT
    side,
    owner_code,
    match_id,
    payment_db_id,
    payer_kind,  -- payment | refund
    direction,
    currency_count,
    CAST(source_left AS HUGEINT) AS source_left,  -- positive for both kinds
    CAST(
        CASE
            WHEN MAX(company_left) OVER (PARTITION BY side, owner_code, match_id, payer_kind) > 0 THEN company_left
            ELSE 1
        END AS HUGEINT
    ) AS company_weight,
    ROW_NUMBER() OVER (PARTITION BY side, owner_code, match_id, payer_kind ORDER BY payment_no) AS payer_no,
    COUNT(*) OVER (PARTITION BY side, owner_code, match_id, payer_kind) AS payer_count,  -- rows of that kind in the match
    CAST(
        SUM(source_left) OVER (
            PARTITION BY side, owner_code, match_id, payer_kind
            ORDER BY payment_no
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS HUGEINT
    ) AS source_so_far
FROM
    able
WHERE
    source_left > 0
    OR (payer_kind = 'payment' AND largest_left = 0 AND payment_no = last_no)
