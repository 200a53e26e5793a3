//! Sends bytes to the service over HTTP.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderValue};

use super::Error;
use crate::base::http_client::{http_client, http_client_trusting};
use crate::secret::Secret;

/// The address of one database, with the right to use it.
#[derive(Clone)]
pub struct Transport {
    client: reqwest::Client,
    url: String,
    pub(super) token: Secret,
}

/// An HTTP answer.
pub(super) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub sync_token: Option<String>,
    /// When the service answered, by its own clock, in whole unix seconds.
    pub date: Option<u64>,
}

impl Transport {
    /// Creates a transport.
    ///
    /// # Errors
    /// [`Error::Settings`] if the URL or the token is invalid, or `ca_file` contains no
    /// certificate.
    pub fn new(url: &str, token: Secret, ca_file: Option<&Path>) -> Result<Transport, Error> {
        let url = url.trim_end_matches('/');
        if !(url.starts_with("https://") || url.starts_with("http://")) {
            return Err(Error::Settings(
                "UPSTASH_REDIS_REST_URL: expected an address beginning with https://".into(),
            ));
        }
        authorization(&token.value())?;
        Ok(Transport {
            client: client(ca_file)?,
            url: url.to_owned(),
            token,
        })
    }

    /// Sends a body with the rights of `token`.
    pub(super) async fn post(
        &self,
        path: &str,
        body: Vec<u8>,
        token: &str,
        sync_token: Option<&str>,
        timeout: Duration,
    ) -> Result<Answer, Error> {
        let mut request = self
            .client
            .post(format!("{}{path}", self.url))
            .header(AUTHORIZATION, authorization(token)?)
            .header(CONTENT_TYPE, "application/json")
            .header("Upstash-Encoding", "base64")
            .body(body)
            .timeout(timeout);
        if let Some(token) = sync_token {
            request = request.header("Upstash-Sync-Token", token);
        }
        let failed = |error: reqwest::Error| {
            if error.is_connect() {
                Error::Unreachable(error.without_url())
            } else if error.is_timeout() {
                Error::Timeout(timeout)
            } else {
                Error::ReplyLost(error.without_url())
            }
        };
        let response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let sync_token = response
            .headers()
            .get("upstash-sync-token")
            .and_then(|token| token.to_str().ok())
            .map(str::to_owned);
        let date = response
            .headers()
            .get(DATE)
            .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok())
            .and_then(|date| date.duration_since(UNIX_EPOCH).ok())
            .map(|since| since.as_secs());
        let body = response.bytes().await.map_err(failed)?.to_vec();
        Ok(Answer {
            status,
            body,
            sync_token,
            date,
        })
    }
}

fn authorization(token: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| Error::Settings("UPSTASH_REDIS_REST_TOKEN: not a token".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Builds a client that also trusts the roots in `ca_file`.
fn client(ca_file: Option<&Path>) -> Result<reqwest::Client, Error> {
    match ca_file {
        Some(file) => http_client_trusting(file)
            .map_err(|error| Error::Settings(format!("REDIS_CA_FILE: {error}"))),
        None => http_client().map_err(|error| Error::Settings(format!("no HTTP client: {error}"))),
    }
}
