//! Is this file ours, and can we use it? Asked before anything is written to it.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use store::OpenError;

use crate::{error, migrate};

/// What to do about a damaged file.
const REMEDY: &str = "restore a backup of it, or give the daemon another data directory";

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const HEADER_BYTES: u64 = 100;

/// How long a statement waits for another connection before it is busy, in milliseconds.
const BUSY_TIMEOUT_MS: u64 = 1_000;

/// Page of a new file, in bytes; a file keeps the one it was made with. A commit of one task writes six pages, each whole,
/// so that half of SQLite's own 4,096 is 3 to 7 % more commits a second where they come one by one. A quarter is 4 % more
/// still there, and 5 to 15 % less at 64 connections, where many tasks share a commit.
const PAGE_BYTES: u32 = 2_048;

/// Pages in the write-ahead log at which a commit writes them back to the file. Everybody waits for that commit, so that it
/// is what the slowest hundredth of the answers waits for, by the number of pages and not by their bytes: 4.6 ms at 64
/// connections with this many, 6.3 with twice as many.
const AUTOCHECKPOINT_PAGES: u32 = 1_000;

/// What the write-ahead log is cut back to after a burst, in bytes.
const WAL_BYTES_KEPT: u32 = 64 << 20;

/// Page cache of the writing connection, in KiB.
const WRITER_CACHE_KIB: u32 = 16 << 10;

/// Opens the file for its owner, made or brought to the newest version if need be.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    check_header(path)?;
    let unusable = |error| unusable(path, &error);
    let mut connection = connect(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    )
    .map_err(unusable)?;
    // Until its content was loaded, and so is known to be whole, closing the file must not write to it.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(unusable)?;
    migrate::check(&connection, path)?;
    // Counts for a file that is still empty, and before the log is asked for.
    connection
        .pragma_update(None, "page_size", PAGE_BYTES)
        .map_err(unusable)?;
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(unusable)?;
    if mode != "wal" {
        return Err(OpenError::Unusable {
            path: path.to_owned(),
            reason: format!(
                "its file system allows no write-ahead log (journal mode stays {mode}); use a local disk"
            ),
        });
    }
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = {AUTOCHECKPOINT_PAGES};
             PRAGMA journal_size_limit = {WAL_BYTES_KEPT};
             PRAGMA cache_size = -{WRITER_CACHE_KIB};
             PRAGMA foreign_keys = OFF;
             PRAGMA trusted_schema = OFF;"
        ))
        .map_err(unusable)?;
    migrate::run(&mut connection, path)?;
    Ok(connection)
}

/// The content is whole: from here on closing the file may write its log back.
pub(crate) fn is_whole(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
        .map(drop)
}

/// Opens the file for reading only.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;")?;
    Ok(connection)
}

/// The refusal of a file that SQLite cannot use.
pub(crate) fn unusable(path: &Path, error: &rusqlite::Error) -> OpenError {
    OpenError::Unusable {
        path: path.to_owned(),
        reason: with_remedy(error),
    }
}

/// What SQLite said of a file, and what to do about it.
pub(crate) fn with_remedy(error: &rusqlite::Error) -> String {
    if error::is_busy(error) {
        format!("another program holds it ({error}); close that one, then start the daemon again")
    } else if error::may_pass(error) {
        format!("{error}; see to its disk, or give the daemon another data directory")
    } else {
        format!("{error}; {REMEDY}")
    }
}

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MS))?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Reads the first bytes of the file without SQLite, which would write beside a file that has a
/// write-ahead log. A file that does not exist or is empty is a new one.
fn check_header(path: &Path) -> Result<(), OpenError> {
    let io = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    // SQLite would open a file that may not be written all the same, and fail at the first commit.
    let file = match File::options().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(error)),
    };
    let bytes = file.metadata().map_err(io)?.len();
    if bytes == 0 {
        return Ok(());
    }
    let mut header = Vec::new();
    file.take(HEADER_BYTES)
        .read_to_end(&mut header)
        .map_err(io)?;
    if !header.starts_with(MAGIC) {
        return Err(damaged(path, "it is not an SQLite file"));
    }
    let Ok(header) = <[u8; HEADER_BYTES as usize]>::try_from(header) else {
        return Err(damaged(path, "it ends within its header"));
    };
    let word = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    migrate::check_marks(path, word(68), word(60))?;
    let page_bytes = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => 65_536,
        bytes => bytes,
    };
    let whole = u64::from(word(28)) * page_bytes;
    // A log that was being written back when the process died holds what the file still lacks.
    if bytes < whole && !has_log(path) {
        return Err(damaged(
            path,
            &format!("it is cut short: {bytes} bytes of {whole}"),
        ));
    }
    Ok(())
}

/// The refusal of a file that is not whole.
pub(crate) fn damaged(path: &Path, what: &str) -> OpenError {
    OpenError::Unusable {
        path: path.to_owned(),
        reason: format!("{what}; {REMEDY}"),
    }
}

fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}
