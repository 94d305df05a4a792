//! `orch version`.

use api_client::{ApiError, types::Capabilities};
use serde::Serialize;

use crate::{
    context::{Context, Outcome},
    exit::Exit,
    output::{Cell, Page, Tone},
};

/// Show the versions of this client and, if it can be reached, of the server
#[derive(clap::Args)]
pub(crate) struct Args {}

/// What is known of both sides.
#[derive(Serialize)]
struct Versions {
    client_version: &'static str,
    server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<String>,
    /// Why the server's versions are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_error: Option<String>,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let reply = context.client.capabilities_get().await;
        let versions = Versions::of(context, reply.map(api_client::Reply::into_body));
        context
            .out
            .show(&versions, |page| versions.describe(context, page))?;
        Ok(Exit::Done)
    }
}

impl Versions {
    fn of(context: &Context, capabilities: Result<Capabilities, ApiError>) -> Self {
        let client_version = env!("CARGO_PKG_VERSION");
        let server = context.server.url.clone();
        match capabilities {
            Ok(Capabilities {
                api_version,
                server_version,
                ..
            }) => Self {
                client_version,
                server,
                server_version: Some(server_version),
                api_version: Some(api_version),
                server_error: None,
            },
            Err(error) => Self {
                client_version,
                server,
                server_version: None,
                api_version: None,
                server_error: Some(error.to_string()),
            },
        }
    }

    fn describe(&self, context: &Context, page: &mut Page) {
        page.pairs(vec![
            ("orch", self.client_version.into()),
            (
                "server",
                format!("{} ({})", self.server, context.server.origin).into(),
            ),
            ("orchestratord", Cell::maybe(self.server_version.as_ref())),
            ("API", Cell::maybe(self.api_version.as_ref())),
        ]);
        if let Some(error) = &self.server_error {
            page.line(Cell::new(Tone::Bad, error));
        }
    }
}
