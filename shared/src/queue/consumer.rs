//! Draining a queue: claim, run, settle, until it is empty or time runs out.
//!
//! The time of an invocation is divided from its end: no job is claimed in the last
//! 30 s, jobs still running 10 s before the end are asked to hand back their work,
//! and 5 s before the end what is left is given back without costing an attempt.
//! Shorter invocations keep back a quarter, a sixth and a twelfth. Nothing runs on
//! after [`Consumer::drain`] returns.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use ulid::Ulid;

use super::scripts::Settle;
use super::tick::{Claimed, Renewed, Round, Ticked};
use super::{Attempt, Backoff, EndedJob, Error, Queue, Settled, retention};
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

/// Runs jobs of the kinds it knows.
pub trait JobHandler: Send + Sync + 'static {
    /// Runs a job to an outcome. It may run twice, also at the same time, when a
    /// lease was lost: what it writes outside must be harmless twice or carry the
    /// fence.
    fn run(&self, job: ActiveJob) -> BoxFuture<'static, Outcome>;

    /// Told of a job that ended without its handler's knowing (its lease ended too
    /// often, or it was cancelled and its drainer died).
    fn ended(&self, job: EndedJob) -> BoxFuture<'static, ()>;
}

/// A job while it runs.
#[derive(Clone)]
pub struct ActiveJob {
    pub attempt: Attempt,
    pub kind: String,
    /// The arguments, as JSON.
    pub args: String,
    /// Which attempt this is, from 1; snoozes and lost leases do not count.
    pub number: u32,
    pub max_attempts: u32,
    pub traceparent: Option<String>,
    signal: watch::Receiver<Signal>,
    checkpoint: Arc<Mutex<Option<String>>>,
}

/// What a running job is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    GoOn,
    /// The invocation ends soon: return [`Outcome::Snooze`].
    HandBack,
    /// Somebody cancelled the job: return [`Outcome::Cancelled`].
    Cancel,
}

impl ActiveJob {
    /// Whether the job fails for good if this attempt fails.
    pub fn is_last_attempt(&self) -> bool {
        self.number >= self.max_attempts
    }

    /// What the job is asked to do now.
    pub fn signal(&self) -> Signal {
        *self.signal.borrow()
    }

    /// Waits until it is asked to do something else than go on.
    pub async fn interrupted(&mut self) -> Signal {
        match self.signal.wait_for(|signal| *signal != Signal::GoOn).await {
            Ok(signal) => *signal,
            // The drainer is gone, and with it the lease.
            Err(_) => Signal::HandBack,
        }
    }

    /// Where an earlier attempt or snooze left off, as JSON.
    pub fn checkpoint(&self) -> Option<String> {
        lock(&self.checkpoint).clone()
    }

    /// Remembers where to go on; stored when the job is handed back or retried.
    pub fn set_checkpoint(&self, checkpoint: String) {
        *lock(&self.checkpoint) = Some(checkpoint);
    }
}

/// How a run of a job ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Done, with a result to show.
    Done(Value),
    /// Failed; worth another attempt, after the backoff or the wait given.
    Retry {
        reason: String,
        after: Option<Duration>,
    },
    /// Not done and nothing wrong: go on after this long. Costs no attempt.
    Snooze {
        after: Duration,
    },
    /// Failed in a way another attempt would repeat.
    Fail {
        reason: String,
    },
    Cancelled,
}

/// What a drain did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DrainReport {
    pub claimed: u32,
    pub completed: u32,
    pub failed: u32,
    pub retried: u32,
    pub snoozed: u32,
    pub cancelled: u32,
    /// Outcomes not accepted, because the lease was lost.
    pub lost: u32,
    /// Jobs whose lease had ended too often, ended by this drainer's sweep.
    pub swept: u32,
    pub forgotten: u32,
    pub rounds: u32,
}

/// Drains a queue with a handler.
pub struct Consumer {
    queue: Queue,
    handler: Arc<dyn JobHandler>,
}

struct Running {
    signal: watch::Sender<Signal>,
    task: AbortHandle,
    /// On the monotonic clock.
    renewed_at: Duration,
    backoff: Backoff,
    number: u32,
    checkpoint: Arc<Mutex<Option<String>>>,
}

/// The parts an invocation's time is divided into.
struct Margins {
    stop_claiming: Duration,
    hand_back: Duration,
    give_up: Duration,
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

impl Consumer {
    pub fn new(queue: Queue, handler: Arc<dyn JobHandler>) -> Consumer {
        Consumer { queue, handler }
    }

