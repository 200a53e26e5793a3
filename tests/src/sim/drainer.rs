//! A drainer at the level of its requests, which are those of `drain.rs` and `tick.rs`.

use std::collections::BTreeMap;

use super::answers::{Handed, TickAnswer};
use super::calls::{Call, Renew, Settle, Spec, TickRequest, Version};
use super::faults::Fault;
use super::history::{Violation, violation};
use super::world::{Delivery, SKEW_MS, World};

pub const LEASE_MS: i64 = 60_000;
pub const AGING_MS: i64 = 900_000;
const REPLAYS: u32 = 3;
/// As in `drain.rs`, a lease is not trusted to its very end.
const MARGIN_MS: i64 = LEASE_MS / 12;

/// A job in progress.
#[derive(Clone, Debug)]
struct Running {
    /// By true time, which a monotonic clock measures.
    renewed_ms: i64,
    ends_ms: i64,
    outcome: &'static str,
    cancel: bool,
    /// Whether it kills its drainer.
    kills: bool,
}

pub struct Drainer {
    pub name: String,
    pub version: Version,
    concurrency: usize,
    skew_ms: i64,
    asleep_until_ms: i64,
    is_zombie: bool,
    running: BTreeMap<(String, u64), Running>,
    outcomes: Vec<Settle>,
    /// A round without a reply, and how often it was sent again.
    in_doubt: Option<(TickRequest, u32, i64)>,
    swept_ms: Option<i64>,
    pub next_due_ms: i64,
}

impl Drainer {
    pub fn new(name: String, version: Version, world: &mut World) -> Drainer {
        Drainer {
            name,
            version,
            concurrency: 2 + world.below(4),
            skew_ms: world.random.i64(-SKEW_MS..=SKEW_MS),
            asleep_until_ms: 0,
            is_zombie: false,
            running: BTreeMap::new(),
            outcomes: Vec::new(),
            in_doubt: None,
            swept_ms: None,
            next_due_ms: 0,
        }
    }

    /// A drainer that makes no mistakes, for the end of a run.
    pub fn honest(version: Version) -> Drainer {
        Drainer {
            name: "last".to_owned(),
            version,
            concurrency: 5,
            skew_ms: 0,
            asleep_until_ms: 0,
            is_zombie: false,
            running: BTreeMap::new(),
            outcomes: Vec::new(),
            in_doubt: None,
            swept_ms: None,
            next_due_ms: 0,
        }
    }

    pub fn is_idle(&self) -> bool {
        self.running.is_empty() && self.outcomes.is_empty() && self.in_doubt.is_none()
    }

    /// Whether it works on a job and trusts its lease.
    pub fn holds(&self, id: &str, world: &World) -> bool {
        self.running.iter().any(|((running, _), job)| {
            running == id && world.now_ms - job.renewed_ms + MARGIN_MS < LEASE_MS
        })
    }

    /// What may happen to a drainer between its rounds. Returns true if it does not act
    /// now.
    pub fn suffer(&mut self, world: &mut World) -> bool {
        if world.now_ms < self.asleep_until_ms {
            return true;
        }
        let dies = self.running.values().any(|job| job.kills);
        if dies && world.faults.has(Fault::Crash)
            || !self.running.is_empty() && world.strike(Fault::Crash)
        {
            world.note(|| format!("{} dies with {:?}", self.name, self.running.keys()));
            self.running.clear();
            self.outcomes.clear();
            self.in_doubt = None;
            self.swept_ms = None;
            self.asleep_until_ms = world.now_ms + world.random.i64(0..30_000);
            return true;
        }
        if !self.running.is_empty() && world.strike(Fault::Zombie) {
            world.note(|| format!("{} stands still with {:?}", self.name, self.running.keys()));
            self.asleep_until_ms = world.now_ms + LEASE_MS + world.random.i64(0..90_000);
            self.is_zombie = true;
            return true;
        }
        if world.strike(Fault::ClockStep) {
            self.skew_ms = world.random.i64(-SKEW_MS..=SKEW_MS);
        }
        false
    }

    /// Sends or repeats one round. Returns the IDs of the jobs it was given.
    ///
    /// # Errors
    /// If an invariant breaks.
    pub fn act(&mut self, world: &mut World) -> Result<Vec<String>, Violation> {
        let (request, n_replays, sent_ms) = match self.in_doubt.take() {
            Some(round) => round,
            None => {
                self.look_after(world);
                (self.round(world), 0, world.now_ms)
            }
        };
        let busy = request.want > 0 || !request.settle.is_empty() || !request.renew.is_empty();
        if !busy {
            return Ok(Vec::new());
        }
        let delivery = world.send(&self.name, self.version, &Call::Tick(request.clone()))?;
        match delivery {
            Delivery::Reply(reply) => {
                let answer = TickAnswer::parse(&reply).or_else(|why| violation("answer", why))?;
                self.take(world, &request, answer, sent_ms)
            }
            Delivery::Unknown if n_replays < REPLAYS => {
                let replayed = TickRequest {
                    replay: true,
                    ..request
                };
                self.in_doubt = Some((replayed, n_replays + 1, sent_ms));
                Ok(Vec::new())
            }
            // Sent again with the next round, which has its own token.
            Delivery::Unknown | Delivery::Refused => Ok(Vec::new()),
        }
    }

