//! What the clients of AWS services share: credentials, region and connections.
//!
//! Those of a Lambda function are in its environment. The usual chain of providers
//! would look for them in files, at metadata services and by other calls, and is not
//! linked: it is more code than all that is done with it here. Requests go through the
//! HTTP client of everything else, since a second one would be as large again.

use std::sync::OnceLock;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

use super::config::{AwsConfig, Environment};
use super::http_client;

/// How `service` is called, which is spelled as in `AWS_ENDPOINT_URL_SSM`.
pub fn of_environment(service: &str) -> SdkConfig {
    let config = AwsConfig::read(&Environment::process(), service);
    sdk_config(config, EnvironmentVariableCredentialsProvider::new())
}

/// How an endpoint on this machine is called that asks for no credentials.
pub fn at_endpoint(url: &str) -> SdkConfig {
    let config = AwsConfig {
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(url.to_owned()),
    };
    let credentials = Credentials::new("local", "local", None, None, "local");
    sdk_config(config, credentials)
}

fn sdk_config(config: AwsConfig, credentials: impl ProvideCredentials + 'static) -> SdkConfig {
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(config.region.map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(shared_client());
    builder.set_endpoint_url(config.endpoint_url);
    builder.build()
}

/// One for all services.
fn shared_client() -> SharedHttpClient {
    static CLIENT: OnceLock<SharedHttpClient> = OnceLock::new();
    CLIENT
        .get_or_init(|| SharedHttpClient::new(Http(http_client::builder().build().ok())))
        .clone()
}

/// Our HTTP client in the place of the SDK's; none if it could not be made. Timeouts are
/// the caller's: those of an operation and of its tries.
#[derive(Clone, Debug)]
struct Http(Option<reqwest::Client>);

impl Http {
    async fn send(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let client = self.0.ok_or_else(|| wrong("there is no HTTP client"))?;
        let method = reqwest::Method::from_bytes(request.method().as_bytes()).map_err(wrong)?;
        let mut outgoing = client.request(method, request.uri());
        for (name, value) in request.headers() {
            outgoing = outgoing.header(name, value);
        }
        let body = request.body().bytes();
        let body = body
            .expect("what is sent here is in memory, whole")
            .to_vec();
        let answer = outgoing.body(body).send().await.map_err(failed)?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = SdkBody::from(answer.bytes().await.map_err(failed)?.to_vec());
        let mut response = HttpResponse::new(status.try_into().map_err(wrong)?, body);
        for (name, value) in &headers {
            if let Ok(value) = value.to_str() {
                let (name, value) = (name.as_str().to_owned(), value.to_owned());
                response.headers_mut().append(name, value);
            }
        }
        Ok(response)
    }
}

impl HttpConnector for Http {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().send(request))
    }
}

impl HttpClient for Http {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// Worth another try, as the SDK sees it.
fn failed(error: reqwest::Error) -> ConnectorError {
    let is_timeout = error.is_timeout();
    let error = error.without_url().into();
    if is_timeout {
        ConnectorError::timeout(error)
    } else {
        ConnectorError::io(error)
    }
}

fn wrong(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::user(error.into())
}
