-- One control account in one currency at the end of a month: what is open in the VMS beside the ledger's balance.
-- difference = balance_ledger - ledger_only - in_transit - open_vms; the same holds in company currency once exchange
-- differences, which have no currency amount, are left out. The general ledger must have what the subledger has.
-- It is a break of its own only for what documents and payments that are breaks themselves do not explain.
-- Answers: Do payables and receivables tie between VMS and ledger?
-- Read by: accountants (workbook, report, period-end pack) and auditors.
-- grain: owner_code, control_account, currency_code, period_month
WITH only_companies AS (
    SELECT
        companies.owner_code,
        MIN(companies.company_code) AS company_code
    FROM
        map.companies AS companies
    GROUP BY
        companies.owner_code
    HAVING
        COUNT(*) = 1
),

measured AS (
    SELECT
        balances.*,
        balances.balance - balances.ledger_only - balances.in_transit - balances.open_vms AS difference,
        balances.balance_company - balances.revaluation_company - balances.ledger_only_company
        - balances.in_transit_company - balances.open_company_vms AS difference_company,
        balances.gl_company - balances.balance_company AS gl_difference,
        tolerances.tolerance
    FROM
        rec.control_balances AS balances
    INNER JOIN seed.tolerances AS tolerances
        ON tolerances.measure = 'control_account'
),

judged AS (
    SELECT
        measured.*,
        measured.difference - measured.told_elsewhere AS unexplained,
        measured.difference_company - measured.told_elsewhere_company AS unexplained_company,
        ABS(measured.difference) > measured.tolerance AS is_apart,
        ABS(measured.difference_company) > measured.tolerance AS is_company_apart,
        ABS(measured.gl_difference) > measured.tolerance AS is_gl_apart,
        ABS(measured.difference - measured.told_elsewhere) > measured.tolerance
        OR ABS(measured.difference_company - measured.told_elsewhere_company) > measured.tolerance
        OR ABS(measured.gl_difference) > measured.tolerance AS is_break
    FROM
        measured
)

SELECT
    judged.owner_code,  -- ledger entity
    judged.control_account,  -- GL account that carries suppliers or customers
    judged.currency_code,  -- currency of the amounts
    judged.period_month,  -- first day of the month at whose end it is compared
    only_companies.company_code,  -- VMS company, where the entity has just one
    judged.open_vms,  -- documents less payments of the VMS, with the ledger's sign, in currency_code
    judged.balance AS balance_ledger,  -- sum of the subledger's rows, in currency_code
    judged.ledger_only,  -- vouchers that never came from the VMS, what settles them, brokers' commissions
    judged.in_transit,  -- what one side has and the other will get, or is held: the ledger's less the VMS's
    judged.difference,  -- ledger less VMS, after ledger_only and in_transit, in currency_code
    judged.revaluation_company,  -- exchange differences: rows without currency amount
    judged.balance_company AS balance_company_ledger,  -- balance_ledger in company currency
    judged.gl_company AS gl_balance_company,  -- sum of the general ledger's rows, in company currency
    judged.open_company_vms,  -- open_vms in company currency
    judged.ledger_only_company,  -- ledger_only in company currency
    judged.in_transit_company,  -- in_transit in company currency
    judged.difference_company,  -- the same in company currency, exchange differences left out
    judged.unexplained,  -- part of difference that no document or payment with a break of its own accounts for
    judged.unexplained_company,  -- part of difference_company that no document or payment with a break of its own accounts for
    entities.currency_code AS company_currency_code,
    CASE WHEN judged.is_apart OR judged.is_company_apart OR judged.is_gl_apart THEN 'differs' ELSE 'agreed' END
        AS state,  -- agreed | differs
    NULLIF(
        CONCAT_WS(
            ' ',
            CASE
                WHEN judged.is_apart
                    THEN
                        judged.control_account || ' is '
                        || AMOUNT_TEXT(judged.balance - judged.ledger_only - judged.in_transit, judged.currency_code)
                        || ' in the ledger and ' || NUMBER_TEXT(judged.open_vms, judged.currency_code)
                        || ' in the VMS: ' || NUMBER_TEXT(judged.difference, judged.currency_code) || ' apart.'
                WHEN judged.is_company_apart
                    THEN
                        judged.control_account || ' in ' || judged.currency_code || ' is '
                        || AMOUNT_TEXT(judged.difference_company, entities.currency_code)
                        || ' apart in company currency alone.'
            END,
            CASE
                WHEN judged.is_apart OR judged.is_company_apart
                    THEN 'By ' || COALESCE(differences.words, 'nothing that has a name') || '.'
            END,
            CASE
                WHEN judged.is_gl_apart
                    THEN
                        'The general ledger has ' || AMOUNT_TEXT(judged.gl_company, entities.currency_code)
                        || ' on it, the subledger ' || NUMBER_TEXT(judged.balance_company, entities.currency_code)
                        || ' (company currency).'
            END,
            'In transit: ' || transits.words || '.'
        ),
        ''
    ) AS reason,  -- where the difference comes from; also what is in transit where it agrees
    CASE
        WHEN judged.is_gl_apart THEN 'find the row that stands on the account without a partner, and correct it in the ledger.'
        WHEN (judged.is_apart OR judged.is_company_apart) AND judged.is_break
            THEN 'match or reverse in the ledger what was typed on the account by hand, or accept it.'
        WHEN judged.is_apart OR judged.is_company_apart
            THEN 'see the documents and payments named: each has its own next step.'
    END AS next_step,  -- what to do about it; empty: nothing
    judged.is_break,  -- true: it does not agree, and a person has to act
    readings.documents_read_at AS as_of_vms,
    readings.books_read_at AS as_of_ledger,
    CAST(
        DATE_DIFF('day', LEAST(months.month_end, readings.today), readings.today) AS INTEGER
    ) AS age_days  -- days since the end of the month; 0 in the current one
FROM
    judged
CROSS JOIN rec.readings AS readings
INNER JOIN seed.months AS months
    ON judged.period_month = months.month_start
LEFT JOIN only_companies
    ON judged.owner_code = only_companies.owner_code
LEFT JOIN map.entities AS entities
    ON judged.owner_code = entities.owner_code
LEFT JOIN rec.control_words AS differences
    ON
        differences.kind = 'difference'
        AND judged.owner_code = differences.owner_code
        AND judged.control_account = differences.control_account
        AND judged.currency_code = differences.currency_code
        AND judged.period_month = differences.period_month
LEFT JOIN rec.control_words AS transits
    ON
        transits.kind = 'in transit'
        AND judged.owner_code = transits.owner_code
        AND judged.control_account = transits.control_account
        AND judged.currency_code = transits.currency_code
        AND judged.period_month = transits.period_month
