-- One supplier or customer of the ledger whose code is another one than its partner's in the VMS by now: renamed on one of
-- both sides. The code of the VMS is added as one of its own, so what is open with one partner stands under two codes. One
-- that is closed in the ledger, or whose code another partner has, is none.
-- Who it is tell its account as last seen, what was written to it, and the vouchers that were sent to it.
-- Answers: Which partner stands in the ledger under a code that it no longer has?
-- Read by: the master-data job, which notes them as breaks.
-- grain: side, owner_code, ledger_db_id
WITH present AS (
    SELECT
        'supplier' AS side,
        suppliers.supplier_db_id AS ledger_db_id,
        suppliers.code,
        suppliers.to_date
    FROM
        stg_ledger.suppliers AS suppliers
    UNION ALL
    SELECT
        'customer',
        customers.customer_db_id,
        customers.code,
        customers.to_date
    FROM
        stg_ledger.customers AS customers
),

owners AS (
    SELECT
        companies.company_code,
        MIN(COALESCE(companies.link_code, companies.owner_code)) AS master_owner_code
    FROM
        map.companies AS companies
    GROUP BY
        companies.company_code
),

-- Where a voucher stands in the ledger now counts, not under which code it was sent.
invoiced AS (
    SELECT
        CASE invoices.side WHEN 'AP' THEN 'supplier' ELSE 'customer' END AS side,
        master_owners.owner_code,
        invoices.partner_key,
        COALESCE(matched.subledger_code, invoices.subledger_no) AS code
    FROM
        map.sent_invoices AS invoices
    LEFT JOIN map.matched_invoices AS matched
        ON invoices.document_key = matched.document_key
    LEFT JOIN owners
        ON invoices.company_code = owners.company_code
    LEFT JOIN map.master_owners AS master_owners
        ON owners.master_owner_code = master_owners.owner_code
),

coded AS (
    SELECT
        side,
        owner_code,
        partner_key,
        code
    FROM
        invoiced
    UNION
    SELECT
        sent.side,
        sent.owner_code,
        sent.partner_key,
        sent.code
    FROM
        ctl.sent_partners AS sent
    WHERE
        sent.state = 'sent'
),

seen AS (
    SELECT
        'supplier' AS side,
        accounts.owner_code,
        accounts.partner_key,
        accounts.ledger_db_id
    FROM
        ctl.supplier_accounts AS accounts
    UNION
    SELECT
        coded.side,
        COALESCE(coded.owner_code, 0),
        coded.partner_key,
        existing.db_id
    FROM
        coded
    INNER JOIN map.ledger_partners AS existing
        ON
            coded.side = existing.side
            AND coded.code = existing.code
            AND coded.owner_code IS NOT DISTINCT FROM existing.owner_code
)

SELECT
    seen.side,  -- supplier or customer
    seen.owner_code,  -- entity in the ledger that sees it; 0: the token's own
    seen.ledger_db_id,
    present.code AS ledger_code,
    wanted.code,  -- of the partner in the VMS, or where the tenant's file leads it
    wanted.description
FROM
    seen
INNER JOIN map.wanted_partners AS wanted
    ON
        seen.partner_key = wanted.partner_key
        AND wanted.partner_count = 1
        AND CASE seen.side WHEN 'supplier' THEN wanted.is_supplier ELSE wanted.is_customer END
INNER JOIN present
    ON
        seen.side = present.side
        AND seen.ledger_db_id = present.ledger_db_id
        AND wanted.code <> present.code
CROSS JOIN seed.settings AS settings
LEFT JOIN map.wanted_partners AS others
    ON present.code = others.code
WHERE
    others.code IS NULL
    AND (present.to_date IS NULL OR present.to_date >= settings.today)
-- Two partners may have been behind one code; the one added to the VMS last has it now.
QUALIFY
    ROW_NUMBER() OVER (PARTITION BY seen.side, seen.owner_code, seen.ledger_db_id ORDER BY seen.partner_key DESC) = 1
