//! The client whose methods the golden cases of the client add.

/// The client that the wrappers of a case are methods of.
pub(crate) struct Client<C> {
    sample: C,
}

impl<C> Client<C> {
    pub(crate) fn sample(&self) -> &C {
        &self.sample
    }

    pub(crate) fn events<E>(
        &self,
        path: &str,
        last_event_id: Option<&str>,
    ) -> api_client::EventReader<E> {
        let backoff = api_client::Backoff::default();
        let http = reqwest::Client::new();
        api_client::EventReader::new(http, path.to_owned(), last_event_id, backoff)
    }
}
