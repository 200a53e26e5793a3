//! Waking the drainer by an asynchronous invoke. Linked by the functions that do.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::error::DisplayErrorContext;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;

use super::Wake;
use crate::base::aws;

/// Invokes the drainer, once and without waiting for what it does.
pub struct LambdaWake {
    client: Client,
    function: String,
    /// The event.
    payload: String,
}

impl LambdaWake {
    /// With the credentials and the endpoint of the environment. `source` is what the
    /// drainer is sent about who wakes it.
    pub fn from_environment(function: String, source: &str) -> LambdaWake {
        LambdaWake::new(&aws::of_environment("LAMBDA"), function, source)
    }

    /// At an endpoint on this machine that asks for no credentials.
    pub fn at_endpoint(url: &str, function: &str, source: &str) -> LambdaWake {
        LambdaWake::new(&aws::at_endpoint(url), function.to_owned(), source)
    }

    fn new(config: &SdkConfig, function: String, source: &str) -> LambdaWake {
        let timeouts = TimeoutConfig::builder()
            .operation_timeout(Duration::from_secs(1))
            .build();
        let config = aws_sdk_lambda::config::Builder::from(config)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .build();
        LambdaWake {
            client: Client::from_conf(config),
            function,
            payload: json!({ "source": source }).to_string(),
        }
    }
}

impl Wake for LambdaWake {
    fn wake(&self) -> BoxFuture<'_, Result<(), Box<dyn std::error::Error + Send + Sync>>> {
        async move {
            let invoked = self
                .client
                .invoke()
                .function_name(&self.function)
                .invocation_type(InvocationType::Event)
                .payload(Blob::new(self.payload.as_str()))
                .send()
                .await;
            match invoked {
                Ok(_) => Ok(()),
                Err(error) => Err(DisplayErrorContext(&error).to_string().into()),
            }
        }
        .boxed()
    }
}
