//! The drainer as a Lambda function.

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;
use shared::panics::caught;
use shared::telemetry::{self, Invocations};
use shared::trace::Trace;
use tracing::Instrument as _;

use crate::{Drain, DrainError};

impl From<DrainError> for Diagnostic {
    fn from(error: DrainError) -> Diagnostic {
        Diagnostic {
            error_type: error.kind().to_owned(),
            error_message: telemetry::chain(&error),
        }
    }
}

/// Drains on every event until the environment ends.
///
/// # Errors
/// If the Lambda runtime fails.
pub async fn serve(drain: Drain) -> Result<(), lambda_runtime::Error> {
    let (drain, invocations) = (&drain, &Invocations::default());
    let handler = service_fn(|event: LambdaEvent<Value>| async move {
        let (event, context) = event.into_parts();
        let trace = context.xray_trace_id.as_deref();
        let trace = trace.and_then(Trace::from_xray);
        let span = invocations.span(&context.request_id, trace.as_ref());
        let drained = caught(drain.handle(event, context.deadline));
        drained.instrument(span).await.map_err(DrainError::from)?
    });
    lambda_runtime::run(handler).await
}
