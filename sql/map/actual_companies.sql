-- One ledger entity with the VMS company its actuals go to: the one whose code is the entity's, else the first by code
-- that posts there. Without companies in the settings every VMS code is an entity's, and so is that of any other where
-- those not configured are posted too (companies_others).
-- Answers: To which VMS company do the actuals of an entity go?
-- Read by: the actuals job, the close and the comparison of payments.
-- grain: owner_code
SELECT
    entities.owner_code,
    COALESCE(companies.company_code, entities.entity_code) AS company_code
FROM
    map.entities AS entities
LEFT JOIN seed.companies AS companies
    ON entities.owner_code = companies.owner_code
CROSS JOIN seed.settings AS settings
WHERE
    entities.owner_code IS NOT NULL
    AND (
        companies.company_code IS NOT NULL
        OR settings.companies_others = 'post'
        OR NOT EXISTS (
            SELECT named.company_code
            FROM
                seed.companies AS named
            WHERE
                named.company_code IS NOT NULL
        )
    )
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY entities.owner_code
        ORDER BY CASE WHEN companies.company_code = entities.entity_code THEN 0 ELSE 1 END, companies.company_code
    ) = 1
