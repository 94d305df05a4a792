-- Milliseconds from acceptance within which a task must have ended.
ALTER TABLE task ADD COLUMN deadline_ms INTEGER;
