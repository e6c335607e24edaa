-- One control account that does not tie at the end of a period.
-- The comparison calls only an account's last month a break (rec.breaks); each period asks for its own month.
-- Answers: Which control accounts do not tie at the end of a period?
-- Read by: close.breaks alone.
-- grain: period_month, kind, subject
SELECT
    accounts.period_month,
    kinds.kind,  -- kind of break, a name of data/seeds/break_kinds.csv
    SUBSTRING(CAST(accounts.period_month AS VARCHAR), 1, 7) || ' ' || CAST(accounts.owner_code AS VARCHAR) || ' '
    || accounts.control_account || ' ' || accounts.currency_code AS subject,  -- month, entity, control account and currency; unique by kind
    accounts.company_code,
    CAST(NULL AS BIGINT) AS document_key,  -- empty: it concerns no single document
    CAST(NULL AS VARCHAR) AS document_no,  -- empty: it concerns no single document
    CAST(NULL AS VARCHAR) AS voyage_no,  -- empty: it concerns no single voyage
    accounts.control_account AS account,
    CAST(NULL AS VARCHAR) AS partner_code,  -- empty: it concerns no single partner
    CAST(NULL AS VARCHAR) AS partner_name,  -- empty: it concerns no single partner
    accounts.unexplained AS amount,
    accounts.currency_code,
    accounts.unexplained_company AS company_amount,
    accounts.company_currency_code,
    accounts.reason,
    accounts.next_step,
    CAST(NULL AS TIMESTAMP) AS since,  -- empty: close.breaks has when it was noted
    accounts.age_days
FROM
    rec.control_accounts AS accounts
INNER JOIN seed.break_kinds AS kinds
    ON
        kinds.found_by = 'close'
        AND kinds.object = 'control account'
WHERE
    accounts.is_break
