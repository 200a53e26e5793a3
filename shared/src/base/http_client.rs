//! Builds all HTTP clients. They use ring for TLS and built-in roots, because reading the
//! system's bundle takes milliseconds of every cold start. They drop idle connections
//! before a network drops them silently.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

/// The longest time for making a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1500);

/// How long an unused connection is kept. It is shorter than the time after which networks
/// drop connections silently: a function that was frozen for longer would wait its whole
/// timeout on a dead connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// An HTTP client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("TLS is not available")]
    Tls(#[from] reqwest::Error),
    #[error("{file}: {reason}")]
    Roots { file: String, reason: String },
}

/// Builds an HTTP client for any service.
///
/// # Errors
/// TLS is not available.
pub fn http_client() -> Result<reqwest::Client, ClientError> {
    Ok(builder().build()?)
}

/// Builds an HTTP client that also trusts the roots in the PEM file `ca_file`.
///
/// # Errors
/// The file contains no certificate.
pub fn http_client_trusting(ca_file: &Path) -> Result<reqwest::Client, ClientError> {
    let wrong = |reason: &str| ClientError::Roots {
        file: ca_file.display().to_string(),
        reason: reason.to_owned(),
    };
    let text = std::fs::read(ca_file).map_err(|error| wrong(&error.to_string()))?;
    let not_pem = |_| wrong("expected certificates in PEM");
    let roots = reqwest::Certificate::from_pem_bundle(&text).map_err(not_pem)?;
    if roots.is_empty() {
        return Err(wrong("holds no certificate"));
    }
    let built = builder().tls_certs_only(roots).build();
    built.map_err(|_| wrong("holds an entry that is no certificate"))
}

/// The settings that all clients share.
pub(crate) fn builder() -> reqwest::ClientBuilder {
    static PROVIDER: OnceLock<()> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        // Fails only if another provider was installed before. Then that one is used.
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
