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
