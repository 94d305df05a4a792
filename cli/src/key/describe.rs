//! Keys, for people.

use api_client::types::{Key, KeyCreated, KeyScope};

use crate::{
    context::Context,
    error::Failure,
    output::{Cell, Clock, Format, Page, Tone, ago, soon},
};

/// Shows a key that was made: the key itself goes to standard output, all else to standard error.
pub(super) fn show_created(context: &Context, created: &KeyCreated) -> Result<(), Failure> {
    let KeyCreated { api_key, key } = created;
    context
        .out
        .show(created, |page| page.line(api_key.as_str()))?;
    if context.out.format == Format::Table {
        let mut page = context.out.page_err();
        describe(key, Clock::read(), &mut page);
        page.line("This is the only time that the key is shown. Keep it in a file that only its holder can");
        page.line("read, and name that file with --key-file, or as key_file in orch.toml.");
        context.out.write_err(&page.into_text());
    }
    Ok(())
}

/// A key with everything that is known of it.
pub(super) fn describe(key: &Key, clock: Clock, page: &mut Page) {
    let Key {
        key_id,
        tenant,
        project_id,
        name,
        scopes: allowed,
        class_max,
        state: _,
        created_at_ms,
        created_by,
        expires_at_ms,
        revoked_at_ms,
        replaced_by,
    } = key;
    page.fields([
        ("key", key_id.as_str().into()),
        ("name", name.as_str().into()),
        ("tenant", tenant.as_str().into()),
        ("project", Cell::maybe(project_id.as_ref())),
        ("scopes", scopes(allowed).into()),
        ("highest class", class_max.to_string().into()),
        ("state", state(key)),
        ("created", ago(clock, *created_at_ms).into()),
        ("created by", Cell::maybe(created_by.as_ref())),
        ("expires", expires(*expires_at_ms, clock).into()),
        (
            "revoked",
            Cell::maybe(revoked_at_ms.map(|at_ms| ago(clock, at_ms))),
        ),
        ("replaced by", Cell::maybe(replaced_by.as_ref())),
    ]);
}

/// How a key stands, at a glance.
pub(super) fn state(key: &Key) -> Cell {
    let tone = match key.state.as_str() {
        "active" => Tone::Good,
        _ => Tone::Dim,
    };
    Cell::new(tone, key.state.as_str())
}

/// When a key expires.
pub(super) fn expires(at_ms: Option<u64>, clock: Clock) -> String {
    match at_ms {
        None => "never".to_owned(),
        Some(at_ms) => match at_ms.checked_sub(clock.now_ms()) {
            Some(left_ms) => soon(left_ms),
            None => ago(clock, at_ms),
        },
    }
}

/// Scopes with commas between.
pub(crate) fn scopes(scopes: &[KeyScope]) -> String {
    let names: Vec<&str> = scopes.iter().map(KeyScope::as_str).collect();
    names.join(", ")
}
