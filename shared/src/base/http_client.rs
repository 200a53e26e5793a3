//! The one way HTTP clients are made: ring for TLS, roots compiled in (the system's bundle
//! costs milliseconds of every cold start), idle connections dropped before a network drops
//! them silently.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1500);

/// How long an unused connection is kept. Below what networks drop silently: a
/// function frozen for longer would wait its whole timeout on a dead connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("TLS is not available")]
    Tls(#[from] reqwest::Error),
    #[error("{file}: {reason}")]
    Roots { file: String, reason: String },
}

/// An HTTP client for any service.
///
/// # Errors
/// When there is no TLS.
pub fn http_client() -> Result<reqwest::Client, ClientError> {
    Ok(builder().build()?)
}

/// An HTTP client that trusts the roots in the PEM file `ca_file` as well.
///
/// # Errors
/// When there is no certificate in the file.
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

/// The settings every client begins with.
pub(crate) fn builder() -> reqwest::ClientBuilder {
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
