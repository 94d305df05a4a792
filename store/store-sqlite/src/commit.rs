//! One transaction: the fence, the mutations with their guards, the log row.

mod mutate;

use orchestrator_core::id::AcceptSeq;
use orchestrator_core::mutation::Mutation;
use rusqlite::Connection;
use store::{Commit, CommitError, Event};

use crate::codec::Unsigned;
use crate::error;
use crate::load::take_back;
use crate::sql::{Binder, Sql, Statements};

/// Commits whole, or tells what may be assumed.
pub(crate) fn commit(connection: &Connection, commit: &Commit) -> Result<(), CommitError> {
    let before = |error: rusqlite::Error| error::before_commit(&error);
    take_back(connection).map_err(before)?;
    execute(connection, "BEGIN IMMEDIATE").map_err(before)?;
    if let Err(failed) = Writer::new(connection, commit).write() {
        // If this fails too, the next transaction begins with it.
        let _ = take_back(connection);
        return Err(failed);
    }
    execute(connection, "COMMIT").map_err(|failed| {
        let was_open = !connection.is_autocommit();
        let rolled_back = was_open && take_back(connection).is_ok();
        error::at_commit(&failed, rolled_back)
    })
}

/// Executes a statement without values, which is prepared once: these two are a part of every commit.
fn execute(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

struct Writer<'c> {
    statements: Statements<'c>,
    commit: &'c Commit,
    /// The highest accept sequence written so far.
    accepted: Option<AcceptSeq>,
}

/// The first and the last accept sequence that a commit gives.
fn accepted(mutations: &[Mutation]) -> Option<(AcceptSeq, AcceptSeq)> {
    let mut given = mutations.iter().filter_map(|mutation| match mutation {
        Mutation::TaskInsert { record, .. } => Some(record.seq),
        _ => None,
    });
    let first = given.next()?;
    Some((first, given.next_back().unwrap_or(first)))
}

impl<'c> Writer<'c> {
    fn new(connection: &'c Connection, commit: &'c Commit) -> Self {
        Self {
            statements: Statements::new(connection),
            commit,
            accepted: None,
        }
    }

    fn write(mut self) -> Result<(), CommitError> {
        self.fence()?;
        for mutation in &self.commit.mutations {
            self.mutate(mutation)?;
        }
        self.log()
    }

    /// Moves the row of the term on, and with it the highest accept sequence, which must lie above all before it.
    fn fence(&mut self) -> Result<(), CommitError> {
        let (epoch, commit_seq) = (
            Unsigned(self.commit.epoch.0),
            Unsigned(self.commit.commit_seq),
        );
        let accepted = accepted(&self.commit.mutations);
        if let Some((first, last)) = accepted {
            let moved = self.run(Sql::FenceAndAccept, |to| {
                to.value(epoch)?
                    .value(commit_seq)?
                    .value(Unsigned(first.0))?
                    .value(Unsigned(last.0))?
                    .run()
            })?;
            if moved == 1 {
                return Ok(());
            }
        }
        let moved = self.run(Sql::Fence, |to| to.value(epoch)?.value(commit_seq)?.run())?;
        match (moved, accepted) {
            (1, None) => Ok(()),
            (1, Some((first, _))) => Err(CommitError::Broken(format!(
                "accept sequence {} was given before",
                first.0
            ))),
            _ => Err(CommitError::Fenced(format!(
                "term {} may not make commit {}",
                epoch.0, commit_seq.0
            ))),
        }
    }

    fn log(&mut self) -> Result<(), CommitError> {
        let commit = self.commit;
        self.guarded(
            Sql::Log,
            |to| {
                to.value(Unsigned(commit.commit_seq))?
                    .value(Unsigned(commit.epoch.0))?
                    .value(Unsigned(commit.at.0))?
                    .value(Event::pack(&commit.events))?
                    .run()
            },
            || format!("commit {} is in the log already", commit.commit_seq),
        )
    }

    /// Finds the place of a row that is to be written: a guard of its own, because an `INSERT` that reads what it
    /// writes to collects its rows in a table of its own first, and keeps what it needs to undo a part of it.
    fn place(
        &mut self,
        sql: Sql,
        find: impl FnOnce(&mut Binder<'_, 'c>) -> rusqlite::Result<Option<Unsigned>>,
        otherwise: impl FnOnce() -> String,
    ) -> Result<Unsigned, CommitError> {
        let found = self.run(sql, find)?;
        found.ok_or_else(|| CommitError::Broken(otherwise()))
    }

    /// The other way round: what is to be written is not there yet.
    fn vacant(
        &mut self,
        sql: Sql,
        find: impl FnOnce(&mut Binder<'_, 'c>) -> rusqlite::Result<Option<Unsigned>>,
        otherwise: impl FnOnce() -> String,
    ) -> Result<(), CommitError> {
        match self.run(sql, find)? {
            None => Ok(()),
            Some(_) => Err(CommitError::Broken(otherwise())),
        }
    }

    /// Executes a statement that must touch one row: its guard is in its `WHERE`, or a unique index.
    fn guarded(
        &mut self,
        sql: Sql,
        run: impl FnOnce(&mut Binder<'_, 'c>) -> rusqlite::Result<usize>,
        otherwise: impl FnOnce() -> String,
    ) -> Result<(), CommitError> {
        let bound = self.statements.bind(sql);
        match bound.and_then(|mut binder| run(&mut binder)) {
            Ok(1) => Ok(()),
            Ok(_) => Err(CommitError::Broken(otherwise())),
            Err(error) if error::is_taken(&error) => Err(CommitError::Broken(otherwise())),
            Err(error) => Err(error::before_commit(&error)),
        }
    }

    fn run<T>(
        &mut self,
        sql: Sql,
        run: impl FnOnce(&mut Binder<'_, 'c>) -> rusqlite::Result<T>,
    ) -> Result<T, CommitError> {
        self.statements
            .bind(sql)
            .and_then(|mut binder| run(&mut binder))
            .map_err(|error| error::before_commit(&error))
    }
}
