//! A claim: one attempt at a job, as the worker received it.
//!
//! A claim is read once, from the answer of a tick. It is then shared by everything that
//! handles the job: the handler's [`ActiveJob`](super::ActiveJob), the worker's own entry,
//! the outcome that is not settled yet, and the [`EndedJob`](super::EndedJob). Only its
//! checkpoint changes. A claim does not know whether its lease is still valid: the worker's
//! entry tracks that, and the fence decides in Redis.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::Span;

use crate::queue::scripts::Parts;
use crate::queue::spec::{Header, Spec, StoredState};
use crate::queue::{Attempt, Backoff, Error, JobId};
use crate::redis;
use crate::trace::Trace;

/// One attempt at a job.
#[derive(Debug)]
pub struct Claim {
    /// The job and the fence.
    pub attempt: Attempt,
    /// The kind, which selects the handler.
    pub kind: String,
    /// The priority with which it was stored, from 1 (first) to 10.
    pub priority: u8,
    /// The number of this attempt, from 1. Snoozes and lost leases do not count.
    pub number: u32,
    /// How many attempts the job may have.
    pub max_attempts: u32,
    /// The job whose completion started this one.
    pub after: Option<JobId>,
    /// The batch that this job is the last of. [`Queue::batch`](crate::queue::Queue::batch)
    /// returns its results.
    pub batch_end: Option<JobId>,
    /// The trace of the request that stored the job, in the W3C format.
    pub traceparent: Option<String>,
    /// The arguments as JSON; `null` while they are in a key of their own.
    pub(super) args: String,
    pub(super) args_in_own_key: bool,
    pub(super) backoff: Backoff,
    pub(super) jitter: bool,
    pub(super) timeout: Option<Duration>,
    /// Fields of other jobs that are needed to settle this one.
    pub(super) related: Vec<String>,
    /// The span of every log line about this attempt.
    pub(super) span: Span,
    checkpoint: Mutex<Option<String>>,
}

impl Claim {
    /// Whether the job fails for good if this attempt fails.
    pub fn is_last_attempt(&self) -> bool {
        self.number >= self.max_attempts
    }

    /// The number of claims of this job so far, which is higher in every attempt than in
    /// all before. A lower fence on a write outside of the queue belongs to an attempt that
    /// has lost the job.
    pub fn fence(&self) -> u64 {
        self.attempt.fence
    }

    /// Where an earlier attempt or snooze stopped, as JSON.
    pub fn checkpoint(&self) -> Option<String> {
        lock(&self.checkpoint).clone()
    }

    /// Stores where to continue. It is saved when the job is handed back or retried.
    pub fn set_checkpoint(&self, checkpoint: String) {
        *lock(&self.checkpoint) = Some(checkpoint);
    }

    /// How long the next attempt waits if this one fails and the handler names no wait.
    pub(super) fn backoff(&self) -> Duration {
        let random = if self.jitter { fastrand::f64() } else { 1.0 };
        self.backoff.delay(self.number, random)
    }
}

/// Reads a claimed job.
pub(super) fn claimed(parts: Parts) -> Result<Arc<Claim>, Error> {
    let (claim, _) = read(parts)?;
    Ok(Arc::new(claim))
}

/// Reads a job and its header. The attempt is the one that holds the job, or held it last.
pub(super) fn read((id, header, spec, data): Parts) -> Result<(Claim, Header), Error> {
    let header = Header::parse(&id, &header)?;
    let (spec, args) = Spec::parse(&id, &spec)?;
    let attempt = Attempt {
        id: job_id(&id)?,
        fence: header.fence,
    };
    let number = u32::try_from(header.attempts).unwrap_or(1);
    // A job that ended before it ran has no attempt to name in the log.
    let logged = (header.state == StoredState::Active).then_some(number);
    let group = spec.group.iter().map(|group| format!("g:{group}"));
    let batch = spec.batch.iter().map(|batch| format!("b:{batch}"));
    let claim = Claim {
        span: span(&attempt, &spec.kind, logged, spec.traceparent.as_deref()),
        related: group.chain(batch).collect(),
        attempt,
        args: args.to_owned(),
        priority: spec.priority,
        number,
        max_attempts: spec.max_attempts,
        checkpoint: Mutex::new(Some(data).filter(|data| !data.is_empty())),
        jitter: !spec.no_jitter,
        timeout: spec.timeout.map(Duration::from_millis),
        args_in_own_key: spec.blob.is_some(),
        after: spec.after.as_deref().and_then(JobId::parse),
        batch_end: spec.batch_end.as_deref().and_then(JobId::parse),
        kind: spec.kind,
        backoff: spec.backoff,
        traceparent: spec.traceparent,
    };
    Ok((claim, header))
}

fn job_id(text: &str) -> Result<JobId, Error> {
    JobId::parse(text).ok_or(Error::Redis(redis::Error::UnexpectedReply {
        expected: "the id of a job",
        found: "a string",
    }))
}

/// The span of an attempt. If the job has a trace, it takes precedence over the worker's.
fn span(attempt: &Attempt, kind: &str, number: Option<u32>, traceparent: Option<&str>) -> Span {
    let trace = traceparent.and_then(Trace::parse);
    // The span has the highest level, like the invocation's. A filter that hides it would
    // also remove the job id from errors.
    tracing::error_span!(
        "job",
        job_id = %attempt.id,
        kind,
        attempt = number,
        fence = attempt.fence,
        trace_id = trace.as_ref().map(Trace::id)
    )
}

/// The data is intact even if a handler panicked while it held the lock.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
