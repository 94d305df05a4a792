//! The client of a whole daemon.

use std::time::Duration;

use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderMap},
};

use crate::{
    generated::{control, data},
    support::{ApiError, ApiKey, Backoff, EventReader},
};

/// How a client connects.
#[derive(Clone, Debug)]
pub struct Options {
    /// Value of the header `User-Agent`.
    pub user_agent: String,
    /// The key to call with; none where the daemon asks for none.
    pub key: Option<ApiKey>,
    /// Longest time to connect.
    pub connect_timeout: Duration,
    /// Longest silence of the server while a reply is awaited or read. There is no limit on
    /// the whole of a reply: a stream may run for hours. Streams send a sign of life every 15 s.
    pub silence_timeout: Duration,
    /// How streams come back.
    pub backoff: Backoff,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            user_agent: concat!("orchestrator-api-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            key: None,
            connect_timeout: Duration::from_secs(5),
            silence_timeout: Duration::from_secs(45),
            backoff: Backoff::default(),
        }
    }
}

/// A client of one daemon. Cloning is cheap and shares connections.
#[derive(Clone, Debug)]
pub struct Client {
    base_url: String,
    http: reqwest::Client,
    data: data::Client,
    control: control::Client,
    backoff: Backoff,
}

impl Client {
    /// A client of the daemon at `base_url`, e.g. `http://127.0.0.1:8484`.
    ///
    /// # Errors
    ///
    /// [`ApiError::InvalidRequest`] if that is no URL of this client's kind.
    pub fn new(base_url: &str) -> Result<Self, ApiError> {
        Self::with_options(base_url, Options::default())
    }

    /// A client with options of one's own.
    ///
    /// # Errors
    ///
    /// As [`Client::new`].
    pub fn with_options(base_url: &str, options: Options) -> Result<Self, ApiError> {
        let base_url = check_url(base_url)?;
        let key = options
            .key
            .as_ref()
            .map(|key| (AUTHORIZATION, key.header()));
        let http = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter(key))
            .user_agent(&options.user_agent)
            .connect_timeout(options.connect_timeout)
            .read_timeout(options.silence_timeout)
            .build()
            .map_err(|error| ApiError::invalid(&error))?;
        Ok(Self {
            data: data::Client::new_with_client(&base_url, http.clone()),
            control: control::Client::new_with_client(&base_url, http.clone()),
            backoff: options.backoff,
            base_url,
            http,
        })
    }

    /// URL of the daemon, without a final slash.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) fn data(&self) -> &data::Client {
        &self.data
    }

    pub(crate) fn control(&self) -> &control::Client {
        &self.control
    }

    /// Reader of the stream at a path.
    pub(crate) fn events<E>(&self, path: &str, last_event_id: Option<&str>) -> EventReader<E> {
        let url = format!("{}{path}", self.base_url);
        EventReader::new(self.http.clone(), url, last_event_id, self.backoff)
    }
}

fn check_url(text: &str) -> Result<String, ApiError> {
    let refuse = |why: &str| {
        Err(ApiError::InvalidRequest {
            detail: format!("the server's URL `{text}` {why}"),
        })
    };
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => return refuse(&format!("is no URL ({error}); write http://HOST:PORT")),
    };
    match url.scheme() {
        "http" if url.query().is_some() || url.fragment().is_some() => {
            refuse("must have no query and no fragment")
        }
        "http" => Ok(text.trim_end_matches('/').to_owned()),
        "https" => refuse("asks for TLS, which this client is built without; use http://"),
        _ => refuse("must begin with http://"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_urls_are_taken_and_the_fault_says_why() {
        let client = Client::new("http://127.0.0.1:8484/").expect("valid");
        assert_eq!(client.base_url(), "http://127.0.0.1:8484");
        for (url, why) in [
            ("https://example.org", "asks for TLS"),
            ("127.0.0.1:8484", "is no URL"),
            ("localhost:8484", "must begin with http://"),
            ("http://h/?a=b", "no query"),
        ] {
            let error = Client::new(url).expect_err(url).to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
