-- One tax rule of the ledger whose rate can be read: its description has one percentage, as "Purchase 25 %".
-- The ledger shows no rate of a rule by itself (docs/systems/ledger.md#2-6); a description without a percentage, with several, or
-- about a deduction says nothing here.
-- Answers: Which rate will the ledger split off a line with this rule?
-- Read by: post.tax_rule_differences.
-- grain: owner_db_id, code
WITH kinds AS (
    SELECT DISTINCT object_kind_db_id
    FROM
        stg_ledger.object_kinds
    WHERE
        UPPER(name) = 'TAX_RULE'
),

described AS (
    SELECT
        object_values.owner_db_id,
        object_values.code,
        object_values.description,
        -- With a no-break space before the sign as well.
        RTRIM(SPLIT_PART(object_values.description, '%', 1), '  ') AS before_sign
    FROM
        stg_ledger.object_values AS object_values
    INNER JOIN kinds
        ON object_values.object_kind_db_id = kinds.object_kind_db_id
    WHERE
        object_values.code IS NOT NULL
        AND LENGTH(object_values.description) - LENGTH(REPLACE(object_values.description, '%', '')) = 1
        AND POSITION('deduct' IN LOWER(object_values.description)) = 0
        AND POSITION('fradrag' IN LOWER(object_values.description)) = 0
        AND POSITION('avdrag' IN LOWER(object_values.description)) = 0
),

figures AS (
    SELECT
        owner_db_id,
        code,
        description,
        TRY_CAST(
            REPLACE(SUBSTRING(before_sign, LENGTH(RTRIM(before_sign, '0123456789.,')) + 1), ',', '.') AS DECIMAL(38, 9)
        ) AS percentage
    FROM
        described
)

SELECT
    owner_db_id,  -- entity the rule belongs to
    code,
    MIN(description) AS description,  -- as the ledger shows it
    MIN(percentage) AS percentage  -- 25 for 25 %
FROM
    figures
WHERE
    percentage >= 0
    AND percentage < 100
GROUP BY
    owner_db_id, code
HAVING
    MIN(percentage) = MAX(percentage)
