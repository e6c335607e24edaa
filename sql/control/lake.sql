-- What a batch forgets when its working database was filled from the lake.

-- name: forget_published
DELETE FROM meta
WHERE name LIKE 'published.%';

-- name: forget_built
DELETE FROM meta
WHERE name LIKE '%built_from' OR name LIKE '%noted_from';

-- name: forget_cursors
DELETE FROM cursors;

-- name: set_cursor
INSERT INTO cursors (source, value, batch_id, moved_at) VALUES (?, ?, ?, ?);
