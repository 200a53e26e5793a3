//! Bytes to and from the service over HTTP.

use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, UNIX_EPOCH};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderValue};

use super::Error;
use crate::secrets::Secret;

/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1500);

/// How long an unused connection is kept. Below what networks drop silently: a
/// function frozen for longer would wait its whole timeout on a dead connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Where requests of one database go, with the right to make them.
#[derive(Clone)]
pub struct Transport {
    client: reqwest::Client,
    url: String,
    pub(super) token: Secret,
}

/// What came back.
pub(super) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub sync_token: Option<String>,
    /// When the service answered, by its own clock, in whole unix seconds.
    pub date: Option<u64>,
}

impl Transport {
    /// # Errors
    /// [`Error::Settings`] when the URL or the token cannot be one, or there is no
    /// certificate in `ca_file`.
    pub fn new(url: &str, token: Secret, ca_file: Option<&Path>) -> Result<Transport, Error> {
        let url = url.trim_end_matches('/');
        if !(url.starts_with("https://") || url.starts_with("http://")) {
            return Err(Error::Settings(
                "UPSTASH_REDIS_REST_URL: expected an address beginning with https://".into(),
            ));
        }
        authorization(&token.value())?;
        Ok(Transport {
            client: trusting(ca_file)?,
            url: url.to_owned(),
            token,
        })
    }

    /// Sends a body with the right that `token` gives.
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

/// A client that trusts the roots in `ca_file` too.
pub(crate) fn trusting(ca_file: Option<&Path>) -> Result<reqwest::Client, Error> {
    let Some(file) = ca_file else {
        let built = http_client().build();
        return built.map_err(|error| Error::Settings(format!("no HTTP client: {error}")));
    };
    let wrong =
        |what: String| Error::Settings(format!("REDIS_CA_FILE: {}: {what}", file.display()));
    let text = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let not_pem = |_| wrong("expected certificates in PEM".to_owned());
    let roots = reqwest::Certificate::from_pem_bundle(&text).map_err(not_pem)?;
    if roots.is_empty() {
        return Err(wrong("holds no certificate".to_owned()));
    }
    let built = http_client().tls_certs_only(roots).build();
    built.map_err(|_| wrong("holds what is no certificate".to_owned()))
}

/// The one way HTTP clients are made here: ring for TLS, roots compiled in (the
/// system's bundle costs milliseconds of every cold start), idle connections
/// dropped before a network drops them silently.
pub(crate) fn http_client() -> reqwest::ClientBuilder {
    static PROVIDER: OnceLock<()> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        // Fails only when another provider was installed first; then that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter_map(|root| reqwest::Certificate::from_der(root).ok());
    reqwest::Client::builder()
        .tls_certs_only(roots)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
}
