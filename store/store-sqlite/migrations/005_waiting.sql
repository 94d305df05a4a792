-- Which task an idempotency key stands for. `number` rises without gaps and rows go from its low end, so that the
-- table is written at one end and shortened at the other; that a key is there once is held in memory. Of the key
-- there are 128 bits of a hash, which its tenant is part of.
CREATE TABLE idempotency (
    number INTEGER PRIMARY KEY,
    key    BLOB NOT NULL,
    task   BLOB NOT NULL,
    at_ms  INTEGER NOT NULL
) STRICT;

-- Earliest start, in milliseconds since 1970.
ALTER TABLE task ADD COLUMN run_at_ms INTEGER;
