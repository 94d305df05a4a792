//! Versions of the tables. Each migration runs once, in a transaction of its own, and only on the version
//! just before it.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};
use store::OpenError;

use crate::file::{damaged, unusable};

/// Marks the file as ours in its header: "orch".
const APPLICATION_ID: u32 = 0x6f72_6368;

/// What brings a file to version 1, 2, and so on. Never edited once released.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/001_first.sql"),
    include_str!("../migrations/002_deadline.sql"),
    include_str!("../migrations/003_keys.sql"),
    include_str!("../migrations/004_lists.sql"),
    include_str!("../migrations/005_waiting.sql"),
    include_str!("../migrations/006_quota.sql"),
    include_str!("../migrations/007_predictions.sql"),
    include_str!("../migrations/008_budgets.sql"),
    include_str!("../migrations/009_bulk.sql"),
    include_str!("../migrations/010_session_put.sql"),
    include_str!("../migrations/011_unique_id.sql"),
];

const NEWEST: u32 = MIGRATIONS.len() as u32;

/// Refuses a file that says of itself that it is another program's or a newer version's.
pub(crate) fn check_marks(path: &Path, application: u32, version: u32) -> Result<(), OpenError> {
    let reason = if application != APPLICATION_ID && application != 0 {
        "it belongs to another program; give the daemon another data directory".to_owned()
    } else if application == APPLICATION_ID && version > NEWEST {
        format!(
            "its tables are of version {version}, this program knows {NEWEST}; use the program that wrote it \
             or a newer one, or give the daemon another data directory"
        )
    } else {
        return Ok(());
    };
    Err(OpenError::Unusable {
        path: path.to_owned(),
        reason,
    })
}

/// Refuses a file that is not ours, not readable, or of a newer version; writes nothing.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let (application, version, tables) =
        marks(connection).map_err(|error| unusable(path, &error))?;
    if application == 0 && (version != 0 || tables != 0) {
        return check_marks(path, u32::MAX, version);
    }
    check_marks(path, application, version)
}

/// Runs what is missing. A file of an earlier version is read whole before anything of it is changed, so that one
/// that is damaged stays as it was.
pub(crate) fn run(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    bring_to_newest(connection, path, MIGRATIONS)
}

fn bring_to_newest(
    connection: &mut Connection,
    path: &Path,
    migrations: &[&str],
) -> Result<(), OpenError> {
    let unusable = |error| unusable(path, &error);
    let (_, version, _) = marks(connection).map_err(unusable)?;
    if version > 0 && (version as usize) < migrations.len() {
        check_whole(connection, path)?;
    }
    replay(connection, migrations).map_err(unusable)
}

/// Refuses a file of which some page or index is damaged.
fn check_whole(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let found: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| unusable(path, &error))?;
    match found.as_str() {
        "ok" => Ok(()),
        found => Err(damaged(path, &format!("it is damaged ({})", found.trim()))),
    }
}

fn replay(connection: &mut Connection, migrations: &[&str]) -> rusqlite::Result<()> {
    for (version, migration) in (1u32..).zip(migrations) {
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (_, current, _) = marks(&step)?;
        if current + 1 == version {
            step.execute_batch(migration)?;
            step.pragma_update(None, "application_id", APPLICATION_ID)?;
            step.pragma_update(None, "user_version", version)?;
            step.commit()?;
        }
    }
    Ok(())
}

