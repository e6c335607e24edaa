-- One row: the ledger entity whose exchange rates are used, its currency, and the VMS's own base currency.
-- The entity is that of the setting rates.owner, else the group, else the first company's (docs/mapping.md#4).
-- Answers: Whose exchange rates count, and in which currency are they quoted?
-- Read by: the rates job and the comparison of rates.
-- grain: owner_db_id
WITH groups AS (
    SELECT MIN(companies.link_code) AS owner_code
    FROM
        seed.companies AS companies
),

parents AS (
    SELECT MIN(parents.entity_db_id) AS entity_db_id
    FROM
        map.entities AS parents
    INNER JOIN map.entities AS children
        ON parents.entity_db_id = children.parent_db_id
    LEFT JOIN map.entities AS grandparents
        ON parents.parent_db_id = grandparents.entity_db_id
    WHERE
        grandparents.entity_db_id IS NULL
        AND NOT EXISTS (
            SELECT 1
            FROM
                seed.companies
        )
),

first_companies AS (
    SELECT companies.owner_code
    FROM
        seed.companies AS companies
    QUALIFY
        ROW_NUMBER() OVER (ORDER BY companies.company_code) = 1
),

ranked AS (
    SELECT
        entities.entity_db_id,
        entities.entity_code,
        entities.currency_code,
        CASE
            -- A setting that names no entity gives no row at all: a wrong entity would give wrong rates without a word.
            WHEN settings.rate_owner IS NOT NULL THEN CASE WHEN entities.owner_code = settings.rate_owner THEN 1 END
            WHEN entities.owner_code = groups.owner_code THEN 1
            WHEN entities.entity_db_id = parents.entity_db_id THEN 2
            WHEN entities.owner_code = first_companies.owner_code THEN 3
            ELSE 4
        END AS preference
    FROM
        map.entities AS entities
    CROSS JOIN seed.settings AS settings
    CROSS JOIN groups
    CROSS JOIN parents
    LEFT JOIN first_companies
        ON entities.owner_code = first_companies.owner_code
)

SELECT
    ranked.entity_db_id AS owner_db_id,
    ranked.currency_code AS base_currency,  -- the ledger's: every rate is the price of one of it
    vms.base_currency_code AS vms_base_currency
FROM
    ranked
LEFT JOIN stg_vms.system AS vms
    ON vms.base_currency_code IS NOT NULL
WHERE
    ranked.preference IS NOT NULL
    AND ranked.currency_code IS NOT NULL
QUALIFY
    ROW_NUMBER() OVER (ORDER BY ranked.preference, ranked.entity_code, ranked.entity_db_id, vms.system_key) = 1
