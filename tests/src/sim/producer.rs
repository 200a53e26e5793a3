//! A client that enqueues jobs and repeats each request until it is answered.

use upstash_local::DirectReply;

use super::calls::{Batch, Call, EnqueueJob, EnqueueRequest, Spec, Successor, Version};
use super::faults::Fault;
use super::history::{Violation, violation};
use super::state::words;
use super::world::{Delivery, SKEW_MS, World};

/// Nothing new is enqueued while there are more unfinished jobs than this.
const MOST_LIVE: usize = 40;
/// The backlog limit that some requests carry.
const CAP: usize = 36;
const RESENDS: u32 = 3;
pub const MINUTE_MS: i64 = 60_000;
/// How many IDs the actors remember.
const REMEMBERED: usize = 80;

/// The IDs that actors may refer to.
#[derive(Default)]
pub struct Ids {
    n: u64,
    recent: Vec<String>,
}

impl Ids {
    pub fn new_id(&mut self) -> String {
        self.n += 1;
        let id = padded(&format!("j{}", self.n));
        if self.recent.len() == REMEMBERED {
            self.recent.remove(0);
        }
        self.recent.push(id.clone());
        id
    }

    pub fn any(&self, world: &mut World) -> String {
        let n = world.below(self.recent.len());
        self.recent.get(n).cloned().unwrap_or_else(|| padded("j0"))
    }
}

/// An ID padded to the usual length.
pub fn padded(name: &str) -> String {
    format!("{name:0>26}")
}

/// The spec in its stored form.
pub fn text_of(spec: &Spec, id: &str) -> String {
    let line = serde_json::to_string(spec).expect("a spec is text and numbers");
    format!("{line}\n{}", args_of(id))
}

fn args_of(id: &str) -> String {
    format!("{{\"n\":\"{id}\\n|é\"}}")
}

pub struct Client {
    pub name: String,
    pub version: Version,
    pub skew_ms: i64,
    pub in_doubt: Option<(Call, u32)>,
    sent: Vec<Call>,
}

impl Client {
    pub fn new(name: String, version: Version, world: &mut World) -> Client {
        Client {
            name,
            version,
            skew_ms: world.random.i64(-SKEW_MS..=SKEW_MS),
            in_doubt: None,
            sent: Vec::new(),
        }
    }

    /// Enqueues jobs, or repeats a request whose reply may have been lost.
    ///
    /// # Errors
    /// If an invariant breaks.
    pub fn produce(&mut self, world: &mut World, ids: &mut Ids) -> Result<(), Violation> {
        if world.strike(Fault::ClockStep) {
            self.skew_ms = world.random.i64(-SKEW_MS..=SKEW_MS);
        }
        let (call, n_sent) = match self.in_doubt.take() {
            Some(call) => call,
            None if world.state.n_indexed() >= MOST_LIVE => return Ok(()),
            // Repeated long after it was answered, as a queue in front of the producer
            // may do.
            None if !self.sent.is_empty() && world.chance(3.0) => {
                let n = world.below(self.sent.len());
                (self.sent[n].clone(), 0)
            }
            None if world.newer && world.chance(6.0) => (self.batch(world, ids), 0),
            None => (self.jobs(world, ids), 0),
        };
        self.deliver(world, call, n_sent)
    }

    /// Sends a request. It is in doubt until it is answered.
    ///
    /// # Errors
    /// As for [`Client::produce`].
    pub fn deliver(&mut self, world: &mut World, call: Call, n_sent: u32) -> Result<(), Violation> {
        match world.send(&self.name, self.version, &call)? {
            Delivery::Reply(reply) => {
                if let (Call::Enqueue(request, _), DirectReply::Array(items)) = (&call, reply) {
                    for (job, item) in request.jobs.iter().zip(items) {
                        let [word, id] = <[String; 2]>::try_from(words(item))
                            .or_else(|parts| violation("answer", format!("{parts:?}")))?;
                        // The client that fires a slot accepts any answer for its job.
                        let is_there = world
                            .state
                            .record(&id)
                            .is_some_and(|job| job.spec.is_some());
                        let fired = job.slot.is_some() && is_there;
                        let word = word.trim_end_matches("_other");
                        if matches!(word, "new" | "dup" | "sooner" | "moved") || fired {
                            world.history.acknowledge(&id);
                        }
                    }
                    self.remember(call);
                }
            }
            // A purge is not repeated, because the second answer would be that the job
            // never existed.
            Delivery::Unknown | Delivery::Refused
                if n_sent < RESENDS && !matches!(call, Call::Purge(_)) =>
            {
                self.in_doubt = Some((call, n_sent + 1));
            }
            Delivery::Unknown | Delivery::Refused => {}
        }
        Ok(())
    }