fn marks(connection: &Connection) -> rusqlite::Result<(u32, u32, u32)> {
    connection.query_row(
        "SELECT (SELECT application_id FROM pragma_application_id), \
                (SELECT user_version FROM pragma_user_version), \
                (SELECT count(*) FROM sqlite_schema)",
        [],
        |row| {
            Ok((
                row.get::<_, i32>(0)?.cast_unsigned(),
                row.get::<_, i32>(1)?.cast_unsigned(),
                row.get(2)?,
            ))
        },
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;

    /// Every table and index with its columns, as SQLite itself sees them.
    fn shape(connection: &Connection) -> BTreeMap<String, Vec<String>> {
        let list = |sql: &str, name: &str| -> Vec<String> {
            let mut statement = connection.prepare(sql).unwrap();
            let width = statement.column_count();
            let rows = statement.query_map([name], |row| {
                (0..width)
                    .map(|at| row.get_ref(at).map(|value| format!("{value:?}")))
                    .collect()
            });
            rows.unwrap()
                .map(|row: rusqlite::Result<Vec<String>>| row.unwrap().join(" "))
                .collect()
        };
        let mut names = connection
            .prepare("SELECT name FROM sqlite_schema ORDER BY name")
            .unwrap();
        let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
        names
            .map(|name| {
                let name = name.unwrap();
                let shape = [
                    "SELECT type, ncol, wr, strict FROM pragma_table_list(?1)",
                    "SELECT * FROM pragma_table_xinfo(?1)",
                    "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1)",
                    "SELECT * FROM pragma_index_xinfo(?1)",
                ]
                .iter()
                .flat_map(|sql| list(sql, &name))
                .collect();
                (name, shape)
            })
            .collect()
    }

    #[test]
    fn replayed_migrations_give_the_folded_schema() {
        let mut replayed = Connection::open_in_memory().unwrap();
        replay(&mut replayed, MIGRATIONS).unwrap();
        let folded = Connection::open_in_memory().unwrap();
        folded.execute_batch(include_str!("../schema.sql")).unwrap();
        assert!(shape(&replayed).len() > 10);
        assert_eq!(shape(&replayed), shape(&folded));
        let first_rows = |connection: &Connection| -> Vec<i64> {
            let mut rows = connection.prepare("SELECT shard FROM ownership").unwrap();
            rows.query_map([], |row| row.get(0))
                .unwrap()
                .map(Result::unwrap)
                .collect()
        };
        assert_eq!(first_rows(&replayed), first_rows(&folded));
    }

    #[test]
    fn running_again_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        replay(&mut connection, MIGRATIONS).unwrap();
        let before = (shape(&connection), marks(&connection).unwrap());
        replay(&mut connection, MIGRATIONS).unwrap();
        assert_eq!((shape(&connection), marks(&connection).unwrap()), before);
        assert_eq!(before.1.0, APPLICATION_ID);
        assert_eq!(before.1.1, NEWEST);
    }

    /// A version after the newest, to be migrated to.
    const LATER: &[&str] = &[
        include_str!("../migrations/001_first.sql"),
        "CREATE TABLE later (x INTEGER) STRICT",
    ];

    /// A file of version 1 with some pages of log rows.
    fn of_version_1(dir: &Path) -> PathBuf {
        let path = dir.join("old.db");
        let mut connection = Connection::open(&path).unwrap();
        replay(&mut connection, &LATER[..1]).unwrap();
        let row = "INSERT INTO commit_log (commit_seq, epoch, at_ms, events) VALUES (?1, 1, 1, zeroblob(2000))";
        for seq in 1..=20 {
            connection.execute(row, [seq]).unwrap();
        }
        path
    }

    #[test]
    fn an_older_file_is_migrated_if_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = of_version_1(dir.path());
        let mut connection = Connection::open(&path).unwrap();
        bring_to_newest(&mut connection, &path, LATER).unwrap();
        assert_eq!(marks(&connection).unwrap().1, 2);
    }

    #[test]
    fn an_older_file_that_is_damaged_is_refused_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = of_version_1(dir.path());
        let mut content = std::fs::read(&path).unwrap();
        // The last page is none of the schema's, which is all that a migration would read.
        let last = content.len() - 4096;
        content[last..last + 64].fill(0xee);
        std::fs::write(&path, &content).unwrap();
        let mut connection = Connection::open(&path).unwrap();
        let error = bring_to_newest(&mut connection, &path, LATER).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("damaged") && text.contains("another data directory"),
            "{text}"
        );
        assert_eq!(marks(&connection).unwrap().1, 1);
        drop(connection);
        assert_eq!(std::fs::read(&path).unwrap(), content);
    }
}
