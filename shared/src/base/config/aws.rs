//! The settings of AWS services that functions call.

use super::environment::Environment;

/// How `enqueue`, and a drainer with too much to do, wake a drainer.
#[derive(Clone, Debug)]
pub struct WakerConfig {
    /// The function to invoke, from `DRAIN_FUNCTION`. Not set: jobs wait for the
    /// schedule, up to a minute.
    pub function: Option<String>,
    /// Where it is invoked, when not at AWS; that endpoint asks for no credentials. Only set
    /// by programs: in the environment it is `AWS_ENDPOINT_URL_LAMBDA`.
    pub endpoint: Option<String>,
}

impl WakerConfig {
    /// Never fails: the variable is optional.
    pub fn read(env: &Environment<'_>) -> WakerConfig {
        WakerConfig {
            function: env.text("DRAIN_FUNCTION"),
            endpoint: None,
        }
    }
}

/// Where a service of AWS is called. Its credentials are not settings of ours: they are read
/// from the variables that Lambda sets, at each call.
#[derive(Clone, Debug)]
pub struct AwsConfig {
    /// From `AWS_REGION`, which Lambda sets.
    pub region: Option<String>,
    /// Another address than the service's own, from `AWS_ENDPOINT_URL_SSM` or the like,
    /// or from `AWS_ENDPOINT_URL` for all of them.
    pub endpoint_url: Option<String>,
}

impl AwsConfig {
    /// Never fails: each variable is optional. `service` is spelled as in addresses (`ssm`).
    pub fn read(env: &Environment<'_>, service: &str) -> AwsConfig {
        let own = format!("AWS_ENDPOINT_URL_{}", service.to_uppercase());
        let own = env.text(&own);
        AwsConfig {
            region: env.text("AWS_REGION"),
            endpoint_url: own.or_else(|| env.text("AWS_ENDPOINT_URL")),
        }
    }
}
