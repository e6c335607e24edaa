-- One document that a side has no row of, with when that side was read last: as of then it is not there.
-- By itself, so that a reading that brings nothing changes no other row of rec.documents.
-- Answers: As of when is something missing on a side?
-- Read by: rec.documents.
-- grain: document_key
SELECT
    facts.document_key,  -- database id of the document in the VMS
    readings.documents_read_at,  -- when the list of documents in the VMS was last read, UTC
    readings.books_read_at  -- when the ledger's books were last read, UTC
FROM
    rec.document_facts AS facts
CROSS JOIN rec.readings AS readings
WHERE
    facts.fetched_at IS NULL
    OR facts.ledger_fetched_at IS NULL
