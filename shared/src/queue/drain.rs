//! One drain: the rounds of an invocation and the jobs that run between them.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use ulid::Ulid;

use super::consumer::{DrainReport, Margins};
use super::handler::{JobHandler, Outcome, Signal, lock};
use super::running::{Running, Unsettled};
use super::scripts::{Renew, Settle};
use super::tick::{Claimed, Renewed, Round, Ticked};
use super::{Attempt, Error, Queue, Settled};
use crate::clock::Deadline;
use crate::telemetry;

/// Rounds that may fail one after another before a drainer without work gives up.
const FAILURES: u32 = 3;

/// Rounds that may be refused one after another before any drainer gives up: what
/// is refused and not lost will be refused again.
const REFUSALS: u32 = 8;

/// A lease is not trusted to its end, since clocks differ: this part of it is kept
/// back, 5 s of 60.
const LEASE_MARGIN: u32 = 12;

/// The state of one drain; dropped with the invocation, and its tasks with it.
pub(super) struct Drain<'a> {
    handler: Arc<dyn JobHandler>,
    queue: &'a Queue,
    deadline: &'a Deadline,
    margins: Margins,
    running: HashMap<Attempt, Running>,
    tasks: JoinSet<(Attempt, Option<Outcome>)>,
    /// Not reported yet.
    outcomes: Vec<Unsettled>,
    report: DrainReport,
    next_due_ms: Option<i64>,
    swept_at: Option<Duration>,
    retained_ms: Option<i64>,
    failures: u32,
}

