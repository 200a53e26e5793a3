//! Calls to AWS services. Each call is one signed POST.
//!
//! Functions make two kinds of calls: they read parameters, and they invoke the drainer.
//! `aws-sigv4` signs the request, and the HTTP client that everything else uses sends it. A
//! service's SDK would be more code than a whole function, for one of its operations
//! (`docs/decisions/7-signed-posts.md` has the measurements).
//!
//! This module has no timeouts and no retries. They belong to the caller.

mod endpoint;
mod error;

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

use super::clock::Clock;
use super::config::{AwsConfig, Environment};
use super::http_client;

pub use endpoint::endpoint;
pub use error::Error;

/// An AWS service in one region.
#[derive(Clone, Debug)]
pub struct Service {
    /// The service's name in addresses and signatures, such as `ssm`.
    name: &'static str,
    config: AwsConfig,
    /// `None` reads the credentials of the environment at each call.
    credentials: Option<Credentials>,
    clock: Clock,
}

/// A call to a service.
#[derive(Clone, Debug)]
pub struct Call {
    /// The path, absolute and percent-encoded.
    pub path: String,
    /// The headers that the operation needs. The signature's headers are added to them.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The body, as it is sent.
    pub body: Vec<u8>,
}

/// A signed call that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The address to send it to.
    pub url: String,
    /// The headers of the call and of the signature.
    pub headers: Vec<(String, String)>,
}

impl Service {
    /// Returns the service with the region, the credentials and the endpoint of the
    /// environment, as Lambda and the AWS tools set them. Other sources, such as profile
    /// files, are not read.
    pub fn of_environment(name: &'static str) -> Service {
        Service {
            name,
            config: AwsConfig::read(&Environment::process(), name),
            credentials: None,
            clock: Clock::system(),
        }
    }

    /// Returns the service at an endpoint on this machine, which checks no signature.
    pub fn at_endpoint(name: &'static str, url: &str) -> Service {
        let config = AwsConfig {
            region: Some("us-east-1".to_owned()),
            endpoint_url: Some(url.to_owned()),
        };
        let credentials = Credentials::new("local", "local", None, None, "local");
        Service::new(name, config, credentials, Clock::system())
    }

    /// Returns the service with the given credentials and a given time.
    pub fn new(
        name: &'static str,
        config: AwsConfig,
        credentials: Credentials,
        clock: Clock,
    ) -> Service {
        Service {
            name,
            config,
            credentials: Some(credentials),
            clock,
        }
    }

    /// Sends `call` once, and returns the body of a successful reply.
    ///
    /// # Errors
    /// The service could not be reached, or it refused the call. The text of a refusal is
    /// the service's own.
    pub async fn send(&self, call: Call) -> Result<Vec<u8>, Error> {
        let signed = self.sign(&call).await?;
        let mut request = client().map_err(Error::Client)?.post(signed.url);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        let unanswered = |error: reqwest::Error| Error::Unanswered(error.without_url());
        let reply = request.body(call.body).send().await.map_err(unanswered)?;
        let (status, headers) = (reply.status(), reply.headers().clone());
        let body = reply.bytes().await.map_err(unanswered)?;
        match status.is_success() {
            true => Ok(body.to_vec()),
            false => Err(Error::refused(status.as_u16(), &headers, &body)),
        }
    }

    /// Signs `call` with the current time.
    ///
    /// # Errors
    /// The region or the credentials are missing.
    pub async fn sign(&self, call: &Call) -> Result<Signed, Error> {
        let region = self.config.region.as_deref();
        let region = region.ok_or(Error::NoRegion)?;
        let endpoint = match &self.config.endpoint_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => endpoint(self.name, region),
        };
        let url = format!("{endpoint}{}", call.path);
        let identity = self.credentials().await?.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(self.name)
            .time(self.time())
            .settings(SigningSettings::default())
            .build()
            .map_err(unsigned)?
            .into();
        let headers = call.headers.iter().copied();
        let body = SignableBody::Bytes(&call.body);
        let request = SignableRequest::new("POST", &url, headers, body).map_err(unsigned)?;
        let (signature, _) = sign(request, &params).map_err(unsigned)?.into_parts();
        let own = call.headers.iter().copied();
        let headers = own.chain(signature.headers());
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let headers = headers.collect();
        Ok(Signed { url, headers })
    }

    /// Read at each call. Lambda sets them once, but it is not known when they expire.
    async fn credentials(&self) -> Result<Credentials, Error> {
        if let Some(credentials) = &self.credentials {
            return Ok(credentials.clone());
        }
        let provider = EnvironmentVariableCredentialsProvider::new();
        let credentials = provider.provide_credentials().await;
        credentials.map_err(|error| Error::Credentials(error.into()))
    }

    fn time(&self) -> SystemTime {
        let now_ms = u64::try_from(self.clock.now_ms()).unwrap_or_default();
        UNIX_EPOCH + Duration::from_millis(now_ms)
    }
}

fn unsigned(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Unsigned(error.into())
}

/// One client for all services, created at the first call, so that functions without such
/// calls do not pay for it.
fn client() -> Result<&'static reqwest::Client, &'static reqwest::Error> {
    static CLIENT: OnceLock<Result<reqwest::Client, reqwest::Error>> = OnceLock::new();
    let client = CLIENT.get_or_init(|| http_client::builder().build());
    client.as_ref()
}