    /// Finishes completed jobs and gives up those whose lease may be lost.
    fn look_after(&mut self, world: &mut World) {
        let now_ms = world.now_ms;
        let trusting = std::mem::take(&mut self.is_zombie);
        // Now and then an invocation comes to its end and gives everything back.
        let gives_up = world.chance(0.5);
        let over: Vec<(String, u64)> = self
            .running
            .iter()
            .filter(|(_, job)| {
                let lost = now_ms - job.renewed_ms + MARGIN_MS >= LEASE_MS;
                job.ends_ms <= now_ms || (lost && !trusting) || gives_up
            })
            .map(|(attempt, _)| attempt.clone())
            .collect();
        for attempt in over {
            let Some(job) = self.running.remove(&attempt) else {
                continue;
            };
            let outcome = match () {
                () if job.ends_ms > now_ms => "snooze",
                () if job.cancel && world.chance(70.0) => "cancelled",
                () => job.outcome,
            };
            let settle = self.settle(world, attempt, outcome);
            self.outcomes.push(settle);
        }
    }

    fn settle(
        &self,
        world: &mut World,
        (id, fence): (String, u64),
        outcome: &'static str,
    ) -> Settle {
        let later = self.now(world) + [0, 100, 5000, 60_000][world.below(4)];
        let checkpoint = world.chance(50.0).then(|| format!("{{\"at\":{fence}}}"));
        let goes_on = matches!(outcome, "retry" | "snooze");
        Settle {
            outcome,
            data: match outcome {
                "completed" => Some(format!("{{\"done\":\"{id}\"}}")),
                _ => checkpoint.filter(|_| goes_on),
            },
            run_at: goes_on.then_some(later),
            error: matches!(outcome, "retry" | "failed").then(|| format!("no, {fence}")),
            id,
            fence,
        }
    }

    fn round(&mut self, world: &mut World) -> TickRequest {
        let now_ms = world.now_ms;
        let renew = self
            .running
            .iter()
            .filter(|(_, job)| now_ms - job.renewed_ms >= LEASE_MS / 3)
            .map(|((id, fence), _)| Renew {
                id: id.clone(),
                fence: *fence,
            })
            .collect();
        let want = self.concurrency.saturating_sub(self.running.len());
        let grouped = world.limits.group_limit.is_some();
        TickRequest {
            moment: world.moment(self.skew_ms),
            token: format!("{}-{}-{}", self.name, world.step, world.n_calls),
            want,
            pick: if grouped { want * 3 } else { want },
            lease: LEASE_MS,
            measure: world.newer && world.chance(10.0),
            limits: world.limits.clone(),
            sweep: self.swept_ms.is_none_or(|at| now_ms - at >= LEASE_MS / 3),
            replay: false,
            settle: self.outcomes.clone(),
            renew,
        }
    }

    fn take(
        &mut self,
        world: &mut World,
        request: &TickRequest,
        answer: TickAnswer,
        sent_ms: i64,
    ) -> Result<Vec<String>, Violation> {
        self.outcomes.clear();
        if request.sweep {
            self.swept_ms = Some(sent_ms);
        }
        self.next_due_ms = answer.next_due_ms;
        for (renew, word) in request.renew.iter().zip(&answer.renewed) {
            let attempt = (renew.id.clone(), renew.fence);
            match (word.as_str(), self.running.get_mut(&attempt)) {
                ("stale", Some(_)) => {
                    self.running.remove(&attempt);
                }
                (word, Some(job)) => {
                    job.renewed_ms = sent_ms;
                    job.cancel |= word == "cancel";
                }
                (_, None) => {}
            }
        }
        let ids = answer.claimed.iter().map(|job| job.id.clone()).collect();
        for job in answer.claimed {
            self.start(world, job, sent_ms)?;
        }
        Ok(ids)
    }

    fn start(&mut self, world: &mut World, job: Handed, sent_ms: i64) -> Result<(), Violation> {
        let line = job.spec.split('\n').next().unwrap_or("");
        let Ok(spec) = serde_json::from_str::<Spec>(line) else {
            return violation("unreadable", format!("the spec of {}", job.id));
        };
        let outcome = match (spec.kind.as_str(), world.below(100)) {
            ("good", _) | (_, 0..60) => "completed",
            (_, 60..80) => "retry",
            (_, 80..90) => "snooze",
            (_, 90..97) => "failed",
            _ => "cancelled",
        };
        let takes_ms = match world.below(20) {
            0 => world.random.i64(30_000..150_000),
            1..5 => world.random.i64(3000..30_000),
            _ => world.random.i64(0..3000),
        };
        let running = Running {
            renewed_ms: sent_ms,
            ends_ms: world.now_ms + takes_ms,
            outcome,
            cancel: false,
            kills: spec.kind == "poison",
        };
        self.running.insert((job.id, job.header.fence), running);
        Ok(())
    }

    /// Completes all jobs in progress at once.
    pub fn hurry(&mut self, world: &World) {
        for job in self.running.values_mut() {
            job.ends_ms = world.now_ms;
            job.outcome = "completed";
        }
    }

    fn now(&self, world: &World) -> i64 {
        world.now_ms + self.skew_ms
    }
}

/// The day of a time. It only has to be the same for everyone.
pub fn day(now_ms: i64) -> String {
    format!("{:08}", now_ms / 86_400_000)
}
