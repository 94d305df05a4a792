-- How long a session lives, if not as configured, and who said so last.
ALTER TABLE session ADD COLUMN ttl_ms INTEGER;
ALTER TABLE session ADD COLUMN put_at_ms INTEGER;
ALTER TABLE session ADD COLUMN put_by BLOB;
