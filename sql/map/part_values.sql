-- One part of an invoice that a payment settles and that has not gone to the VMS, with its weight among the payment's
-- parts and its own value in the payment's currency. Invoices that are not ours have their parts too.
-- Answers: What is each part of a payment worth?
-- Read by: post.payment_parts.
-- grain: side, payment_db_id, invoice_key, is_ours
WITH parts AS (
    SELECT
        side,
        owner_code,
        match_id,
        payment_db_id,
        invoice_key,
        is_ours,
        part_units
    FROM
        map.filled_parts
    UNION ALL
    SELECT
        side,
        owner_code,
        match_id,
        payment_db_id,
        invoice_key,
        is_ours,
        part_units
    FROM
        map.shared_parts
),

valued AS (
    SELECT
        parts.*,
        invoices.currency_code,
        invoices.currency_factor,
        invoices.invoice_no,
        payments.posted_date,
        payments.voucher_no,
        payments.currency_code AS source_currency_code,
        payments.currency_factor AS source_factor,
        payments.company_factor,
        payments.source_units,
        payments.company_units,
        payments.source_left,
        payments.company_left,
        invoices.currency_code = payments.currency_code AS is_same_currency,
        -- What the part is worth in company currency, at the rate the invoice was booked at.
        SIGN(parts.part_units)
        * (
            (2 * ABS(parts.part_units * invoices.company_units) + ABS(invoices.amount_units))
            // CAST(2 * ABS(invoices.amount_units) AS HUGEINT)
        ) AS booked_units,
        MIN(invoices.currency_code) OVER (PARTITION BY parts.side, parts.payment_db_id)
        = MAX(invoices.currency_code) OVER (PARTITION BY parts.side, parts.payment_db_id) AS is_one_currency
    FROM
        parts
    INNER JOIN map.match_invoices AS invoices
        ON
            parts.side = invoices.side
            AND parts.owner_code = invoices.owner_code
            AND parts.match_id = invoices.match_id
            AND parts.invoice_key = invoices.invoice_key
            AND parts.is_ours = invoices.is_ours
    INNER JOIN map.match_payments AS payments
        ON
            parts.side = payments.side
            AND parts.owner_code = payments.owner_code
            AND parts.match_id = payments.match_id
            AND parts.payment_db_id = payments.payment_db_id
    WHERE
        parts.part_units <> 0
),

weighed AS (
    SELECT
        *,
        CASE WHEN is_one_currency THEN part_units ELSE booked_units END AS weight,
        -- Its own value: the amount itself in the payment's currency, else its booked value at the payment's rate.
        CASE
            WHEN is_same_currency THEN part_units
            WHEN company_units = 0 THEN 0
            ELSE
                SIGN(booked_units)
                * (
                    (2 * ABS(booked_units * source_units) + ABS(company_units))
                    // CAST(2 * ABS(company_units) AS HUGEINT)
                )
        END AS own_source,
        ROW_NUMBER() OVER (PARTITION BY side, payment_db_id ORDER BY invoice_no DESC) = 1 AS is_last
    FROM
        valued
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
    weight,
    CAST(SUM(weight) OVER (PARTITION BY side, payment_db_id) AS HUGEINT) AS weight_total,
    source_left,
    company_left,
    CAST(own_source AS HUGEINT) AS own_source,
    CAST(
        SIGN(own_source)
        * (
            (2 * ABS(own_source * company_units) + ABS(source_units))
            // CAST(2 * ABS(source_units) AS HUGEINT)
        ) AS HUGEINT
    ) AS own_company,
    is_last
FROM
    weighed
