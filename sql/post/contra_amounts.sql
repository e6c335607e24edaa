-- One control line of a GL voucher: a contra account with what balances the lines that have it, debit positive.
-- In the order of first use; a control line of nothing is left out while others are something. A document whose lines
-- sum to zero carries both sides itself and has no row (docs/mapping.md#1).
-- Vessel and voyage stand on it when all of its own lines agree on one.
-- Answers what the other side of a bunker transaction or an accrual is; read by post.draft_lines.
-- grain: document_key, contra_no
WITH details AS (
    SELECT
        amounts.document_key,
        amounts.line_key,
        MAX(CASE WHEN amounts.measure = 'currency' THEN amounts.amount END) AS currency_amount,
        MAX(CASE WHEN amounts.measure = 'company' THEN amounts.amount END) AS amount
    FROM
        post.detail_amounts AS amounts
    GROUP BY
        amounts.document_key, amounts.line_key
),

lines AS (
    SELECT
        contra.document_key,
        contra.account,
        contra.source,
        contra.line_no,
        CASE WHEN dimensions.fills_posting1 THEN dimensions.posting1 ELSE lines.vessel_code END AS vessel_code,
        CASE WHEN dimensions.fills_posting2 THEN dimensions.posting2 ELSE lines.voyage_reference_no END
            AS voyage_reference_no,
        lines.gl_direction * details.currency_amount AS currency_amount,
        lines.gl_direction * details.amount AS amount
    FROM
        map.contra_accounts AS contra
    INNER JOIN map.document_lines AS lines
        ON
            contra.document_key = lines.document_key
            AND contra.line_key = lines.line_key
    INNER JOIN details
        ON
            contra.document_key = details.document_key
            AND contra.line_key = details.line_key
    -- What the tenant's file puts into a dimension goes before the vessel and the voyage (posting.dimensions).
    LEFT JOIN map.line_dimensions AS dimensions
        ON
            contra.document_key = dimensions.document_key
            AND contra.line_key = dimensions.line_key
),

grouped AS (
    SELECT
        document_key,
        account,
        MIN(line_no) AS first_line_no,
        CAST(-SUM(currency_amount) AS DECIMAL(38, 4)) AS currency_amount,
        CAST(-SUM(amount) AS DECIMAL(38, 4)) AS amount,
        STRING_AGG(DISTINCT source, ', ' ORDER BY source) AS source,
        CASE WHEN COUNT(vessel_code) = COUNT(*) AND MIN(vessel_code) = MAX(vessel_code) THEN MIN(vessel_code) END
            AS vessel_code,
        CASE
            WHEN COUNT(voyage_reference_no) = COUNT(*) AND MIN(voyage_reference_no) = MAX(voyage_reference_no)
                THEN MIN(voyage_reference_no)
        END AS voyage_reference_no
    FROM
        lines
    GROUP BY
        document_key, account
),

weighed AS (
    SELECT
        *,
        SUM(currency_amount) OVER (PARTITION BY document_key) AS total_currency,
        SUM(amount) OVER (PARTITION BY document_key) AS total_company
    FROM
        grouped
)

SELECT
    document_key,
    ROW_NUMBER() OVER (PARTITION BY document_key ORDER BY first_line_no) AS contra_no,  -- from 1, in the order of first use
    account,  -- null: not known, and the document is held
    source,  -- where the account stands
    vessel_code,  -- when all of its lines agree on one; what posting.dimensions puts in its place
    voyage_reference_no,  -- when all of its lines agree on one; what posting.dimensions puts in its place
    currency_amount,  -- in the document's currency, debit positive
    amount  -- in company currency, debit positive
FROM
    weighed
WHERE
    (total_currency <> 0 OR total_company <> 0)
    AND (currency_amount <> 0 OR amount <> 0)
