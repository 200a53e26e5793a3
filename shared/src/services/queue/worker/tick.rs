//! One round of a worker, as one call of the script `tick`: it sends outcomes and receives
//! jobs.

use std::sync::Arc;
use std::time::Duration;

use super::claim::{self, Claim};
use super::handler::EndedJob;
use crate::queue::scripts::{Pace, Parts, Renew, Settle, TickRequest};
use crate::queue::spec::StoredState;
use crate::queue::{Attempt, Error, Queue};

/// How often a round is sent again after a lost reply.
const REPLAYS: u32 = 3;

/// What a round sends.
#[derive(Default)]
pub(super) struct Round {
    pub want: usize,
    /// How many waiting jobs to look at; `want` if this is no larger.
    pub pick: usize,
    pub sweep: bool,
    /// Whether to count waiting jobs.
    pub measure: bool,
    pub settle: Vec<Settle>,
    pub renew: Vec<Attempt>,
}

/// What a round received.
pub(super) struct Ticked {
    pub settled: Vec<Settled>,
    pub renewed: Vec<Renewed>,
    pub claimed: Vec<Arc<Claim>>,
    /// Jobs that failed or were cancelled because their lease ended.
    pub ended: Vec<EndedJob>,
    /// When the next delayed job is due, in unix milliseconds.
    pub next_due_ms: Option<i64>,
    pub paused: bool,
    /// When retention last ran, or `None` if this round did not need to know.
    pub retained_ms: Option<i64>,
    /// The number of waiting jobs, if the round counted them.
    pub waiting: u64,
}

/// The result of settling an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The job completed.
    Completed,
    /// The job failed for good.
    Failed,
    /// The job ended cancelled.
    Cancelled,
    /// The attempt failed and will be retried.
    Retried,
    /// The job continues later.
    Snoozed,
    /// It was settled before, and that outcome counts.
    Duplicate,
    /// Nothing was accepted, because another attempt owns the job or the sweep took it
    /// back.
    Lost,
    /// The job does not exist.
    Gone,
}

impl Settled {
    /// Whether the job has ended, so that nothing more happens to it by itself.
    pub(super) fn is_end(self) -> bool {
        matches!(
            self,
            Settled::Completed | Settled::Failed | Settled::Cancelled
        )
    }

    /// Turns a `dup` in the answer to a replay into the outcome that was sent. The first
    /// call accepted it, but its reply was lost, so nobody has counted it.
    pub(super) fn or_as_sent(self, sent: &Settle) -> Settled {
        match self {
            Settled::Duplicate => settled(sent.outcome),
            other => other,
        }
    }
}

/// The result of renewing a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewed {
    Ok,
    Cancel,
    Lost,
}

impl Queue {
    /// Sends a round. If its reply is lost, it is sent again with the word `replay`, so
    /// that the jobs claimed by the first call are returned and outcomes are counted once.
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
            renew: round.renew.iter().map(renew).collect(),
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
                    // The first call may have been applied. With `replay`, the script
                    // returns the jobs that carry this token again and answers `dup` to
                    // outcomes it already has.
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
                .filter_map(readable(claim::claimed))
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

fn renew(attempt: &Attempt) -> Renew {
    Renew {
        id: attempt.id.to_string(),
        fence: attempt.fence,
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

/// A job that cannot be read is left to its lease, and fails after its stalls. The other
/// jobs of the round are not delayed.
fn readable<T>(read: fn(Parts) -> Result<T, Error>) -> impl Fn(Parts) -> Option<T> {
    move |parts| {
        let id = parts.0.clone();
        read(parts)
            .inspect_err(|error| {
                tracing::error!(
                    job_id = id,
                    error = crate::telemetry::chain(error),
                    "unreadable job skipped"
                );
            })
            .ok()
    }
}

fn ended(parts: Parts) -> Result<EndedJob, Error> {
    let (claim, header) = claim::read(parts)?;
    let last = header.errors.into_iter().next_back();
    Ok(EndedJob {
        claim: Arc::new(claim),
        cancelled: header.state == StoredState::Cancelled,
        reason: last.map_or_else(String::new, |error| error.to_reason()),
    })
}
