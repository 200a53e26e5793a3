//! Wakes the drainer with an asynchronous invoke.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::Wake;
use crate::base::aws::{Call, Service};

/// The longest time of one invoke. It is not repeated, because the schedule starts a
/// drainer within a minute.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The characters that are escaped in a path segment: all but the unreserved characters of
/// RFC 3986. The name may be an ARN, whose colons are escaped too.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Invokes the drainer once, without waiting for its work.
pub struct LambdaWake {
    lambda: Service,
    call: Call,
}

impl LambdaWake {
    /// Uses the credentials and the endpoint of the environment. `source` tells the drainer
    /// who woke it.
    pub fn from_environment(function: &str, source: &str) -> LambdaWake {
        LambdaWake::new(Service::of_environment("lambda"), function, source)
    }

    /// Uses an endpoint on this machine, which asks for no credentials.
    pub fn at_endpoint(url: &str, function: &str, source: &str) -> LambdaWake {
        LambdaWake::new(Service::at_endpoint("lambda", url), function, source)
    }

    fn new(lambda: Service, function: &str, source: &str) -> LambdaWake {
        let call = LambdaWake::call(function, source);
        LambdaWake { lambda, call }
    }

    /// Returns the invoke call of `function`, given by its name or ARN, for `source`.
    pub fn call(function: &str, source: &str) -> Call {
        let function = utf8_percent_encode(function, SEGMENT);
        Call {
            path: format!("/2015-03-31/functions/{function}/invocations"),
            headers: vec![
                ("content-type", "application/json"),
                ("x-amz-invocation-type", "Event"),
            ],
            body: json!({ "source": source }).to_string().into_bytes(),
        }
    }
}

impl Wake for LambdaWake {
    fn wake(&self) -> BoxFuture<'_, Result<(), Box<dyn std::error::Error + Send + Sync>>> {
        async move {
            // Uses real time and not the injected clock, because it bounds a real wait and
            // changes no state.
            let sent = tokio::time::timeout(TIMEOUT, self.lambda.send(self.call.clone()));
            sent.await??;
            Ok(())
        }
        .boxed()
    }
}