    /// Followers have their own IDs. If the request is sent again after all are deleted,
    /// they would be enqueued again.
    fn remember(&mut self, call: Call) {
        let Call::Enqueue(request, specs) = &call else {
            return;
        };
        let follows = |spec: &String| spec.contains("\"then\":");
        if request.batch.is_some() || specs.iter().any(follows) {
            return;
        }
        if self.sent.len() == 20 {
            self.sent.remove(0);
        }
        self.sent.push(call);
    }

    fn jobs(&mut self, world: &mut World, ids: &mut Ids) -> Call {
        let n_jobs = match world.below(4) {
            0 => 2 + world.below(5),
            _ => 1,
        };
        let mut request = self.request(world);
        request.cap = (world.newer && world.chance(30.0)).then_some(CAP);
        let mut specs = Vec::new();
        for _ in 0..n_jobs {
            let id = ids.new_id();
            let mut spec = self.spec(world);
            let mut job = EnqueueJob {
                id: id.clone(),
                priority: spec.priority,
                run_at: spec.run_at,
                ..EnqueueJob::default()
            };
            spec.unique = match world.below(10) {
                0..3 => Some(format!("k{}", world.below(5))),
                // A unique key is any text, so it can also be the ID of another job.
                3 if world.newer && world.chance(20.0) => Some(ids.any(world)),
                _ => None,
            };
            job.unique = spec.unique.clone();
            if world.newer {
                let how = [
                    None,
                    Some("keep"),
                    Some("hasten"),
                    Some("replace"),
                    Some("debounce"),
                ];
                job.on_unique = how[world.below(5)].filter(|_| job.unique.is_some());
                spec.expires = (job.on_unique != Some("debounce") && world.chance(8.0))
                    .then(|| spec.run_at + world.random.i64(1..5000));
                // If it were debounced and sent again, its followers would be enqueued
                // twice.
                if job.on_unique != Some("debounce") && world.chance(10.0) {
                    let n_heirs = 1 + world.below(2);
                    spec.then = (0..n_heirs).map(|_| self.successor(world, ids)).collect();
                }
            }
            request.jobs.push(job);
            specs.push(text_of(&spec, &id));
        }
        Call::Enqueue(request, specs)
    }

    fn batch(&mut self, world: &mut World, ids: &mut Ids) -> Call {
        let mut request = self.request(world);
        let mut last = self.successor(world, ids);
        last.spec.batch_end = Some(last.id.clone());
        let total = 2 + world.below(3);
        let mut specs = Vec::new();
        for _ in 0..total {
            let id = ids.new_id();
            let spec = Spec {
                batch: Some(last.id.clone()),
                ..self.spec(world)
            };
            request.jobs.push(EnqueueJob {
                id: id.clone(),
                priority: spec.priority,
                run_at: spec.run_at,
                ..EnqueueJob::default()
            });
            specs.push(text_of(&spec, &id));
        }
        request.batch = Some(Batch {
            id: last.id.clone(),
            total,
            last,
        });
        Call::Enqueue(request, specs)
    }

    pub fn request(&self, world: &World) -> EnqueueRequest {
        EnqueueRequest {
            moment: world.moment(self.skew_ms),
            jobs: Vec::new(),
            cap: None,
            stream: None,
            batch: None,
        }
    }

    fn successor(&self, world: &mut World, ids: &mut Ids) -> Successor {
        let id = ids.new_id();
        Successor {
            spec: self.spec(world),
            args: args_of(&id),
            id,
        }
    }

    /// A job without an ID and without links to other jobs.
    pub fn spec(&self, world: &mut World) -> Spec {
        let now = world.now_ms + self.skew_ms;
        let run_at = match world.below(4) {
            0 => now + world.random.i64(1..20_000),
            1 if world.chance(20.0) => now + world.random.i64(1..10 * MINUTE_MS),
            _ => now,
        };
        let kind = match world.below(40) {
            0 => "poison",
            1..16 => "bad",
            _ => "good",
        };
        let grouped = world.newer && world.chance(40.0);
        Spec {
            v: if world.newer { 2 } else { 1 },
            kind: kind.to_owned(),
            priority: [1, 5, 5, 5, 10][world.below(5)],
            max_attempts: [1, 2, 3, 3, 5][world.below(5)],
            enqueued: now,
            run_at,
            group: grouped.then(|| format!("g{}", world.below(3))),
            ..Spec::default()
        }
    }
}
