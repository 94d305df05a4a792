//! The text of a `$ref`.

use crate::{
    fault::{Fault, Outcome},
    yaml::Place,
};

/// The kinds of component that may be referred to, in the order of the bundle.
pub(super) const KINDS: [&str; 4] = ["schemas", "responses", "parameters", "headers"];

/// Splits `file#/a/b`, seen in `file`, into the target's file and the parts of its pointer.
pub(super) fn split(target: &str, file: &str, at: &Place) -> Outcome<(String, Vec<String>)> {
    let (path, pointer) = target
        .split_once('#')
        .ok_or_else(|| malformed(at, target))?;
    let parts = pointer
        .strip_prefix('/')
        .ok_or_else(|| malformed(at, target))?
        .split('/')
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect();
    if path.is_empty() {
        return Ok((file.to_owned(), parts));
    }
    let mut folders: Vec<&str> = file.split('/').collect();
    folders.pop();
    for step in path.split('/') {
        match step {
            "." => {}
            ".." => {
                folders.pop();
            }
            name => folders.push(name),
        }
    }
    Ok((folders.join("/"), parts))
}

/// The fault of a reference that has another shape.
pub(super) fn malformed(at: &Place, target: &str) -> Fault {
    Fault::new(
        "reference",
        at,
        format!(
            "`{target}` must be `FILE#/components/KIND/NAME`, KIND one of {}",
            KINDS.join(", ")
        ),
    )
}

/// The fault of a reference to something that does not exist.
pub(super) fn dangling(at: &Place, target: &str) -> Fault {
    Fault::new("reference", at, format!("`{target}` names nothing"))
}
