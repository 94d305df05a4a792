//! Operations tagged `callers`.

use api_server::callers::{CallersApi, WhoamiGetResponse};

use super::context::Context;
use super::convert;
use super::host::Host;

impl CallersApi for Host {
    async fn whoami_get(&self, context: Context) -> WhoamiGetResponse {
        WhoamiGetResponse::Ok200 {
            body: convert::whoami(&context.caller, self.app.classes.most_urgent()),
        }
    }
}
