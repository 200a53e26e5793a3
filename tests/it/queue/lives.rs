//! Lives of jobs, to be lived under faults and crashes: each is told from enqueue to
//! retention, and must end the same whatever happened on the way.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;
use shared::clock::Clock;
use shared::config::{Provider, QueueConfig, RedisConfig};
use shared::queue::{
    ActiveJob, Consumer, DrainReport, EndedJob, Error, JobHandler, JobId, JobState, NewJob,
    Outcome, Queue, Totals,
};
use shared::redis::{Command, Pipeline, Redis};
use upstash_local::Server;

/// Large enough for a key of its own.
const LARGE: usize = 6000;

/// More rounds than the worst life takes.
const ROUNDS: usize = 14;

/// How a job must end.
pub struct Expected {
    pub id: JobId,
    pub state: JobState,
    /// Attempts begun, lost leases and snoozes left out.
    pub attempts: i64,
}

/// How a life must end: its jobs, and how many outcomes were accepted.
#[derive(Default)]
pub struct Ending {
    pub jobs: Vec<Expected>,
    pub retried: u64,
    /// Failures of jobs that were redriven afterwards.
    pub failed_before: u64,
}

impl Ending {
    pub fn job(mut self, id: &JobId, state: JobState, attempts: i64) -> Ending {
        let id = id.clone();
        self.jobs.push(Expected {
            id,
            state,
            attempts,
        });
        self
    }

    fn totals(&self, stalled: u64) -> Totals {
        let of = |state| self.jobs.iter().filter(|job| job.state == state).count() as u64;
        Totals {
            completed: of(JobState::Completed),
            failed: of(JobState::Failed) + self.failed_before,
            cancelled: of(JobState::Cancelled),
            retried: self.retried,
            stalled,
        }
    }
}

/// After how many polls a drain is dropped: at once after that poll, or when it
/// would have been polled again.
#[derive(Clone, Copy, Debug)]
pub struct CutAt {
    pub polls: usize,
    pub at_once: bool,
}

/// A future that is given up after so many polls; `None` says that it was.
struct Cut {
    drain: BoxFuture<'static, Result<DrainReport, Error>>,
    at: CutAt,
    polled: usize,
}

impl Future for Cut {
    type Output = Option<Result<DrainReport, Error>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polled == self.at.polls {
            return Poll::Ready(None);
        }
        self.polled += 1;
        match self.drain.as_mut().poll(context) {
            Poll::Pending if self.at.at_once && self.polled == self.at.polls => Poll::Ready(None),
            poll => poll.map(Some),
        }
    }
}

/// Where lives are lived: an endpoint and a clock; each life has a queue of its own.
pub struct Site {
    pub server: Server,
    pub clock: Clock,
    redis: Redis,
    n_lives: usize,
    /// The queue of the life under way.
    pub queue: Queue,
    actor: Arc<Actor>,
    /// When to drop the next drain.
    pub cut: Option<CutAt>,
    /// Whether a drain was dropped.
    pub was_cut: bool,
}

/// Does what a job's kind says, and remembers what it did.
struct Actor {
    redis: Redis,
    queue: Queue,
    ran: Mutex<Vec<(String, u64)>>,
    group: Arc<AtomicUsize>,
    mended: AtomicBool,
}

fn config() -> QueueConfig {
    QueueConfig {
        group_limit: Some(1),
        ..super::config()
    }
}

impl Site {
    pub async fn start() -> Site {
        let server = integration::start_endpoint().await;
        let clock = Clock::manual(integration::START_MS);
        let redis = RedisConfig {
            provider: Provider::Local,
            url: server.url(),
            token: server.token().to_owned(),
            key_prefix: "trawl:".to_owned(),
        };
        let redis = shared::redis::connect(&redis, &clock).unwrap();
        let queue = Queue::new(redis.clone(), "trawl:", "none", clock.clone(), config());
        let actor = Arc::new(Actor::new(redis.clone(), queue.clone()));
        Site {
            server,
            clock,
            redis,
            n_lives: 0,
            queue,
            actor,
            cut: None,
            was_cut: false,
        }
    }

