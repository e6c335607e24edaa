-- One project, account, partner or currency that somebody said is not ours (`springline breaks ignore-subject`), and
-- whether that counts: it never does where Springline itself sent, or means to send, a document that names it.
-- A project or an account is named by the company it stands in; partners and currencies are those of all companies.
-- Answers: Which subjects of breaks are not ours, who said so, and which of them carry money of documents that we sent?
-- Read by: post.actual_breaks, rec.partners and rec.exchange_rates, which leave their breaks out; accountants.
-- grain: subject, company_code, code
SELECT
    ignored.subject,  -- project, account, partner or currency
    ignored.company AS company_code,  -- VMS company; empty: partners and currencies are those of all
    ignored.code,  -- its code; of a currency that of ISO 4217
    ignored.reason,  -- why it is not ours, in the words of who said so
    ignored.operator,  -- who said so
    CAST(SUBSTRING(ignored.since, 1, 19) AS TIMESTAMP) AS since,  -- since when, UTC
    sent.document_no AS sent_document_no,  -- a document that Springline sent, or means to send, and that names it; empty: none does
    sent.code IS NULL AS is_effective  -- true: its breaks are left out
FROM
    ctl.ignored_subjects AS ignored
LEFT JOIN map.sent_subjects AS sent
    ON
        ignored.subject = sent.subject
        AND ignored.code = sent.code
        AND COALESCE(ignored.company, '') = sent.company_code
WHERE
    ignored.until IS NULL
