//! The processes of a crowd: drainers, which work until they are killed, and enqueuers,
//! which enqueue jobs for a while.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;
use shared::clock::Clock;
use shared::queue::{ActiveJob, Consumer, EndedJob, JobHandler, JobId, NewJob, Outcome, Signal};

use super::log::Log;
use super::witness::Witness;
use super::{Event, LEASE, Phase};

/// Delay between two jobs of one enqueuer.
const PAUSE: Duration = Duration::from_millis(80);

/// Runs the jobs of a crowd and records each run.
struct Worker {
    log: Arc<Log>,
    clock: Clock,
}

impl Worker {
    async fn work(clock: Clock, job: &ActiveJob) -> Outcome {
        let retry = |wait| Outcome::Retry {
            reason: "no luck".to_owned(),
            after: Some(Duration::from_millis(wait)),
        };
        match job.kind.as_str() {
            "flaky" if job.number == 1 => return retry(80),
            "long" if job.checkpoint().is_none() => {
                job.set_checkpoint("1".to_owned());
                return Outcome::Snooze {
                    after: Duration::from_millis(120),
                };
            }
            // Longer than a lease, so it must be renewed.
            "slow" => {
                for _ in 0..18 {
                    if job.signal() != Signal::GoOn {
                        return Outcome::Snooze {
                            after: Duration::ZERO,
                        };
                    }
                    clock.sleep(LEASE / 16).await;
                }
            }
            _ => clock.sleep(Duration::from_millis(100)).await,
        }
        Outcome::Done(json!({ "fence": job.fence() }))
    }
}

impl JobHandler for Worker {
    fn run(&self, job: ActiveJob) -> BoxFuture<'static, Outcome> {
        let (log, clock) = (self.log.clone(), self.clock.clone());
        async move {
            let run = |outcome: Option<&str>| Event::Run {
                id: job.attempt.id.to_string(),
                fence: job.fence(),
                outcome: outcome.map(str::to_owned),
            };
            log.note(Phase::Invoke, run(None));
            let outcome = Worker::work(clock, &job).await;
            let word = match &outcome {
                Outcome::Done(_) => "completed",
                Outcome::Retry { .. } => "retry",
                Outcome::Snooze { .. } => "snooze",
                Outcome::Fail { .. } | Outcome::Unwanted { .. } | Outcome::Cancelled => "other",
            };
            log.note(Phase::Ok, run(Some(word)));
            outcome
        }
        .boxed()
    }

    fn ended(&self, _: EndedJob) -> BoxFuture<'static, ()> {
        async {}.boxed()
    }
}

/// Drains until it is killed.
///
/// # Errors
/// If it cannot start.
pub async fn drain(name: &str, url: &str, folder: &Path) -> anyhow::Result<()> {
    let clock = Clock::system();
    let log = Arc::new(Log::create(folder, name, &clock)?);
    let witness = Witness {
        redis: super::redis(url, &clock)?,
        log: log.clone(),
        rounds: Arc::default(),
    };
    let queue = super::queue(Arc::new(witness), &clock);
    let handler = Arc::new(Worker {
        log,
        clock: clock.clone(),
    });
    let consumer = Consumer::new(queue, handler);
    println!("ready");
    loop {
        // An invocation of a few seconds. If it fails, the next one continues.
        let _ = consumer
            .drain(&clock.deadline(Duration::from_secs(4)))
            .await;
        clock.sleep(Duration::from_millis(30)).await;
    }
}

/// Enqueues jobs of all sorts until `time` is over, each until it is acknowledged.
///
/// # Errors
/// If it cannot start, or a job is not acknowledged.
pub async fn enqueue(name: &str, url: &str, folder: &Path, time: Duration) -> anyhow::Result<()> {
    let clock = Clock::system();
    let log = Log::create(folder, name, &clock)?;
    let queue = super::queue(super::redis(url, &clock)?, &clock);
    let deadline = clock.deadline(time);
    println!("ready");
    for n in 0.. {
        if deadline.remaining().is_zero() {
            break;
        }
        let kind = match n % 18 {
            5 => "slow",
            n => ["work", "flaky", "long"][n % 3],
        };
        let mut job = NewJob::new(JobId::new(&clock), kind, &json!({ "n": n }))?;
        // However often their drainers are killed, the jobs are not to blame.
        job.max_attempts = Some(100);
        job.priority = u8::try_from(1 + n % 10)?;
        job.group = (n % 4 == 0).then(|| format!("group-{}", n / 4 % 2));
        if n % 5 == 0 {
            job.run_at_ms = Some(clock.now_ms() + 300);
        }
        let event = Event::Enqueue {
            id: job.id.to_string(),
            run_at: job.run_at_ms.unwrap_or(0),
            group: job.group.clone(),
        };
        let mut tries = 0;
        loop {
            log.note(Phase::Invoke, event.clone());
            match queue.enqueue(job.clone()).await {
                Ok(_) => break log.note(Phase::Ok, event),
                Err(error) if tries == 50 => return Err(error.into()),
                Err(_) => log.note(Phase::Info, event.clone()),
            }
            tries += 1;
        }
        clock.sleep(PAUSE).await;
    }
    Ok(())
}
