-- One voyage reference number that the VMS knows; budgets, templates and estimates are none.
-- Answers: May an actual on this voyage go to the VMS?
-- Read by: the actuals job.
-- grain: voyage_no
SELECT
    voyages.reference_no AS voyage_no,
    MIN(
        CASE
            WHEN
                NOT COALESCE(voyages.is_budget, FALSE)
                AND NOT COALESCE(voyages.is_template, FALSE)
                AND NOT COALESCE(voyages.is_estimate, FALSE)
                THEN voyages.voyage_key
        END
    ) AS voyage_key,
    COUNT(*) > 1 AS is_number_shared  -- with a budget or an estimate: the key tells them apart
FROM
    stg_vms.voyages AS voyages
WHERE
    voyages.reference_no IS NOT NULL
GROUP BY
    voyages.reference_no
HAVING
    MIN(
        CASE
            WHEN
                NOT COALESCE(voyages.is_budget, FALSE)
                AND NOT COALESCE(voyages.is_template, FALSE)
                AND NOT COALESCE(voyages.is_estimate, FALSE)
                THEN voyages.voyage_key
        END
    ) IS NOT NULL