    /// Lives `life` and checks how it ended. Faults that wait strike only what the
    /// life itself asks for.
    pub async fn live(&mut self, life: Life) {
        self.n_lives += 1;
        let name = format!("life-{}", self.n_lives);
        let (redis, clock) = (self.redis.clone(), self.clock.clone());
        self.queue = Queue::new(redis.clone(), "trawl:", &name, clock, config());
        self.actor = Arc::new(Actor::new(redis, self.queue.clone()));
        self.was_cut = false;
        let ending = life.live(self).await;
        self.unharmed(self.check(&ending)).await;
        self.forget_all().await;
    }

    pub fn advance(&self, by: Duration) {
        self.server.clock().advance(by);
        self.clock.advance(by);
    }

    pub fn job(&self, kind: &str) -> NewJob {
        NewJob::new(JobId::new(&self.clock), kind, &json!({ "n": 1 })).unwrap()
    }

    /// Asks until there is an answer, as a caller does who was given an error.
    pub async fn insist<T, R>(&self, ask: impl Fn() -> R) -> T
    where
        R: Future<Output = Result<T, Error>>,
    {
        let mut errors = Vec::new();
        while errors.len() < 8 {
            match ask().await {
                Ok(answer) => return answer,
                Err(error) => errors.push(shared::telemetry::chain(&error).to_string()),
            }
        }
        panic!("no answer: {errors:?}");
    }

    /// Stores a job and answers its id.
    pub async fn enqueue(&self, job: NewJob) -> JobId {
        let stored = self.insist(|| self.queue.enqueue(job.clone())).await;
        assert_eq!(stored, shared::queue::Enqueued::New(job.id.clone()));
        job.id
    }

    /// Drains, after each time the leases of lost drainers have ended, until nothing
    /// is left to be done.
    pub async fn drain(&mut self) {
        for _ in 0..ROUNDS {
            let consumer = Consumer::new(self.queue.clone(), self.actor.clone());
            let deadline = self.clock.deadline(Duration::from_secs(900));
            let cut = self.cut.take();
            let drain = Cut {
                drain: async move { consumer.drain(&deadline).await }.boxed(),
                at: cut.unwrap_or(CutAt {
                    polls: usize::MAX,
                    at_once: false,
                }),
                polled: 0,
            };
            self.was_cut |= drain.await.is_none();
            let index = Command::<u64>::safe("EXISTS").arg(&self.queue.keys().index);
            if self.unharmed(self.ask(index)).await == 0 {
                return;
            }
            self.advance(Duration::from_secs(61));
        }
        panic!("jobs are claimed again and again");
    }

    async fn check(&self, ending: &Ending) {
        let ran = self.actor.ran.lock().unwrap().clone();
        let mut newest: HashMap<&str, u64> = HashMap::new();
        for (id, fence) in &ran {
            let before = newest.insert(id, *fence);
            assert!(before < Some(*fence), "{before:?}, then {fence} of {id}");
        }
        for Expected {
            id,
            state,
            attempts,
        } in &ending.jobs
        {
            let job = self.queue.job(id).await.unwrap().expect("it is kept");
            let seen = (job.state, job.attempts_made);
            assert_eq!(seen, (*state, *attempts), "{} {:?}", job.kind, job.errors);
            if *state == JobState::Completed {
                // A large one that cannot be put anywhere undoes no job.
                if !job.result_dropped {
                    let value = job.returnvalue.expect("a result");
                    assert_eq!(value["fence"], job.fence, "an old attempt's result");
                }
                assert!(ran.contains(&(id.to_string(), job.fence)));
            }
        }
        let stats = self.queue.stats().await.unwrap();
        let expected = ending.totals(stats.lifetime.stalled);
        assert_eq!(stats.lifetime, expected, "each outcome is accepted once");
        assert_eq!(stats.waiting + stats.delayed + stats.active, 0);
        let kept = stats.completed + stats.failed + stats.cancelled;
        assert_eq!(kept, ending.jobs.len() as u64, "each job is kept once");
        let parked: u64 = self
            .ask(Command::safe("ZCARD").arg(&self.queue.keys().parked))
            .await;
        assert_eq!(parked, 0);
    }

