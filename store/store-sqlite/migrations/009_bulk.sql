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
