-- What extract asks of the warehouse, by name.

-- Vouchers sent that are not seen booked yet: job level 3 is that of an item the ledger has booked
-- (docs/systems/ledger.md#a9). A voucher that was adopted has its header from the start, and never was in the import.
-- name: waiting
SELECT vouchers.document_key
FROM
    ctl.sent_vouchers AS vouchers
WHERE
    vouchers.state = 'sent'
    AND vouchers.header_db_id IS NULL
    AND vouchers.document_key NOT IN (
        SELECT items.tr_reg_number
        FROM
            stg_ledger.import_items AS items
        WHERE
            items.tr_reg_number IS NOT NULL
        GROUP BY
            items.tr_reg_number
        HAVING
            MIN(items.job_level) = 3 AND MAX(items.job_level) = 3
    );

-- The documents of vouchers whose header is in the books.
-- name: in_books
SELECT vouchers.document_key
FROM
    ctl.sent_vouchers AS vouchers
INNER JOIN stg_ledger.transactions AS booked
    ON
        vouchers.voucher_type = booked.source_code
        AND vouchers.header_text = booked.header_text
        AND booked.imported_at IS NOT NULL
INNER JOIN stg_ledger.entities AS entities
    ON
        booked.owner_db_id = entities.entity_db_id
        AND vouchers.owner_code = TRY_CAST(entities.code AS INTEGER);