impl<'a> Drain<'a> {
    pub fn new(
        queue: &'a Queue,
        handler: Arc<dyn JobHandler>,
        deadline: &'a Deadline,
        margins: Margins,
    ) -> Drain<'a> {
        Drain {
            handler,
            queue,
            deadline,
            margins,
            running: HashMap::new(),
            tasks: JoinSet::new(),
            outcomes: Vec::new(),
            report: DrainReport::default(),
            next_due_ms: None,
            swept_at: None,
            retained_ms: None,
            failures: 0,
        }
    }

    /// Works until nothing is left or the deadline nears.
    pub async fn run(mut self) -> Result<DrainReport, Error> {
        loop {
            let round = self.round();
            if round.want > 0 || !round.settle.is_empty() || !round.renew.is_empty() {
                self.send(round).await?;
            }
            if self.running.is_empty() && self.outcomes.is_empty() {
                match self.worth_waiting_for() {
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
        self.forget().await;
        Ok(self.report)
    }

    /// What the next round carries.
    fn round(&mut self) -> Round {
        let now = self.queue.clock().elapsed();
        let config = self.queue.config();
        let may_claim = self.deadline.remaining() > self.margins.stop_claiming;
        let free = config.concurrency.saturating_sub(self.running.len());
        let renew = self
            .running
            .iter()
            .filter(|(_, job)| now.saturating_sub(job.renewed_at) >= config.lease / 3)
            .map(|(attempt, _)| Renew {
                id: attempt.id.to_string(),
                fence: attempt.fence,
            })
            .collect();
        let sweep = self
            .swept_at
            .is_none_or(|at| now.saturating_sub(at) >= config.lease / 3);
        Round {
            want: if may_claim { free } else { 0 },
            sweep,
            settle: self.outcomes.iter().map(|o| o.settle.clone()).collect(),
            renew,
        }
    }

    async fn send(&mut self, round: Round) -> Result<(), Error> {
        let started = self.queue.clock().elapsed();
        let sweep = round.sweep;
        let renewed: Vec<(String, u64)> = round
            .renew
            .iter()
            .map(|r| (r.id.clone(), r.fence))
            .collect();
        let token = Ulid::from_parts(started.as_millis() as u64, fastrand::u128(..)).to_string();
        self.report.rounds += 1;
        let ticked = match self.queue.tick(&token, round).await {
            Ok(ticked) => ticked,
            Err(error) => return self.failed(error).await,
        };
        self.failures = 0;
        if sweep {
            self.swept_at = Some(started);
        }
        let sent = std::mem::take(&mut self.outcomes);
        for (sent, settled) in sent.into_iter().zip(&ticked.settled) {
            self.settled(sent, *settled).await;
        }
        for ((id, fence), renewed) in renewed.into_iter().zip(&ticked.renewed) {
            self.renewed(&id, fence, *renewed, started);
        }
        self.take_over(ticked, started).await;
        Ok(())
    }

    /// A round that failed is sent again, outcomes included, while jobs run or have
    /// outcomes to report; a drainer without either gives up.
    async fn failed(&mut self, error: Error) -> Result<(), Error> {
        self.failures += 1;
        let nothing_at_stake = self.running.is_empty() && self.outcomes.is_empty();
        let time_is_up = self.deadline.remaining() <= self.margins.give_up / 2;
        let hopeless = !error.is_unavailable() && self.failures >= REFUSALS;
        if time_is_up || hopeless || (nothing_at_stake && self.failures >= FAILURES) {
            return Err(error);
        }
        tracing::warn!(error = telemetry::chain(&error), "round failed");
        let pause = Duration::from_millis(250 << self.failures.min(5));
        self.queue
            .clock()
            .pause(pause.min(self.deadline.remaining()))
            .await;
        Ok(())
    }

    async fn settled(&mut self, sent: Unsettled, settled: Settled) {
        let settled = settled.or_as_sent(&sent.settle);
        if self.report.count(settled) {
            let (job_id, fence) = (&sent.attempt.id, sent.attempt.fence);
            tracing::warn!(%job_id, fence, "outcome dropped: the lease was lost");
        }
        if let Some(ended) = sent.ended(settled) {
            self.handler.ended(ended).await;
        }
    }

    fn renewed(&mut self, id: &str, fence: u64, renewed: Renewed, at: Duration) {
        let Some((_, job)) = self
            .running
            .iter_mut()
            .find(|(attempt, _)| attempt.id.as_str() == id && attempt.fence == fence)
        else {
            return;
        };
        job.renewed_at = at;
        match renewed {
            Renewed::Ok => {}
            Renewed::Cancel => {
                job.signal.send_replace(Signal::Cancel);
            }
            Renewed::Lost => {
                tracing::warn!(job_id = id, fence, "job stopped: the lease was lost");
                job.task.abort();
            }
        }
    }

    async fn take_over(&mut self, ticked: Ticked, at: Duration) {
        self.next_due_ms = ticked.next_due_ms;
        self.retained_ms = ticked.retained_ms.or(self.retained_ms);
        if ticked.paused {
            tracing::info!("queue is paused");
        }
        for job in ticked.claimed {
            self.report.claimed += 1;
            self.start(job, at);
        }
        for job in ticked.ended {
            self.report.swept += 1;
            tracing::warn!(job_id = %job.attempt.id, reason = job.reason, "job ended by the sweep");
            self.handler.ended(job).await;
        }
    }

    fn start(&mut self, job: Claimed, at: Duration) {
        let (sender, receiver) = watch::channel(Signal::GoOn);
        let checkpoint = Arc::new(Mutex::new(job.checkpoint.clone()));
        let attempt = job.attempt.clone();
        let (kind, args) = (job.kind.clone(), job.args.clone());
        tracing::info!(job_id = %attempt.id, kind = job.kind, attempt = job.number, fence = attempt.fence, "job started");
        let (backoff, number) = (job.backoff.clone(), job.number);
        let run = self
            .handler
            .run(job.into_active(receiver, checkpoint.clone()));
        let task = self.tasks.spawn({
            let attempt = attempt.clone();
            async move {
                // A panic ends this job only.
                let outcome = AssertUnwindSafe(run).catch_unwind().await;
                (attempt, outcome.ok())
            }
        });
        let running = Running {
            kind,
            args,
            signal: sender,
            task,
            renewed_at: at,
            backoff,
            number,
            checkpoint,
        };
        self.running.insert(attempt, running);
    }

    /// Waits until there is something to report, renew or claim.
    async fn wait(&mut self) {
        self.mind_the_deadline();
        if self.outcomes.is_empty() {
            let pause = self.time_to_act();
            tokio::select! {
                done = self.tasks.join_next() => self.finished(done),
                () = self.queue.clock().sleep(pause) => {}
                () = self.deadline.brought_forward() => {}
            }
        }
        // Others that finish about now travel in the same round.
        if !self.outcomes.is_empty() && !self.running.is_empty() {
            let coalesce = self.queue.config().coalesce;
            let window = self.queue.clock().sleep(coalesce);
            tokio::pin!(window);
            while !self.running.is_empty() {
                tokio::select! {
                    biased;
                    done = self.tasks.join_next() => self.finished(done),
                    () = &mut window => break,
                }
            }
        }
        self.mind_the_deadline();
    }

    fn finished(&mut self, done: Option<Result<(Attempt, Option<Outcome>), JoinError>>) {
        match done {
            Some(Ok((attempt, Some(outcome)))) => self.record(&attempt, outcome, false),
            Some(Ok((attempt, None))) => {
                let reason = "the handler panicked".to_owned();
                self.record(
                    &attempt,
                    Outcome::Retry {
                        reason,
                        after: None,
                    },
                    true,
                );
            }
            // Aborted: its lease was lost, or it is being given back.
            Some(Err(_)) | None => self.running.retain(|_, job| !job.task.is_finished()),
        }
    }

    fn record(&mut self, attempt: &Attempt, outcome: Outcome, silent: bool) {
        let Some(job) = self.running.remove(attempt) else {
            return;
        };
        let (id, number) = (&attempt.id, job.number);
        match &outcome {
            Outcome::Retry { reason, .. } => {
                tracing::warn!(job_id = %id, attempt = number, reason, "attempt failed");
            }
            Outcome::Fail { reason } => {
                tracing::warn!(job_id = %id, attempt = number, reason, "job failed");
            }
            Outcome::Done(_) | Outcome::Snooze { .. } | Outcome::Cancelled => {}
        }
        let backoff = job.backoff.delay(number, fastrand::f64());
        let checkpoint = lock(&job.checkpoint).clone();
        let now = self.queue.clock().now_ms();
        let settle = Settle::of(attempt, outcome, backoff, checkpoint, now);
        self.outcomes.push(Unsettled {
            settle,
            attempt: attempt.clone(),
            kind: job.kind,
            args: job.args,
            silent,
        });
    }

    /// When the next thing is due although no job has finished.
    fn time_to_act(&self) -> Duration {
        let now = self.queue.clock().elapsed();
        let config = self.queue.config();
        let left = self.deadline.remaining();
        let mut pause = config.lease / 3;
        for job in self.running.values() {
            pause = pause.min((job.renewed_at + config.lease / 3).saturating_sub(now));
        }
        for margin in [self.margins.hand_back, self.margins.give_up] {
            if left > margin {
                pause = pause.min(left - margin);
            }
        }
        if self.running.len() < config.concurrency && left > self.margins.stop_claiming {
            pause = pause.min(self.until_due().unwrap_or(pause));
        }
        pause
    }

    fn until_due(&self) -> Option<Duration> {
        let due = self
            .next_due_ms?
            .saturating_sub(self.queue.clock().now_ms());
        Some(Duration::from_millis(u64::try_from(due).unwrap_or(0)))
    }

    /// How long to wait for a delayed job before looking again; `None` to leave.
    fn worth_waiting_for(&self) -> Option<Duration> {
        let until = self.until_due()?;
        let left = self
            .deadline
            .remaining()
            .saturating_sub(self.margins.stop_claiming);
        (until <= self.queue.config().linger && until < left).then_some(until)
    }

    fn mind_the_deadline(&mut self) {
        let now = self.queue.clock().elapsed();
        let left = self.deadline.remaining();
        let lease = self.queue.config().lease;
        let mut given_up = Vec::new();
        for (attempt, job) in &self.running {
            if left <= self.margins.hand_back {
                job.signal.send_if_modified(|signal| {
                    let first = *signal == Signal::GoOn;
                    if first {
                        *signal = Signal::HandBack;
                    }
                    first
                });
            }
            // Renewals failed for so long that another drainer may have the job.
            let lost = now.saturating_sub(job.renewed_at) + lease / LEASE_MARGIN >= lease;
            if left <= self.margins.give_up || lost {
                job.task.abort();
                given_up.push(attempt.clone());
            }
        }
        for attempt in given_up {
            tracing::warn!(job_id = %attempt.id, "job given back unfinished");
            let back = Outcome::Snooze {
                after: Duration::ZERO,
            };
            self.record(&attempt, back, true);
        }
    }

    /// Retention on the way out, if there is time.
    async fn forget(&mut self) {
        let finished = self.report.completed + self.report.failed + self.report.cancelled > 0;
        if self.deadline.remaining() >= self.margins.give_up {
            self.report.forgotten += self.queue.retain_if_due(self.retained_ms, finished).await;
        }
    }
}
