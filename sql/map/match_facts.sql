-- One match that holds a payment: in how many currencies it is, and which way its money flows.
-- Everything is turned so that ordinary payments are positive: a match of refunds alone is a mirror image.
-- Answers: Which way does the money of a match flow, and in how many currencies?
-- Read by: the payments job.
-- grain: side, owner_code, match_id
WITH currencies AS (
    SELECT
        side,
        owner_code,
        match_id,
        currency_code
    FROM
        map.match_payments
    UNION
    SELECT
        side,
        owner_code,
        match_id,
        currency_code
    FROM
        map.match_invoices
),

counted AS (
    SELECT
        side,
        owner_code,
        match_id,
        COUNT(*) AS currency_count
    FROM
        currencies
    GROUP BY
        side,
        owner_code,
        match_id
)

SELECT
    payments.side,
    payments.owner_code,
    payments.match_id,
    CAST(COUNT(*) AS INTEGER) AS payment_count,  -- rows that pay
    CAST(MAX(counted.currency_count) AS INTEGER) AS currency_count,  -- more than 1: the match mixes currencies
    CASE WHEN MAX(payments.source_units) > 0 THEN 1 ELSE -1 END AS direction  -- -1: refunds alone
FROM
    map.match_payments AS payments
INNER JOIN counted
    ON
        payments.side = counted.side
        AND payments.owner_code = counted.owner_code
        AND payments.match_id = counted.match_id
GROUP BY
    payments.side,
    payments.owner_code,
    payments.match_id
