-- One thing that the payments of a match fill in turn: an invoice with what is due on it, or a credit note with what it
-- gives back, and how far the row of things has come there.
-- Answers: In which order are the invoices of a match paid?
-- Read by: the payments job.
-- grain: side, owner_code, match_id, invoice_key, is_ours
WITH items AS (
    SELECT
        invoices.side,
        invoices.owner_code,
        invoices.match_id,
        invoices.invoice_key,
        invoices.is_ours,
        invoices.invoice_no,
        CAST(facts.direction * invoices.left_units AS HUGEINT) AS due,
        CAST(0 AS HUGEINT) AS credit
    FROM
        map.match_invoices AS invoices
    INNER JOIN map.match_facts AS facts
        ON
            invoices.side = facts.side
            AND invoices.owner_code = facts.owner_code
            AND invoices.match_id = facts.match_id
    WHERE
        facts.direction * invoices.left_units > 0
    UNION ALL
    SELECT
        side,
        owner_code,
        match_id,
        invoice_key,
        is_ours,
        invoice_no,
        CAST(0 AS HUGEINT),
        given_back
    FROM
        map.match_credits
    WHERE
        given_back > 0
)

SELECT
    side,  -- AP or AR
    owner_code,
    match_id,
    invoice_key,
    is_ours,
    due,  -- in minor units; 0 for a credit note
    credit,  -- in minor units; 0 for an invoice
    CAST(
        SUM(due) OVER (
            PARTITION BY side, owner_code, match_id
            ORDER BY invoice_no
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS HUGEINT
    ) AS due_so_far,
    CAST(
        SUM(credit) OVER (
            PARTITION BY side, owner_code, match_id
            ORDER BY invoice_no
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) - credit AS HUGEINT
    ) AS credit_before
FROM
    items
