//! The worker's loop: the rounds of one invocation.
//!
//! A round is one call of the script `tick`. It settles finished jobs, renews leases, takes
//! back leases that have ended (`sweep`), and claims due jobs, all for the price of one
//! round trip. `work` runs the jobs between rounds, `timing` decides when the next round is
//! due, and `tick` sends it.
//!
//! # Everything that ends a lease
//!
//! A job leaves `active` only in the ways listed here. In Redis, two scripts do this:
//! `settle.lua` writes an outcome, and `sweep.lua` takes a lease back. An attempt that lost
//! its lease cannot write anything more, because its fence is no longer the newest.
//!
//! | what happens | where | what happens to the job |
//! |---|---|---|
//! | the handler returns an outcome | [`WorkerLoop::finished`] | what the outcome says |
//! | the handler panics | [`WorkerLoop::finished`] | it is retried, at the cost of an attempt |
//! | the attempt takes longer than its timeout | [`WorkerLoop::enforce_deadlines`] | it is retried, at the cost of an attempt |
//! | the invocation ends | [`WorkerLoop::enforce_deadlines`] | its handler is asked to hand it back, then it is given back; no attempt is lost |
//! | its renewals failed for almost a whole lease | [`WorkerLoop::enforce_deadlines`] | it is given back; no attempt is lost |
//! | a renewal or the outcome is answered `stale` | [`WorkerLoop::renewed`], [`WorkerLoop::settled`] | it already belongs to another attempt, or waits again |
//! | somebody cancels it | [`WorkerLoop::renewed`] asks the handler to stop | it is cancelled, unless it completes first |
//! | the worker dies or loses Redis | `sweep` in the next round of any worker | it waits again and no attempt is lost; if its cancellation was requested, it is cancelled; after as many lost leases as it has attempts, three at least, it fails |

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tracing::Instrument as _;
use ulid::Ulid;

use super::handler::{JobHandler, Signal};
use super::helpers::Helpers;
use super::report::DrainReport;
use super::running::{Finished, Running, Settlement};
use super::tick::{Renewed, Round, Settled, Ticked};
use crate::clock::Deadline;
use crate::queue::{Attempt, Error, JobId, Queue};
use crate::telemetry;
use crate::waker::Wake;

/// The number of rounds in a row that may fail before a worker without jobs gives up.
const FAILURES: u32 = 3;

/// The number of rounds in a row that may be refused before any worker gives up. A round
/// that was refused, and not lost, will be refused again.
const REFUSALS: u32 = 8;

/// How many waiting jobs to look at when the last look found jobs but none that can run.
const WIDE_LOOK: usize = 50;

/// The margins before the end of an invocation.
pub(super) struct Margins {
    pub stop_claiming: Duration,
    pub hand_back: Duration,
    pub give_up: Duration,
}

impl Margins {
    fn of(total: Duration) -> Margins {
        Margins {
            stop_claiming: Duration::from_secs(30).min(total / 4),
            hand_back: Duration::from_secs(10).min(total / 6),
            give_up: Duration::from_secs(5).min(total / 12),
        }
    }
}

/// What a worker is created from.
pub(super) struct Setup<'a> {
    pub queue: &'a Queue,
    pub handler: Arc<dyn JobHandler>,
    pub deadline: &'a Deadline,
    pub helpers: Option<&'a dyn Wake>,
    /// The worker stays until it has looked for jobs at least this long after it began.
    pub last_look: Duration,
}

/// The state of one worker. It is dropped with the invocation, together with its tasks, so
/// nothing keeps running in a frozen environment.
pub(super) struct WorkerLoop<'a> {
    pub handler: Arc<dyn JobHandler>,
    pub queue: &'a Queue,
    pub deadline: &'a Deadline,
    pub margins: Margins,
    pub running: HashMap<Attempt, Running>,
    pub tasks: JoinSet<(Attempt, Option<Finished>)>,
    /// Outcomes that are not settled yet.
    pub outcomes: Vec<Settlement>,
    pub report: DrainReport,
    pub next_due_ms: Option<i64>,
    /// The worker may leave after a look for jobs at this time or later.
    pub last_look: Duration,
    /// When it last looked for jobs.
    pub looked_at: Option<Duration>,
    helpers: Helpers<'a>,
    swept_at: Option<Duration>,
    retained_ms: Option<i64>,
    failures: u32,
    /// Whether the last look found jobs but too few that can run.
    look_wider: bool,
}

