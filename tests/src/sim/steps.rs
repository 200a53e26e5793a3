//! Decides whose turn it is, and how a run ends.

use super::calls::{Call, Version};
use super::drainer::{Drainer, LEASE_MS};
use super::faults::Fault;
use super::history::{Violation, violation};
use super::operator::retain;
use super::producer::{Client, Ids};
use super::state::Phase;
use super::world::World;

/// Maximum number of steps for which a queue stays paused.
const LONGEST_PAUSE: u64 = 60;
/// Rounds after which a queue without new jobs must be empty.
const LAST_ROUNDS: u32 = 2000;

pub struct Actors {
    drainers: Vec<Drainer>,
    producers: Vec<Client>,
    operator: Client,
    feeders: Vec<Client>,
    ids: Ids,
    paused_at: Option<u64>,
    /// Jobs that were started after a rollback while another drainer still trusted its
    /// lease.
    pub n_overlaps: u64,
}

impl Actors {
    pub fn new(world: &mut World, mixed: bool) -> Actors {
        let version = |n: usize| match mixed && n % 2 == 1 {
            true => Version::Before,
            false => Version::Shipped,
        };
        Actors {
            drainers: (0..4)
                .map(|n| Drainer::new(format!("drainer{n}"), version(n), world))
                .collect(),
            producers: (0..2)
                .map(|n| Client::new(format!("producer{n}"), version(n), world))
                .collect(),
            operator: Client::new("operator".to_owned(), Version::Shipped, world),
            feeders: (0..2)
                .map(|n| Client::new(format!("feeder{n}"), Version::Shipped, world))
                .collect(),
            ids: Ids::default(),
            paused_at: None,
            n_overlaps: 0,
        }
    }

    /// One step of one actor.
    ///
    /// # Errors
    /// If an invariant breaks.
    pub fn step(&mut self, world: &mut World) -> Result<(), Violation> {
        world.step += 1;
        let pause_ms = match world.below(100) {
            0..50 => world.random.i64(0..20),
            50..90 => world.random.i64(20..500),
            90..98 => world.random.i64(500..5000),
            _ => world.random.i64(5000..30_000),
        };
        world.advance(pause_ms);
        world.deliver_late()?;
        if world.step.is_multiple_of(150) && world.faults.has(Fault::Rollback) {
            world.take_snapshot();
        }
        if world.step > 300 && world.strike(Fault::Rollback) {
            world.roll_back()?;
        }
        self.resume_in_time(world)?;
        match world.below(100) {
            0..68 => {
                let n = world.below(self.drainers.len());
                if !self.drainers[n].suffer(world) {
                    let handed = self.drainers[n].act(world)?;
                    return self.check_overlaps(n, &handed, world);
                }
                Ok(())
            }
            68..90 => {
                let n = world.below(self.producers.len());
                self.producers[n].produce(world, &mut self.ids)
            }
            90..94 if world.newer => {
                let n = world.below(self.feeders.len());
                self.feeders[n].feed(world)
            }
            94 if world.newer => world.leave_entry(),
            _ => self.operator.operate(world, &self.ids),
        }
    }

    fn resume_in_time(&mut self, world: &mut World) -> Result<(), Violation> {
        match (world.state.paused, self.paused_at) {
            (true, None) => self.paused_at = Some(world.step),
            (true, Some(at)) if world.step - at > LONGEST_PAUSE => {
                world.send("operator", Version::Shipped, &Call::Resume)?;
            }
            (false, _) => self.paused_at = None,
            _ => {}
        }
        Ok(())
    }

    /// No drainer may get a job that another running drainer works on with a trusted
    /// lease. After a rollback this can happen, because the lease itself is lost.
    fn check_overlaps(
        &mut self,
        n: usize,
        handed: &[String],
        world: &World,
    ) -> Result<(), Violation> {
        for id in handed {
            let mut others = self
                .drainers
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != n);
            let Some((_, other)) = others.find(|(_, other)| other.holds(id, world)) else {
                continue;
            };
            if !world.faults.fired.contains_key(&Fault::Rollback) {
                return violation("lease", format!("{id} was {}'s", other.name));
            }
            self.n_overlaps += 1;
        }
        Ok(())
    }

    /// Stops faults and new jobs. Everything must then come to its end.
    ///
    /// # Errors
    /// If something does not.
    pub fn quiesce(&mut self, world: &mut World) -> Result<(), Violation> {
        world.faults.cease();
        world.advance(LEASE_MS);
        world.deliver_late()?;
        world.send("operator", Version::Shipped, &Call::Resume)?;
        self.feeders[0].feed_all(world)?;
        drain(world)?;
        check_end(world)?;
        // The audit finds jobs that were not acknowledged and that nothing else finds.
        world.audit()?;
        drain(world)?;
        self.check_nothing_is_left(world)
    }

    /// Retention of everything must leave nothing.
    fn check_nothing_is_left(&mut self, world: &mut World) -> Result<(), Violation> {
        world.advance(LEASE_MS);
        for _ in 0..40 {
            let call = retain(world.moment(0), 0, 0);
            world.send("operator", Version::Shipped, &call)?;
        }
        if let Some((id, job)) = world.state.jobs.iter().next() {
            return violation("left behind", format!("{id}: {job:?}"));
        }
        if let Some(id) = world.state.parked.first() {
            return violation("left behind", format!("{id} among the parked"));
        }
        match world
            .state
            .uniques
            .iter()
            .find(|(_, holder)| !holder.is_empty() && !world.state.jobs.contains_key(*holder))
        {
            Some((key, holder)) => violation("unique", format!("{key} is {holder}'s for ever")),
            None => Ok(()),
        }
    }
}

/// Works until nothing is left to do.
fn drain(world: &mut World) -> Result<(), Violation> {
    let mut last = Drainer::honest(Version::Shipped);
    world.limits.rate = None;
    let mut n_rounds = 0;
    let mut n_quiet = 0;
    // A few more sweeps, for jobs that only a sweep finds.
    while n_quiet < 4 {
        n_rounds += 1;
        if n_rounds > LAST_ROUNDS {
            let jobs = world.state.jobs.iter();
            let left: Vec<_> = jobs.filter(|(_, job)| job.index.is_some()).collect();
            return violation("stuck", format!("never come to an end: {left:?}"));
        }
        last.act(world)?;
        last.hurry(world);
        let is_quiet = last.is_idle() && world.state.n_indexed() == 0;
        n_quiet = if is_quiet { n_quiet + 1 } else { 0 };
        let soon = last.next_due_ms.saturating_sub(world.now_ms);
        let pause = soon.clamp(LEASE_MS / 3, LEASE_MS);
        world.advance(if last.is_idle() { pause } else { 10 });
    }
    Ok(())
}

/// Every acknowledged job has finished and is in one place, or was rightly deleted.
fn check_end(world: &World) -> Result<(), Violation> {
    for id in world.history.acknowledged() {
        let job = world.state.record(id);
        if !job.is_some_and(|job| job.phase() == Phase::Finished) {
            return violation(
                "I4 acknowledged",
                format!("{id} is not finished at the end: {job:?}"),
            );
        }
    }
    for (id, job) in &world.state.jobs {
        if job.phase() == Phase::Finished && !job.is_consistent() {
            return violation("I1 place", format!("{id} was not healed: {job:?}"));
        }
    }
    Ok(())
}
