-- One row: the day of the batch, and when the documents of the VMS and the books of the ledger were read last.
-- Answers: How old are the figures of both sides?
-- Read by: every comparison that shows when it was read.
-- grain: today
WITH confirmed AS (
    SELECT
        cursors.source,
        -- The control store's times are UTC as text.
        CAST(REPLACE(SUBSTRING(cursors.moved_at, 1, 26), 'T', ' ') AS TIMESTAMP) AS read_at
    FROM
        ctl.cursors AS cursors
)

SELECT
    settings.today,  -- the day of the batch
    MAX(CASE WHEN confirmed.source = 'vms.documents.read' THEN confirmed.read_at END)
        AS documents_read_at,  -- when the list of documents in the VMS was last read, UTC
    MAX(CASE WHEN confirmed.source = 'ledger.books' THEN confirmed.read_at END)
        AS books_read_at  -- when the ledger's books were last read, UTC
FROM
    seed.settings AS settings
LEFT JOIN confirmed
    ON confirmed.source IN ('vms.documents.read', 'ledger.books')
GROUP BY
    settings.today
