-- What retries ask of the warehouse, by name.

-- The items of a voucher in the ledger's import, with what its posting says of each.
-- name: items
SELECT
    items.import_item_db_id,
    items.tr_item_number,
    items.job_level,
    items.account_code,
    STRING_AGG(errors.message, ' ' ORDER BY errors.import_error_db_id) AS reason
FROM
    stg_ledger.import_items AS items
LEFT JOIN stg_ledger.import_errors AS errors ON items.import_item_db_id = errors.import_item_db_id
WHERE
    items.tr_reg_number = $1 AND items.ext_order_number = $2
GROUP BY ALL
ORDER BY items.tr_item_number, items.import_item_db_id;
