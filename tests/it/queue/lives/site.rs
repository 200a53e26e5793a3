//! Runs scenarios and checks that they ended as they must.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::json;
use shared::clock::Clock;
use shared::config::{Provider, QueueConfig, RedisConfig};
use shared::queue::{Consumer, Error, JobId, JobState, NewJob, Queue};
use shared::redis::{Command, Redis};
use upstash_local::Server;

use super::actor::Actor;
use super::death::{Death, Late, Mortal, Way};
use super::{Ending, Expected, Life};

/// More rounds than the longest scenario takes.
const ROUNDS: usize = 14;

/// An endpoint and a clock for scenarios. Each scenario gets its own queue.
pub struct Site {
    pub server: Server,
    pub clock: Clock,
    /// For calls that are not part of the scenario.
    plain: Redis,
    redis: Redis,
    way: Arc<Way>,
    n_lives: usize,
    /// The queue of the current scenario.
    pub queue: Queue,
    pub actor: Arc<Actor>,
    /// How the next drainers die, last one first.
    pub deaths: Vec<Option<Death>>,
    /// Which request of the next scenario arrives late.
    pub late: Option<Late>,
    /// Number of requests that the last scenario sent.
    pub n_sent: usize,
    /// Number of drainers that died in the last scenario.
    pub n_died: usize,
    /// Whether arguments under a separate key may be left behind. If both the request
    /// that makes them expire and the reply that names them for deletion are lost, nobody
    /// knows of them.
    pub may_leave_blobs: bool,
    /// Number of leases that expired in the last scenario.
    pub n_stalled: u64,
    /// Number of outcomes that were not accepted.
    pub n_lost: u32,
}

fn config() -> QueueConfig {
    QueueConfig {
        group_limit: Some(1),
        ..crate::queue::config()
    }
}

impl Site {
    pub async fn start() -> Site {
        let server = integration::start_endpoint().await;
        let clock = Clock::manual(integration::START_MS);
        let redis = RedisConfig {
            provider: Provider::Local,
            url: server.url(),
            token: server.token().into(),
            key_prefix: "trawl:".to_owned(),
            ca_file: None,
        };
        let plain = shared::redis::connect(&redis, &clock).unwrap();
        let way = Arc::new(Way::new(plain.clone()));
        let redis: Redis = way.clone();
        let queue = Queue::new(redis.clone(), "trawl:", "none", clock.clone(), config());
        let actor = Arc::new(Actor::new(redis.clone(), queue.clone()));
        Site {
            server,
            clock,
            plain,
            redis,
            way,
            n_lives: 0,
            queue,
            actor,
            deaths: Vec::new(),
            late: None,
            n_sent: 0,
            n_died: 0,
            may_leave_blobs: false,
            n_stalled: 0,
            n_lost: 0,
        }
    }

    /// Runs `life` and checks how it ended. Pending faults hit only the requests of the
    /// scenario itself.
    pub async fn live(&mut self, life: Life) {
        self.n_lives += 1;
        let name = format!("life-{}", self.n_lives);
        let (redis, clock) = (self.redis.clone(), self.clock.clone());
        self.queue = Queue::new(redis.clone(), "trawl:", &name, clock, config());
        self.actor = Arc::new(Actor::new(redis, self.queue.clone()));
        (self.n_died, self.n_lost) = (0, 0);
        self.way.set_late(self.late.take());
        let ending = life.live(self).await;
        self.n_sent = self.way.end().await;
        self.deaths.clear();
        self.n_stalled = self.unharmed(self.check(&ending)).await;
        self.forget_all().await;
    }

    pub fn advance(&self, by: Duration) {
        self.server.clock().advance(by);
        self.clock.advance(by);
    }

    pub fn job(&self, kind: &str) -> NewJob {
        NewJob::new(JobId::new(&self.clock), kind, &json!({ "n": 1 })).unwrap()
    }