    /// Does `work` while the faults in waiting are held back.
    async fn unharmed<T>(&self, work: impl Future<Output = T>) -> T {
        let waiting = self.server.faults().waiting();
        self.server.faults().clear();
        let done = work.await;
        for fault in waiting {
            self.server.faults().add(fault);
        }
        done
    }

    /// Lets retention come, and looks that it leaves counters only.
    async fn forget_all(&self) {
        self.advance(Duration::from_secs(8 * 86_400));
        self.insist(|| self.queue.retain()).await;
        self.server.faults().clear();
        let keys = self.queue.keys();
        let mine = keys.records.replace("records", "*");
        let left: Vec<String> = self.ask(Command::safe("KEYS").arg(mine)).await;
        assert_eq!(left, [keys.records.clone()], "keys left behind");
        let fields: Vec<String> = self.ask(Command::safe("HGETALL").arg(&keys.records)).await;
        let fields: Vec<&[String]> = fields
            .chunks_exact(2)
            .filter(|field| !field[0].starts_with('#'))
            .collect();
        assert!(fields.is_empty(), "fields left behind: {fields:?}");
        let _: u64 = self.ask(Command::safe("DEL").arg(&keys.records)).await;
    }

    pub async fn ask<T: shared::redis::FromReply>(&self, command: Command<T>) -> T {
        command.send(&*self.redis).await.unwrap()
    }
}

/// A life. Each is short, so that every place in it can be struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Done at once, after telling its progress; the endpoint knows no script.
    Plain,
    /// Fails once.
    Retried,
    /// Hands back half of its work.
    Snoozed,
    /// A second job with its unique key comes, and one after its end.
    Unique,
    /// Two of a group that runs one at a time, and one that is not held up.
    Grouped,
    /// Two jobs follow it.
    Chain,
    /// Two jobs, of which one fails, and one after both.
    Batch,
    /// Arguments and result in keys of their own.
    Large,
    /// Cancelled while it waits.
    Cancelled,
    /// Cancelled while it runs.
    Stopped,
    /// Fails for good, is redriven and completes.
    Redriven,
    /// Delayed, and then wanted sooner.
    Changed,
    /// Comes of a schedule.
    Recurring,
    /// Comes out of a stream.
    Foreign,
}

impl Life {
    pub const ALL: [Life; 14] = [
        Life::Plain,
        Life::Retried,
        Life::Snoozed,
        Life::Unique,
        Life::Grouped,
        Life::Chain,
        Life::Batch,
        Life::Large,
        Life::Cancelled,
        Life::Stopped,
        Life::Redriven,
        Life::Changed,
        Life::Recurring,
        Life::Foreign,
    ];

