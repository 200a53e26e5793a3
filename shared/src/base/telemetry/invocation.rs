//! The fields that describe the invocation on each of its log lines.

use std::sync::atomic::{AtomicBool, Ordering};

use tracing::Span;

use crate::trace::Trace;

/// The invocations of one environment.
#[derive(Debug, Default)]
pub struct Invocations {
    has_begun: AtomicBool,
}

impl Invocations {
    /// Returns the span of the next invocation. It has the highest level, because a span
    /// that is filtered out removes its fields from lines that are not.
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
