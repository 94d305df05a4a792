-- Between when and when the start was expected at acceptance.
ALTER TABLE task ADD COLUMN accepted_low_ms INTEGER;
ALTER TABLE task ADD COLUMN accepted_high_ms INTEGER;
