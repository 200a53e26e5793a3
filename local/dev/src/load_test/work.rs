//! The jobs of a run and the fate of each, all derived from a seed.

use std::time::Duration;

use serde_json::{Value, json};
use shared::clock::Clock;
use shared::queue::{Backoff, Error, JobId, NewJob};

/// The job kind that the handler is registered for.
const KIND: &str = "load";

/// Arguments about as large as those of a scan job.
const TEXT: &str = "The arguments of a job in Trawl name a guild, a channel and how far to read it: two hundred bytes or so";

/// Attempts before a job fails for good, and lost leases before a job counts as
/// poisonous. High enough that chance never reaches it on one job, because every job has
/// to complete.
pub const MAX_ATTEMPTS: u32 = 6;

/// Delay before a failed attempt is retried.
pub const RETRY_WAIT: Duration = Duration::from_millis(100);

/// How many jobs there are and how many go wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    pub jobs: usize,
    /// Fraction of jobs whose first attempt fails.
    pub failing: f64,
    /// Fraction of jobs that lose their lease because their drainer is killed.
    pub crashing: f64,
    pub seed: u64,
}

/// What happens to one job.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fate {
    /// 1 to 10.
    pub priority: u8,
    /// Whether the first attempt fails.
    pub fails: bool,
    /// Whether and how the first run kills its drainer.
    pub death: Option<Death>,
}

/// How a drainer is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Death {
    /// While the job runs.
    InHand,
    /// This long after the job was started, whatever the drainer is doing then: before,
    /// during or after a tick.
    After(Duration),
}

impl Work {
    /// The fates of all jobs. A killed drainer takes `in_hand` jobs with it, so the
    /// number of kills is the wanted fraction divided by that.
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

/// Builds job number `n`.
///
/// # Errors
/// None in practice: the arguments are always JSON.
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
