-- What a session may use, and what it has used of what is limited. `began_seq` is the task it began with.
ALTER TABLE session ADD COLUMN began_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN budget_tokens INTEGER;
ALTER TABLE session ADD COLUMN budget_time_ms INTEGER;
ALTER TABLE session ADD COLUMN budget_cost_micros INTEGER;
ALTER TABLE session ADD COLUMN spent_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN spent_time_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN spent_cost_micros INTEGER NOT NULL DEFAULT 0;
