//! One round of a drainer: outcomes in, jobs out.

use std::time::Duration;

use tokio::sync::watch;
use tracing::Span;

use super::handler::{ActiveJob, Checkpoint, Signal};
use super::scripts::{Pace, Parts, Renew, Settle, TickRequest};
use super::span::span;
use super::spec::{Header, Spec, StoredResult, StoredState};
use super::{Attempt, Backoff, Error, JobId, Outcome, Queue};
use crate::clock::Deadline;
use crate::redis;

/// How often a round is sent again when its reply was lost.
const REPLAYS: u32 = 3;

/// The longest error message kept, in bytes; the cut is marked.
const LONGEST_ERROR: usize = 1024;

/// What a round carries.
#[derive(Default)]
pub(super) struct Round {
    pub want: usize,
    /// How many waiting jobs to look at, when not just `want`.
    pub pick: usize,
    pub sweep: bool,
    /// Whether to count what waits.
    pub measure: bool,
    pub settle: Vec<Settle>,
    pub renew: Vec<Renew>,
}

/// What came of it.
pub(super) struct Ticked {
    pub settled: Vec<Settled>,
    pub renewed: Vec<Renewed>,
    pub claimed: Vec<Claimed>,
    /// Jobs that failed or were cancelled because their lease ended.
    pub ended: Vec<EndedJob>,
    /// When the next delayed job is due, in unix milliseconds.
    pub next_due_ms: Option<i64>,
    pub paused: bool,
    /// When retention last ran; `None` when this round had no need to know.
    pub retained_ms: Option<i64>,
    /// How many jobs wait, if that was to be counted.
    pub waiting: u64,
}

/// What a settled attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    Completed,
    Failed,
    Cancelled,
    Retried,
    Snoozed,
    /// Settled before; the first time counts.
    Duplicate,
    /// Another attempt owns the job, or the sweep took it back: nothing was accepted.
    Lost,
    /// There is no such job.
    Gone,
}

impl Settled {
    /// Whether nothing more happens to the job by itself.
    pub(super) fn is_end(self) -> bool {
        matches!(
            self,
            Settled::Completed | Settled::Failed | Settled::Cancelled
        )
    }

    /// An outcome accepted by a round whose reply never came is taken for what was
    /// sent, since nobody has counted it yet.
    pub(super) fn or_as_sent(self, sent: &Settle) -> Settled {
        match self {
            Settled::Duplicate => settled(sent.outcome),
            other => other,
        }
    }
}

/// What became of a lease that was to be renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewed {
    Ok,
    Cancel,
    Lost,
}

/// A job as it was handed out.
pub(super) struct Claimed {
    pub attempt: Attempt,
    pub kind: String,
    pub args: String,
    pub number: u32,
    pub max_attempts: u32,
    pub checkpoint: Option<String>,
    pub backoff: Backoff,
    pub jitter: bool,
    pub timeout: Option<Duration>,
    /// The arguments are in a key of their own.
    pub args_apart: bool,
    /// Fields that settling it needs besides its own.
    pub related: Vec<String>,
    pub after: Option<JobId>,
    pub batch_end: Option<JobId>,
    pub traceparent: Option<String>,
}

impl Claimed {
    /// The job as its handler is given it.
    pub fn into_active(
        self,
        signal: watch::Receiver<Signal>,
        checkpoint: Checkpoint,
        until: Deadline,
    ) -> ActiveJob {
        ActiveJob {
            attempt: self.attempt,
            kind: self.kind,
            args: self.args,
            number: self.number,
            max_attempts: self.max_attempts,
            after: self.after,
            batch_end: self.batch_end,
            traceparent: self.traceparent,
            until,
            signal,
            checkpoint,
        }
    }
}

/// A job that ended without its handler's knowing.
#[derive(Clone, Debug)]
pub struct EndedJob {
    pub attempt: Attempt,
    pub kind: String,
    pub args: String,
    /// Whether it was cancelled; it failed otherwise.
    pub cancelled: bool,
    pub reason: String,
    /// The arguments are in a key of their own, and not here.
    pub(super) args_apart: bool,
    /// What lines about it are written in.
    pub(super) span: Span,
}

impl Settle {
    /// How an attempt is reported that came to `outcome` at `now`; `backoff` is its
    /// wait when it failed and told none.
    pub fn of(
        attempt: &Attempt,
        outcome: Outcome,
        backoff: Duration,
        checkpoint: Option<String>,
        result_in: Option<StoredResult>,
        now: i64,
    ) -> Settle {
        let later = |wait: Duration| Some(now.saturating_add(wait.as_millis() as i64));
        let (outcome, run_at, data, error) = match outcome {
            Outcome::Done(result) => {
                // A checkpoint would otherwise be taken for the result.
                let result = result_in.map_or_else(|| result.to_string(), |_| String::new());
                ("completed", None, Some(result), None)
            }
            Outcome::Retry { reason, after } => (
                "retry",
                later(after.unwrap_or(backoff)),
                checkpoint,
                Some(reason),
            ),
            Outcome::Snooze { after } => ("snooze", later(after), checkpoint, None),
            Outcome::Fail { reason } => ("failed", None, None, Some(reason)),
            Outcome::Unwanted { reason } => ("cancelled", None, None, Some(reason)),
            Outcome::Cancelled => ("cancelled", None, None, None),
        };
        Settle {
            id: attempt.id.to_string(),
            fence: attempt.fence,
            outcome,
            data,
            result: result_in,
            run_at,
            error: error.map(|reason| cut(&reason, LONGEST_ERROR)),
            read: Vec::new(),
        }
    }
}