    /// Claims and runs jobs until none is left, or until `deadline` nears. Outcomes
    /// that could not be reported are reported again until then.
    ///
    /// # Errors
    /// When Redis stays away; jobs claimed meanwhile come back when their lease ends.
    pub async fn drain(&self, deadline: &Deadline) -> Result<DrainReport, Error> {
        let margins = Margins::of(deadline.remaining());
        Drain {
            consumer: self,
            queue: &self.queue,
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
        .run()
        .await
    }
}

/// The state of one drain; dropped with the invocation, and its tasks with it.
struct Drain<'a> {
    consumer: &'a Consumer,
    queue: &'a Queue,
    deadline: &'a Deadline,
    margins: Margins,
    running: HashMap<Attempt, Running>,
    tasks: JoinSet<(Attempt, Outcome)>,
    /// Not reported yet.
    outcomes: Vec<Settle>,
    report: DrainReport,
    next_due_ms: Option<i64>,
    swept_at: Option<Duration>,
    retained_ms: Option<i64>,
    failures: u32,
}

impl Drain<'_> {
    async fn run(mut self) -> Result<DrainReport, Error> {
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
            .map(|(attempt, _)| super::scripts::Renew {
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
            settle: self.outcomes.clone(),
            renew,
        }
    }

    async fn send(&mut self, round: Round) -> Result<(), Error> {
        let started = self.queue.clock().elapsed();
        let sweep = round.sweep;
        let settled: Vec<(String, u64)> = round
            .settle
            .iter()
            .map(|s| (s.id.clone(), s.fence))
            .collect();
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
        self.outcomes.clear();
        for ((id, fence), settled) in settled.into_iter().zip(&ticked.settled) {
            self.count(&id, fence, *settled);
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

    fn count(&mut self, id: &str, fence: u64, settled: Settled) {
        let report = &mut self.report;
        match settled {
            Settled::Completed => report.completed += 1,
            Settled::Failed => report.failed += 1,
            Settled::Cancelled => report.cancelled += 1,
            Settled::Retried => report.retried += 1,
            Settled::Snoozed => report.snoozed += 1,
            // Accepted by a round whose reply never came.
            Settled::Duplicate => {}
            Settled::Lost | Settled::Gone => {
                report.lost += 1;
                tracing::warn!(job_id = id, fence, "outcome dropped: the lease was lost");
            }
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
            self.consumer.handler.ended(job).await;
        }
    }

    fn start(&mut self, job: Claimed, at: Duration) {
        let (sender, receiver) = watch::channel(Signal::GoOn);
        let checkpoint = Arc::new(Mutex::new(job.checkpoint));
        let attempt = job.attempt.clone();
        tracing::info!(job_id = %attempt.id, kind = job.kind, attempt = job.number, fence = attempt.fence, "job started");
        let run = self.consumer.handler.run(ActiveJob {
            attempt: job.attempt,
            kind: job.kind,
            args: job.args,
            number: job.number,
            max_attempts: job.max_attempts,
            traceparent: job.traceparent,
            signal: receiver,
            checkpoint: checkpoint.clone(),
        });
        let task = self.tasks.spawn({
            let attempt = attempt.clone();
            async move {
                // A panic ends this job only.
                let outcome = AssertUnwindSafe(run).catch_unwind().await;
                let outcome = outcome.unwrap_or_else(|_| Outcome::Retry {
                    reason: "the handler panicked".to_owned(),
                    after: None,
                });
                (attempt, outcome)
            }
        });
        let running = Running {
            signal: sender,
            task,
            renewed_at: at,
            backoff: job.backoff,
            number: job.number,
            checkpoint,
        };
        self.running.insert(attempt, running);
    }

    /// Waits until there is something to report, renew or claim.
    async fn wait(&mut self) {
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

    fn finished(&mut self, done: Option<Result<(Attempt, Outcome), tokio::task::JoinError>>) {
        match done {
            Some(Ok((attempt, outcome))) => self.record(&attempt, outcome),
            // Aborted: its lease was lost, or it is being given back.
            Some(Err(_)) | None => self.running.retain(|_, job| !job.task.is_finished()),
        }
    }

    fn record(&mut self, attempt: &Attempt, outcome: Outcome) {
        let Some(job) = self.running.remove(attempt) else {
            return;
        };
        let now = self.queue.clock().now_ms();
        let later = |after: Duration| now.saturating_add(after.as_millis() as i64);
        let checkpoint = lock(&job.checkpoint).clone();
        let settle = match outcome {
            Outcome::Done(result) => {
                Settle::new(attempt, "completed").with_data(Some(result.to_string()))
            }
            Outcome::Retry { reason, after } => {
                tracing::warn!(job_id = %attempt.id, attempt = job.number, reason, "attempt failed");
                let wait = after.unwrap_or_else(|| job.backoff.delay(job.number, fastrand::f64()));
                Settle::new(attempt, "retry")
                    .at(later(wait))
                    .because(&reason)
                    .with_data(checkpoint)
            }
            Outcome::Snooze { after } => Settle::new(attempt, "snooze")
                .at(later(after))
                .with_data(checkpoint),
            Outcome::Fail { reason } => {
                tracing::warn!(job_id = %attempt.id, attempt = job.number, reason, "job failed");
                Settle::new(attempt, "failed").because(&reason)
            }
            Outcome::Cancelled => Settle::new(attempt, "cancelled"),
        };
        self.outcomes.push(settle);
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
            self.record(
                &attempt,
                Outcome::Snooze {
                    after: Duration::ZERO,
                },
            );
        }
    }

    /// Retention, when this drain learned that it is due. A failure is for the next.
    async fn forget(&mut self) {
        let due = match self.retained_ms {
            Some(at) => self.queue.clock().now_ms() - at >= retention::INTERVAL.as_millis() as i64,
            None => self.report.completed + self.report.failed + self.report.cancelled > 0,
        };
        if !due || self.deadline.remaining() < self.margins.give_up {
            return;
        }
        match self.queue.retain().await {
            Ok(forgotten) => self.report.forgotten += forgotten as u32,
            Err(error) => tracing::warn!(error = telemetry::chain(&error), "retention failed"),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
