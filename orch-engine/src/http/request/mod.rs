//! What a request asks for: read field by field, checked, and turned into a generation.

mod fields;
mod messages;
mod model;
mod sampling;
mod wanted;

pub(crate) use fields::{Field, Fields};
pub(crate) use messages::{Conversation, MESSAGES};
pub(crate) use model::{MODEL, ModelQuery, model_name};
pub(crate) use sampling::SAMPLING;
pub(crate) use wanted::{Prompt, Wanted, begin, prompt, token_ids};
