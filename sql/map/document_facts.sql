-- One open document with what its lines and terms say together: totals, agreement on vessel and voyage, reversal.
-- VAT lines are left aside where vessel and voyage are compared; a line without a voyage disagrees (docs/mapping.md#1-1).
-- Answers: Do the lines of a document agree among themselves and with its total?
-- Read by: the posting requirements and the drafts.
-- grain: document_key
WITH placed AS (
    SELECT
        lines.*,
        -- What the tenant's file puts into a dimension goes before the vessel and the voyage (posting.dimensions).
        CASE WHEN dimensions.fills_posting1 THEN dimensions.posting1 ELSE lines.vessel_code END AS posting1,
        CASE WHEN dimensions.fills_posting2 THEN dimensions.posting2 ELSE lines.voyage_reference_no END AS posting2
    FROM
        map.document_lines AS lines
    LEFT JOIN map.line_dimensions AS dimensions
        ON
            lines.document_key = dimensions.document_key
            AND lines.line_key = dimensions.line_key
),

line_facts AS (
    SELECT
        document_key,
        CAST(COUNT(*) AS INTEGER) AS line_count,
        CAST(SUM(CASE WHEN NOT is_vat_line THEN 1 ELSE 0 END) AS INTEGER) AS detail_count,
        CAST(SUM(CASE WHEN is_vat_line THEN 1 ELSE 0 END) AS INTEGER) AS vat_line_count,
        SUM(CASE WHEN is_vat_line THEN net_currency ELSE 0 END) AS vat_currency,
        SUM(CASE WHEN is_vat_line THEN net_company ELSE 0 END) AS vat_company,
        SUM(CASE WHEN NOT is_vat_line AND posting1 IS NULL THEN 1 ELSE 0 END) AS lines_without_vessel,
        MIN(CASE WHEN NOT is_vat_line THEN posting1 END) AS first_vessel_code,
        MAX(CASE WHEN NOT is_vat_line THEN posting1 END) AS last_vessel_code,
        SUM(CASE WHEN NOT is_vat_line AND posting2 IS NULL THEN 1 ELSE 0 END) AS lines_without_voyage,
        MIN(CASE WHEN NOT is_vat_line THEN posting2 END) AS first_voyage_no,
        MAX(CASE WHEN NOT is_vat_line THEN posting2 END) AS last_voyage_no,
        MAX(CASE WHEN ref_document_key IS NOT NULL OR ref_document_no IS NOT NULL THEN 1 ELSE 0 END) AS has_reference,
        MAX(CASE WHEN is_amount_missing THEN 1 ELSE 0 END) AS has_line_without_amount,
        MAX(CASE WHEN is_amount_too_large THEN 1 ELSE 0 END) AS has_line_too_large,
        MAX(CASE WHEN is_rate_impossible THEN 1 ELSE 0 END) AS has_impossible_rate,
        MAX(CASE WHEN is_other_currency THEN 1 ELSE 0 END) AS has_other_currency,
        STRING_AGG(CASE WHEN gl_account IS NULL THEN CAST(line_no AS VARCHAR) END, ', ' ORDER BY line_no)
            AS lines_without_account
    FROM
        placed
    GROUP BY
        document_key
),

-- Each group of lines taxed alike: by their own rates, or by one VAT line that carries the rate for them.
taxed AS (
    SELECT
        taxed_lines.document_key,
        taxed_lines.vat_line_key,
        COUNT(*) AS taxed_count,
        SUM(COALESCE(lines.net_currency, 0) * taxed_lines.vat_rate) AS vat_by_rate
    FROM
        map.taxed_lines AS taxed_lines
    INNER JOIN map.document_lines AS lines
        ON
            taxed_lines.document_key = lines.document_key
            AND taxed_lines.line_key = lines.line_key
    GROUP BY
        taxed_lines.document_key, taxed_lines.vat_line_key
),

vat_facts AS (
    SELECT
        taxed.document_key,
        CAST(SUM(taxed.taxed_count) AS INTEGER) AS taxed_count,
        SUM(taxed.vat_by_rate) AS vat_by_rate,
        -- A VAT line that carries the rate answers for its own base alone.
        MAX(ABS(COALESCE(carriers.net_currency, 0) - taxed.vat_by_rate)) AS largest_carried_difference,
        COUNT(carriers.line_key) AS carrier_count
    FROM
        taxed
    LEFT JOIN map.document_lines AS carriers
        ON
            taxed.document_key = carriers.document_key
            AND taxed.vat_line_key = carriers.line_key
    GROUP BY
        taxed.document_key
),

-- A VAT line that carries a rate beside lines with rates of their own: whose VAT it is, is not clear.
mixed_rates AS (
    SELECT DISTINCT carried.document_key
    FROM
        map.carried_lines AS carried
    INNER JOIN map.document_lines AS lines
        ON carried.document_key = lines.document_key
    WHERE
        lines.is_taxed
),

term_facts AS (
    SELECT
        document_key,
        CAST(COUNT(*) AS INTEGER) AS term_count,
        SUM(percentage) AS percentage_total,
        SUM(CASE WHEN percentage IS NULL THEN 1 ELSE 0 END) AS terms_without_percentage,
        SUM(CASE WHEN due_date IS NULL THEN 1 ELSE 0 END) AS terms_without_due_date,
        MIN(due_date) AS first_due_date
    FROM
        map.payment_terms
    GROUP BY
        document_key
)

SELECT
    documents.document_key,
    COALESCE(lines.line_count, 0) AS line_count,  -- VAT lines included
    COALESCE(lines.detail_count, 0) AS detail_count,  -- lines that are sent
    COALESCE(lines.vat_line_count, 0) AS vat_line_count,
    COALESCE(vat_facts.taxed_count, 0) AS taxed_count,  -- lines with a share of the VAT
    COALESCE(lines.vat_currency, 0) AS vat_currency,  -- sum of the VAT lines, document currency
    COALESCE(lines.vat_company, 0) AS vat_company,  -- sum of the VAT lines, company currency
    COALESCE(vat_facts.vat_by_rate, 0) AS vat_by_rate,  -- what the taxed lines' rates make, document currency
    CASE
        WHEN vat_facts.carrier_count > 0 THEN vat_facts.largest_carried_difference
        ELSE ABS(COALESCE(lines.vat_currency, 0) - COALESCE(vat_facts.vat_by_rate, 0))
    END AS vat_difference,  -- how far VAT lines are from what the rates make, unsigned
    CASE WHEN vat_facts.carrier_count > 0 THEN 1 ELSE COALESCE(vat_facts.taxed_count, 0) END
        AS vat_tolerances,  -- tolerances the difference may come to: one a taxed line, or one where a VAT line has the rate
    mixed_rates.document_key IS NOT NULL AS is_vat_unclear,  -- a VAT line carries a rate beside lines that have their own
    CASE WHEN lines.lines_without_vessel = 0 AND lines.first_vessel_code = lines.last_vessel_code
            -- First and last are equal: all lines name the same one.
            THEN lines.first_vessel_code
    END AS vessel_code,  -- when all lines agree on one; what posting.dimensions puts in its place
    CASE WHEN lines.lines_without_voyage = 0 AND lines.first_voyage_no = lines.last_voyage_no
            THEN lines.first_voyage_no
    END AS voyage_reference_no,  -- when all lines agree on one; what posting.dimensions puts in its place
    COALESCE(lines.has_reference, 0) = 1 AS is_reversal,  -- a line names the document it takes back
    COALESCE(lines.has_line_without_amount, 0) = 1 AS has_line_without_amount,
    COALESCE(lines.has_line_too_large, 0) = 1 AS has_line_too_large,
    COALESCE(lines.has_impossible_rate, 0) = 1 AS has_impossible_rate,
    COALESCE(lines.has_other_currency, 0) = 1 AS has_other_currency,  -- a line is not in the document's currency
    lines.lines_without_account,  -- their numbers: 1, 3
    COALESCE(terms.term_count, 0) AS term_count,  -- payment terms
    terms.percentage_total,  -- of all terms; null: no terms
    COALESCE(terms.terms_without_percentage, 0) AS terms_without_percentage,
    COALESCE(terms.terms_without_due_date, 0) AS terms_without_due_date,
    terms.first_due_date  -- the earliest of the terms
FROM
    map.open_documents AS documents
LEFT JOIN line_facts AS lines
    ON documents.document_key = lines.document_key
LEFT JOIN vat_facts
    ON documents.document_key = vat_facts.document_key
LEFT JOIN mixed_rates
    ON documents.document_key = mixed_rates.document_key
LEFT JOIN term_facts AS terms
    ON documents.document_key = terms.document_key
