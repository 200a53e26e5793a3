//! What is known of a kind of job before one is stored.

/// A kind of job.
pub struct JobKind {
    /// As `type` names it in a request, and as the queue stores it.
    pub name: &'static str,
    /// The fields of a request it reads that not every kind reads.
    pub(super) reads: &'static [&'static str],
    /// Whether it reads a stretch of a channel, and not single messages: its channel is
    /// listed while it waits, and its guild's settings decide whether it is taken on.
    pub is_scan: bool,
}
