-- One VMS company that has a ledger entity: by the settings, else because its code is an entity's code.
-- Answers: Which ledger entity does a VMS company post to?
-- Read by: the posting path and the comparison.
-- grain: company_code
SELECT
    companies.company_code,
    companies.owner_code,  -- entity the vouchers go to
    companies.link_code,  -- group entity for master data
    companies.payables_account,  -- setting; empty: the VMS account APX
    companies.receivables_account  -- setting; empty: the VMS account ARX
FROM
    seed.companies AS companies
UNION ALL
-- Codes are not unique in the ledger: two entities of one code are one company here, or each of its documents was two.
SELECT DISTINCT
    entities.entity_code,
    entities.owner_code,
    CAST(NULL AS INTEGER),
    CAST(NULL AS VARCHAR),
    CAST(NULL AS VARCHAR)
FROM
    map.entities AS entities
CROSS JOIN seed.settings AS settings
WHERE
    entities.owner_code IS NOT NULL
    -- Where companies are configured, only those are integrated (docs/mapping.md#1-5).
    AND (
        settings.companies_others = 'post'
        OR NOT EXISTS (
            SELECT configured.company_code
            FROM
                seed.companies AS configured
        )
    )
    AND NOT EXISTS (
        SELECT 1
        FROM
            seed.companies AS companies
        WHERE
            companies.company_code = entities.entity_code
    )
