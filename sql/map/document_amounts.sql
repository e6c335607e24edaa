-- One open document with its two amounts rounded once to minor units, signed as in the VMS.
-- An amount of 10^14 minor units or more is left out: it is no invoice, and the sums behind it would overflow.
-- Answers: What does a document come to, in whole cents of both currencies?
-- Read by: the posting path.
-- grain: document_key
WITH units AS (
    SELECT
        document_key,
        document_amount,
        company_currency_amount,
        currency_minor_units,
        company_minor_units,
        CASE currency_minor_units WHEN 0 THEN 1 WHEN 2 THEN 100 WHEN 3 THEN 1000 ELSE 10000 END AS currency_factor,
        CASE company_minor_units WHEN 0 THEN 1 WHEN 2 THEN 100 WHEN 3 THEN 1000 ELSE 10000 END AS company_factor,
        CASE currency_minor_units
            WHEN 0 THEN 10000000000000 WHEN 2 THEN 1000000000000 WHEN 3 THEN 100000000000 ELSE 10000000000
        END AS currency_limit,
        CASE company_minor_units
            WHEN 0 THEN 10000000000000 WHEN 2 THEN 1000000000000 WHEN 3 THEN 100000000000 ELSE 10000000000
        END AS company_limit
    FROM
        map.open_documents
),

bounded AS (
    SELECT
        document_key,
        currency_minor_units,
        company_minor_units,
        currency_factor,
        company_factor,
        currency_limit,
        company_limit,
        document_amount IS NULL OR company_currency_amount IS NULL AS is_amount_missing,
        COALESCE(ABS(document_amount) >= currency_limit, FALSE)
        OR COALESCE(ABS(company_currency_amount) >= company_limit, FALSE) AS is_amount_too_large,
        CASE WHEN ABS(document_amount) < currency_limit THEN document_amount END AS document_amount,
        CASE WHEN ABS(company_currency_amount) < company_limit THEN company_currency_amount END
            AS company_currency_amount
    FROM
        units
)

SELECT
    document_key,
    currency_factor,  -- minor units of one: 100 cents
    company_factor,  -- minor units of one, company currency
    currency_limit,  -- an amount of so much is none
    company_limit,  -- the same in company currency
    is_amount_missing,  -- in one of the two currencies
    is_amount_too_large,  -- in one of the two currencies
    CASE currency_minor_units
        WHEN 0 THEN CAST(ROUND(document_amount, 0) AS DECIMAL(38, 4))
        WHEN 2 THEN CAST(ROUND(document_amount, 2) AS DECIMAL(38, 4))
        WHEN 3 THEN CAST(ROUND(document_amount, 3) AS DECIMAL(38, 4))
        ELSE CAST(ROUND(document_amount, 4) AS DECIMAL(38, 4))
    END AS total_currency,
    CASE company_minor_units
        WHEN 0 THEN CAST(ROUND(company_currency_amount, 0) AS DECIMAL(38, 4))
        WHEN 2 THEN CAST(ROUND(company_currency_amount, 2) AS DECIMAL(38, 4))
        WHEN 3 THEN CAST(ROUND(company_currency_amount, 3) AS DECIMAL(38, 4))
        ELSE CAST(ROUND(company_currency_amount, 4) AS DECIMAL(38, 4))
    END AS total_company
FROM
    bounded
