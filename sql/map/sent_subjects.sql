-- One project, account, partner or currency that Springline itself has sent, or means to send, and one document that
-- names it: a voucher for the ledger, or an actual that the VMS has.
-- A project or an account belongs to the company whose breaks name it; partners and currencies are those of all.
-- Answers: Which projects, accounts, partners and currencies carry money of documents that we sent?
-- Read by: map.ignored_subjects, which hides none of them, and `springline breaks ignore-subject`, which refuses them.
-- grain: subject, company_code, code
-- Each arm is added up before anything is joined: the lines are all that was ever sent.
WITH named AS (
    SELECT
        'project' AS subject,
        lines.owner_code,
        lines.project AS code,
        MIN(lines.document_key) AS document_key
    FROM
        ctl.sent_lines AS lines
    GROUP BY
        lines.owner_code,
        lines.project
    UNION ALL
    SELECT
        'project',
        lines.owner_code,
        lines.vms_voyage_no,
        MIN(lines.document_key)
    FROM
        ctl.sent_lines AS lines
    GROUP BY
        lines.owner_code,
        lines.vms_voyage_no
    UNION ALL
    SELECT
        'account',
        lines.owner_code,
        lines.account,
        MIN(lines.document_key)
    FROM
        ctl.sent_lines AS lines
    GROUP BY
        lines.owner_code,
        lines.account
    UNION ALL
    SELECT
        'account',
        lines.owner_code,
        lines.vms_account,
        MIN(lines.document_key)
    FROM
        ctl.sent_lines AS lines
    GROUP BY
        lines.owner_code,
        lines.vms_account
    UNION ALL
    SELECT
        'partner',
        CAST(NULL AS INTEGER),
        lines.subledger_no,
        MIN(lines.document_key)
    FROM
        ctl.sent_lines AS lines
    GROUP BY
        lines.subledger_no
    UNION ALL
    SELECT
        'partner',
        CAST(NULL AS INTEGER),
        lines.vms_partner_code,
        MIN(lines.document_key)
    FROM
        ctl.sent_lines AS lines
    GROUP BY
        lines.vms_partner_code
    UNION ALL
    SELECT
        'currency',
        CAST(NULL AS INTEGER),
        lines.currency,
        MIN(lines.document_key)
    FROM
        ctl.sent_lines AS lines
    GROUP BY
        lines.currency
    UNION ALL
    SELECT
        'partner',
        CAST(NULL AS INTEGER),
        vouchers.subledger_no,
        MIN(vouchers.document_key)
    FROM
        ctl.sent_vouchers AS vouchers
    GROUP BY
        vouchers.subledger_no
    UNION ALL
    SELECT
        'partner',
        CAST(NULL AS INTEGER),
        vouchers.vms_partner_code,
        MIN(vouchers.document_key)
    FROM
        ctl.sent_vouchers AS vouchers
    GROUP BY
        vouchers.vms_partner_code
),

-- By the entity and not by the voucher's own company: several companies of the VMS may post in one entity, whose breaks
-- name one of them. A mapping file may have sent a line under other codes than the VMS has: both name it.
listed AS (
    SELECT
        named.subject,
        CASE WHEN named.owner_code IS NULL THEN '' ELSE companies.company_code END AS company_code,
        named.code,
        vouchers.document_no
    FROM
        named
    INNER JOIN ctl.sent_vouchers AS vouchers
        ON named.document_key = vouchers.document_key
    LEFT JOIN map.actual_companies AS companies
        ON named.owner_code = companies.owner_code
    UNION ALL
    -- These went the other way, and move with what is booked.
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
)

SELECT
    listed.subject,  -- project, account, partner or currency
    listed.company_code,  -- VMS company; an empty text: partners and currencies are those of all
    listed.code,  -- its code in the ledger, or in the VMS where a mapping file sent it under another
    MIN(listed.document_no) AS document_no  -- one of the documents that name it
FROM
    listed
WHERE
    listed.code IS NOT NULL
    AND listed.company_code IS NOT NULL
GROUP BY
    listed.subject,
    listed.company_code,
    listed.code
