//! Reads parameters from SSM Parameter Store.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;

use super::{Away, Parameters};
use crate::base::aws::{Call, Error, Service};
use crate::telemetry;

/// The longest time of one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(2500);

/// The longest time of all attempts of a cold start together. A function has ten seconds
/// until it must ask for its first event.
const TIMEOUT: Duration = Duration::from_secs(8);

/// The number of attempts, for failures that may be temporary.
const ATTEMPTS: u32 = 3;

/// The second attempt follows after a random part of this time, and the third after a
/// random part of twice as much.
const BACKOFF: Duration = Duration::from_millis(100);

/// The parameters of this account and region.
pub struct Ssm {
    ssm: Service,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    #[serde(default)]
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    name: String,
    value: String,
}

impl Ssm {
    /// Uses the credentials and the endpoint of the environment.
    pub fn from_environment() -> Ssm {
        Ssm {
            ssm: Service::of_environment("ssm"),
        }
    }

    /// Uses an endpoint on this machine, which asks for no credentials.
    pub fn at_endpoint(url: &str) -> Ssm {
        Ssm {
            ssm: Service::at_endpoint("ssm", url),
        }
    }

    /// Returns the request for the values of `names`.
    pub fn call(names: &[String]) -> Call {
        let body = json!({ "Names": names, "WithDecryption": true });
        Call {
            path: "/".to_owned(),
            headers: vec![
                ("content-type", "application/x-amz-json-1.1"),
                ("x-amz-target", "AmazonSSM.GetParameters"),
            ],
            body: body.to_string().into_bytes(),
        }
    }

    async fn get(&self, names: &[String]) -> Result<Reply, Away> {
        let mut pause = BACKOFF;
        for attempt in 1.. {
            let sent = self.ssm.send(Ssm::call(names));
            let body = match tokio::time::timeout(ATTEMPT_TIMEOUT, sent).await {
                Ok(Ok(body)) => body,
                Ok(Err(error)) if attempt == ATTEMPTS || !error.is_transient() => {
                    return Err(telemetry::chain(&error).into());
                }
                Err(late) if attempt == ATTEMPTS => return Err(late.into()),
                Ok(Err(_)) | Err(_) => {
                    tokio::time::sleep(pause.mul_f64(fastrand::f64())).await;
                    pause *= 2;
                    continue;
                }
            };
            // The error is dropped, because it may quote the reply, which contains values.
            return serde_json::from_slice(&body).map_err(|_| Error::Unreadable.into());
        }
        unreachable!("the last attempt returns")
    }
}

impl Parameters for Ssm {
    fn read(&self, names: Vec<String>) -> BoxFuture<'_, Result<HashMap<String, String>, Away>> {
        async move {
            // Uses real time and not the injected clock, because it bounds a real wait and
            // changes no state.
            let reply = tokio::time::timeout(TIMEOUT, self.get(&names)).await??;
            let found = reply.parameters.into_iter();
            Ok(found
                .map(|parameter| (parameter.name, parameter.value))
                .collect())
        }
        .boxed()
    }
}
