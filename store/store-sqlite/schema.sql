-- The tables of the newest version, folded: what replaying `migrations/` gives. For reading; a test compares.

-- Who owns the data, and how far the log got. Every commit moves this row first.
CREATE TABLE ownership (
    shard      INTEGER PRIMARY KEY,
    epoch      INTEGER NOT NULL,
    commit_seq INTEGER NOT NULL,
    accept_seq INTEGER NOT NULL
) STRICT;

INSERT INTO ownership (shard, epoch, commit_seq, accept_seq) VALUES (0, 0, 0, 0);

-- One row per commit; events are packed as `store::Event` says. (commit_seq, index) orders the feed.
CREATE TABLE commit_log (
    commit_seq INTEGER PRIMARY KEY,
    epoch      INTEGER NOT NULL,
    at_ms      INTEGER NOT NULL,
    events     BLOB NOT NULL
) STRICT;

-- One row per task, in the order of acceptance. Ids are 16 bytes, those of tenant, project and principal
-- without leading zero bytes (the reserved ones are empty), digests 32. A column of type ANY holds a
-- double exactly as it came.
CREATE TABLE task (
    seq                    INTEGER PRIMARY KEY,
    tenant                 BLOB NOT NULL,
    project                BLOB NOT NULL,
    created_by             BLOB NOT NULL,
    id                     BLOB NOT NULL,
    fingerprint            BLOB NOT NULL,
    kind                   TEXT NOT NULL,
    prompt_digest          BLOB NOT NULL,
    prompt_bytes           INTEGER NOT NULL,
    prompt_tokens_estimate INTEGER NOT NULL,
    prompt_tokens_least    INTEGER NOT NULL,
    model_ref              TEXT,
    engine                 TEXT,
    ctx                    INTEGER,
    max_tokens             INTEGER NOT NULL,
    ignore_eos             INTEGER NOT NULL,
    temperature            ANY NOT NULL,
    top_k                  INTEGER NOT NULL,
    top_p                  ANY NOT NULL,
    min_p                  ANY NOT NULL,
    repeat_penalty         ANY NOT NULL,
    seed                   INTEGER NOT NULL,
    determinism            TEXT NOT NULL,
    priority               TEXT NOT NULL,
    session                BLOB,
    on_disconnect          TEXT NOT NULL,
    accepted_at_ms         INTEGER NOT NULL,
    accepted_position      INTEGER NOT NULL,
    accepted_eta_ms        INTEGER NOT NULL,
    -- What follows changes; revision guards each change.
    revision               INTEGER NOT NULL,
    state                  TEXT NOT NULL,
    waiting_for            TEXT,
    attempts               INTEGER NOT NULL,
    failures               INTEGER NOT NULL,
    interruptions          INTEGER NOT NULL,
    attempt_id             BLOB,
    attempt_number         INTEGER,
    attempt_replica        TEXT,
    replica_set            BLOB,
    started_at_ms          INTEGER,
    started_replica        TEXT,
    started_engine         TEXT,
    started_engine_version TEXT,
    started_model_digest   BLOB,
    position               INTEGER NOT NULL,
    not_before_ms          INTEGER,
    ended_at_ms            INTEGER,
    end_finish             TEXT,
    end_tokens_in          INTEGER,
    end_tokens_out         INTEGER,
    end_decode_ms          INTEGER,
    end_fault              TEXT,
    end_detail             TEXT,
    -- Fixed at acceptance; these came later.
    deadline_ms            INTEGER,
    run_at_ms              INTEGER,
    accepted_low_ms        INTEGER,
    accepted_high_ms       INTEGER
) STRICT;

-- Ids made by us rise with time, so that this index grows at its end; ids of the caller's own need not.
CREATE INDEX task_by_session ON task (session, tenant, seq, project, created_by) WHERE session IS NOT NULL;
CREATE INDEX task_by_state ON task (state, tenant, seq, priority, project, created_by);
CREATE UNIQUE INDEX task_by_id ON task (id);

-- The part of a request that is written once. Its tenant, project and creator are those of the task.
CREATE TABLE task_body (
    task     INTEGER PRIMARY KEY,
    prompt   TEXT NOT NULL,
    -- Pairs of key and value as JSON, in the caller's order.
    metadata TEXT
) STRICT;

