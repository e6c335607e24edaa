-- One open document with lines whose VAT rate is not the rate of the tax rule they would be sent with (docs/mapping.md#1-6-11).
-- The ledger splits the VAT off a gross line by its rule, so that 24 % in place of 25 % books 24.19 in place of 25.00 of 125.00.
-- Lines without a rate, and those under reverse charge, from which nothing is split off, are not compared; nor are rules whose
-- rate cannot be read.
-- Answers: Which line would the ledger book with another VAT than the document has?
-- Read by: the posting requirements.
-- grain: document_key
WITH rated AS (
    SELECT
        lines.document_key,
        lines.line_no,
        COALESCE(taxed.vat_code, lines.vat_code) AS vat_code,
        COALESCE(tax_rules.tax_rule, taxed.vat_code, lines.vat_code) AS tax_rule,
        COALESCE(taxed.vat_rate, lines.vat_rate) AS vat_rate
    FROM
        map.document_lines AS lines
    LEFT JOIN map.taxed_lines AS taxed
        ON
            lines.document_key = taxed.document_key
            AND lines.line_key = taxed.line_key
    LEFT JOIN seed.tax_rules AS tax_rules
        ON COALESCE(taxed.vat_code, lines.vat_code) = tax_rules.vat_code
    LEFT JOIN seed.reverse_charge AS reverse_charge
        ON lines.vat_code = reverse_charge.vat_code
    WHERE
        NOT lines.is_vat_line
        AND reverse_charge.vat_code IS NULL
),

-- A code that several owners have, with other rates, is none whose rate can be read.
seen AS (
    SELECT
        visible_owners.owner_code,
        rates.code,
        MIN(rates.description) AS description,
        MIN(rates.percentage) AS percentage
    FROM
        map.tax_rule_rates AS rates
    INNER JOIN map.visible_owners AS visible_owners
        ON rates.owner_db_id = visible_owners.seen_owner_db_id
    GROUP BY
        visible_owners.owner_code, rates.code
    HAVING
        MIN(rates.percentage) = MAX(rates.percentage)
),

found AS (
    SELECT DISTINCT
        rated.document_key,
        'VAT code ' || rated.vat_code || ' has ' || RATE_TEXT(CAST(rated.vat_rate * 100 AS DECIMAL(38, 9)))
        || ' % in the VMS, tax rule ' || rated.tax_rule || ' ' || RATE_TEXT(seen.percentage) || ' % in Xledger ("'
        || seen.description || '")' AS finding
    FROM
        rated
    INNER JOIN map.open_documents AS documents
        ON rated.document_key = documents.document_key
    INNER JOIN seen
        ON
            documents.owner_code = seen.owner_code
            AND rated.tax_rule = seen.code
    WHERE
        -- A rate of 7.7 % may stand as 0.077 or with the tail of a binary fraction.
        ABS(rated.vat_rate * 100 - seen.percentage) > 0.001
)

SELECT
    document_key,
    STRING_AGG(finding, '; ' ORDER BY finding) AS findings  -- each code with both rates
FROM
    found
GROUP BY
    document_key
