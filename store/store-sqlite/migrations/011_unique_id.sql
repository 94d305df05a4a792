-- The index guards ids by itself, so that no look-up goes before each new task. Who finds a task by its id reads its row.
DROP INDEX task_by_id;
CREATE UNIQUE INDEX task_by_id ON task (id);
