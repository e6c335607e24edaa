-- What stands on one side of a control account at the end of a month, in words: the largest items by name, and how many
-- there are beside them.
-- Answers: Which items explain the difference?
-- Read by: rec.control_accounts, as its reason.
-- grain: owner_code, control_account, currency_code, period_month, kind
WITH ranked AS (
    SELECT *
    FROM
        rec.control_items
    QUALIFY
        -- The largest of all are the largest of most months: more need not be compared.
        ROW_NUMBER() OVER (
            PARTITION BY owner_code, control_account, currency_code, kind
            ORDER BY ABS(amount) DESC, ABS(company_amount) DESC, item ASC, period_month ASC
        ) <= 50
),

counted AS (
    SELECT
        owner_code,
        control_account,
        currency_code,
        period_month,
        kind,
        COUNT(*) AS item_count
    FROM
        rec.control_items
    GROUP BY
        owner_code,
        control_account,
        currency_code,
        period_month,
        kind
),

totals AS (
    SELECT
        balances.owner_code,
        balances.control_account,
        balances.currency_code,
        balances.period_month,
        counted.kind,
        CAST(SUM(counted.item_count) AS INTEGER) AS item_count
    FROM
        rec.control_balances AS balances
    INNER JOIN counted
        ON
            balances.owner_code = counted.owner_code
            AND balances.control_account = counted.control_account
            AND balances.currency_code = counted.currency_code
            AND balances.period_month >= counted.period_month
    GROUP BY
        balances.owner_code,
        balances.control_account,
        balances.currency_code,
        balances.period_month,
        counted.kind
),

named AS (
    SELECT
        balances.owner_code,
        balances.control_account,
        balances.currency_code,
        balances.period_month,
        ranked.kind,
        ranked.item || ' (' || NUMBER_TEXT(ranked.amount, ranked.currency_code)
        || CASE
            WHEN ranked.amount = 0
                THEN ', ' || NUMBER_TEXT(ranked.company_amount, entities.currency_code) || ' in company currency'
            ELSE ''
        END
        || ')' AS words,
        ROW_NUMBER() OVER (
            PARTITION BY
                balances.owner_code, balances.control_account, balances.currency_code, balances.period_month,
                ranked.kind
            ORDER BY ABS(ranked.amount) DESC, ABS(ranked.company_amount) DESC, ranked.item ASC, ranked.period_month ASC
        ) AS place
    FROM
        rec.control_balances AS balances
    INNER JOIN ranked
        ON
            balances.owner_code = ranked.owner_code
            AND balances.control_account = ranked.control_account
            AND balances.currency_code = ranked.currency_code
            AND balances.period_month >= ranked.period_month
    LEFT JOIN map.entities AS entities
        ON balances.owner_code = entities.owner_code
),

listed AS (
    SELECT
        owner_code,
        control_account,
        currency_code,
        period_month,
        kind,
        STRING_AGG(words, '; ' ORDER BY place) AS words,
        COUNT(*) AS named_count
    FROM
        named
    WHERE
        place <= 5
    GROUP BY
        owner_code,
        control_account,
        currency_code,
        period_month,
        kind
)

SELECT
    totals.owner_code,
    totals.control_account,  -- GL account that carries suppliers or customers
    totals.currency_code,  -- currency of the amounts
    totals.period_month,  -- first day of the month
    totals.kind,  -- in transit | difference
    totals.item_count,  -- how many items there are
    CASE
        WHEN listed.named_count IS NULL THEN COUNT_TEXT(totals.item_count) || ' items'
        WHEN totals.item_count > listed.named_count
            THEN listed.words || '; and ' || COUNT_TEXT(totals.item_count - listed.named_count) || ' more'
        ELSE listed.words
    END AS words  -- the largest five, in words, and how many more there are
FROM
    totals
LEFT JOIN listed
    ON
        totals.owner_code = listed.owner_code
        AND totals.control_account = listed.control_account
        AND totals.currency_code = listed.currency_code
        AND totals.period_month = listed.period_month
        AND totals.kind = listed.kind
