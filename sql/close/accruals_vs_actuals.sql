-- One month of an accrued voyage and account: the estimate to date, the actual to date by the ledger's books, the accrual
-- as posted and as recomputed (estimate less actual), and how much of earlier accruals the books have confirmed since.
-- Capitalisations stand beside it and are compared with nothing. Amounts are debit positive, in company currency.
-- What counts as actual: docs/decisions/0006.
-- Answers: How good were the accruals?
-- Read by: accountants (workbook, report, period-end pack).
-- grain: company_code, voyage_no, account, period_month
-- parts: voyage_no
SELECT
    positions.company_code,  -- VMS company
    positions.voyage_no,  -- reference number of the voyage; empty: none
    positions.account,
    positions.period_month,  -- first day of the month
    positions.company_currency_code,  -- currency of the company amounts
    positions.estimate_to_date,  -- as last stated by an accrual; null: none has stated it
    positions.actual_to_date,  -- actuals to date in the ledger's books
    positions.accrual_posted,  -- by ACP of the month
    CAST(COALESCE(capitalised.posted, 0) AS DECIMAL(38, 4)) AS capitalised,  -- by CAP of the month; in no other figure here
    positions.accrual_recomputed,  -- estimate less actual
    positions.difference,  -- posted less recomputed
    positions.exchange_effect,  -- actuals in the accrual's currency at its rate, less as booked
    positions.actual_stated,  -- to date, as the VMS knew it when it accrued
    positions.earlier_accrued,  -- accruals of earlier months, without sign
    positions.confirmed_amount,  -- part of earlier_accrued that was booked as actuals since
    positions.hit_rate,  -- confirmed of earlier, 1 is all; null: nothing was accrued before
    positions.state,  -- agreed | over-accrued | under-accrued | not accrued
    positions.reason,  -- what is found, in words, with the figures; empty: nothing to say
    positions.next_step,  -- what to do about it; empty: nothing
    positions.as_of_vms
FROM
    close.accrual_positions AS positions
LEFT JOIN close.accrual_months AS capitalised
    ON
        positions.company_code = capitalised.company_code
        AND positions.voyage_no = capitalised.voyage_no
        AND positions.account = capitalised.account
        AND positions.period_month = capitalised.period_month
        AND capitalised.family = 'capitalisation'
WHERE
    positions.family = 'accrual'
