-- What is asked of many tenants at once, by name; every table has a column `tenant` in front.

-- name: status
WITH batches AS (
    SELECT
        tenant,
        MAX(started_at) AS started_at,
        ARG_MAX(exit_code, started_at) AS exit_code
    FROM
        ctl.batches
    WHERE
        ended_at IS NOT NULL
    GROUP BY
        tenant
),

holds AS (
    SELECT
        tenant,
        COUNT(DISTINCT COALESCE(CAST(document_key AS VARCHAR), document_no)) AS held,
        MIN(since) AS held_since
    FROM
        ctl.holds
    WHERE
        until IS NULL
        AND severity = 'critical'
    GROUP BY
        tenant
),

breaks AS (
    SELECT
        tenant,
        COUNT(*) AS differing
    FROM
        ctl.breaks
    WHERE
        until IS NULL
        AND (accepted_hash IS NULL OR accepted_hash <> figures_hash)
    GROUP BY
        tenant
),

rejected AS (
    SELECT
        tenant,
        COUNT(*) AS set_aside
    FROM
        ctl.rejected
    WHERE
        until IS NULL
    GROUP BY
        tenant
)

SELECT
    published.tenant,
    batches.started_at AS last_batch,
    batches.exit_code,
    COALESCE(holds.held, 0) AS held,
    holds.held_since,
    COALESCE(breaks.differing, 0) AS differing,
    COALESCE(rejected.set_aside, 0) AS set_aside,
    published.published_at
FROM
    ctl.published AS published
LEFT JOIN batches
    ON published.tenant = batches.tenant
LEFT JOIN holds
    ON published.tenant = holds.tenant
LEFT JOIN breaks
    ON published.tenant = breaks.tenant
LEFT JOIN rejected
    ON published.tenant = rejected.tenant
ORDER BY published.tenant
