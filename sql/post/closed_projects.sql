-- One project that a draft voucher needs and that is not open in the ledger on the posting date (docs/mapping.md#1-6-6).
-- A project without a date is open without end; one that the ledger does not have is told by post.missing_codes.
-- Answers: Which project would make the ledger refuse a voucher that its import has taken?
-- Read by: the posting requirements.
-- grain: document_key, code
WITH needed AS (
    SELECT DISTINCT
        lines.document_key,
        lines.company AS owner_code,
        lines.posting2 AS code,
        posting_periods.posted_date
    FROM
        post.draft_lines AS lines
    INNER JOIN map.posting_periods AS posting_periods
        ON lines.document_key = posting_periods.document_key
    WHERE
        lines.posting2 IS NOT NULL
        AND lines.company IS NOT NULL
),

-- A dry run writes no master data: the dates it would have sent first count as there.
announced AS (
    SELECT
        changes.code,
        MIN(changes.from_date) AS from_date,
        MAX(changes.to_date) AS to_date
    FROM
        post.project_changes AS changes
    CROSS JOIN seed.settings AS settings
    WHERE
        settings.is_dry_run
    GROUP BY
        changes.code
),

projects AS (
    SELECT
        needed.document_key,
        needed.code,
        needed.posted_date,
        COALESCE(announced.from_date, projects.from_date) AS from_date,
        COALESCE(announced.to_date, projects.to_date) AS to_date
    FROM
        needed
    INNER JOIN stg_ledger.projects AS projects
        ON needed.code = projects.code
    INNER JOIN map.visible_owners AS visible_owners
        ON
            needed.owner_code = visible_owners.owner_code
            AND projects.owner_db_id = visible_owners.seen_owner_db_id
    LEFT JOIN announced
        ON needed.code = announced.code
)

SELECT
    document_key,
    code,  -- voyage reference number
    from_date,  -- first day it is open; null: no beginning
    to_date,  -- last day it is open; null: no end
    posted_date,  -- voucher date
    code || ' is open '
    || CONCAT_WS(' ', 'from ' || CAST(from_date AS VARCHAR), 'to ' || CAST(to_date AS VARCHAR))
    || ', the posting date is ' || CAST(posted_date AS VARCHAR) AS project_text  -- as messages name it
FROM
    projects
WHERE
    posted_date < from_date
    OR posted_date > to_date
QUALIFY
    -- A code that is there more than once is held for that; here it counts once.
    ROW_NUMBER() OVER (PARTITION BY document_key, code ORDER BY to_date, from_date) = 1
