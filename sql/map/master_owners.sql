-- One ledger owner in which master data is created: the group entity a company is linked to, else its own entity.
-- Without any company in the settings there is one owner with no code: the entity the token belongs to, seen by all below.
-- Answers: In which ledger entity are partners, projects and vessels created?
-- Read by: the master-data job.
-- grain: owner_code
SELECT DISTINCT COALESCE(companies.link_code, companies.owner_code) AS owner_code
FROM
    seed.companies AS companies
UNION ALL
SELECT CAST(NULL AS INTEGER)
FROM
    seed.settings
WHERE
    NOT EXISTS (
        SELECT 1
        FROM
            seed.companies
    )
