//! What is said of a job on every line that is about an attempt of it.

use tracing::Span;

use super::Attempt;
use crate::trace::Trace;

/// The span of an attempt. Its trace, where it has one, stands before its drainer's.
pub(super) fn span(
    attempt: &Attempt,
    kind: &str,
    number: Option<u32>,
    traceparent: Option<&str>,
) -> Span {
    let trace = traceparent.and_then(Trace::parse);
    // Of the highest level, as the invocation's.
    tracing::error_span!(
        "job",
        job_id = %attempt.id,
        kind,
        attempt = number,
        fence = attempt.fence,
        trace_id = trace.as_ref().map(Trace::id)
    )
}