-- Tokens from_token..to_token of a text that is not whole yet. `ends` holds the length of each token in
-- bytes as LEB128.
CREATE TABLE chunk (
    task       INTEGER NOT NULL,
    from_token INTEGER NOT NULL,
    to_token   INTEGER NOT NULL,
    attempt    BLOB NOT NULL,
    text       TEXT NOT NULL,
    ends       BLOB NOT NULL,
    PRIMARY KEY (task, from_token)
) STRICT, WITHOUT ROWID;

-- The whole text, in place of the chunks.
CREATE TABLE task_text (
    task   INTEGER PRIMARY KEY,
    tokens INTEGER NOT NULL,
    text   TEXT NOT NULL,
    ends   BLOB NOT NULL
) STRICT;

CREATE TABLE attempt (
    task           INTEGER NOT NULL,
    number         INTEGER NOT NULL,
    id             BLOB NOT NULL,
    replica        TEXT NOT NULL,
    replica_set    BLOB NOT NULL,
    epoch          INTEGER NOT NULL,
    began_at_ms    INTEGER NOT NULL,
    ended_at_ms    INTEGER,
    state          TEXT NOT NULL,
    finish         TEXT,
    fault          TEXT,
    first_token_ms INTEGER,
    detail         TEXT NOT NULL,
    PRIMARY KEY (task, number)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX attempt_by_id ON attempt (id);
CREATE INDEX attempt_live ON attempt (task, number) WHERE state = 'live';

CREATE TABLE session (
    id                 BLOB NOT NULL,
    tenant             BLOB NOT NULL,
    turns              INTEGER NOT NULL,
    replica            TEXT,
    touched_at_ms      INTEGER NOT NULL,
    -- Sequence of the task it began with; what follows came later.
    began_seq          INTEGER NOT NULL DEFAULT 0,
    budget_tokens      INTEGER,
    budget_time_ms     INTEGER,
    budget_cost_micros INTEGER,
    spent_tokens       INTEGER NOT NULL DEFAULT 0,
    spent_time_ms      INTEGER NOT NULL DEFAULT 0,
    spent_cost_micros  INTEGER NOT NULL DEFAULT 0,
    -- Lives as configured if null.
    ttl_ms             INTEGER,
    -- Who put it last, and when; null if nobody has.
    put_at_ms          INTEGER,
    put_by             BLOB,
    PRIMARY KEY (id, tenant)
) STRICT, WITHOUT ROWID;

-- Who may call. Of a key itself there is nothing here: `mac` is a code to check it by, made under the daemon's own
-- key, which `server_key` tells from others. Rows are never deleted, since tasks name their creators.
CREATE TABLE api_key (
    id            INTEGER PRIMARY KEY,
    mac           BLOB NOT NULL,
    server_key    BLOB NOT NULL,
    -- The name; the id in the other tables follows from it.
    tenant        TEXT NOT NULL,
    project       BLOB,
    name          TEXT NOT NULL,
    -- Names, sorted, with commas between.
    scopes        TEXT NOT NULL,
    class_max     TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    created_by    BLOB NOT NULL,
    -- What follows changes.
    expires_at_ms INTEGER,
    revoked_at_ms INTEGER,
    replaced_by   INTEGER
) STRICT;

-- Which task an idempotency key stands for. `number` rises without gaps and rows go from its low end, so that the
-- table is written at one end and shortened at the other; that a key is there once is held in memory. Of the key
-- there are 128 bits of a hash, which its tenant is part of.
CREATE TABLE idempotency (
    number INTEGER PRIMARY KEY,
    key    BLOB NOT NULL,
    task   BLOB NOT NULL,
    at_ms  INTEGER NOT NULL
) STRICT;

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

-- Commands over many tasks: what each is about, how far its walk over the live tasks has come, and what it met.
CREATE TABLE bulk (
    id                 BLOB PRIMARY KEY,
    tenant             BLOB NOT NULL,
    action             TEXT NOT NULL,
    project            BLOB,
    state              TEXT,
    priority           TEXT,
    session            BLOB,
    accepted_from_ms   INTEGER,
    accepted_before_ms INTEGER,
    begun_by           BLOB NOT NULL,
    begun_at_ms        INTEGER NOT NULL,
    -- Accept sequence of the newest task that it may touch.
    through            INTEGER NOT NULL,
    -- What follows changes.
    place              BLOB,
    matched            INTEGER NOT NULL,
    changed            INTEGER NOT NULL,
    ended_at_ms        INTEGER
) STRICT, WITHOUT ROWID;
