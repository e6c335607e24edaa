-- One dimension that the tenant's file posting.dimensions fills, for one company with open documents.
-- A row of the file for the company itself goes before one for every company (docs/mapping.md#files).
-- Answers: What does posting1, posting2, posting3 or XGL hold for a company, and which line of the file says so?
-- Read by: map.line_dimensions.
-- grain: company_code, dimension
WITH present AS (
    SELECT DISTINCT company_code
    FROM
        map.open_documents
)

SELECT
    present.company_code,  -- VMS company
    rules.dimension,  -- posting1, posting2, posting3 or xgl
    rules.source,  -- vessel, voyage, pool, business unit, charter, service, fixed or none
    rules.value,  -- the code itself when fixed; else the code of a line that has no such thing; null: none
    rules.rule_text  -- file and line
FROM
    present
INNER JOIN seed.dimension_mapping AS rules
    ON
        present.company_code = rules.company_code
        OR rules.company_code IS NULL
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY present.company_code, rules.dimension
        ORDER BY CASE WHEN rules.company_code IS NULL THEN 1 ELSE 0 END, rules.line_no
    ) = 1
