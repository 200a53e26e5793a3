//! The static description of a job kind.

/// A kind of job.
pub struct JobKind {
    /// The name, as `type` in a request and as stored by the queue.
    pub name: &'static str,
    /// The request fields that this kind uses and that not every kind uses.
    pub(super) reads: &'static [&'static str],
    /// Whether it reads a range of a channel instead of single messages. If so, its
    /// channel is listed while the job waits, and the guild's settings decide whether the
    /// job is accepted.
    pub is_scan: bool,
}
