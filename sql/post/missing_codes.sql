-- One code a draft voucher needs and its entity cannot see in the ledger, or sees more than once: the document waits.
-- Answers: Which code keeps a voucher waiting?
-- Read by: the posting requirements.
-- grain: document_key, code_kind, code
WITH visible_lists AS (
    SELECT
        code_kind,
        COUNT(*) AS code_count
    FROM
        map.ledger_codes
    GROUP BY
        code_kind
),

-- A dry run writes no master data: what it would have created first counts as there.
announced AS (
    SELECT
        'supplier' AS code_kind,
        supplier_changes.code
    FROM
        post.supplier_changes AS supplier_changes
    UNION ALL
    SELECT
        'customer',
        customer_changes.code
    FROM
        post.customer_changes AS customer_changes
    UNION ALL
    SELECT
        'project',
        project_changes.code
    FROM
        post.project_changes AS project_changes
    UNION ALL
    SELECT
        'vessel',
        cost_centre_changes.code
    FROM
        post.cost_centre_changes AS cost_centre_changes
),

promised AS (
    SELECT DISTINCT
        announced.code_kind,
        announced.code
    FROM
        announced
    CROSS JOIN seed.settings AS settings
    WHERE
        settings.is_dry_run
),

seen AS (
    SELECT
        required_codes.document_key,
        required_codes.code_kind,
        required_codes.code,
        MAX(ledger_codes.row_count) AS row_count
    FROM
        post.required_codes AS required_codes
    INNER JOIN map.ledger_codes AS ledger_codes
        ON
            required_codes.code_kind = ledger_codes.code_kind
            AND required_codes.code = ledger_codes.code
    LEFT JOIN map.visible_owners AS visible_owners
        ON
            required_codes.owner_code = visible_owners.owner_code
            AND ledger_codes.owner_db_id = visible_owners.seen_owner_db_id
    WHERE
        ledger_codes.owner_db_id IS NULL
        OR visible_owners.seen_owner_db_id IS NOT NULL
    GROUP BY
        required_codes.document_key,
        required_codes.code_kind,
        required_codes.code
),

-- While a code is not unique nothing is created under it, and to create it by hand would make one more of them.
twice AS (
    SELECT
        CASE breaks.side WHEN 'company' THEN 'customer' ELSE breaks.side END AS code_kind,
        breaks.code,
        MIN(CASE WHEN breaks.side = 'company' THEN 'among the companies in Xledger' ELSE 'in the VMS' END) AS place
    FROM
        post.master_breaks AS breaks
    WHERE
        breaks.found_in = 'VMS'
        OR breaks.side = 'company'
    GROUP BY
        CASE breaks.side WHEN 'company' THEN 'customer' ELSE breaks.side END,
        breaks.code
)

SELECT
    required_codes.document_key,
    required_codes.owner_code,
    required_codes.code_kind,  -- supplier, customer, project, vessel, location, tax_rule, account, xgl, currency
    required_codes.code,
    COALESCE(seen.row_count, 0) AS row_count,  -- 0: missing; more than 1: not unique
    CASE
        WHEN seen.row_count > 1
            THEN required_codes.code || ' (there more than once: in Xledger, close or rename all but one)'
        WHEN twice.code IS NOT NULL
            THEN required_codes.code || ' (more than once ' || twice.place || ': close or rename all but one there)'
        ELSE required_codes.code
    END AS code_text  -- as messages name it; in brackets why it must not be created
FROM
    post.required_codes AS required_codes
LEFT JOIN visible_lists
    ON required_codes.code_kind = visible_lists.code_kind
LEFT JOIN seen
    ON
        required_codes.document_key = seen.document_key
        AND required_codes.code_kind = seen.code_kind
        AND required_codes.code = seen.code
LEFT JOIN promised
    ON
        required_codes.code_kind = promised.code_kind
        AND required_codes.code = promised.code
LEFT JOIN twice
    ON
        (
            required_codes.code_kind = twice.code_kind
            OR (required_codes.code_kind IN ('supplier', 'customer') AND twice.code_kind = 'partner')
        )
        AND required_codes.code = twice.code
WHERE
    (seen.document_key IS NULL OR (seen.row_count > 1 AND required_codes.code_kind <> 'account'))
    AND promised.code IS NULL
    AND (
        -- What the master-data job creates may well be an empty list on the first day; it is missing all the same.
        required_codes.code_kind IN ('supplier', 'customer', 'project', 'vessel')
        OR visible_lists.code_count IS NOT NULL
    )
