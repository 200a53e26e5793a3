//! One drain: the rounds of an invocation. The jobs that run between them are in
//! `work`, what is due when in `timing`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tracing::Instrument as _;
use ulid::Ulid;

use super::consumer::{DrainReport, Margins};
use super::handler::{JobHandler, Signal};
use super::helpers::Helpers;
use super::running::{Running, Unsettled};
use super::scripts::Renew;
use super::tick::{Renewed, Round, Ticked};
use super::work::Finished;
use super::{Attempt, Error, JobId, Queue, Settled};
use crate::clock::Deadline;
use crate::telemetry;

/// Rounds that may fail one after another before a drainer without work gives up.
const FAILURES: u32 = 3;

/// Rounds that may be refused one after another before any drainer gives up: what
/// is refused and not lost will be refused again.
const REFUSALS: u32 = 8;

/// Waiting jobs looked at when the ones before were of no use.
const WIDE_LOOK: usize = 50;

/// The state of one drain; dropped with the invocation, and its tasks with it.
pub(super) struct Drain<'a> {
    pub handler: Arc<dyn JobHandler>,
    pub queue: &'a Queue,
    pub deadline: &'a Deadline,
    pub margins: Margins,
    pub running: HashMap<Attempt, Running>,
    pub tasks: JoinSet<(Attempt, Option<Finished>)>,
    /// Not reported yet.
    pub outcomes: Vec<Unsettled>,
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

impl<'a> Drain<'a> {
    pub fn new(
        queue: &'a Queue,
        handler: Arc<dyn JobHandler>,
        deadline: &'a Deadline,
        margins: Margins,
        helpers: Helpers<'a>,
        last_look: Duration,
    ) -> Drain<'a> {
        Drain {
            last_look: queue.clock().elapsed().saturating_add(last_look),
            looked_at: None,
            handler,
            queue,
            deadline,
            margins,
            running: HashMap::new(),
            tasks: JoinSet::new(),
            outcomes: Vec::new(),
            report: DrainReport::default(),
            next_due_ms: None,
            helpers,
            look_wider: false,
            swept_at: None,
            retained_ms: None,
            failures: 0,
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
        let in_time = self.deadline.remaining() > self.margins.stop_claiming;
        let may_claim = in_time && self.queue.check_clock().is_ok();
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
        if want > 0 {
            self.looked_at = Some(started);
        }
        let sent = std::mem::take(&mut self.outcomes);
        self.settled(sent, &ticked.settled).await;
        let now = self.queue.clock().now_ms();
        let again = ticked.next_due_ms.is_some_and(|at| at <= now);
        self.look_wider = again && ticked.claimed.len() < want;
        if measured {
            let ended = self.report.ended();
            self.helpers.wake(ticked.waiting, ended, time).await;
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

    async fn settled(&mut self, sent: Vec<Unsettled>, settled: &[Settled]) {
        let mut events = Vec::new();
        let mut finished = Vec::new();
        for (sent, settled) in sent.into_iter().zip(settled) {
            let settled = settled.or_as_sent(&sent.settle);
            let job_id = sent.attempt.id.clone();
            if self.report.count(settled) {
                let _span = sent.span.enter();
                tracing::warn!("outcome dropped: the lease was lost");
            }
            match settled {
                Settled::Completed => events.push(("completed", job_id.clone())),
                Settled::Failed => events.push(("failed", job_id.clone())),
                _ => {}
            }
            if sent.args_apart && settled.is_end() {
                finished.push(job_id);
            }
            if let Some(ended) = sent.ended(settled) {
                let span = ended.span.clone();
                self.handler.ended(ended).instrument(span).await;
            }
        }
        let events = events.iter().map(|(event, id)| (*event, id));
        self.queue.publish(events).await;
        self.queue.let_args_expire(&finished).await;
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
                let _span = job.span.enter();
                tracing::warn!("job stopped: the lease was lost");
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
        let claimed: Vec<JobId> = ticked
            .claimed
            .iter()
            .map(|job| job.attempt.id.clone())
            .collect();
        for job in ticked.claimed {
            self.report.claimed += 1;
            self.start(job, at);
        }
        let begun = claimed.iter().map(|id| ("processing", id));
        let failed = ticked.ended.iter().filter(|job| !job.cancelled);
        let failed = failed.map(|job| ("failed", &job.attempt.id));
        self.queue.publish(begun.chain(failed)).await;
        let apart = ticked.ended.iter().filter(|job| job.args_apart);
        let apart: Vec<JobId> = apart.map(|job| job.attempt.id.clone()).collect();
        self.queue.let_args_expire(&apart).await;
        for job in ticked.ended {
            self.report.swept += 1;
            let span = job.span.clone();
            span.in_scope(|| tracing::warn!(reason = job.reason, "job ended unrun"));
            self.handler.ended(job).instrument(span).await;
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
