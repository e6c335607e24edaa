-- One document whose voucher in the ledger has other lines than were sent, and which.
-- Lines are compared by account, cost centre and project; the VAT that the ledger splits off by itself is no change.
-- Answers: What did somebody change in the ledger after we had sent the voucher?
-- Read by: accountants, as the reason in rec.documents; rec.ledger_documents.
-- grain: document_key
-- parts: document_key
WITH found AS (
    SELECT
        document_key,
        SUM(vms_sign * moved_currency) AS vms_currency,
        SUM(vms_sign * moved_company) AS vms_company,
        SUM(CASE WHEN is_vat OR is_net THEN moved_currency ELSE 0 END) AS vat_currency,
        SUM(CASE WHEN is_vat OR is_net THEN moved_company ELSE 0 END) AS vat_company,
        SUM(CASE WHEN is_vat OR is_net THEN 0 ELSE 1 END) AS change_count
    FROM
        rec.voucher_moves
    GROUP BY
        document_key
    HAVING
        SUM(CASE WHEN is_vat OR is_net THEN 0 ELSE 1 END) > 0
        OR SUM(CASE WHEN is_vat OR is_net THEN moved_currency ELSE 0 END) <> 0
        OR SUM(CASE WHEN is_vat OR is_net THEN moved_company ELSE 0 END) <> 0
),

-- Where the VAT does not add up either, its rows are part of what has changed.
named AS (
    SELECT
        found.document_key,
        'account ' || COALESCE(judged.account, 'none')
        || COALESCE(', cost centre ' || judged.vessel_code, '')
        || COALESCE(', project ' || judged.voyage_no, '')
        || ': ' || AMOUNT_TEXT(CAST(judged.sent_currency AS DECIMAL(38, 4)), judged.currency)
        || ' was sent, the ledger has '
        || AMOUNT_TEXT(CAST(judged.sent_currency + judged.moved_currency AS DECIMAL(38, 4)), judged.currency) AS change
    FROM
        found
    INNER JOIN rec.voucher_moves AS judged
        ON found.document_key = judged.document_key
    WHERE
        NOT (judged.is_vat OR judged.is_net)
        OR found.vat_currency <> 0
        OR found.vat_company <> 0
),

listed AS (
    SELECT
        document_key,
        STRING_AGG(change, '; ' ORDER BY change) AS changes
    FROM
        named
    GROUP BY
        document_key
)

SELECT
    found.document_key,  -- database id of the document in the VMS
    CAST(found.vms_currency AS DECIMAL(38, 4)) AS vms_currency,  -- with the sign of the VMS, by how much it has moved in the currency sent
    CAST(found.vms_company AS DECIMAL(38, 4)) AS vms_company,  -- with the sign of the VMS, by how much it has moved in company currency
    listed.changes  -- each account with its dimensions, what was sent and what is there
FROM
    found
INNER JOIN listed
    ON found.document_key = listed.document_key
