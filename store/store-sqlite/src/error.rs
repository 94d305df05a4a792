//! What a result code of SQLite allows to assume.

use std::path::Path;

use rusqlite::ErrorCode;
use store::{CommitError, ReadError};

use crate::file;

/// Of a statement before `COMMIT`: the transaction is rolled back, so nothing of it is durable.
pub(crate) fn before_commit(error: &rusqlite::Error) -> CommitError {
    if may_pass(error) {
        CommitError::NotApplied(error.to_string())
    } else {
        CommitError::Broken(error.to_string())
    }
}

/// Of `COMMIT` itself. `rolled_back` says that the transaction was still open afterwards and could be
/// taken back; only then is it certain that its end never reached the log.
pub(crate) fn at_commit(error: &rusqlite::Error, rolled_back: bool) -> CommitError {
    if rolled_back && is_busy(error) {
        CommitError::NotApplied(error.to_string())
    } else {
        CommitError::Unknown(error.to_string())
    }
}

/// Of what an owner starts from. Whoever reads this runs the daemon, and can do something about the file.
pub(crate) fn loading(path: &Path, error: &rusqlite::Error) -> ReadError {
    ReadError(format!("{}: {}", path.display(), file::with_remedy(error)))
}

/// Of a read.
pub(crate) fn reading(error: &rusqlite::Error) -> ReadError {
    ReadError(error.to_string())
}

pub(crate) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// True if what was to be written is there already.
pub(crate) fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

/// True if the same statement may succeed another time: the world is in the way, not the statement.
pub(crate) fn may_pass(error: &rusqlite::Error) -> bool {
    is_busy(error)
        || matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::CannotOpen
                    | ErrorCode::DiskFull
                    | ErrorCode::FileLockingProtocolFailed
                    | ErrorCode::OperationAborted
                    | ErrorCode::OperationInterrupted
                    | ErrorCode::OutOfMemory
                    | ErrorCode::PermissionDenied
                    | ErrorCode::ReadOnly
                    | ErrorCode::SystemIoFailure
            )
        )
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn failure(code: std::ffi::c_int) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn each_result_code_has_its_kind() {
        for code in [
            ffi::SQLITE_BUSY,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_NOMEM,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_CANTOPEN,
        ] {
            assert!(
                matches!(before_commit(&failure(code)), CommitError::NotApplied(_)),
                "{code}"
            );
        }
        for code in [
            ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_NOTADB,
            ffi::SQLITE_MISUSE,
            ffi::SQLITE_ERROR,
            ffi::SQLITE_TOOBIG,
        ] {
            assert!(
                matches!(before_commit(&failure(code)), CommitError::Broken(_)),
                "{code}"
            );
        }
    }

    #[test]
    fn a_failed_commit_is_unknown_unless_it_was_busy_and_taken_back() {
        for code in [
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR_WRITE,
        ] {
            for rolled_back in [false, true] {
                assert!(matches!(
                    at_commit(&failure(code), rolled_back),
                    CommitError::Unknown(_)
                ));
            }
        }
        let busy = failure(ffi::SQLITE_BUSY);
        assert!(matches!(at_commit(&busy, true), CommitError::NotApplied(_)));
        assert!(matches!(at_commit(&busy, false), CommitError::Unknown(_)));
    }
}
