-- One company and side with the control account that its vouchers stand on: where nothing else says it of a document.
-- Answers: On which control account does a company's document stand?
-- Read by: rec.control_documents.
-- grain: company_code, voucher_type
SELECT
    sent.company_code,  -- VMS company
    sent.voucher_type,  -- AP | AR
    MAX(sent.control_account) AS account  -- GL account that carries suppliers or customers
FROM
    rec.sent_vouchers AS sent
GROUP BY
    sent.company_code,
    sent.voucher_type
