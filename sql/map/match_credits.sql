-- One credit note of a match, turned like its match, and how much of it refunds in the same currency take.
-- In several currencies refunds share credit notes in proportion (map.shared_parts), and then nothing is given back.
-- Answers: How much does a credit note of a match give?
-- Read by: the payments job.
-- grain: side, owner_code, match_id, invoice_key, is_ours
WITH credit_notes AS (
    SELECT
        invoices.side,
        invoices.owner_code,
        invoices.match_id,
        invoices.invoice_key,
        invoices.is_ours,
        invoices.invoice_no,
        facts.currency_count,
        -facts.direction * invoices.left_units AS credit
    FROM
        map.match_invoices AS invoices
    INNER JOIN map.match_facts AS facts
        ON
            invoices.side = facts.side
            AND invoices.owner_code = facts.owner_code
            AND invoices.match_id = facts.match_id
    WHERE
        facts.direction * invoices.left_units < 0
),

refunds AS (
    SELECT
        side,
        owner_code,
        match_id,
        SUM(source_left) AS refunded
    FROM
        map.match_payers
    WHERE
        payer_kind = 'refund'
    GROUP BY
        side,
        owner_code,
        match_id
),

lined_up AS (
    SELECT
        notes.*,
        SUM(notes.credit) OVER (
            PARTITION BY notes.side, notes.owner_code, notes.match_id
            ORDER BY notes.invoice_no
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS credit_so_far,
        refunds.refunded
    FROM
        credit_notes AS notes
    LEFT JOIN refunds
        ON
            notes.side = refunds.side
            AND notes.owner_code = refunds.owner_code
            AND notes.match_id = refunds.match_id
)

SELECT
    side,
    owner_code,
    match_id,
    invoice_key,
    is_ours,
    invoice_no,
    currency_count,
    CAST(credit AS HUGEINT) AS credit,  -- in minor units, positive
    CAST(credit_so_far AS HUGEINT) AS credit_so_far,
    CAST(
        CASE
            -- No refund in the match: the whole credit note makes room for invoices.
            WHEN refunded IS NULL THEN credit
            WHEN currency_count > 1 THEN 0
            ELSE GREATEST(credit_so_far - GREATEST(credit_so_far - credit, refunded), 0)
        END AS HUGEINT
    ) AS given_back  -- to the payments of the match
FROM
    lined_up
