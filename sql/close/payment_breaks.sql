-- One payment of a period that the ledger has settled and that is still on its way to the VMS.
-- What the comparison calls a break by itself counts once, under the comparison's kind (close.dated_breaks).
-- Answers: Which payments of a period are not in the VMS yet?
-- Read by: close.breaks alone.
-- grain: period_month, kind, subject
SELECT
    payments.period_month,
    kinds.kind,  -- kind of break, a name of data/seeds/break_kinds.csv
    SUBSTRING(CAST(payments.period_month AS VARCHAR), 1, 7) || ' ' || payments.subject AS subject,  -- month and payment; unique by kind
    payments.company_code,
    payments.document_key,
    payments.document_no,
    CAST(NULL AS VARCHAR) AS voyage_no,  -- empty: it concerns no single voyage
    CAST(NULL AS VARCHAR) AS account,  -- empty: it concerns no single account
    payments.partner_code,
    payments.partner_name,
    payments.paid_difference AS amount,
    payments.currency_code,
    payments.company_amount,
    payments.company_currency_code,
    payments.reason,
    payments.next_step,
    CAST(NULL AS TIMESTAMP) AS since,  -- empty: close.breaks has when it was noted
    payments.age_days
FROM
    close.untransferred_payments AS payments
INNER JOIN seed.break_kinds AS kinds
    ON
        kinds.found_by = 'close'
        AND kinds.object = 'payment'
WHERE
    NOT COALESCE(payments.is_break, FALSE)
