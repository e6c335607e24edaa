-- One currency, company currency and day of open documents with the rate nearest to that day, where one is known.
-- The ledger's rates and the VMS's, each within 31 days of the document: of one day the ledger's. Both quote the price of one
-- base currency, so that two quotes of one base and day make the rate between their currencies.
-- Answers: What is an amount of the document worth in company currency, by the rates that were read?
-- Read by: post.impossible_amounts.
-- grain: currency_code, company_currency_code, document_date
WITH wanted AS (
    SELECT DISTINCT
        documents.currency_code,
        documents.company_currency_code,
        documents.document_date
    FROM
        map.open_documents AS documents
    WHERE
        documents.currency_code <> documents.company_currency_code
),

quotes AS (
    SELECT
        'ledger' AS source,
        rates.rate_date,
        rates.base_currency,
        rates.currency_code,
        CAST(rates.exchange_rate AS DECIMAL(38, 15)) AS exchange_rate
    FROM
        map.ledger_rates AS rates
    UNION ALL
    SELECT
        'vms',
        rates.rate_date,
        rates.from_currency_code,
        rates.to_currency_code,
        rates.exchange_rate
    FROM
        map.vms_rates AS rates
),

-- One of the base is one of the base.
legs AS (
    SELECT
        source,
        rate_date,
        base_currency,
        currency_code,
        CAST(exchange_rate * 1000000000000 AS HUGEINT) AS rate_units
    FROM
        quotes
    WHERE
        exchange_rate > 0.000000000001
        AND exchange_rate < 1000000000
    UNION ALL
    SELECT DISTINCT
        source,
        rate_date,
        base_currency,
        base_currency AS currency_code,
        CAST(1000000000000 AS HUGEINT)
    FROM
        quotes
)

SELECT
    wanted.currency_code,
    wanted.company_currency_code,
    wanted.document_date,
    document_legs.rate_date,  -- the day of the rate
    CAST(
        CAST((company_legs.rate_units * 1000000000) // CAST(document_legs.rate_units AS HUGEINT) AS DECIMAL(38, 0))
        * 0.000000001 AS DECIMAL(38, 9)
    ) AS exchange_rate  -- of company currency for one of the document's
FROM
    wanted
INNER JOIN legs AS document_legs
    ON
        wanted.currency_code = document_legs.currency_code
        AND DATE_DIFF('day', document_legs.rate_date, wanted.document_date) BETWEEN -31 AND 31
INNER JOIN legs AS company_legs
    ON
        wanted.company_currency_code = company_legs.currency_code
        AND document_legs.source = company_legs.source
        AND document_legs.rate_date = company_legs.rate_date
        AND document_legs.base_currency = company_legs.base_currency
WHERE
    company_legs.rate_units * 1000000000 > document_legs.rate_units
    AND company_legs.rate_units < document_legs.rate_units * 1000000000
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY wanted.currency_code, wanted.company_currency_code, wanted.document_date
        ORDER BY
            ABS(DATE_DIFF('day', document_legs.rate_date, wanted.document_date)),
            document_legs.source,
            document_legs.rate_date,
            document_legs.base_currency
    ) = 1
