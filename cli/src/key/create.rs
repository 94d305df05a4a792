//! `orch key create`.

use api_client::types::{KeyCreateRequest, KeyScopeChoice};
use uuid::Uuid;

use super::describe::show_created;
use crate::{
    classes,
    context::{Context, Outcome},
    exit::Exit,
    ids,
    output::Clock,
    request::one_of,
    times,
};

/// Make a key and print it, once
///
/// Only the key goes to standard output: `orch key create laptop > key.txt`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What it is for, for people
    #[arg(value_name = "NAME")]
    name: String,
    /// What it is allowed to; more than once for more [default: user]
    #[arg(long, value_name = "SCOPE", value_parser = one_of(KeyScopeChoice::ALL, KeyScopeChoice::as_str))]
    scope: Vec<KeyScopeChoice>,
    /// Tenant whose things it sees; one that was never named begins here [default: your own]
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// The one project that it works in [default: all of the tenant]
    #[arg(long, value_name = "UUID", value_parser = ids::project)]
    project: Option<Uuid>,
    /// Highest class that its tasks wait in [default: the most urgent]
    #[arg(long, value_name = "NAME", value_parser = classes::name)]
    class_max: Option<String>,
    /// How long it is let in, such as 12h or 30d [default: for ever]
    #[arg(long, value_name = "TIME", value_parser = times::length)]
    expires_in: Option<u64>,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let Self {
            name,
            mut scope,
            tenant,
            project,
            class_max,
            expires_in,
        } = self;
        if scope.is_empty() {
            scope.push(KeyScopeChoice::User);
        }
        let request = KeyCreateRequest {
            tenant,
            project_id: project,
            class_max,
            expires_at_ms: expires_in.map(|ms| Clock::read().now_ms().saturating_add(ms)),
            ..KeyCreateRequest::new(name, scope)
        };
        let created = context.client.key_create(&request).await?.into_body();
        show_created(context, &created)?;
        Ok(Exit::Done)
    }
}
