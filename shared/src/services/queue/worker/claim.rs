//! A claim: one attempt at a job, as the worker was given it.
//!
//! It is read once, from what a tick answers, and then shared by all who hold the job: the
//! handler's [`ActiveJob`](super::ActiveJob), the worker's own entry of it, the outcome
//! that is yet to be settled, and the [`EndedJob`](super::EndedJob). Nothing of it changes
//! but the checkpoint. It says nothing about whether the lease still holds: that is the
//! worker's entry, and the fence decides in Redis.

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
    /// What runs it.
    pub kind: String,
    /// Which attempt this is, from 1; snoozes and lost leases do not count.
    pub number: u32,
    /// Attempts it may have.
    pub max_attempts: u32,
    /// The job whose completion started this one.
    pub after: Option<JobId>,
    /// The batch whose end this job is; [`Queue::batch`](crate::queue::Queue::batch) says
    /// what came of it.
    pub batch_end: Option<JobId>,
    /// The trace of the request that stored it, as W3C writes it.
    pub traceparent: Option<String>,
    /// As JSON; `null` while they are in a key of their own.
    pub(super) args: String,
    pub(super) args_in_own_key: bool,
    pub(super) backoff: Backoff,
    pub(super) jitter: bool,
    pub(super) timeout: Option<Duration>,
    /// Fields that settling it needs besides its own.
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

    /// Claims of this job so far, higher than in any attempt before: what is written
    /// outside under a lower one came from an attempt that had lost the job.
    pub fn fence(&self) -> u64 {
        self.attempt.fence
    }

    /// Where an earlier attempt or snooze left off, as JSON.
    pub fn checkpoint(&self) -> Option<String> {
        lock(&self.checkpoint).clone()
    }

    /// Remembers where to go on; stored when the job is handed back or retried.
    pub fn set_checkpoint(&self, checkpoint: String) {
        *lock(&self.checkpoint) = Some(checkpoint);
    }

    /// How long the next attempt waits if this one fails and names no time.
    pub(super) fn backoff(&self) -> Duration {
        let random = if self.jitter { fastrand::f64() } else { 1.0 };
        self.backoff.delay(self.number, random)
    }
}

/// A claimed job.
pub(super) fn claimed(parts: Parts) -> Result<Arc<Claim>, Error> {
    let (claim, _) = read(parts)?;
    Ok(Arc::new(claim))
}

/// A job and its header: the attempt that holds it, or held it last.
pub(super) fn read((id, header, spec, data): Parts) -> Result<(Claim, Header), Error> {
    let header = Header::parse(&id, &header)?;
    let (spec, args) = Spec::parse(&id, &spec)?;
    let attempt = Attempt {
        id: job_id(&id)?,
        fence: header.fence,
    };
    let number = u32::try_from(header.attempts).unwrap_or(1);
    // A job that ended without a run has no attempt to name in the log.
    let logged = (header.state == StoredState::Active).then_some(number);
    let group = spec.group.iter().map(|group| format!("g:{group}"));
    let batch = spec.batch.iter().map(|batch| format!("b:{batch}"));
    let claim = Claim {
        span: span(&attempt, &spec.kind, logged, spec.traceparent.as_deref()),
        related: group.chain(batch).collect(),
        attempt,
        args: args.to_owned(),
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

/// The span of an attempt. Its trace, where it has one, stands before its worker's.
fn span(attempt: &Attempt, kind: &str, number: Option<u32>, traceparent: Option<&str>) -> Span {
    let trace = traceparent.and_then(Trace::parse);
    // At the highest level, as the invocation's span is: a filter that hides it would take
    // the job's id off the errors as well.
    tracing::error_span!(
        "job",
        job_id = %attempt.id,
        kind,
        attempt = number,
        fence = attempt.fence,
        trace_id = trace.as_ref().map(Trace::id)
    )
}

/// A handler that panicked while it held the lock left whole text behind.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
