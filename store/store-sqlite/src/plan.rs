//! How SQLite would carry out a statement.

use rusqlite::Connection;

/// The newest tables, without rows.
pub(crate) fn empty_store() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(include_str!("../schema.sql"))
        .unwrap();
    connection
}

/// The steps of its plan.
pub(crate) fn steps(connection: &Connection, sql: &str) -> Vec<String> {
    let mut plan = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    for place in 1..=plan.parameter_count() {
        plan.raw_bind_parameter(place, 1).unwrap();
    }
    let mut rows = plan.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get(3).unwrap());
    }
    steps
}

/// Does it collect rows in a table of its own before it writes them?
pub(crate) fn collects(connection: &Connection, sql: &str) -> bool {
    let mut program = connection.prepare(&format!("EXPLAIN {sql}")).unwrap();
    for place in 1..=program.parameter_count() {
        program.raw_bind_parameter(place, 1).unwrap();
    }
    let mut rows = program.raw_query();
    while let Some(row) = rows.next().unwrap() {
        let operation: String = row.get(1).unwrap();
        if operation == "OpenEphemeral" {
            return true;
        }
    }
    false
}

/// True if it looks at every row of a table.
pub(crate) fn scans(steps: &[String]) -> bool {
    steps
        .iter()
        .any(|step| step.starts_with("SCAN") && !step.contains("CONSTANT ROW"))
}

/// True if it sorts what it found.
pub(crate) fn sorts(steps: &[String]) -> bool {
    steps.iter().any(|step| step.contains("TEMP B-TREE"))
}
