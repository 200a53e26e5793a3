//! The worker's loop: the rounds of one invocation.
//!
//! A round is one call of the script `tick`. It settles what has finished, renews leases,
//! takes back leases that have ended (`sweep`) and claims what is due, for one price. The
//! jobs that run between rounds are in `work`, what is due when in `timing`, and what one
//! round sends and gets in `tick`.
//!
//! # Everything that ends a lease
//!
//! A job leaves `active` in one of these ways and no other. In Redis, all of them are in
//! `scripts/`: `settle.lua` writes an outcome, `sweep.lua` takes a lease back. An attempt
//! that lost its lease can write nothing more: its fence is not the newest.
//!
//! | what happens | where | what becomes of the job |
//! |---|---|---|
//! | the handler returns an outcome | [`WorkerLoop::finished`] | as the outcome says |
//! | the handler panics | [`WorkerLoop::finished`] | retried, at the cost of an attempt |
//! | the attempt takes longer than its timeout | [`WorkerLoop::enforce_deadlines`] | retried, at the cost of an attempt |
//! | the invocation ends | [`WorkerLoop::enforce_deadlines`] | asked to hand back, then given back; no attempt lost |
//! | its renewals failed for almost a whole lease | [`WorkerLoop::enforce_deadlines`] | given back; no attempt lost |
//! | a renewal is answered `stale`, or the outcome is | [`WorkerLoop::renewed`], [`WorkerLoop::settled`] | another's, or waiting, already |
//! | somebody cancels it | [`WorkerLoop::renewed`] asks the handler to stop | cancelled, unless it completes first |
//! | the worker dies or loses Redis | `sweep` in the next round of any worker | waiting again, no attempt lost; cancelled if that was asked for; failed after as many lost leases as it has attempts, three at least |

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

/// Rounds that may fail one after another before a worker without jobs gives up.
const FAILURES: u32 = 3;

/// Rounds that may be refused one after another before any worker gives up: what
/// is refused and not lost will be refused again.
const REFUSALS: u32 = 8;

/// Waiting jobs looked at when the ones before were of no use.
const WIDE_LOOK: usize = 50;

/// The parts an invocation's time is divided into.
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

/// What a worker starts with.
pub(super) struct Setup<'a> {
    pub queue: &'a Queue,
    pub handler: Arc<dyn JobHandler>,
    pub deadline: &'a Deadline,
    pub helpers: Option<&'a dyn Wake>,
    /// It leaves only when it has looked for jobs this long after it began.
    pub last_look: Duration,
}

/// The state of one worker; dropped with the invocation, and its tasks with it: nothing
/// runs on in a frozen environment.
pub(super) struct WorkerLoop<'a> {
    pub handler: Arc<dyn JobHandler>,
    pub queue: &'a Queue,
    pub deadline: &'a Deadline,
    pub margins: Margins,
    pub running: HashMap<Attempt, Running>,
    pub tasks: JoinSet<(Attempt, Option<Finished>)>,
    /// Not settled yet.
    pub outcomes: Vec<Settlement>,
    pub report: DrainReport,
    pub next_due_ms: Option<i64>,
    /// When it may leave: it must have looked for jobs then, or later.
    pub last_look: Duration,
    /// When it looked for jobs.
    pub looked_at: Option<Duration>,
    helpers: Helpers<'a>,
    swept_at: Option<Duration>,
    retained_ms: Option<i64>,
    failures: u32,
    /// The last look found jobs, but too few of use.
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

    /// Works until nothing is left or the deadline nears.
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

    /// What the next round carries.
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
        // As often as leases are renewed. Every worker sweeps: the script finds the leases that
        // have ended by score, and a second worker finds none.
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
        // A token of its own for each round. The script finds the jobs of a replayed round by
        // it, so no two rounds may ever share one.
        let token = Ulid::from_parts(started.as_millis() as u64, fastrand::u128(..)).to_string();
        self.report.rounds += 1;
        let ticked = match self.queue.tick(&token, round).await {
            Ok(ticked) => ticked,
            Err(error) => return self.failed(error).await,
        };
        self.failures = 0;
        // Times are those at which the round was sent: what happened after that it may not have
        // seen.
        if sweep {
            self.swept_at = Some(started);
        }
        if want > 0 {
            self.looked_at = Some(started);
        }
        // Only now: after a round that failed they are sent again. One that was accepted
        // is answered `dup` then, and counted once.
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

    /// A round that failed is sent again, outcomes included, while jobs run or have
    /// outcomes to settle; a worker without either gives up.
    async fn failed(&mut self, error: Error) -> Result<(), Error> {
        self.failures += 1;
        let nothing_at_stake = self.running.is_empty() && self.outcomes.is_empty();
        let time_is_up = self.deadline.remaining() <= self.margins.give_up / 2;
        let hopeless = !error.is_unavailable() && self.failures >= REFUSALS;
        if time_is_up || hopeless || (nothing_at_stake && self.failures >= FAILURES) {
            return Err(error);
        }
        tracing::warn!(error = telemetry::chain(&error), "round failed");
        // Leases are long enough for some of these: 0.5 s to 8 s.
        let pause = Duration::from_millis(250 << self.failures.min(5));
        self.queue
            .clock()
            .pause(pause.min(self.deadline.remaining()))
            .await;
        Ok(())
    }

    /// Counts what came of the outcomes of a round, and calls the handler for jobs that
    /// ended otherwise than it said.
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

    /// What came of a renewal that was sent `at`.
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
        // The jobs first: their leases count already.
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
            span.in_scope(|| tracing::warn!(reason = job.reason, "job ended unrun"));
            self.handler.ended(job).instrument(span).await;
        }
    }

    /// Retention on the way out, if there is time.
    async fn retain(&mut self) {
        let finished = self.report.completed + self.report.failed + self.report.cancelled > 0;
        if self.deadline.remaining() >= self.margins.give_up {
            self.report.forgotten += self.queue.retain_if_due(self.retained_ms, finished).await;
        }
    }
}
