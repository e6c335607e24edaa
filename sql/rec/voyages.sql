-- One voyage or vessel as both sides have it: a project or a cost centre of the ledger in each entity that must know it.
-- What differs is what the job master-data would write (post.project_changes, post.cost_centre_changes).
-- Answers: Do both sides have the same voyages and vessels?
-- Read by: accountants (workbook, breaks) and analysts.
-- grain: kind, owner_code, code
WITH voyage_list AS (
    SELECT MAX(voyages.fetched_at) AS voyages_read_at
    FROM
        stg_vms.voyages AS voyages
),

vessel_list AS (
    SELECT MAX(vessels.fetched_at) AS vessels_read_at
    FROM
        stg_vms.vessels AS vessels
),

project_list AS (
    SELECT MAX(projects.fetched_at) AS projects_read_at
    FROM
        stg_ledger.projects AS projects
),

cost_centre_list AS (
    SELECT MAX(object_values.fetched_at) AS values_read_at
    FROM
        stg_ledger.object_values AS object_values
),

lists AS (
    SELECT
        'voyage' AS kind,
        voyage_list.voyages_read_at AS vms_read_at,
        project_list.projects_read_at AS ledger_read_at
    FROM
        voyage_list
    CROSS JOIN project_list
    UNION ALL
    SELECT
        'vessel',
        vessel_list.vessels_read_at,
        cost_centre_list.values_read_at
    FROM
        vessel_list
    CROSS JOIN cost_centre_list
),

changes AS (
    SELECT
        'voyage' AS kind,
        COALESCE(projects.owner_code, 0) AS owner_no,
        projects.code,
        CONCAT_WS(
            ', ',
            CASE WHEN projects.description IS NOT NULL THEN 'name' END,
            CASE WHEN projects.from_date IS NOT NULL THEN 'start' END,
            CASE WHEN projects.to_date IS NOT NULL THEN 'end' END,
            CASE WHEN projects.vessel_code IS NOT NULL THEN 'vessel' END
        ) AS differing_fields
    FROM
        post.project_changes AS projects
    WHERE
        projects.action = 'update'
    UNION ALL
    SELECT
        'vessel',
        COALESCE(cost_centres.owner_code, 0),
        cost_centres.code,
        'name'
    FROM
        post.cost_centre_changes AS cost_centres
    WHERE
        cost_centres.action = 'update'
),

compared AS (
    SELECT
        sides.*,
        vessels.row_count AS vessel_count,
        settings.today,
        -- A voyage ends; a vessel is closed when somebody has closed its cost centre.
        sides.kind = 'vessel' AND sides.is_in_vms AND COALESCE(sides.to_date_ledger < settings.today, FALSE) AS is_closed,
        changes.differing_fields AS changed_fields,
        COALESCE(sides.vms_fetched_at, lists.vms_read_at) AS as_of_vms,
        COALESCE(sides.ledger_fetched_at, lists.ledger_read_at) AS as_of_ledger
    FROM
        rec.voyage_sides AS sides
    CROSS JOIN seed.settings AS settings
    INNER JOIN lists
        ON sides.kind = lists.kind
    LEFT JOIN changes
        ON
            sides.kind = changes.kind
            AND sides.owner_no = changes.owner_no
            AND sides.code = changes.code
    LEFT JOIN map.ledger_vessels AS vessels
        ON
            sides.kind = 'voyage'
            AND NOT sides.is_in_ledger
            AND sides.vessel_code_vms = vessels.code
            AND sides.owner_no = COALESCE(vessels.owner_code, 0)
),

judged AS (
    SELECT
        *,
        CONCAT_WS(', ', changed_fields, CASE WHEN is_closed THEN 'closed' END) AS differing_fields,
        CASE kind WHEN 'voyage' THEN 'project ' ELSE 'cost centre ' END || code AS subject,
        CASE
            WHEN NOT is_in_vms THEN 'only in ledger'
            WHEN code_count > 1 OR COALESCE(row_count, 1) > 1 OR COALESCE(vessel_count, 1) > 1 THEN 'code not unique'
            WHEN NOT is_in_ledger THEN 'only in VMS'
            WHEN changed_fields IS NOT NULL OR is_closed THEN 'fields differ'
            ELSE 'agreed'
        END AS state
    FROM
        compared
)

SELECT
    kind,  -- voyage (a project of the ledger) | vessel (a cost centre)
    owner_code,  -- ledger entity it is created in; null: the one that the ledger's token belongs to
    code,  -- voyage reference number or vessel code
    description_vms,  -- what the VMS calls it
    description_ledger,  -- what the ledger calls it
    from_date_vms,  -- start in the VMS, UTC
    from_date_ledger,  -- start in the ledger
    to_date_vms,  -- end in the VMS, UTC
    to_date_ledger,  -- end in the ledger
    vessel_code_vms,  -- vessel of the voyage in the VMS
    vessel_code_ledger,  -- cost centre of the project in the ledger
    CASE WHEN state = 'fields differ' THEN differing_fields END AS differing_fields,  -- name, start, end, vessel, closed
    state,  -- agreed | only in VMS | only in ledger | fields differ | code not unique
    CASE state
        WHEN 'only in ledger' THEN 'The VMS wants no ' || subject || '.'
        WHEN 'only in VMS' THEN 'The ledger has no ' || subject || ' ' || description_vms || '.'
        WHEN 'code not unique'
            THEN
                CASE
                    WHEN code_count > 1
                        THEN 'The code ' || code || ' stands ' || COUNT_TEXT(code_count) || ' times in the VMS.'
                    WHEN row_count > 1
                        THEN 'The code ' || code || ' stands ' || COUNT_TEXT(row_count) || ' times in the ledger.'
                    ELSE 'The voyage waits for its vessel ' || vessel_code_vms || ', whose code is not unique in the ledger.'
                END
        WHEN 'fields differ'
            THEN
                'The ' || subject || ' differs: ' || differing_fields || '; VMS: '
                || CONCAT_WS(
                    ', ',
                    description_vms,
                    CASE kind WHEN 'voyage' THEN CAST(from_date_vms AS VARCHAR) END,
                    CASE kind WHEN 'voyage' THEN CAST(to_date_vms AS VARCHAR) END,
                    vessel_code_vms
                )
                || '; ledger: '
                || CONCAT_WS(
                    ', ',
                    description_ledger,
                    CAST(from_date_ledger AS VARCHAR),
                    CAST(to_date_ledger AS VARCHAR),
                    vessel_code_ledger
                )
                || '.'
    END AS reason,  -- what is found, in words, with the figures; empty: nothing to say
    CASE state
        WHEN 'only in ledger' THEN 'nothing: the ledger has projects and cost centres of its own.'
        WHEN 'only in VMS' THEN '`springline run master-data` creates it, or `springline status` says why not.'
        WHEN 'code not unique' THEN 'close or rename all but one with this code; nothing is written until then.'
        WHEN 'fields differ'
            THEN
                CASE
                    WHEN is_closed THEN 'open the cost centre in the ledger again.'
                    ELSE 'where the VMS is wrong, correct it there first; then `springline run master-data` writes what it has.'
                END
    END AS next_step,  -- what to do about it; empty: nothing
    state IN ('only in VMS', 'fields differ', 'code not unique') AS is_break,  -- true: it does not agree, and a person has to act
    as_of_vms,  -- when the VMS was read, UTC
    as_of_ledger,  -- when the ledger was read, UTC
    CAST(DATE_DIFF('day', modified_date, GREATEST(modified_date, today)) AS INTEGER) AS age_days  -- days since it was changed last
FROM
    judged
