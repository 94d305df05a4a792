//! What every verb has at hand.

use api_client::Client;

use crate::{error::Failure, exit::Exit, output::Output, server::Server};

/// What every verb has at hand.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) server: Server,
    pub(crate) out: Output,
}

/// How a verb ends.
pub(crate) type Outcome = Result<Exit, Failure>;
