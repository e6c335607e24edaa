-- One document with its state, and what has drifted since it was posted.
-- Answers: Does the document agree on both sides, and if not, where does it stand?
-- Read by: rec.documents.
-- grain: document_key
-- parts: document_key
WITH tolerances AS (
    SELECT
        MAX(CASE WHEN tolerances.measure = 'document_amount' THEN tolerances.tolerance END) AS document_amount,
        MAX(CASE WHEN tolerances.measure = 'company_amount' THEN tolerances.tolerance END) AS company_amount
    FROM
        seed.tolerances AS tolerances
),

compared AS (
    SELECT
        facts.document_key,
        facts.outbox_state,
        facts.status_code,
        facts.import_state,
        facts.header_db_id IS NOT NULL AS is_booked,
        -- A document that carries both sides itself may come to nothing all along: then vouchers are counted.
        facts.ledger_amount = 0 AND facts.ledger_company_amount = 0
        AND (
            COALESCE(facts.sent_amount <> 0 OR facts.sent_company_amount <> 0, TRUE) OR facts.standing_count = 0
        ) AS is_nothing_left,
        COALESCE(facts.sent_amount = 0 AND facts.sent_company_amount = 0 AND facts.standing_count <> 1, FALSE)
            AS is_count_wrong,
        facts.again IS NOT NULL AS is_again,
        facts.reversals IS NOT NULL AS is_reversed,
        facts.ledger_changes IS NOT NULL AS is_changed_in_ledger,
        facts.vms_changes IS NOT NULL AS is_changed_in_vms,
        facts.vat_difference IS NOT NULL AS is_vat_different,
        facts.duplicate_reasons IS NOT NULL AS is_duplicate,
        facts.reject_messages IS NOT NULL AS is_set_aside,
        facts.ignore_reason IS NOT NULL AS is_ignored,
        facts.hold_messages IS NOT NULL AS is_held,
        facts.acknowledgement_state IS NOT NULL AS is_unacknowledged,
        COALESCE(ABS(facts.ledger_amount - facts.amount) > tolerances.document_amount, FALSE)
        OR COALESCE(ABS(facts.ledger_company_amount - facts.company_amount) > tolerances.company_amount, FALSE)
            AS is_amount_moved,
        COALESCE(ABS(facts.ledger_amount - facts.sent_amount) > tolerances.document_amount, FALSE)
        OR COALESCE(ABS(facts.ledger_company_amount - facts.sent_company_amount) > tolerances.company_amount, FALSE)
            AS is_amount_moved_in_ledger,
        COALESCE(ABS(facts.amount - facts.sent_amount) > tolerances.document_amount, FALSE)
        OR COALESCE(ABS(facts.company_amount - facts.sent_company_amount) > tolerances.company_amount, FALSE)
            AS is_amount_moved_in_vms,
        facts.status_code IN ('PEN', 'INV')
        OR (facts.status_code = 'RFP' AND facts.acknowledgement_state IS NULL) AS is_status_moved
    FROM
        rec.document_facts AS facts
    CROSS JOIN tolerances
),

judged AS (
    SELECT
        document_key,
        CASE
            -- The first case that applies wins. What the ledger refuses or still imports comes before "only in VMS", because
            -- its voucher is not lost; what was sent comes before holds and ignores, because these stop only what is not sent.
            WHEN outbox_state = 'sent' AND NOT is_booked AND import_state = 'refused' THEN 'rejected'
            WHEN outbox_state = 'sent' AND NOT is_booked AND import_state = 'waiting' THEN 'waiting'
            -- Deleted in the VMS, and in the ledger deleted or reversed to zero: both sides agree, nobody has to act.
            WHEN outbox_state = 'sent' AND status_code = 'GONE' AND (NOT is_booked OR is_nothing_left) THEN 'agreed'
            WHEN outbox_state = 'sent' AND NOT is_booked THEN 'only in VMS'
            WHEN outbox_state = 'sent' AND status_code = 'GONE' THEN 'only in ledger'
            WHEN is_set_aside THEN 'rejected'
            WHEN outbox_state = 'sent' AND is_amount_moved THEN 'amount differs'
            WHEN
                outbox_state = 'sent'
                AND (
                    is_changed_in_ledger OR is_changed_in_vms OR is_vat_different OR is_duplicate OR is_status_moved
                    OR is_count_wrong
                )
                THEN 'fields differ'
            WHEN outbox_state = 'sent' AND is_unacknowledged AND status_code = 'RFP' THEN 'waiting'
            WHEN outbox_state = 'sent' THEN 'agreed'
            WHEN outbox_state IN ('sending', 'unknown') THEN 'unknown'
            WHEN is_ignored THEN 'ignored'
            WHEN is_held AND status_code = 'RFP' THEN 'held'
            WHEN outbox_state = 'failed' AND status_code = 'RFP' THEN 'rejected'
            WHEN status_code = 'RFP' THEN 'waiting'
            ELSE 'only in VMS'
        END AS state
    FROM
        compared
)

SELECT
    compared.document_key,  -- database id of the document in the VMS
    judged.state,  -- agreed | waiting | held | unknown | rejected | amount differs | fields differ | only in VMS | only in ledger | ignored
    CASE
        WHEN
            compared.outbox_state = 'sent'
            AND judged.state IN ('amount differs', 'fields differ', 'only in VMS', 'only in ledger')
            THEN
                NULLIF(
                    CONCAT_WS(
                        ', ',
                        CASE
                            WHEN compared.is_booked THEN NULL
                            WHEN compared.import_state = 'removed' THEN 'removed from the import'
                            ELSE 'deleted in the ledger'
                        END,
                        CASE WHEN compared.status_code = 'GONE' THEN 'deleted in the VMS' END,
                        CASE
                            WHEN (compared.is_amount_moved OR compared.is_count_wrong) AND compared.is_reversed
                                THEN 'reversed in the ledger'
                        END,
                        CASE
                            WHEN (compared.is_amount_moved OR compared.is_count_wrong) AND compared.is_again
                                THEN 'booked twice'
                        END,
                        CASE
                            WHEN
                                compared.is_amount_moved_in_ledger AND compared.is_amount_moved
                                AND NOT compared.is_reversed AND NOT compared.is_again
                                THEN 'amount changed in the ledger'
                        END,
                        CASE
                            WHEN compared.is_amount_moved_in_vms AND compared.is_amount_moved
                                THEN 'amount changed in the VMS'
                        END,
                        CASE
                            WHEN compared.is_changed_in_ledger AND NOT compared.is_amount_moved_in_ledger
                                THEN 'lines changed in the ledger'
                        END,
                        CASE
                            WHEN compared.is_changed_in_vms AND NOT compared.is_amount_moved_in_vms
                                THEN 'changed in the VMS'
                        END,
                        CASE WHEN compared.is_vat_different THEN 'VAT differs' END,
                        CASE WHEN compared.is_status_moved THEN 'status moved in the VMS' END,
                        CASE WHEN compared.is_duplicate THEN 'suspected duplicate' END
                    ),
                    ''
                )
    END AS drift  -- what moved after posting; null: nothing
FROM
    compared
INNER JOIN judged
    ON compared.document_key = judged.document_key