    async fn live(self, site: &mut Site) -> Ending {
        use JobState::{Cancelled, Completed, Failed};
        let ending = Ending::default();
        match self {
            Life::Plain => {
                let flush = Command::<String>::safe("SCRIPT").arg("FLUSH");
                site.unharmed(site.ask(flush)).await;
                let id = site.enqueue(site.job("work")).await;
                site.drain().await;
                ending.job(&id, Completed, 1)
            }
            Life::Retried => {
                let id = site.enqueue(site.job("flaky")).await;
                site.drain().await;
                let retried = 1;
                Ending { retried, ..ending }.job(&id, Completed, 2)
            }
            Life::Snoozed => {
                let id = site.enqueue(site.job("long")).await;
                site.drain().await;
                ending.job(&id, Completed, 1)
            }
            Life::Unique => {
                let unique = || NewJob {
                    unique: Some("k".to_owned()),
                    ..site.job("work")
                };
                let first = site.enqueue(unique()).await;
                let twin = unique();
                let stored = site.insist(|| site.queue.enqueue(twin.clone())).await;
                assert_eq!((stored.is_duplicate(), stored.id()), (true, &first));
                let later = unique();
                site.drain().await;
                let later = site.enqueue(later).await;
                site.drain().await;
                ending.job(&first, Completed, 1).job(&later, Completed, 1)
            }
            Life::Grouped => {
                let grouped = || NewJob {
                    group: Some("g".to_owned()),
                    ..site.job("grouped")
                };
                let jobs = vec![grouped(), grouped(), site.job("work")];
                let ids: Vec<JobId> = jobs.iter().map(|job| job.id.clone()).collect();
                site.insist(|| site.queue.enqueue_many(jobs.clone())).await;
                site.drain().await;
                ids.iter().fold(ending, |e, id| e.job(id, Completed, 1))
            }
            Life::Chain => {
                let then = vec![site.job("flaky"), site.job("work")];
                let (second, third) = (then[0].id.clone(), then[1].id.clone());
                let first = site
                    .enqueue(NewJob {
                        then,
                        ..site.job("work")
                    })
                    .await;
                site.drain().await;
                let retried = 1;
                Ending { retried, ..ending }
                    .job(&first, Completed, 1)
                    .job(&second, Completed, 2)
                    .job(&third, Completed, 1)
            }
            Life::Batch => {
                let jobs = vec![site.job("work"), site.job("bad")];
                let (good, bad) = (jobs[0].id.clone(), jobs[1].id.clone());
                let last = site.job("work");
                site.insist(|| site.queue.enqueue_batch(jobs.clone(), last.clone()))
                    .await;
                site.drain().await;
                ending
                    .job(&good, Completed, 1)
                    .job(&bad, Failed, 1)
                    .job(&last.id, Completed, 1)
            }
            Life::Large => {
                let mut job = site.job("large");
                job.args = json!("x".repeat(LARGE)).to_string();
                let id = site.enqueue(job).await;
                site.drain().await;
                ending.job(&id, Completed, 1)
            }
            Life::Cancelled => {
                let id = site.enqueue(site.job("work")).await;
                let cancelled = site.insist(|| site.queue.cancel(&id)).await;
                assert_eq!(cancelled, shared::queue::Cancelled::Done);
                site.drain().await;
                ending.job(&id, Cancelled, 0)
            }
            Life::Stopped => {
                let id = site.enqueue(site.job("stopped")).await;
                site.drain().await;
                ending.job(&id, Cancelled, 1)
            }
            Life::Redriven => {
                let mut job = site.job("bad");
                job.args = json!("x".repeat(LARGE)).to_string();
                let id = site.enqueue(job).await;
                site.drain().await;
                site.actor.mended.store(true, Ordering::SeqCst);
                let redriven = site.insist(|| site.queue.redrive(&id)).await;
                assert_eq!(redriven, shared::queue::Redriven::Done);
                site.drain().await;
                let failed_before = 1;
                Ending {
                    failed_before,
                    ..ending
                }
                .job(&id, Completed, 1)
            }
            Life::Changed => {
                let now = site.clock.now_ms();
                let mut job = site.job("work");
                job.run_at_ms = Some(now + 86_400_000);
                let id = site.enqueue(job).await;
                let change = || site.queue.change(&id, Some(1), Some(now));
                let changed = site.insist(change).await;
                assert_eq!(changed, shared::queue::Changed::Done);
                site.drain().await;
                ending.job(&id, Completed, 1)
            }
            Life::Recurring => {
                let recurring = [shared::queue::Recurring {
                    name: "nightly".to_owned(),
                    schedule: shared::queue::Schedule::every(Duration::from_secs(86_400)).unwrap(),
                    missed: shared::queue::Missed::RunOnce,
                    job: site.job("work"),
                }];
                // Into the first seconds of a slot, which no drain must leave.
                let day = 86_400_000;
                let rest = day - site.clock.now_ms().rem_euclid(day);
                site.advance(Duration::from_millis(rest as u64));
                let slot = recurring[0].schedule.slot(site.clock.now_ms()).unwrap();
                for _ in 0..2 {
                    // Two environments, each of which has seen nothing yet.
                    let seen = Mutex::new(Some(shared::queue::Slots::default()));
                    site.insist(|| async {
                        let mut slots = seen.lock().unwrap().take().unwrap_or_default();
                        let fired = site.queue.fire(&recurring, &mut slots).await;
                        *seen.lock().unwrap() = Some(slots);
                        fired
                    })
                    .await;
                }
                site.drain().await;
                ending.job(&JobId::derived(slot, "nightly"), Completed, 1)
            }
            Life::Foreign => {
                let stream = format!("{}:in", site.queue.keys().index);
                let add = Command::<String>::once("XADD").arg(&stream).arg("5-1");
                site.unharmed(site.ask(add.args(["type", "work"]))).await;
                site.insist(|| {
                    site.queue.ingest(&stream, &|_, id| {
                        NewJob::new(id, "work", &()).map_err(|error| error.to_string())
                    })
                })
                .await;
                site.drain().await;
                ending.job(&JobId::derived(5, &format!("{stream}/5-1")), Completed, 1)
            }
        }
    }
}

