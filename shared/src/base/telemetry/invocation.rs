//! What is said of the invocation on every line that is written in it.

use std::sync::atomic::{AtomicBool, Ordering};

use tracing::Span;

use crate::trace::Trace;

/// The invocations of one environment.
#[derive(Debug, Default)]
pub struct Invocations {
    has_begun: AtomicBool,
}

impl Invocations {
    /// The span of the next one. Of the highest level, since one that is filtered out
    /// takes its fields from the lines that are not.
    pub fn span(&self, request_id: &str, trace: Option<&Trace>) -> Span {
        let is_first = !self.has_begun.swap(true, Ordering::Relaxed);
        tracing::error_span!(
            "invocation",
            request_id,
            trace_id = trace.map(Trace::id),
            cold_start = is_first.then_some(true)
        )
    }
}
