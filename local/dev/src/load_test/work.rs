//! What is to be done: the jobs of a run, each with its fate, all from a seed.

use std::time::Duration;

use serde_json::{Value, json};
use shared::clock::Clock;
use shared::queue::{Backoff, Error, JobId, NewJob};

/// What the handler is registered for.
const KIND: &str = "load";

/// The text a job carries, about as much as a scan's arguments.
const TEXT: &str = "The arguments of a job in Trawl name a guild, a channel and how far to read it: two hundred bytes or so";

/// Attempts until a job fails for good, and lost leases until it is taken for what
/// kills its worker. Far above what chance brings on one job, since all must end well.
pub const MAX_ATTEMPTS: u32 = 6;

/// The wait of a failed attempt.
pub const RETRY_WAIT: Duration = Duration::from_millis(100);

/// How much is done, and how much of it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    pub jobs: usize,
    /// The share of jobs whose first attempt fails.
    pub failing: f64,
    /// The share of jobs that lose their lease because their drainer dies.
    pub crashing: f64,
    pub seed: u64,
}

/// What happens to a job.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fate {
    /// 1 to 10.
    pub priority: u8,
    /// The first attempt fails.
    pub fails: bool,
    /// The drainer dies in the first run of the job.
    pub death: Option<Death>,
}

/// How a drainer dies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Death {
    /// While the job runs.
    InHand,
    /// This long after the job was started, wherever it is then: before a tick, while
    /// one is on its way, after it.
    After(Duration),
}

impl Work {
    /// The fates of all jobs. A drainer that dies takes `in_hand` jobs with it, so that
    /// many fewer deaths make the share.
    pub fn fates(&self, in_hand: usize) -> Vec<Fate> {
        let mut random = fastrand::Rng::with_seed(self.seed);
        let deaths = self.crashing / in_hand.max(1) as f64;
        (0..self.jobs)
            .map(|n| Fate {
                priority: (n % 10) as u8 + 1,
                fails: random.f64() < self.failing,
                death: (random.f64() < deaths).then(|| match random.bool() {
                    true => Death::InHand,
                    false => Death::After(Duration::from_micros(random.u64(0..3000))),
                }),
            })
            .collect()
    }
}

/// The arguments of job number `n`.
pub fn arguments(n: usize) -> Value {
    json!({ "n": n, "text": TEXT })
}

/// Job number `n`, to be stored.
///
/// # Errors
/// Never: the arguments are JSON.
pub fn job(n: usize, fate: &Fate, clock: &Clock) -> Result<NewJob, Error> {
    Ok(NewJob {
        priority: fate.priority,
        max_attempts: Some(MAX_ATTEMPTS),
        backoff: Backoff::Fixed {
            delay_ms: RETRY_WAIT.as_millis() as u64,
        },
        ..NewJob::new(JobId::new(clock), KIND, &arguments(n))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORK: Work = Work {
        jobs: 20_000,
        failing: 0.05,
        crashing: 0.01,
        seed: 7,
    };

    #[test]
    fn a_seed_gives_the_same_fates_and_another_seed_others() {
        assert_eq!(WORK.fates(5), WORK.fates(5));
        assert_ne!(WORK.fates(5), Work { seed: 8, ..WORK }.fates(5));
    }

    #[test]
    fn the_shares_are_those_asked_for_and_a_death_counts_for_all_jobs_in_hand() {
        let fates = WORK.fates(5);
        let failing = fates.iter().filter(|fate| fate.fails).count();
        let deaths = fates.iter().filter(|fate| fate.death.is_some()).count();
        assert!((800..1200).contains(&failing), "{failing}");
        assert!((20..60).contains(&deaths), "{deaths}");
        let none = Work {
            failing: 0.0,
            crashing: 0.0,
            ..WORK
        };
        assert!(none.fates(5).iter().all(|f| !f.fails && f.death.is_none()));
    }

    #[test]
    fn every_priority_has_its_share() {
        let fates = WORK.fates(1);
        for priority in 1..=10 {
            let n = fates.iter().filter(|f| f.priority == priority).count();
            assert_eq!(n, WORK.jobs / 10);
        }
    }
}
