-- One open document as `springline adopt` looks for it in the ledger's books: its numbers, its partner and the amount of its control line.
-- Everything open is here, also what its lines or its company keep from being mapped: a person may have posted it all the same.
-- grain: document_key
SELECT
    documents.document_key,
    documents.document_no,
    documents.document_type,
    documents.company_code,
    documents.owner_code,
    entities.entity_db_id,
    documents.voucher_type,
    COALESCE(mapping.ledger_partner, documents.partner_code) AS partner_code, -- as the ledger calls it
    documents.partner_name,
    documents.currency_code,
    documents.document_date,
    amounts.total_currency,
    documents.control_sign * amounts.total_currency AS control_amount, -- as the ledger's control line has it, debit positive
    numbers.external_no,
    numbers.invoice_no,
    documents.content_hash
FROM
    map.open_documents AS documents
LEFT JOIN map.document_amounts AS amounts ON documents.document_key = amounts.document_key
LEFT JOIN map.document_numbers AS numbers ON documents.document_key = numbers.document_key
LEFT JOIN seed.partner_mapping AS mapping ON documents.partner_code = mapping.vms_partner
LEFT JOIN map.entities AS entities ON documents.owner_code = entities.owner_code
