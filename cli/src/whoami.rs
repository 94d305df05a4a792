//! `orch whoami`.

use api_client::types::Whoami;

use crate::{
    context::{Context, Outcome},
    exit::Exit,
    key::scopes,
    output::{Cell, Clock, Page, ago, soon},
};

/// Show who the server takes you for, and what you are allowed to
#[derive(clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let whoami = context.client.whoami_get().await?.into_body();
        context
            .out
            .show(&whoami, |page| describe(&whoami, Clock::read(), page))?;
        Ok(Exit::Done)
    }
}

fn describe(whoami: &Whoami, clock: Clock, page: &mut Page) {
    let Whoami {
        tenant,
        project_id,
        key_id,
        key_name,
        scopes: allowed,
        class_max,
        expires_at_ms,
    } = whoami;
    let key = match key_id {
        Some(id) => id.as_str(),
        None => "none; the server has no keys and asks for none",
    };
    let expires = expires_at_ms.map(|at_ms| match at_ms.checked_sub(clock.now_ms()) {
        Some(left_ms) => soon(left_ms),
        None => ago(clock, at_ms),
    });
    page.fields([
        ("tenant", tenant.as_str().into()),
        ("project", Cell::maybe(project_id.as_ref())),
        ("key", key.into()),
        ("name", Cell::maybe(key_name.as_ref())),
        ("scopes", scopes(allowed).into()),
        ("highest class", class_max.to_string().into()),
        ("expires", Cell::maybe(expires)),
    ]);
}
