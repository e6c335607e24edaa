-- One number of a company's accruals of a type, with the document that has it; of several the first.
-- Answers: Which accrual is meant by a number?
-- Read by: close.accrual_reversals.
-- grain: company_code, document_type, document_no
SELECT
    accruals.document_key,
    accruals.document_no,  -- number of the document in the VMS
    accruals.document_type,
    accruals.company_code  -- VMS company
FROM
    close.accrual_entries AS accruals
WHERE
    accruals.reverses_type IS NULL
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY accruals.company_code, accruals.document_type, accruals.document_no
        ORDER BY accruals.document_key, accruals.voyage_no, accruals.account
    ) = 1
