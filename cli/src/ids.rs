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

/// Reads the id of a bulk.
pub(crate) fn bulk(text: &str) -> Result<Uuid, String> {
    read(text, "a bulk")
}

/// Reads the id of a project.
pub(crate) fn project(text: &str) -> Result<Uuid, String> {
    read(text, "a project")
}

/// Reads the id of a key. A whole key is refused without being repeated.
pub(crate) fn key(text: &str) -> Result<String, String> {
    let sound = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let wanted = || {
        "the id of a key is the part between its underscores, such as 5f0c9a3be1d27448".to_owned()
    };
    sound.then(|| text.to_ascii_lowercase()).ok_or_else(wanted)
}

fn read(text: &str, whose: &str) -> Result<Uuid, String> {
    // What the parser says, such as the length it found, helps nobody who does not know what is wanted.
    Uuid::try_parse(text).map_err(|_| {
        format!("the id of {whose} is a UUID such as 019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a")
    })
}
