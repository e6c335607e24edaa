-- What `springline status` reads beside the control store, by name.

-- name: amounts
-- Of the documents that are open: what is held has no amount in the control store.
SELECT
    document_key,
    document_amount AS amount,
    currency_code AS currency,
    company_currency_amount AS company_amount,
    company_currency_code AS company_currency
FROM
    map.open_documents;
