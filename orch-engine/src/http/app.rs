//! What the handlers share.

use std::sync::Arc;

use super::reply::ApiError;
use crate::holder::{Held, Holder, TakeError};
use crate::model::Model;
use crate::slot::Slot;

/// What the handlers share.
pub(crate) struct App {
    /// What the models are called, in the order in which they were given; at least one.
    pub(crate) aliases: Vec<String>,
    /// Seconds since 1970 when the engine was started.
    pub(crate) created: u64,
    pub(crate) engine_version: String,
    pub(crate) holder: Arc<Holder<Model>>,
    pub(crate) slot: Arc<Slot<Held<Model>>>,
}

impl App {
    /// Whether requests choose between models.
    pub(crate) fn has_several(&self) -> bool {
        self.aliases.len() > 1
    }

    /// What a model is called in replies.
    pub(crate) fn alias(&self, index: usize) -> &str {
        self.aliases.get(index).map_or("", String::as_str)
    }

    /// Refuses everything until the first model is there.
    pub(crate) fn check_started(&self) -> Result<(), ApiError> {
        if self.holder.is_starting() {
            return Err(ApiError::loading());
        }
        Ok(())
    }

    /// The model of this name, or the one that is there if none is named; it is waited for if it must be
    /// loaded first. Where there is only one model, any name is its.
    pub(crate) async fn model(&self, name: Option<&str>) -> Result<Held<Model>, ApiError> {
        self.check_started()?;
        let index = match name {
            Some(name) if self.has_several() => self.index_of(name)?,
            _ => self.holder.current(),
        };
        self.holder.take(index).await.map_err(|error| match error {
            TakeError::Load(why) => ApiError::server(why),
            TakeError::Refused(refusal) => ApiError::refused(refusal),
        })
    }

    fn index_of(&self, name: &str) -> Result<usize, ApiError> {
        let index = self.aliases.iter().position(|alias| alias == name);
        index.ok_or_else(|| ApiError::unknown_model(name, &self.aliases))
    }
}