impl<'a> WorkerLoop<'a> {
    pub fn new(setup: Setup<'a>) -> WorkerLoop<'a> {
        let (queue, deadline) = (setup.queue, setup.deadline);
        let config = queue.config();
        WorkerLoop {
            handler: setup.handler,
            queue,
            deadline,
            margins: Margins::of(deadline.remaining()),
            running: HashMap::new(),
            tasks: JoinSet::new(),
            outcomes: Vec::new(),
            report: DrainReport::default(),
            next_due_ms: None,
            last_look: queue.clock().elapsed().saturating_add(setup.last_look),
            looked_at: None,
            helpers: Helpers::new(
                setup.helpers,
                config.helpers,
                config.concurrency,
                queue.clock().clone(),
            ),
            swept_at: None,
            retained_ms: None,
            failures: 0,
            look_wider: false,
        }
    }

    /// Works until no job is left or the deadline is near.
    pub async fn run(mut self) -> Result<DrainReport, Error> {
        loop {
            if self.running.is_empty() && self.outcomes.is_empty() {
                self.queue.check_clock()?;
            }
            let round = self.round();
            if round.want > 0 || !round.settle.is_empty() || !round.renew.is_empty() {
                self.send(round).await?;
            }
            if self.running.is_empty() && self.outcomes.is_empty() {
                match self.time_to_next_look() {
                    Some(pause) => tokio::select! {
                        () = self.queue.clock().sleep(pause) => {}
                        () = self.deadline.brought_forward() => {}
                    },
                    None => break,
                }
            } else {
                self.wait().await;
            }
        }
        self.retain().await;
        Ok(self.report)
    }

    /// Builds the next round.
    fn round(&mut self) -> Round {
        let now = self.queue.clock().elapsed();
        let config = self.queue.config();
        let in_time = self.deadline.remaining() > self.margins.stop_claiming;
        let may_claim = in_time && self.queue.check_clock().is_ok();
        let free = config.concurrency.saturating_sub(self.running.len());
        let renew = self
            .running
            .iter()
            .filter(|(_, job)| now.saturating_sub(job.renewed_at) >= config.lease / 3)
            .map(|(attempt, _)| attempt.clone())
            .collect();
        // As often as leases are renewed. Every worker sweeps. The script finds ended
        // leases by their score, so a second worker finds none.
        let sweep = self
            .swept_at
            .is_none_or(|at| now.saturating_sub(at) >= config.lease / 3);
        let want = if may_claim { free } else { 0 };
        Round {
            want,
            pick: if self.look_wider { WIDE_LOOK } else { want },
            sweep,
            measure: self.helpers.are_worth_a_count(self.running.len()),
            settle: self.outcomes.iter().map(|o| o.settle.clone()).collect(),
            renew,
        }
    }

    async fn send(&mut self, round: Round) -> Result<(), Error> {
        let started = self.queue.clock().elapsed();
        let (sweep, want, measured) = (round.sweep, round.want, round.measure);
        let left = self.deadline.remaining();
        let time = left.saturating_sub(self.margins.stop_claiming);
        let renewed = round.renew.clone();
        // Each round has a token of its own. The script finds the jobs of a replayed round
        // by it, so no two rounds may share one.
        let token = Ulid::from_parts(started.as_millis() as u64, fastrand::u128(..)).to_string();
        self.report.rounds += 1;
        let ticked = match self.queue.tick(&token, round).await {
            Ok(ticked) => ticked,
            Err(error) => return self.failed(error).await,
        };
        self.failures = 0;
        // These are the times at which the round was sent. It may not have seen what
        // happened after that.
        if sweep {
            self.swept_at = Some(started);
        }
        if want > 0 {
            self.looked_at = Some(started);
        }
        // Cleared only now, because a failed round sends its outcomes again. An outcome
        // that was already accepted is then answered `dup` and counted once.
        let sent = std::mem::take(&mut self.outcomes);
        self.settled(sent, &ticked.settled).await;
        let now = self.queue.clock().now_ms();
        let more_are_due = ticked.next_due_ms.is_some_and(|at| at <= now);
        self.look_wider = more_are_due && ticked.claimed.len() < want;
        if measured {
            let ended = self.report.ended();
            self.helpers.wake(ticked.waiting, ended, time).await;
        }
        for (attempt, renewed) in renewed.iter().zip(&ticked.renewed) {
            self.renewed(attempt, *renewed, started);
        }
        self.start_claimed(ticked, started).await;
        Ok(())
    }

    /// Decides what to do after a failed round. While jobs run or outcomes are unsettled,
    /// the round is sent again with its outcomes. A worker without either gives up.
    async fn failed(&mut self, error: Error) -> Result<(), Error> {
        self.failures += 1;
        let nothing_at_stake = self.running.is_empty() && self.outcomes.is_empty();
        let time_is_up = self.deadline.remaining() <= self.margins.give_up / 2;
        let hopeless = !error.is_unavailable() && self.failures >= REFUSALS;
        if time_is_up || hopeless || (nothing_at_stake && self.failures >= FAILURES) {
            return Err(error);
        }
        tracing::warn!(error = telemetry::chain(&error), "round failed");
        // 0.5 s to 8 s. A lease is long enough for several of these.
        let pause = Duration::from_millis(250 << self.failures.min(5));
        self.queue
            .clock()
            .pause(pause.min(self.deadline.remaining()))
            .await;
        Ok(())
    }

    /// Counts the results of a round's outcomes, and calls the handler for jobs that ended
    /// in a way it does not know of.
    async fn settled(&mut self, sent: Vec<Settlement>, settled: &[Settled]) {
        let mut events = Vec::new();
        let mut finished = Vec::new();
        for (sent, settled) in sent.into_iter().zip(settled) {
            let settled = settled.or_as_sent(&sent.settle);
            let claim = sent.claim.clone();
            if self.report.count(settled) {
                let _span = claim.span.enter();
                tracing::warn!("outcome dropped: the lease was lost");
            }
            match settled {
                Settled::Completed => events.push(("completed", claim.attempt.id.clone())),
                Settled::Failed => events.push(("failed", claim.attempt.id.clone())),
                _ => {}
            }
            if claim.args_in_own_key && settled.is_end() {
                finished.push(claim.attempt.id.clone());
            }
            if let Some(ended) = sent.ended(settled) {
                let span = claim.span.clone();
                self.handler.ended(ended).instrument(span).await;
            }
        }
        let events = events.iter().map(|(event, id)| (*event, id));
        self.queue.publish(events).await;
        self.queue.let_args_expire(&finished).await;
    }

    /// Handles the result of a renewal that was sent at `at`.
    fn renewed(&mut self, attempt: &Attempt, renewed: Renewed, at: Duration) {
        let Some(job) = self.running.get_mut(attempt) else {
            return;
        };
        job.renewed_at = at;
        match renewed {
            Renewed::Ok => {}
            Renewed::Cancel => {
                job.signal.send_replace(Signal::Cancel);
            }
            Renewed::Lost => {
                let _span = job.claim.span.enter();
                tracing::warn!("job stopped: the lease was lost");
                job.task.abort();
            }
        }
    }

    async fn start_claimed(&mut self, ticked: Ticked, at: Duration) {
        self.next_due_ms = ticked.next_due_ms;
        self.retained_ms = ticked.retained_ms.or(self.retained_ms);
        if ticked.paused {
            tracing::info!("queue is paused");
        }
        let begun = ticked.claimed.iter().map(|claim| &claim.attempt.id);
        let begun = begun.map(|id| ("processing", id));
        let failed = ticked.ended.iter().filter(|job| !job.cancelled);
        let failed = failed.map(|job| ("failed", &job.attempt.id));
        let events: Vec<_> = begun.chain(failed).collect();
        // Jobs come first, because their leases are already running.
        for claim in &ticked.claimed {
            self.report.claimed += 1;
            self.start(claim.clone(), at);
        }
        self.queue.publish(events.into_iter()).await;
        let has_own_key = ticked.ended.iter().filter(|job| job.args_in_own_key);
        let has_own_key: Vec<JobId> = has_own_key.map(|job| job.attempt.id.clone()).collect();
        self.queue.let_args_expire(&has_own_key).await;
        for job in ticked.ended {
            self.report.swept += 1;
            let span = job.span.clone();
            span.in_scope(|| tracing::warn!(reason = job.reason, "job ended before it could run"));
            self.handler.ended(job).instrument(span).await;
        }
    }

    /// Runs retention before leaving, if there is time.
    async fn retain(&mut self) {
        let finished = self.report.completed + self.report.failed + self.report.cancelled > 0;
        if self.deadline.remaining() >= self.margins.give_up {
            self.report.forgotten += self.queue.retain_if_due(self.retained_ms, finished).await;
        }
    }
}
