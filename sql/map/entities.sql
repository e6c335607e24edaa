-- One ledger entity with its code as a number and the kinds behind its dimensions.
-- A vessel is a value of the kind behind glObject1, a location (FS, LS) of the kind behind glObject3.
-- Answers: Which ledger entities are there, in which currency, and where do their dimensions stand?
-- Read by: every model that goes from the VMS's company to the ledger's entity; the loader of master data.
-- grain: entity_db_id
WITH dimensions AS (
    SELECT
        entity_dimensions.entity_db_id,
        MAX(
            CASE WHEN LOWER(entity_dimensions.field_name) = 'globject1' THEN entity_dimensions.object_kind_db_id END
        ) AS vessel_kind_db_id,
        MAX(
            CASE WHEN LOWER(entity_dimensions.field_name) = 'globject3' THEN entity_dimensions.object_kind_db_id END
        ) AS location_kind_db_id
    FROM
        stg_ledger.entity_dimensions AS entity_dimensions
    INNER JOIN stg_ledger.entities AS entities
        ON
            entity_dimensions.entity_db_id = entities.entity_db_id
            AND entity_dimensions.fetch_id = entities.fetch_id
    GROUP BY
        entity_dimensions.entity_db_id
),

-- Of several entities with a parent's code the first, as codes are not unique in the ledger.
parents AS (
    SELECT
        entities.code,
        MIN(entities.entity_db_id) AS entity_db_id
    FROM
        stg_ledger.entities AS entities
    GROUP BY
        entities.code
)

SELECT
    entities.entity_db_id,
    entities.code AS entity_code,  -- as the ledger writes it
    CASE
        WHEN LENGTH(entities.code) <= 9 AND TRANSLATE(entities.code, '0123456789', '') = ''
            THEN TRY_CAST(entities.code AS INTEGER)
    END AS owner_code,  -- the entity code as the import wants it
    entities.description,
    entities.currency_code,  -- company currency
    COALESCE(entities.parent_db_id, parents.entity_db_id) AS parent_db_id,  -- the entity above
    dimensions.vessel_kind_db_id,  -- object kind behind glObject1
    dimensions.location_kind_db_id  -- object kind behind glObject3
FROM
    stg_ledger.entities AS entities
LEFT JOIN dimensions
    ON entities.entity_db_id = dimensions.entity_db_id
LEFT JOIN parents
    ON entities.parent_code = parents.code
