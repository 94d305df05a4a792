//! `POST /completion`.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};

use super::App;
use super::reply::{ApiError, CompletionFrames, FinalFrame, stream_reply, whole};
use super::request::{Field, Fields, MODEL, SAMPLING, Wanted, begin, model_name, prompt};

/// Every field that `/completion` serves besides those about sampling.
pub(crate) const FIELDS: [Field; 6] = [
    Field {
        name: "prompt",
        accepts: "string, or array of token ids",
    },
    Field {
        name: "n_predict",
        accepts: "integer, -1 to 2147483647",
    },
    Field {
        name: "stop",
        accepts: "string, or array of up to 32, none of them empty",
    },
    Field {
        name: "stream",
        accepts: "true or false",
    },
    Field {
        name: "return_tokens",
        accepts: "true or false",
    },
    Field {
        name: "n_probs",
        accepts: "integer, 0 to 100",
    },
];

/// Likeliest tokens told beside each token, at most: each costs memory for as long as the reply waits for its reader.
const N_PROBS_MAX: i64 = 100;

pub(crate) async fn completion(
    State(app): State<Arc<App>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(body, &[&MODEL, &FIELDS, &SAMPLING])?;
    let mut wanted = Wanted::read(&fields, prompt(&fields)?, "n_predict")?;
    let n_probs = fields.integer("n_probs", 0..=N_PROBS_MAX, 0)?;
    wanted.n_probs = usize::try_from(n_probs).ok().filter(|&n| n > 0);
    let return_tokens = fields.bool("return_tokens", false)?;
    let streamed = wanted.stream;
    let (asked, ticket) = begin(&app, model_name(&fields)?, wanted).await?;
    if streamed {
        return stream_reply(CompletionFrames::new(asked), ticket).await;
    }
    let mut whole = whole(ticket).await?;
    if !return_tokens {
        whole.tokens.clear();
    }
    Ok(Json(FinalFrame::new(&asked, whole)).into_response())
}