    /// Retries until there is an answer, as a caller does after an error, waiting a
    /// little each time.
    pub async fn insist<T, R>(&self, ask: impl Fn() -> R) -> T
    where
        R: Future<Output = Result<T, Error>>,
    {
        let mut errors = Vec::new();
        while errors.len() < 16 {
            match ask().await {
                Ok(answer) => return answer,
                Err(error) => errors.push(shared::telemetry::chain(&error).to_string()),
            }
            self.advance(Duration::from_millis(700));
        }
        panic!("no answer: {errors:?}");
    }

    /// Enqueues a job and returns its ID.
    pub async fn enqueue(&self, job: NewJob) -> JobId {
        let stored = self.insist(|| self.queue.enqueue(job.clone())).await;
        assert_eq!(stored, shared::queue::Enqueued::New(job.id.clone()));
        job.id
    }

    /// Drains until nothing is left to do, each time after the leases of dead drainers
    /// have expired.
    pub async fn drain(&mut self) {
        for _ in 0..ROUNDS {
            let consumer = Consumer::new(self.queue.clone(), self.actor.clone());
            let deadline = self.clock.deadline(Duration::from_secs(900));
            let death = self.deaths.pop().flatten();
            let drain = Mortal {
                drain: async move { consumer.drain(&deadline).await }.boxed(),
                death,
                of_request: self.way.set(death),
                polled: 0,
            };
            match drain.await {
                Some(report) => self.n_lost += report.map_or(0, |report| report.lost),
                None => self.n_died += 1,
            }
            drop(self.way.set(None));
            let index = Command::<u64>::safe("EXISTS").arg(&self.queue.keys().index);
            if self.unharmed(self.ask(index)).await == 0 {
                return;
            }
            self.advance(Duration::from_secs(61));
        }
        panic!("jobs are claimed again and again");
    }

    /// Returns how many leases expired.
    async fn check(&self, ending: &Ending) -> u64 {
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
            assert_eq!(job.state, *state, "{} {:?}", job.kind, job.errors);
            // A job that was swept after it had been asked to cancel did not start an
            // attempt.
            let made = job.attempts_made;
            let swept = *state == JobState::Cancelled && made < *attempts;
            assert!(swept || made == *attempts, "{made} of {attempts} attempts");
            if *state == JobState::Completed {
                // A large result that cannot be stored does not undo the job.
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
        stats.lifetime.stalled
    }

    /// Does `work` while pending faults are held back.
    pub async fn unharmed<T>(&self, work: impl Future<Output = T>) -> T {
        let waiting = self.server.faults().waiting();
        self.server.faults().clear();
        let done = work.await;
        for fault in waiting {
            self.server.faults().add(fault);
        }
        done
    }

    /// Runs retention and checks that only counters are left.
    async fn forget_all(&self) {
        self.advance(Duration::from_secs(8 * 86_400));
        self.insist(|| self.queue.retain()).await;
        self.server.faults().clear();
        let keys = self.queue.keys();
        let mine = keys.records.replace("records", "*");
        let mut left: Vec<String> = self.ask(Command::safe("KEYS").arg(mine)).await;
        if !integration::clock_moves_keys() {
            left = self.without_expiry(left).await;
        }
        left.retain(|key| !(self.may_leave_blobs && key.contains(":blob:")));
        let counters = std::slice::from_ref(&keys.records);
        assert_eq!(left, counters, "keys left behind");
        let fields: Vec<String> = self.ask(Command::safe("HGETALL").arg(&keys.records)).await;
        let fields: Vec<&[String]> = fields
            .chunks_exact(2)
            .filter(|field| !field[0].starts_with('#'))
            .collect();
        assert!(fields.is_empty(), "fields left behind: {fields:?}");
        let _: u64 = self.ask(Command::safe("DEL").arg(&keys.records)).await;
    }

    /// The keys that would still exist after the eight days of this scenario.
    async fn without_expiry(&self, keys: Vec<String>) -> Vec<String> {
        let mut kept = Vec::new();
        for key in keys {
            let left_ms: i64 = self.ask(Command::safe("PTTL").arg(&key)).await;
            if !(0..=8 * 86_400_000).contains(&left_ms) {
                kept.push(key);
            }
        }
        kept
    }

    pub async fn ask<T: shared::redis::FromReply>(&self, command: Command<T>) -> T {
        command.send(&*self.plain).await.unwrap()
    }
}
