-- How much tenants and keys may use. A subject is `key:` and the id of the first key of a line in 16 hexadecimal digits,
-- or `tenant:` and the tenant's id in 32.
CREATE TABLE quota (
    subject          TEXT PRIMARY KEY,
    -- The name, of a tenant.
    tenant           TEXT,
    tasks_live_max   INTEGER,
    requests_per_s   INTEGER,
    requests_burst   INTEGER,
    tokens_per_min   INTEGER,
    kv_mb_max        INTEGER,
    weight           INTEGER,
    revision         INTEGER NOT NULL,
    put_at_ms        INTEGER NOT NULL,
    put_by           BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What was used of quotas and flows back with time: how much that was at a moment.
CREATE TABLE quota_level (
    subject          TEXT PRIMARY KEY,
    request_units    INTEGER NOT NULL,
    request_at_ms    INTEGER NOT NULL,
    token_units      INTEGER NOT NULL,
    token_at_ms      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Queues that were ever held; the empty name is the switch of all pools together.
CREATE TABLE queue_pause (
    pool             TEXT PRIMARY KEY,
    paused           INTEGER NOT NULL,
    at_ms            INTEGER NOT NULL,
    by               BLOB NOT NULL
) STRICT, WITHOUT ROWID;
