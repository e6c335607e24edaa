-- One project, account, partner or currency that Springline itself has sent, or means to send, and how many of its
-- documents name it: vouchers for the ledger, and actuals that the VMS has.
-- A project or an account belongs to the company whose breaks name it; partners and currencies are those of all.
-- Answers: Which projects, accounts, partners and currencies carry money of documents that we sent?
-- Read by: map.ignored_subjects, which hides none of them, and `springline breaks ignore-subject`, which refuses them.
-- grain: subject, company_code, code
WITH -- By the entity and not by the voucher's own company: several companies of the VMS may post in one entity, whose breaks
-- name one of them.
lines AS (
    SELECT
        sent.*,
        vouchers.document_no,
        companies.company_code
    FROM
        ctl.sent_lines AS sent
    INNER JOIN ctl.sent_vouchers AS vouchers
        ON sent.id = vouchers.id
    LEFT JOIN map.actual_companies AS companies
        ON vouchers.owner_code = companies.owner_code
),

-- A mapping file may have sent a line under other codes than the VMS has: both name it. Actuals went the other way, and
-- move with what is booked.
named AS (
    SELECT
        'project' AS subject,
        lines.company_code,
        lines.project AS code,
        lines.document_no
    FROM
        lines
    UNION ALL
    SELECT
        'project',
        lines.company_code,
        lines.vms_voyage_no,
        lines.document_no
    FROM
        lines
    UNION ALL
    SELECT
        'account',
        lines.company_code,
        lines.account,
        lines.document_no
    FROM
        lines
    UNION ALL
    SELECT
        'account',
        lines.company_code,
        lines.vms_account,
        lines.document_no
    FROM
        lines
    UNION ALL
    SELECT
        'partner',
        '',
        lines.subledger_no,
        lines.document_no
    FROM
        lines
    UNION ALL
    SELECT
        'partner',
        '',
        lines.vms_partner_code,
        lines.document_no
    FROM
        lines
    UNION ALL
    SELECT
        'currency',
        '',
        lines.currency,
        lines.document_no
    FROM
        lines
    UNION ALL
    SELECT
        'project',
        companies.company_code,
        actuals.voyage_no,
        actuals.document_no
    FROM
        ctl.actuals AS actuals
    INNER JOIN map.actual_companies AS companies
        ON actuals.owner_code = companies.owner_code
    UNION ALL
    SELECT
        'account',
        companies.company_code,
        actuals.account,
        actuals.document_no
    FROM
        ctl.actuals AS actuals
    INNER JOIN map.actual_companies AS companies
        ON actuals.owner_code = companies.owner_code
    UNION ALL
    SELECT
        'partner',
        '',
        vouchers.subledger_no,
        vouchers.document_no
    FROM
        ctl.sent_vouchers AS vouchers
    UNION ALL
    SELECT
        'partner',
        '',
        vouchers.vms_partner_code,
        vouchers.document_no
    FROM
        ctl.sent_vouchers AS vouchers
),

listed AS (
    SELECT DISTINCT
        named.subject,
        named.company_code,
        named.code,
        named.document_no
    FROM
        named
    WHERE
        named.code IS NOT NULL
        AND named.company_code IS NOT NULL
)

SELECT
    listed.subject,  -- project, account, partner or currency
    listed.company_code,  -- VMS company; an empty text: partners and currencies are those of all
    listed.code,  -- its code in the ledger, or in the VMS where a mapping file sent it under another
    COUNT(listed.document_no) AS document_count,  -- documents that name it
    MIN(listed.document_no) AS document_no  -- the first of them by number
FROM
    listed
GROUP BY
    listed.subject,
    listed.company_code,
    listed.code
