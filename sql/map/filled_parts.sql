-- One part of an invoice that a payment settles, where payments fill invoices one after the other (docs/mapping.md#3).
-- Refunds fill credit notes; what is left of a credit note is given back to the payment that is current there.
-- Answers: Who pays how much of what in a match of one currency?
-- Read by: map.part_values.
-- grain: side, owner_code, match_id, payment_db_id, invoice_key, is_ours
WITH due_parts AS (
    SELECT
        items.side,
        items.owner_code,
        items.match_id,
        stretches.payment_db_id,
        items.invoice_key,
        items.is_ours,
        LEAST(items.due_so_far, COALESCE(stretches.ends_at, items.due_so_far))
        - GREATEST(items.due_so_far - items.due, stretches.begins_at) AS part_units
    FROM
        map.match_items AS items
    INNER JOIN map.payer_stretches AS stretches
        ON
            items.side = stretches.side
            AND items.owner_code = stretches.owner_code
            AND items.match_id = stretches.match_id
            AND items.due_so_far > stretches.begins_at
            AND (stretches.ends_at IS NULL OR items.due_so_far - items.due < stretches.ends_at)
    WHERE
        items.due > 0
),

given_back AS (
    SELECT
        items.side,
        items.owner_code,
        items.match_id,
        stretches.payment_db_id,
        items.invoice_key,
        items.is_ours,
        -items.credit AS part_units
    FROM
        map.match_items AS items
    INNER JOIN map.payer_stretches AS stretches
        ON
            items.side = stretches.side
            AND items.owner_code = stretches.owner_code
            AND items.match_id = stretches.match_id
            AND items.due_so_far >= stretches.begins_at
            AND (stretches.ends_at IS NULL OR items.due_so_far < stretches.ends_at)
    WHERE
        items.credit > 0
),

refunded AS (
    SELECT
        credits.side,
        credits.owner_code,
        credits.match_id,
        payers.payment_db_id,
        credits.invoice_key,
        credits.is_ours,
        GREATEST(credits.credit_so_far - credits.credit, payers.source_so_far - payers.source_left)
        - LEAST(credits.credit_so_far, payers.source_so_far) AS part_units
    FROM
        map.match_credits AS credits
    INNER JOIN map.match_payers AS payers
        ON
            credits.side = payers.side
            AND credits.owner_code = payers.owner_code
            AND credits.match_id = payers.match_id
            AND credits.credit_so_far > payers.source_so_far - payers.source_left
            AND credits.credit_so_far - credits.credit < payers.source_so_far
    WHERE
        credits.currency_count = 1
        AND payers.payer_kind = 'refund'
),

parts AS (
    SELECT *
    FROM
        due_parts
    UNION ALL
    SELECT *
    FROM
        given_back
    UNION ALL
    SELECT *
    FROM
        refunded
)

SELECT
    parts.side,  -- AP or AR
    parts.owner_code,
    parts.match_id,
    parts.payment_db_id,
    parts.invoice_key,
    parts.is_ours,
    CAST(facts.direction * parts.part_units AS HUGEINT) AS part_units  -- positive for an invoice, negative for a credit note
FROM
    parts
INNER JOIN map.match_facts AS facts
    ON
        parts.side = facts.side
        AND parts.owner_code = facts.owner_code
        AND parts.match_id = facts.match_id