impl Queue {
    /// Sends a round; when its reply is lost, again with the word `replay`, so that
    /// jobs claimed by the first are handed out and outcomes counted once.
    pub(super) async fn tick(&self, token: &str, round: Round) -> Result<Ticked, Error> {
        let now = self.clock.now_ms();
        let config = &self.config;
        let mut request = TickRequest {
            moment: self.moment(now),
            token: token.to_owned(),
            want: round.want,
            pick: round.pick.max(round.want),
            lease: u64::try_from(config.lease.as_millis()).unwrap_or(u64::MAX),
            sweep: round.sweep,
            replay: false,
            measure: round.measure,
            settle: round.settle,
            renew: round.renew,
            active_limit: config.active_limit,
            group_limit: config.group_limit,
            rate: config.rate.map(|rate| Pace {
                interval: rate.interval.as_secs_f64() * 1000.0,
                burst: rate.burst.max(1),
            }),
        };
        let mut replays = 0;
        let answer = loop {
            match self.scripts().tick(&request).await {
                Ok(answer) => break answer,
                Err(error) if error.is_outcome_unknown() && replays < REPLAYS => {
                    replays += 1;
                    request.replay = true;
                    let pause = Duration::from_millis(100 << replays).mul_f64(fastrand::f64());
                    self.clock.pause(pause).await;
                }
                Err(error) => return Err(error.into()),
            }
        };
        Ok(Ticked {
            settled: answer.settled.iter().map(|word| settled(word)).collect(),
            renewed: answer
                .renewed
                .iter()
                .map(|word| match word.as_str() {
                    "ok" => Renewed::Ok,
                    "cancel" => Renewed::Cancel,
                    _ => Renewed::Lost,
                })
                .collect(),
            claimed: answer
                .claimed
                .into_iter()
                .filter_map(readable(claimed))
                .collect(),
            ended: answer
                .ended
                .into_iter()
                .filter_map(readable(ended))
                .collect(),
            next_due_ms: Some(answer.next_due_ms).filter(|at| *at > 0),
            paused: answer.paused,
            retained_ms: Some(answer.retained_ms).filter(|at| *at > 0),
            waiting: answer.waiting,
        })
    }
}

fn settled(word: &str) -> Settled {
    match word {
        "completed" => Settled::Completed,
        "failed" => Settled::Failed,
        "cancelled" => Settled::Cancelled,
        "retry" => Settled::Retried,
        "snooze" => Settled::Snoozed,
        "dup" => Settled::Duplicate,
        "gone" => Settled::Gone,
        _ => Settled::Lost,
    }
}

/// A job that cannot be read is left to its lease, and to fail by its stalls; the
/// others of the round are not held up.
fn readable<T>(read: fn(Parts) -> Result<T, Error>) -> impl Fn(Parts) -> Option<T> {
    move |parts| {
        let id = parts.0.clone();
        read(parts)
            .inspect_err(|error| {
                tracing::error!(
                    job_id = id,
                    error = crate::telemetry::chain(error),
                    "job left alone"
                );
            })
            .ok()
    }
}

fn attempt(id: &str, fence: u64) -> Result<Attempt, Error> {
    let id = JobId::parse(id).ok_or_else(|| {
        Error::Redis(redis::Error::UnexpectedReply {
            expected: "the id of a job",
            found: "a string",
        })
    })?;
    Ok(Attempt { id, fence })
}

fn claimed((id, header, spec, data): Parts) -> Result<Claimed, Error> {
    let header = Header::parse(&id, &header)?;
    let (spec, args) = Spec::parse(&id, &spec)?;
    let group = spec.group.iter().map(|group| format!("g:{group}"));
    let batch = spec.batch.iter().map(|batch| format!("b:{batch}"));
    Ok(Claimed {
        related: group.chain(batch).collect(),
        attempt: attempt(&id, header.fence)?,
        kind: spec.kind,
        args: args.to_owned(),
        number: u32::try_from(header.attempts).unwrap_or(1),
        max_attempts: spec.max_attempts,
        checkpoint: Some(data).filter(|data| !data.is_empty()),
        backoff: spec.backoff,
        jitter: !spec.no_jitter,
        timeout: spec.timeout.map(Duration::from_millis),
        args_apart: spec.blob.is_some(),
        after: spec.after.as_deref().and_then(JobId::parse),
        batch_end: spec.batch_end.as_deref().and_then(JobId::parse),
        traceparent: spec.traceparent,
    })
}

fn ended((id, header, spec, _): Parts) -> Result<EndedJob, Error> {
    let header = Header::parse(&id, &header)?;
    let (spec, args) = Spec::parse(&id, &spec)?;
    let last = header.errors.last();
    let attempt = attempt(&id, header.fence)?;
    Ok(EndedJob {
        span: span(&attempt, &spec.kind, None, spec.traceparent.as_deref()),
        attempt,
        kind: spec.kind,
        args: args.to_owned(),
        cancelled: header.state == StoredState::Cancelled,
        reason: last.map_or_else(String::new, |error| error.message.clone()),
        args_apart: spec.blob.is_some(),
    })
}

/// `text` up to `limit` bytes, on a boundary of characters.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit - '…'.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let text = "é".repeat(1000);
        let cut = cut(&text, LONGEST_ERROR);
        assert!(cut.len() <= LONGEST_ERROR && cut.ends_with("é…"));
    }
}
