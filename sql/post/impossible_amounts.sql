-- One open document whose amounts in two currencies, or in one, cannot both be right (docs/mapping.md#1-6-10).
-- Judged are its lines, VAT lines too, and its total. Where lines of both signs stand in it the total may come to any rate, so
-- that the lines without their signs are judged in its place.
-- What the rounding of docs/mapping.md#1-4 and #1-3 allows is no fault, nor is a line in another currency, which has a rule of
-- its own. An amount in company currency alone is a difference of exchange, and none either.
-- Answers: Which amounts of a document contradict each other, and which rate do they imply?
-- Read by: the posting requirements.
-- grain: document_key
WITH rules AS (
    SELECT CAST(MAX(CASE WHEN tolerances.measure = 'parity' THEN tolerances.tolerance END) AS DECIMAL(38, 9)) AS parity
    FROM
        seed.tolerances AS tolerances
),

lines AS (
    SELECT
        lines.document_key,
        lines.line_no,
        lines.is_vat_line,
        lines.net_currency,
        lines.net_company
    FROM
        map.document_lines AS lines
    INNER JOIN map.open_documents AS documents
        ON lines.document_key = documents.document_key
    CROSS JOIN seed.settings AS settings
    WHERE
        NOT lines.is_amount_missing
        AND NOT lines.is_amount_too_large
        AND (NOT lines.is_other_currency OR (settings.line_currency = 'convert' AND documents.voucher_type <> 'GL'))
),

sums AS (
    SELECT
        document_key,
        SUM(net_currency) AS sum_currency,
        SUM(net_company) AS sum_company,
        SUM(ABS(net_currency)) AS gross_currency,
        SUM(ABS(net_company)) AS gross_company,
        MIN(SIGN(net_currency)) < 0 AND MAX(SIGN(net_currency)) > 0 AS has_both_signs
    FROM
        lines
    GROUP BY
        document_key
),

parts AS (
    SELECT
        documents.document_key,
        0 AS line_no,
        CASE WHEN COALESCE(sums.has_both_signs, FALSE) THEN 'the lines' ELSE 'the total' END AS part,
        CASE WHEN sums.has_both_signs THEN sums.gross_currency ELSE amounts.total_currency END AS currency_amount,
        CASE WHEN sums.has_both_signs THEN sums.gross_company ELSE amounts.total_company END AS company_amount,
        -- The total may differ from its lines by the rounding of each, in both currencies.
        2 * GREATEST(facts.detail_count, 1) AS rounding_count
    FROM
        map.open_documents AS documents
    INNER JOIN map.document_amounts AS amounts
        ON documents.document_key = amounts.document_key
    INNER JOIN map.document_facts AS facts
        ON documents.document_key = facts.document_key
    LEFT JOIN sums
        ON documents.document_key = sums.document_key
    WHERE
        NOT amounts.is_amount_missing
        AND NOT amounts.is_amount_too_large
        -- A total that its lines do not come to has a rule of its own.
        AND COALESCE(
            ABS(amounts.total_currency - sums.sum_currency)
            <= GREATEST(facts.detail_count, 1) * CASE documents.currency_minor_units WHEN 0 THEN 0.5 ELSE 0.05 END
            AND ABS(amounts.total_company - sums.sum_company)
            <= GREATEST(facts.detail_count, 1) * CASE documents.company_minor_units WHEN 0 THEN 0.5 ELSE 0.05 END,
            TRUE
        )
    UNION ALL
    SELECT
        lines.document_key,
        lines.line_no,
        CASE WHEN lines.is_vat_line THEN 'VAT line ' ELSE 'line ' END || CAST(lines.line_no AS VARCHAR),
        lines.net_currency,
        lines.net_company,
        CASE WHEN lines.is_vat_line THEN GREATEST(facts.taxed_count, 1) ELSE 1 END
    FROM
        lines
    INNER JOIN map.document_facts AS facts
        ON lines.document_key = facts.document_key
),

-- Without a rate of the day a line is measured by what its document's lines come to together.
rated AS (
    SELECT
        parts.document_key,
        parts.line_no,
        parts.part,
        documents.currency_code,
        documents.company_currency_code,
        documents.currency_minor_units,
        parts.currency_amount,
        parts.company_amount,
        documents.currency_code = documents.company_currency_code AS is_one_currency,
        equals.currency_code IS NOT NULL AS is_held_at_one,
        parts.rounding_count * CASE documents.currency_minor_units WHEN 0 THEN 0.5 ELSE 0.05 END AS currency_rounding,
        parts.rounding_count * CASE documents.company_minor_units WHEN 0 THEN 0.5 ELSE 0.05 END AS company_rounding,
        rates.rate_date,
        rates.exchange_rate AS day_rate,
        COALESCE(
            rates.exchange_rate,
            CASE
                WHEN
                    parts.line_no > 0
                    AND sums.gross_currency > 0
                    AND sums.gross_company > 0
                    AND sums.gross_company < sums.gross_currency * 1000000000
                    THEN
                        CAST(
                            CAST(
                                (CAST(sums.gross_company * 10000 AS HUGEINT) * 1000000000)
                                // CAST(sums.gross_currency * 10000 AS HUGEINT) AS DECIMAL(38, 0)
                            ) * 0.000000001 AS DECIMAL(38, 9)
                        )
            END
        ) AS exchange_rate
    FROM
        parts
    INNER JOIN map.open_documents AS documents
        ON parts.document_key = documents.document_key
    LEFT JOIN sums
        ON parts.document_key = sums.document_key
    LEFT JOIN map.day_rates AS rates
        ON
            documents.currency_code = rates.currency_code
            AND documents.company_currency_code = rates.company_currency_code
            AND documents.document_date = rates.document_date
    LEFT JOIN seed.equal_currencies AS equals
        ON
            (documents.currency_code = equals.currency_code AND documents.company_currency_code = equals.equal_code)
            OR (documents.currency_code = equals.equal_code AND documents.company_currency_code = equals.currency_code)
    WHERE
        documents.company_currency_code IS NOT NULL
),

measured AS (
    SELECT
        *,
        CAST(ABS(currency_amount) * exchange_rate AS DECIMAL(38, 9)) AS expected,
        company_rounding + currency_rounding * COALESCE(exchange_rate, 0) AS allowed,
        -- So small that a weak currency may round to nothing, or that figures may be the same by chance.
        ABS(currency_amount) < CASE currency_minor_units WHEN 0 THEN 100 ELSE 1 END AS is_trifle,
        ABS(currency_amount) < CASE currency_minor_units WHEN 0 THEN 1000 ELSE 10 END AS is_small
    FROM
        rated
),

judged AS (
    SELECT
        measured.*,
        CASE
            WHEN measured.is_one_currency
                THEN
                    CASE
                        WHEN ABS(measured.currency_amount - measured.company_amount) > measured.company_rounding
                            THEN 'one currency'
                    END
            WHEN measured.currency_amount = 0 THEN NULL
            WHEN measured.company_amount = 0
                THEN
                    CASE
                        WHEN measured.expected > measured.allowed OR (measured.expected IS NULL AND NOT measured.is_trifle)
                            THEN 'nothing'
                    END
            WHEN SIGN(measured.currency_amount) <> SIGN(measured.company_amount)
                THEN
                    CASE
                        WHEN
                            ABS(measured.company_amount) > measured.allowed
                            AND ABS(measured.currency_amount) > measured.currency_rounding
                            THEN 'sign'
                    END
            WHEN
                measured.currency_amount = measured.company_amount
                AND NOT measured.is_held_at_one
                AND (
                    (
                        ABS(measured.exchange_rate - 1) > rules.parity
                        AND ABS(measured.expected - ABS(measured.company_amount)) > measured.allowed
                    )
                    OR (measured.day_rate IS NULL AND measured.line_no = 0 AND NOT measured.is_small)
                )
                THEN 'rate of 1'
            WHEN
                measured.day_rate IS NOT NULL
                AND (
                    (ABS(measured.company_amount) - measured.allowed) * 100
                    > measured.expected * (100 + settings.rate_tolerance)
                    OR (ABS(measured.company_amount) + measured.allowed) * (100 + settings.rate_tolerance)
                    < measured.expected * 100
                )
                THEN 'rate'
        END AS fault
    FROM
        measured
    CROSS JOIN rules
    CROSS JOIN seed.settings AS settings
),

worded AS (
    SELECT
        document_key,
        line_no,
        ROW_NUMBER() OVER (PARTITION BY document_key ORDER BY line_no) AS place,
        part || ': ' || AMOUNT_TEXT(currency_amount, currency_code) || ' is '
        || AMOUNT_TEXT(company_amount, company_currency_code)
        || CASE fault
            WHEN 'one currency' THEN ', and both are one currency'
            WHEN 'sign' THEN ', of the opposite sign'
            ELSE
                ', a rate of '
                || COALESCE(
                    RATE_TEXT(
                        CAST(
                            CAST(
                                (CAST(ABS(company_amount) * 10000 AS HUGEINT) * 1000000)
                                // CAST(NULLIF(ABS(currency_amount) * 10000, 0) AS HUGEINT) AS DECIMAL(38, 0)
                            ) * 0.000001 AS DECIMAL(38, 6)
                        )
                    ),
                    'nothing'
                )
                || COALESCE(
                    '; that of ' || CAST(rate_date AS VARCHAR) || ' is '
                    || RATE_TEXT(CAST(ROUND(day_rate, 6) AS DECIMAL(38, 6))),
                    ''
                )
        END AS finding
    FROM
        judged
    WHERE
        fault IS NOT NULL
)

SELECT
    document_key,
    STRING_AGG(CASE WHEN place <= 3 THEN finding END, '; ' ORDER BY line_no)
    || CASE WHEN COUNT(*) > 3 THEN '; and ' || COUNT_TEXT(COUNT(*) - 3) || ' more' ELSE '' END AS findings  -- each with the rate it implies
FROM
    worded
GROUP BY
    document_key