impl Actor {
    fn new(redis: Redis, queue: Queue) -> Actor {
        Actor {
            redis,
            queue,
            ran: Mutex::default(),
            group: Arc::default(),
            mended: AtomicBool::new(false),
        }
    }
}

/// Counts a holder of the group while it lives, also if it is dropped half way.
struct Holder<'a>(&'a AtomicUsize);

impl Drop for Holder<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn act(
    redis: Redis,
    queue: Queue,
    group: &AtomicUsize,
    mended: bool,
    job: ActiveJob,
) -> Outcome {
    let done = json!({ "fence": job.fence() });
    match job.kind.as_str() {
        "flaky" if job.number == 1 => Outcome::Retry {
            reason: "no luck".to_owned(),
            after: Some(Duration::from_secs(5)),
        },
        "long" if job.checkpoint().is_none() => {
            job.set_checkpoint("1".to_owned());
            tokio::task::yield_now().await;
            Outcome::Snooze {
                after: Duration::from_secs(1),
            }
        }
        "bad" if !mended => Outcome::Fail {
            reason: "no good".to_owned(),
        },
        "grouped" => {
            let before = group.fetch_add(1, Ordering::SeqCst);
            let _holder = Holder(group);
            assert_eq!(before, 0, "two of the group run at once");
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            Outcome::Done(done)
        }
        "large" => {
            assert_eq!(job.args.len(), LARGE + 2);
            Outcome::Done(json!({ "fence": job.fence(), "text": "y".repeat(LARGE) }))
        }
        "stopped" => {
            // Not stopped if it could not be said: then it is said the next time.
            let cancelled = queue.cancel(&job.attempt.id).await;
            Outcome::Snooze {
                after: Duration::from_secs(u64::from(cancelled.is_err())),
            }
        }
        _ => {
            let mut pipeline = Pipeline::new();
            let _ = queue.add_progress(&mut pipeline, &job.attempt.id, "50");
            let _ = pipeline.send(&*redis).await;
            Outcome::Done(done)
        }
    }
}

impl JobHandler for Actor {
    fn run(&self, job: ActiveJob) -> BoxFuture<'static, Outcome> {
        let attempt = (job.attempt.id.to_string(), job.attempt.fence);
        self.ran.lock().unwrap().push(attempt);
        let (redis, queue) = (self.redis.clone(), self.queue.clone());
        let mended = self.mended.load(Ordering::SeqCst);
        let group = self.group.clone();
        async move { act(redis, queue, &group, mended, job).await }.boxed()
    }

    fn ended(&self, _: EndedJob) -> BoxFuture<'static, ()> {
        async {}.boxed()
    }
}
