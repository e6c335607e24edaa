-- One line of such a document; what rounding has left over stands on its largest line, in each currency by itself.
WITH lines AS (
    SELECT
        lines._dlt_parent_id AS document_id,
        lines.key,
        lines.gl_account,
        lines.document_line_text,
        lines.voyage__voyage_header__reference_no AS project,
        codes.vessel_code,
        codes.pool__pool_code,
        CAST(lines.document_amount AS DECIMAL(18, 2)) AS invoiceAmount,
        CAST(lines.company_currency_amount AS DECIMAL(18, 2)) AS amount
    FROM
        {{ source('vms', 'documents__document_lines') }} AS lines
    LEFT JOIN {{ source('vms', 'documents__document_lines__voyage__vessel__vessel_codes') }} AS codes
        ON lines._dlt_id = codes._dlt_parent_id AND codes._dlt_list_idx = 0
),

placed AS (
    SELECT
        *,
        COUNT(*) OVER document AS line_count,
        SUM(invoiceAmount) OVER document AS currency_sum,
        SUM(amount) OVER document AS company_sum,
        ROW_NUMBER() OVER (document ORDER BY key) AS line_no,
        ROW_NUMBER() OVER (document ORDER BY ABS(invoiceAmount) DESC, key) AS currency_place,
        ROW_NUMBER() OVER (document ORDER BY ABS(amount) DESC, key) AS company_place
    FROM
        lines
    WINDOW
        document AS (PARTITION BY document_id)
),

gaps AS (
    SELECT
        placed.*,
        documents.invoiceAmount - placed.currency_sum AS currency_gap,
        documents.amount - placed.company_sum AS company_gap
    FROM
        placed
    INNER JOIN {{ ref('documents') }} AS documents
        ON placed.document_id = documents.document_id
)

SELECT
    document_id,
    line_no,
    gl_account AS account,
    SUBSTRING(document_line_text, 1, 100) AS text,
    vessel_code AS glObject1,
    project,
    COALESCE(pool__pool_code, 'DLVMS') AS xgl,
    CASE
        WHEN GREATEST(ABS(currency_gap), ABS(company_gap)) > 0.05 * line_count
            THEN ERROR('lines do not add up to the total')
        WHEN currency_place = 1 THEN invoiceAmount + currency_gap
        ELSE invoiceAmount
    END AS invoiceAmount,
    CASE WHEN company_place = 1 THEN amount + company_gap ELSE amount END AS amount
FROM
    gaps
