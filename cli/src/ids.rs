//! Ids on the command line.

use uuid::Uuid;

/// Reads the id of a task.
pub(crate) fn task(text: &str) -> Result<Uuid, String> {
    read(text, "a task")
}

/// Reads the id of a session.
pub(crate) fn session(text: &str) -> Result<Uuid, String> {
    read(text, "a session")
}

fn read(text: &str, whose: &str) -> Result<Uuid, String> {
    // What the parser says, such as the length it found, helps nobody who does not know what is wanted.
    Uuid::try_parse(text).map_err(|_| {
        format!("the id of {whose} is a UUID such as 019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a")
    })
}
