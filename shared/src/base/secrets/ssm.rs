//! Parameters from SSM Parameter Store.

use std::collections::HashMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_ssm::Client;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Away, Parameters};
use crate::base::aws;
use crate::telemetry;

/// How long one try may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(2500);

/// How long the tries of a cold start may take together: a function has ten seconds
/// until its first request for an event.
const TIMEOUT: Duration = Duration::from_secs(8);

/// The second try follows after a random part of this, the third after twice as much.
const BACKOFF: Duration = Duration::from_millis(100);

/// The parameters of this account and region.
pub struct Ssm {
    client: Client,
}

impl Ssm {
    /// With the credentials and the endpoint of the environment.
    pub fn from_environment() -> Ssm {
        Ssm::new(&aws::of_environment("SSM"))
    }

    /// At an endpoint on this machine that asks for no credentials.
    pub fn at_endpoint(url: &str) -> Ssm {
        Ssm::new(&aws::at_endpoint(url))
    }

    fn new(config: &SdkConfig) -> Ssm {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(TIMEOUT)
            .build();
        let config = aws_sdk_ssm::config::Builder::from(config)
            .retry_config(RetryConfig::standard().with_initial_backoff(BACKOFF))
            .timeout_config(timeouts)
            .build();
        Ssm {
            client: Client::from_conf(config),
        }
    }
}

impl Parameters for Ssm {
    fn read(&self, names: Vec<String>) -> BoxFuture<'_, Result<HashMap<String, String>, Away>> {
        async move {
            let request = self.client.get_parameters().set_names(Some(names));
            let answer = request.with_decryption(true).send().await;
            // Not with what was answered, which may hold values.
            let answer = answer.map_err(|error| telemetry::chain(&error))?;
            let found = answer.parameters.unwrap_or_default().into_iter();
            Ok(found
                .filter_map(|parameter| Some((parameter.name?, parameter.value?)))
                .collect())
        }
        .boxed()
    }
}
