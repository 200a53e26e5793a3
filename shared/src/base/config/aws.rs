//! The settings for AWS services that functions call.

use super::environment::Environment;

/// How `enqueue` wakes a drainer, and how a drainer wakes helpers.
#[derive(Clone, Debug)]
pub struct WakerConfig {
    /// The function to invoke, from `DRAIN_FUNCTION`. Defaults to none: jobs then wait for
    /// the schedule, up to a minute.
    pub function: Option<String>,
    /// An endpoint other than AWS, which asks for no credentials. Only programs set this.
    /// In the environment it is `AWS_ENDPOINT_URL_LAMBDA`. Defaults to none.
    pub endpoint: Option<String>,
}

impl WakerConfig {
    /// Reads this section. Never fails, because the variable is optional.
    pub fn read(env: &Environment<'_>) -> WakerConfig {
        WakerConfig {
            function: env.text("DRAIN_FUNCTION"),
            endpoint: None,
        }
    }
}

/// Where an AWS service is called. Its credentials are not among these settings: each call
/// reads them from the variables that Lambda sets.
#[derive(Clone, Debug)]
pub struct AwsConfig {
    /// The region, from `AWS_REGION`, which Lambda sets.
    pub region: Option<String>,
    /// An address other than the service's own, from `AWS_ENDPOINT_URL_SSM` (or the like),
    /// or from `AWS_ENDPOINT_URL` for all services. Defaults to none.
    pub endpoint_url: Option<String>,
}

impl AwsConfig {
    /// Reads this section. Never fails, because each variable is optional. `service` is
    /// spelled as in addresses (`ssm`).
    pub fn read(env: &Environment<'_>, service: &str) -> AwsConfig {
        let own = format!("AWS_ENDPOINT_URL_{}", service.to_uppercase());
        let own = env.text(&own);
        AwsConfig {
            region: env.text("AWS_REGION"),
            endpoint_url: own.or_else(|| env.text("AWS_ENDPOINT_URL")),
        }
    }
}
