-- A synthetic history of both sides, made straight as staging rows: see rec_world.py, which gives the numbers in braces.
-- The tables are there and empty; amounts are made in minor units, and become decimals where they are staged.

-- A document's facts by its number; amounts in minor units, with the VMS's sign.
CREATE OR REPLACE TABLE facts AS
WITH numbered AS (
    SELECT
        i,
        CASE WHEN i % 20 = 19 THEN i - 1 ELSE i END AS base,
        CASE
            WHEN i % 20 < 11 THEN 'INI' WHEN i % 20 < 16 THEN 'INO' WHEN i % 20 = 16 THEN 'CRI'
            WHEN i % 20 = 17 THEN 'CRO' WHEN i % 20 = 18 THEN 'ACP' ELSE 'ACR'
        END AS document_type
    FROM range({documents}) AS numbers (i)
),
dated AS (
    SELECT
        *,
        CASE
            WHEN document_type IN ('INI', 'CRI') THEN 'AP' WHEN document_type IN ('INO', 'CRO') THEN 'AR' ELSE 'GL'
        END AS voucher_type,
        CASE WHEN document_type IN ('CRI', 'CRO', 'ACR') THEN -1 ELSE 1 END AS document_sign,
        CASE WHEN base % 5 = 0 THEN 28602 ELSE 28601 END AS owner_code,
        ['USD', 'EUR', 'NOK', 'SGD'][base % 4 + 1] AS currency_code,
        DATE '2024-11-01' + CAST(base % 730 AS INTEGER) AS base_date
    FROM numbered
)
SELECT
    *,
    5000000 + i AS document_key,
    CAST(2700000 + i AS VARCHAR) AS document_no,
    CASE owner_code WHEN 28601 THEN 'NOK' ELSE 'SGD' END AS company_currency,
    CASE
        WHEN (owner_code = 28601) = (currency_code = 'NOK') AND (owner_code = 28602) = (currency_code = 'SGD') THEN 100
        WHEN owner_code = 28601 THEN 1050 ELSE 135
    END AS rate_percent,
    CASE document_type
        WHEN 'ACP' THEN last_day(base_date) WHEN 'ACR' THEN CAST(last_day(base_date) + 1 AS DATE) ELSE base_date
    END AS document_date,
    CASE voucher_type
        WHEN 'AP' THEN CAST(60000 + base % 3000 AS VARCHAR) WHEN 'AR' THEN CAST(70000 + base % 2000 AS VARCHAR)
    END AS partner_code,
    CASE voucher_type WHEN 'AP' THEN '2400' WHEN 'AR' THEN '1500' ELSE '2960' END AS control_account,
    CASE voucher_type WHEN 'AR' THEN 1 ELSE -1 END AS control_sign,
    -- By twenties: an accrual is one in twenty, and each voyage has some.
    'V' || lpad(CAST(base // 20 % 100 AS VARCHAR), 3, '0') AS vessel_code,
    'V' || lpad(CAST(base // 20 % 100 AS VARCHAR), 3, '0') || '-' || CAST(2401 + base // 2000 % 20 AS VARCHAR) AS voyage_no,
    i % {held} = 0 AS is_held,
    i % {held} <> 0 AND i % {waiting} = 0 AS is_waiting,
    i % {held} = 0 OR i % {waiting} = 0 AS is_unsent,
    voucher_type <> 'GL' AND i % 3 = 0 AND i % {held} <> 0 AND i % {waiting} <> 0 AS is_paid,
    i % 6 = 0 AS is_half_paid
FROM dated;

-- The lines of a document; a reversal takes back the accrual before it, to the cent.
CREATE OR REPLACE TABLE line_facts AS
SELECT
    facts.i,
    lines.n,
    facts.document_sign * (1000 + (facts.base * 7919 + lines.n * 104729) % 900000) AS amount,
    facts.document_sign
    * CAST(round((1000 + (facts.base * 7919 + lines.n * 104729) % 900000) * facts.rate_percent / 100) AS BIGINT) AS company_amount,
    CAST(CASE facts.voucher_type WHEN 'AR' THEN 3000 ELSE 4300 END + lines.n * 10 AS VARCHAR) AS account
FROM facts CROSS JOIN range({lines}) AS lines (n);

CREATE OR REPLACE TABLE totals AS
SELECT i, CAST(sum(amount) AS BIGINT) AS amount, CAST(sum(company_amount) AS BIGINT) AS company_amount
FROM line_facts GROUP BY i;

-- What is paid of an invoice, in minor units as the invoice sees it; the payment's own rate is one percent off.
CREATE OR REPLACE TABLE paid AS
SELECT
    facts.i,
    80000000 + facts.i AS payment_db_id,
    CASE WHEN facts.is_half_paid THEN totals.amount // 2 ELSE totals.amount END AS amount,
    CAST(
        round(CASE WHEN facts.is_half_paid THEN totals.amount // 2 ELSE totals.amount END * facts.rate_percent * 1.01 / 100) AS BIGINT
    ) AS company_amount,
    facts.document_date + 20 AS paid_on,
    'XL' || CAST(80000000 + facts.i AS VARCHAR) || '-' || CAST(facts.document_key AS VARCHAR) AS payment_no,
    facts.i % {gone} = 0 AS is_gone,
    facts.i % {gone} <> 0 AND facts.i % {undone} = 0 AS is_undone
FROM facts INNER JOIN totals ON facts.i = totals.i
WHERE facts.is_paid;

-- Control rows, payments, exchange differences and rows typed by hand, as the ledger signs them.
CREATE OR REPLACE TABLE subledger AS
WITH booked AS (
    SELECT
        facts.*, totals.amount + CASE WHEN facts.i % {changed} = 0 THEN 100 ELSE 0 END AS amount, totals.company_amount,
        paid.amount AS paid_amount, paid.company_amount AS paid_company, paid.payment_db_id, paid.paid_on, paid.is_undone,
        CASE WHEN paid.i IS NOT NULL AND NOT paid.is_undone THEN facts.i + 1 ELSE 0 END AS match_id
    FROM facts INNER JOIN totals ON facts.i = totals.i LEFT JOIN paid ON facts.i = paid.i
    WHERE NOT facts.is_unsent AND facts.voucher_type <> 'GL'
),
unioned AS (
    SELECT
        voucher_type, 40000000 + i AS row_db_id, owner_code, control_sign * amount AS currency_units,
        control_sign * company_amount AS company_units,
        control_sign * (amount - CASE WHEN match_id <> 0 THEN paid_amount ELSE 0 END) AS remaining_units,
        CASE voucher_type WHEN 'AP' THEN 'F-' || CAST(i AS VARCHAR) ELSE document_no END AS invoice_number,
        document_date + 30 AS due_date, match_id, currency_code, partner_code, control_account, 'INVOICE' AS row_type,
        30000000 + i AS header_db_id, i + 1 AS voucher_no, document_no || ' Partner ' || partner_code AS header_text,
        document_date AS posted_date, TIMESTAMP '2026-01-01' AS imported_at, voucher_type AS source_code
    FROM booked
    UNION ALL
    SELECT
        voucher_type, payment_db_id, owner_code, -control_sign * paid_amount, -control_sign * paid_company,
        CASE WHEN match_id <> 0 THEN 0 ELSE -control_sign * paid_amount END,
        NULL, NULL, match_id, currency_code, partner_code, control_account, 'ELECTRONIC_PAYMENT',
        130000000 + i, 2000000 + i, 'Payment', paid_on, NULL, 'DR'
    FROM booked WHERE payment_db_id IS NOT NULL
    UNION ALL
    SELECT
        voucher_type, 180000000 + i, owner_code, 0, -control_sign * (company_amount - paid_company), 0, NULL, NULL, match_id,
        currency_code, partner_code, control_account, NULL, 130000000 + i, 2000000 + i, 'Payment', paid_on, NULL, 'DR'
    FROM booked WHERE match_id <> 0 AND NOT is_half_paid
    UNION ALL
    SELECT
        voucher_type, 190000000 + i, owner_code, 5000, 5000, 5000, NULL, NULL, 0, currency_code, partner_code, control_account, NULL,
        140000000 + i, 4000000 + i, 'Typed by hand', document_date, NULL, 'GL'
    FROM booked WHERE i % {by_hand} = 0
)
SELECT
    voucher_type, row_db_id, CASE owner_code WHEN 28601 THEN 1 ELSE 2 END AS owner_db_id,
    invoice_number, header_text AS row_text,
    currency_units * CAST('0.01' AS DECIMAL(38, 18)) AS invoice_amount,
    company_units * CAST('0.01' AS DECIMAL(38, 18)) AS amount,
    remaining_units * CAST('0.01' AS DECIMAL(38, 18)) AS invoice_remaining,
    due_date, match_id, currency_code, partner_code AS subledger_code, control_account AS account_code, row_type, header_db_id,
    voucher_no, header_text, posted_date, imported_at, source_code, 'fetch-1' AS fetch_id,
    TIMESTAMP '2026-11-02 07:00:00' AS fetched_at
FROM unioned;

-- The voucher of a document as it was sent: a control line (n = -1) against its lines.
CREATE OR REPLACE TABLE voucher_lines AS
SELECT
    facts.i, -1 AS n, facts.control_account AS account, CAST(facts.control_sign * totals.amount AS BIGINT) AS units,
    CAST(facts.control_sign * totals.company_amount AS BIGINT) AS company_units, 0 AS changed_units,
    facts.document_no || coalesce(' Partner ' || facts.partner_code, '') AS line_text
FROM facts INNER JOIN totals ON facts.i = totals.i
UNION ALL
SELECT
    facts.i, lines.n, lines.account, -facts.control_sign * lines.amount, -facts.control_sign * lines.company_amount,
    CASE WHEN facts.i % {changed} = 0 AND lines.n = 0 THEN -facts.control_sign * 100 ELSE 0 END, 'Line ' || CAST(lines.n AS VARCHAR)
FROM line_facts AS lines INNER JOIN facts ON lines.i = facts.i;

INSERT INTO stg_vms.documents BY NAME
SELECT
    document_key, document_no, document_date, document_type,
    CASE WHEN voucher_type = 'AP' THEN 'F-' || CAST(facts.i AS VARCHAR) END AS external_document_no,
    totals.amount * CAST('0.01' AS DECIMAL(38, 18)) AS document_amount,
    totals.company_amount * CAST('0.01' AS DECIMAL(38, 18)) AS company_currency_amount,
    CASE WHEN is_unsent THEN 'RFP' ELSE 'POS' END AS status_code,
    currency_code, CAST(owner_code AS VARCHAR) AS company_code, company_currency AS company_currency_code,
    partner_code, 'Partner ' || partner_code AS partner_name,
    CASE WHEN voucher_type = 'GL' THEN control_account END AS gl_account,
    CAST(document_date AS TIMESTAMP) AS modified_at,
    CASE WHEN voucher_type = 'GL' THEN totals.amount * 3 * CAST('0.01' AS DECIMAL(38, 18)) END AS estimate_amount_total,
    'fetch-1' AS fetch_id, TIMESTAMP '2026-11-02 07:00:00' AS fetched_at, md5(document_no) AS content_hash
FROM facts INNER JOIN totals ON facts.i = totals.i;

INSERT INTO stg_vms.document_lines BY NAME
SELECT
    facts.document_key, facts.document_key * 10 + lines.n AS line_key,
    lines.amount * CAST('0.01' AS DECIMAL(38, 18)) AS document_amount,
    lines.company_amount * CAST('0.01' AS DECIMAL(38, 18)) AS company_currency_amount,
    lines.account AS gl_account, 'Line ' || CAST(lines.n AS VARCHAR) AS line_text,
    CASE WHEN facts.document_type = 'ACR' AND facts.i % 40 = 19 THEN facts.document_key - 1 END AS ref_document_key,
    facts.i AS voyage_key, facts.voyage_no AS voyage_reference_no, 'fetch-1' AS fetch_id
FROM line_facts AS lines INNER JOIN facts ON lines.i = facts.i;

-- Each line counts for the vessel of its voyage, which has one code.
INSERT INTO stg_vms.document_line_vessel_codes BY NAME
SELECT
    facts.document_key, facts.document_key * 10 + lines.n AS line_key, facts.base // 20 % 100 AS code_key, facts.vessel_code,
    0 AS position, 'fetch-1' AS fetch_id
FROM line_facts AS lines INNER JOIN facts ON lines.i = facts.i;

INSERT INTO stg_vms.document_payment_terms BY NAME
SELECT
    document_key, document_key AS term_key, document_date + 30 AS due_date, CAST(100 AS DECIMAL(38, 18)) AS percentage,
    'fetch-1' AS fetch_id
FROM facts WHERE voucher_type <> 'GL';

INSERT INTO stg_vms.documents BY NAME
SELECT
    9000000 + facts.i AS document_key, paid.payment_no AS document_no, paid.paid_on AS document_date,
    CASE WHEN (facts.voucher_type = 'AP') = (facts.document_sign = 1) THEN 'PMO' ELSE 'PMI' END AS document_type,
    -paid.amount * CAST('0.01' AS DECIMAL(38, 18)) AS document_amount,
    -paid.company_amount * CAST('0.01' AS DECIMAL(38, 18)) AS company_currency_amount,
    CASE WHEN paid.is_gone THEN 'GONE' ELSE 'POS' END AS status_code,
    facts.currency_code, CAST(facts.owner_code AS VARCHAR) AS company_code, facts.partner_code,
    'fetch-1' AS fetch_id, TIMESTAMP '2026-11-02 07:00:00' AS fetched_at, md5(paid.payment_no) AS content_hash
FROM paid INNER JOIN facts ON paid.i = facts.i;

INSERT INTO stg_vms.document_lines BY NAME
SELECT
    9000000 + facts.i AS document_key, 90000000 + facts.i AS line_key,
    -paid.amount * CAST('0.01' AS DECIMAL(38, 18)) AS document_amount,
    -paid.company_amount * CAST('0.01' AS DECIMAL(38, 18)) AS company_currency_amount,
    facts.document_key AS ref_document_key, facts.document_no AS ref_document_no, 'fetch-1' AS fetch_id
FROM paid INNER JOIN facts ON paid.i = facts.i;

INSERT INTO stg_ledger.ap_rows BY NAME
SELECT * EXCLUDE (voucher_type) FROM subledger WHERE voucher_type = 'AP';

INSERT INTO stg_ledger.ar_rows BY NAME
SELECT * EXCLUDE (voucher_type) FROM subledger WHERE voucher_type = 'AR';

-- The books: what stands in the subledgers, the control rows of GL vouchers, cost and revenue lines, and the bank.
INSERT INTO stg_ledger.transactions BY NAME
SELECT
    400000000 + row_db_id AS transaction_db_id, owner_db_id, row_text, amount, invoice_amount, match_id, account_code,
    TRUE AS is_balance_sheet, subledger.currency_code, year(posted_date) AS period_year, month(posted_date) AS period_month,
    facts.vessel_code, facts.voyage_no AS project_code, header_db_id, voucher_no, header_text, posted_date, imported_at, source_code,
    fetch_id, fetched_at
FROM subledger LEFT JOIN facts ON subledger.header_db_id = 30000000 + facts.i;

INSERT INTO stg_ledger.transactions BY NAME
SELECT
    1400000000 + row_db_id AS transaction_db_id, owner_db_id, row_text, -amount AS amount, -invoice_amount AS invoice_amount,
    0 AS match_id, '1920' AS account_code, TRUE AS is_balance_sheet, currency_code, year(posted_date) AS period_year,
    month(posted_date) AS period_month, header_db_id, voucher_no, header_text, posted_date, imported_at, source_code,
    fetch_id, fetched_at
FROM subledger WHERE source_code NOT IN ('AP', 'AR');

INSERT INTO stg_ledger.transactions BY NAME
SELECT
    CASE WHEN lines.n < 0 THEN 2000000000 + facts.i ELSE 2100000000 + facts.i * 10 + lines.n END AS transaction_db_id,
    CASE facts.owner_code WHEN 28601 THEN 1 ELSE 2 END AS owner_db_id, lines.line_text AS row_text,
    lines.company_units * CAST('0.01' AS DECIMAL(38, 18)) AS amount,
    (lines.units + lines.changed_units) * CAST('0.01' AS DECIMAL(38, 18)) AS invoice_amount,
    0 AS match_id, lines.account AS account_code, lines.n < 0 AS is_balance_sheet, facts.currency_code,
    year(facts.document_date) AS period_year, month(facts.document_date) AS period_month, facts.vessel_code,
    facts.voyage_no AS project_code, 30000000 + facts.i AS header_db_id, facts.i + 1 AS voucher_no,
    facts.document_no || coalesce(' Partner ' || facts.partner_code, '') AS header_text, facts.document_date AS posted_date,
    TIMESTAMP '2026-01-01' AS imported_at, facts.voucher_type AS source_code, 'fetch-1' AS fetch_id, TIMESTAMP '2026-11-02 07:00:00' AS fetched_at
FROM voucher_lines AS lines INNER JOIN facts ON lines.i = facts.i
WHERE NOT facts.is_unsent AND (lines.n >= 0 OR facts.voucher_type = 'GL');

-- What was sent, and what is kept of it in the control store.
INSERT INTO ctl.outbox BY NAME
SELECT
    'v' || CAST(i AS VARCHAR) AS id, 'voucher' AS kind, CAST(document_key AS VARCHAR) AS natural_key, 'ledger' AS target,
    CAST(owner_code AS VARCHAR) AS company_code, owner_code, document_key, document_no, 'sent' AS state, 1 AS attempts,
    '2026-11-01T20:00:00.000000+00:00' AS updated_at
FROM facts WHERE NOT is_unsent;

INSERT INTO ctl.outbox BY NAME
SELECT
    'p' || CAST(paid.i AS VARCHAR) AS id, 'payment' AS kind, paid.payment_no AS natural_key, 'vms' AS target,
    facts.document_key, facts.document_no, 'sent' AS state, 1 AS attempts, '2026-11-01T20:00:00.000000+00:00' AS updated_at
FROM paid INNER JOIN facts ON paid.i = facts.i;

INSERT INTO ctl.outbox BY NAME
SELECT
    'a' || CAST(i AS VARCHAR) AS id, 'acknowledgement' AS kind, CAST(document_key AS VARCHAR) AS natural_key, 'vms' AS target,
    document_key, document_no, 'sent' AS state, 1 AS attempts, '2026-11-01T20:00:00.000000+00:00' AS updated_at
FROM facts WHERE NOT is_unsent;

INSERT INTO ctl.sent_vouchers BY NAME
SELECT
    'v' || CAST(i AS VARCHAR) AS id, document_key, document_no, CAST(owner_code AS VARCHAR) AS company_code, owner_code, voucher_type,
    CASE voucher_type WHEN 'AP' THEN 'F-' || CAST(i AS VARCHAR) ELSE document_no END AS invoice_no, partner_code AS subledger_no,
    currency_code AS currency, document_no || coalesce(' Partner ' || partner_code, '') AS header_text,
    30000000 + i AS header_db_id, 'sent' AS state, '2026-11-01T20:00:00.000000+00:00' AS updated_at
FROM facts WHERE NOT is_unsent;

INSERT INTO ctl.sent_lines BY NAME
SELECT
    'v' || CAST(facts.i AS VARCHAR) AS id, facts.document_key, lines.n + 2 AS item_no, lines.n < 0 AS is_control, facts.owner_code,
    lines.account, facts.vessel_code AS gl_object1, facts.voyage_no AS project, facts.currency_code AS currency,
    lines.units * CAST('0.01' AS DECIMAL(38, 4)) AS invoice_amount, lines.company_units * CAST('0.01' AS DECIMAL(38, 4)) AS amount,
    CASE WHEN lines.n < 0 THEN facts.partner_code END AS subledger_no,
    CASE facts.voucher_type WHEN 'AP' THEN 'F-' || CAST(facts.i AS VARCHAR) ELSE facts.document_no END AS invoice_no,
    lines.line_text, facts.document_date AS posted_date,
    CASE WHEN lines.n < 0 AND facts.voucher_type <> 'GL' THEN facts.document_date END AS invoice_date,
    CASE WHEN lines.n < 0 AND facts.voucher_type <> 'GL' THEN facts.document_date + 30 END AS due_date, 'sent' AS state,
    '2026-11-01T20:00:00.000000+00:00' AS updated_at
FROM voucher_lines AS lines INNER JOIN facts ON lines.i = facts.i WHERE NOT facts.is_unsent;

INSERT INTO ctl.payments BY NAME
SELECT
    'p' || CAST(paid.i AS VARCHAR) AS id, paid.payment_no AS document_no, paid.payment_db_id, facts.document_key, 1 AS part_no,
    -paid.amount * CAST('0.01' AS DECIMAL(38, 18)) AS document_amount, -paid.amount * CAST('0.01' AS DECIMAL(38, 18)) AS source_amount,
    -paid.company_amount * CAST('0.01' AS DECIMAL(38, 18)) AS company_amount, 'sent' AS state, '2026-11-01T20:00:00.000000+00:00' AS updated_at
FROM paid INNER JOIN facts ON paid.i = facts.i;

INSERT INTO ctl.holds BY NAME
SELECT
    i AS hold_id, CAST(owner_code AS VARCHAR) AS company, document_key, document_no, 'period_closed' AS rule, 'critical' AS severity,
    'The period is closed.' AS message, '2026-11-01T20:00:00.000000+00:00' AS since
FROM facts WHERE is_held;

INSERT INTO ctl.cursors BY NAME
SELECT unnest(['vms.documents.read', 'ledger.books']) AS source, '2026-11-02T07:00:00.000000+00:00' AS moved_at;

INSERT INTO stg_ledger.entities BY NAME
SELECT
    i AS entity_db_id, CAST(28600 + i AS VARCHAR) AS code, CASE i WHEN 1 THEN 'NOK' ELSE 'SGD' END AS currency_code,
    'fetch-1' AS fetch_id, TIMESTAMP '2026-11-02 07:00:00' AS fetched_at
FROM range(1, 3) AS numbers (i);

INSERT INTO stg_vms.partners BY NAME
SELECT
    i AS partner_key, CAST(i AS VARCHAR) AS partner_code, 'Partner ' || CAST(i AS VARCHAR) AS partner_name, 'AG' AS partner_type_code,
    'fetch-1' AS fetch_id, TIMESTAMP '2026-11-02 07:00:00' AS fetched_at
FROM range(60000, 63000) AS numbers (i);

INSERT INTO stg_ledger.suppliers BY NAME
SELECT
    i AS supplier_db_id, CAST(i AS VARCHAR) AS code, 'Partner ' || CAST(i AS VARCHAR) AS description, 1 AS owner_db_id,
    'fetch-1' AS fetch_id, TIMESTAMP '2026-11-02 07:00:00' AS fetched_at
FROM range(60000, 63000) AS numbers (i);

INSERT INTO stg_vms.voyages BY NAME
SELECT DISTINCT
    base // 20 % 100 * 100 + base // 2000 % 20 AS voyage_key, voyage_no AS reference_no, 'OPR' AS status_code,
    TIMESTAMP '2024-01-01' AS start_at, TIMESTAMP '2026-12-31' AS end_at, 'fetch-1' AS fetch_id, TIMESTAMP '2026-11-02 07:00:00' AS fetched_at
FROM facts;

INSERT INTO stg_vms.vessels BY NAME
SELECT
    i AS vessel_key, 'Vessel ' || CAST(i AS VARCHAR) AS vessel_name, 'fetch-1' AS fetch_id,
    TIMESTAMP '2026-11-02 07:00:00' AS fetched_at
FROM range(100) AS numbers (i);

INSERT INTO stg_vms.vessel_codes BY NAME
SELECT
    vessel_key, vessel_key AS code_key, 'V' || lpad(CAST(vessel_key AS VARCHAR), 3, '0') AS vessel_code, 0 AS position, fetch_id
FROM stg_vms.vessels;

INSERT INTO stg_vms.voyage_vessel_codes BY NAME
SELECT
    voyage_key, voyage_key // 100 AS code_key, 'V' || lpad(CAST(voyage_key // 100 AS VARCHAR), 3, '0') AS vessel_code,
    0 AS position, fetch_id
FROM stg_vms.voyages;

INSERT INTO stg_ledger.entity_dimensions BY NAME
SELECT 1 AS entity_db_id, 'glObject1' AS field_name, 5 AS object_kind_db_id, 'fetch-1' AS fetch_id;

INSERT INTO stg_ledger.object_values BY NAME
SELECT
    vessel_key AS object_value_db_id, codes.vessel_code AS code, vessels.vessel_name AS description, 1 AS owner_db_id,
    5 AS object_kind_db_id, vessels.fetch_id, vessels.fetched_at
FROM stg_vms.vessels AS vessels INNER JOIN stg_vms.vessel_codes AS codes USING (vessel_key);

INSERT INTO stg_ledger.projects BY NAME
SELECT
    voyage_key AS project_db_id, reference_no AS code, reference_no AS description, 1 AS owner_db_id,
    voyage_key // 100 AS gl_object1_db_id, DATE '2024-01-01' AS from_date, DATE '2026-12-31' AS to_date, 'fetch-1' AS fetch_id, TIMESTAMP '2026-11-02 07:00:00' AS fetched_at
FROM stg_vms.voyages;

INSERT INTO stg_vms.exchange_rates BY NAME
SELECT
    i AS rate_key, 'NOK' AS from_currency_code, 'USD' AS to_currency_code, CAST(0.1 AS DECIMAL(38, 18)) AS exchange_rate,
    DATE '2024-11-02' + CAST(i AS INTEGER) AS rate_date, 'fetch-1' AS fetch_id, TIMESTAMP '2026-11-02 07:00:00' AS fetched_at
FROM range(731) AS numbers (i);

INSERT INTO stg_ledger.exchange_rates BY NAME
SELECT
    i AS rate_db_id, 1 AS owner_db_id, 'USD' AS from_currency_code, 'NOK' AS to_currency_code, 1 AS currency_unit,
    CAST(10 AS DECIMAL(38, 18)) AS exchange_rate, DATE '2024-11-02' + CAST(i AS INTEGER) AS from_date,
    'fetch-1' AS fetch_id, TIMESTAMP '2026-11-02 07:00:00' AS fetched_at
FROM range(731) AS numbers (i);

DROP TABLE facts;
DROP TABLE line_facts;
DROP TABLE totals;
DROP TABLE paid;
DROP TABLE subledger;
DROP TABLE voucher_lines;
