-- One line of a voucher, in the names of the ledger's import: the control line first, vessel and voyage where all agree.
WITH dimensions AS (
    SELECT
        document_id,
        CASE WHEN COUNT(glObject1) = COUNT(*) AND MIN(glObject1) = MAX(glObject1) THEN MIN(glObject1) END AS glObject1,
        CASE WHEN COUNT(project) = COUNT(*) AND MIN(project) = MAX(project) THEN MIN(project) END AS project
    FROM
        {{ ref('document_lines') }}
    GROUP BY
        document_id
),

all_lines AS (
    SELECT
        documents.document_id,
        1 AS trItemNumber,
        documents.account,
        documents.text,
        dimensions.glObject1,
        dimensions.project,
        NULL AS xgl,
        NULL AS glObject3,
        documents.subledger,
        documents.bankAccount,
        documents.dueDate,
        documents.postedDate AS invoiceDate,
        -documents.invoiceAmount AS invoiceAmount,
        -documents.amount AS amount
    FROM
        {{ ref('documents') }} AS documents
    INNER JOIN dimensions
        ON documents.document_id = dimensions.document_id
    UNION ALL
    SELECT
        documents.document_id,
        lines.line_no + 1,
        lines.account,
        lines.text,
        lines.glObject1,
        lines.project,
        lines.xgl,
        documents.glObject3,
        NULL,
        NULL,
        NULL,
        NULL,
        lines.invoiceAmount,
        lines.amount
    FROM
        {{ ref('document_lines') }} AS lines
    INNER JOIN {{ ref('documents') }} AS documents
        ON lines.document_id = documents.document_id
)

SELECT
    documents.trRegNumber,
    lines.trItemNumber,
    documents.extOrderNumber,
    'AP' AS transactionSource,
    1 AS jobLevel,
    documents.owner,
    lines.account,
    lines.text,
    lines.glObject1,
    lines.project,
    lines.xgl,
    lines.glObject3,
    lines.subledger,
    lines.bankAccount,
    documents.currency,
    CAST(lines.invoiceAmount AS VARCHAR) AS invoiceAmount,
    CAST(lines.amount AS VARCHAR) AS amount,
    CAST(documents.postedDate AS VARCHAR) AS postedDate,
    CAST(lines.invoiceDate AS VARCHAR) AS invoiceDate,
    CAST(lines.dueDate AS VARCHAR) AS dueDate,
    documents.invoiceNumber,
    documents.extIdentifier
FROM
    all_lines AS lines
INNER JOIN {{ ref('documents') }} AS documents
    ON lines.document_id = documents.document_id
