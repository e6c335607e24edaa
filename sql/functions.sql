-- How models write figures that a person reads, to the letter as pipelines/core/words.py writes them, and how they compare
-- invoice numbers, which people type. All are made on the connection that builds (pipelines/models/functions.py), and
-- written out where a model is translated. CURRENCY_DECIMALS(currency) is made there too, from data/seeds/currencies.csv, and
-- BARE_NUMBER(number), which is the number in capitals without blanks, dashes, dots, slashes and characters nobody sees.
-- Nothing gives NULL: a model says with COALESCE what stands there instead.
-- noqa: disable=LT02,CP05

-- A whole number without its sign, in groups of three digits. The letters stand for the 39 digits that a HUGEINT has at
-- most: each is replaced by the digit at its place, or by a blank.
CREATE OR REPLACE TEMPORARY MACRO DIGITS_TEXT(digits) AS
    LTRIM(
        TRANSLATE(
            'ABC,DEF,GHI,JKL,MNO,PQR,STU,VWX,YZa,bcd,efg,hij,klm',
            'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm',
            LPAD(digits, 39, ' ')
        ),
        ' ,'
    );

-- A count, as in "2,500 more".
CREATE OR REPLACE TEMPORARY MACRO COUNT_TEXT(number) AS
    CASE WHEN number < 0 THEN '-' ELSE '' END || DIGITS_TEXT(CAST(ABS(number) AS VARCHAR));

-- The decimals of an amount without idle zeros, but never fewer than the currency has: nothing is rounded, so that
-- figures that differ never look alike.
CREATE OR REPLACE TEMPORARY MACRO DECIMALS_TEXT(decimals, fewest) AS
    CASE
        WHEN decimals = '' AND fewest = 0 THEN ''
        ELSE '.' || RPAD(decimals, CAST(GREATEST(LENGTH(decimals), fewest) AS INTEGER), '0')
    END;

-- An amount whose currency is written elsewhere in the sentence.
CREATE OR REPLACE TEMPORARY MACRO NUMBER_TEXT(amount, currency) AS
    CASE WHEN amount < 0 THEN '-' ELSE '' END
    || DIGITS_TEXT(SPLIT_PART(CAST(ABS(amount) AS VARCHAR), '.', 1))
    || DECIMALS_TEXT(
        RTRIM(SPLIT_PART(CAST(ABS(amount) AS VARCHAR), '.', 2), '0'),
        CURRENCY_DECIMALS(currency)
    );

-- An amount with its currency; without it where none is known.
CREATE OR REPLACE TEMPORARY MACRO AMOUNT_TEXT(amount, currency) AS
    CASE WHEN currency <> '' THEN currency || ' ' ELSE '' END || NUMBER_TEXT(amount, currency);

-- An exchange rate, a DECIMAL with decimals: all of them but idle zeros, and no groups, as rates are typed.
CREATE OR REPLACE TEMPORARY MACRO RATE_TEXT(rate) AS
    RTRIM(RTRIM(CAST(rate AS VARCHAR), '0'), '.');

-- What two spellings of one invoice number have in common: F-0881, f 881 and F–881. Zeros count for nothing at the front and
-- behind the letters at the front; a number of nothing but such signs stays as it is.
CREATE OR REPLACE TEMPORARY MACRO SAME_NUMBER(number) AS
    COALESCE(
        NULLIF(
            SUBSTRING(
                BARE_NUMBER(number),
                1,
                LENGTH(BARE_NUMBER(number)) - LENGTH(LTRIM(BARE_NUMBER(number), 'ABCDEFGHIJKLMNOPQRSTUVWXYZÆØÅÄÖÜ'))
            )
            || LTRIM(LTRIM(BARE_NUMBER(number), 'ABCDEFGHIJKLMNOPQRSTUVWXYZÆØÅÄÖÜ'), '0'),
            ''
        ),
        number
    );
