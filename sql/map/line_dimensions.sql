-- One line of an open document for whose company the tenant's file posting.dimensions fills a dimension, with what it fills.
-- Without the file there is no row, and each dimension holds what docs/mapping.md#1-1 says.
-- Answers: Which code does the file put on a line, and in the place of what?
-- Read by: map.document_facts, post.contra_amounts and post.draft_lines.
-- grain: document_key, line_key
WITH filled AS (
    SELECT
        documents.document_key,
        lines.line_key,
        rules.dimension,
        rules.rule_text,
        CASE rules.source
            WHEN 'none' THEN NULL
            WHEN 'fixed' THEN rules.value
            WHEN 'vessel' THEN COALESCE(lines.vessel_code, rules.value)
            WHEN 'voyage' THEN COALESCE(lines.voyage_reference_no, rules.value)
            WHEN 'pool' THEN COALESCE(lines.pool_code, rules.value)
            WHEN 'business unit' THEN COALESCE(lines.business_unit_code, rules.value)
            WHEN 'charter' THEN COALESCE(CASE WHEN lines.voyage_is_tc THEN 'TC' WHEN NOT lines.voyage_is_tc THEN 'VC' END, rules.value)
            WHEN 'service' THEN CASE
                    WHEN documents.company_country_code = 'SG' AND documents.partner_country_code = 'SG' THEN 'LS'
                    ELSE COALESCE(rules.value, 'FS')
                END
        END AS code
    FROM
        map.open_documents AS documents
    INNER JOIN map.dimension_rules AS rules
        ON documents.company_code = rules.company_code
    INNER JOIN map.document_lines AS lines
        ON documents.document_key = lines.document_key
)

SELECT
    document_key,
    line_key,
    MAX(CASE WHEN dimension = 'posting1' THEN 1 ELSE 0 END) = 1 AS fills_posting1,  -- the file has a row for it
    MAX(CASE WHEN dimension = 'posting1' THEN code END) AS posting1,  -- null: none
    MAX(CASE WHEN dimension = 'posting2' THEN 1 ELSE 0 END) = 1 AS fills_posting2,  -- the file has a row for it
    MAX(CASE WHEN dimension = 'posting2' THEN code END) AS posting2,  -- null: none
    MAX(CASE WHEN dimension = 'posting3' THEN 1 ELSE 0 END) = 1 AS fills_posting3,  -- the file has a row for it
    MAX(CASE WHEN dimension = 'posting3' THEN code END) AS posting3,  -- null: none
    MAX(CASE WHEN dimension = 'xgl' THEN 1 ELSE 0 END) = 1 AS fills_xgl,  -- the file has a row for it
    MAX(CASE WHEN dimension = 'xgl' THEN code END) AS xgl,  -- null: none
    STRING_AGG(dimension || ': ' || rule_text, '; ' ORDER BY dimension) AS rule_text  -- each dimension with file and line
FROM
    filled
GROUP BY
    document_key, line_key
