//! Jobs that come again and again, by a cron pattern or at even times.
//!
//! A schedule is cut into slots, and each slot has one job however many drainers
//! look: the script that stores it remembers the newest slot of the schedule's name, and
//! the schedule itself. Of a name never seen before, or with another schedule than it had,
//! no slot was missed: the first to have a job is the next that begins.
//! A look costs nothing while no slot has begun since the environment's last; drainers
//! look once a minute, so of shorter slots only the newest has its job.

use std::collections::HashMap;
use std::str::FromStr as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use croner::Cron;

use super::{NewJob, Ready};
use crate::queue::scripts::Slot;
use crate::queue::{Error, JobId, Queue};

/// A slot that began longer ago was missed: more than the longest drain takes, since
/// with one drainer at a time nobody looks meanwhile.
const LATE: Duration = Duration::from_secs(1000);

/// The longest time between two slots.
const LONGEST_PAUSE: Duration = Duration::from_secs(366 * 86_400);

/// When a job comes again. Times are UTC.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// A pattern of five fields, or six with seconds before them.
    Cron(Box<Cron>),
    /// Every so long, counted from 1970; at least a second, at most a year.
    Every(Duration),
}

/// What becomes of slots that began while no drainer looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missed {
    /// They have no job.
    #[default]
    Skip,
    /// The newest of them has its job late.
    RunOnce,
}

/// A recurring job.
#[derive(Clone, Debug)]
pub struct Recurring {
    /// Stands for the schedule: under another name it is a new one. At most 128 bytes.
    pub name: String,
    /// When it runs.
    pub schedule: Schedule,
    /// What becomes of times that passed while nothing ran.
    pub missed: Missed,
    /// What each job is like; it is given an id of its own.
    pub job: NewJob,
}

/// The slots one environment has seen to, so that it asks once for each.
#[derive(Debug, Default)]
pub struct Slots(HashMap<String, i64>);

impl Schedule {
    /// # Errors
    /// [`Error::Invalid`] when `pattern` is none.
    pub fn cron(pattern: &str) -> Result<Schedule, Error> {
        Cron::from_str(pattern)
            .map(|cron| Schedule::Cron(Box::new(cron)))
            .map_err(|error| Error::Invalid(format!("cron: {error}")))
    }

    /// # Errors
    /// [`Error::Invalid`] when `pause` is shorter than a second or longer than a year.
    pub fn every(pause: Duration) -> Result<Schedule, Error> {
        if !(Duration::from_secs(1)..=LONGEST_PAUSE).contains(&pause) {
            let reason = "everySeconds: expected 1 to 31622400, which is a leap year";
            return Err(Error::Invalid(reason.to_owned()));
        }
        Ok(Schedule::Every(pause))
    }

    /// Checks that a slot begins after `now_ms`.
    ///
    /// # Errors
    /// [`Error::Invalid`] when none ever does, as on the 30th of February.
    pub fn check_fires(&self, now_ms: i64) -> Result<(), Error> {
        let Schedule::Cron(cron) = self else {
            return Ok(());
        };
        let now = DateTime::<Utc>::from_timestamp_millis(now_ms);
        let next = now.and_then(|now| cron.find_next_occurrence(&now, false).ok());
        if next.is_none() {
            let reason = format!("cron: `{}` never comes again", cron.as_str());
            return Err(Error::Invalid(reason));
        }
        Ok(())
    }

    /// The schedule as text: another one has another.
    fn plan(&self) -> String {
        match self {
            Schedule::Cron(cron) => cron.as_str().to_owned(),
            Schedule::Every(pause) => format!("every {} ms", pause.as_millis()),
        }
    }

    /// The newest slot that has begun, in unix milliseconds; `None` when none has.
    pub fn slot(&self, now_ms: i64) -> Option<i64> {
        match self {
            Schedule::Cron(cron) => {
                let now: DateTime<Utc> = DateTime::from_timestamp_millis(now_ms)?;
                let slot = cron.find_previous_occurrence(&now, true).ok()?;
                // The fraction of a second is no part of the slot.
                Some(slot.timestamp() * 1000)
            }
            Schedule::Every(pause) => {
                let pause = i64::try_from(pause.as_millis()).ok()?;
                Some(now_ms.div_euclid(pause) * pause)
            }
        }
    }
}

impl Recurring {
    /// The job of a slot, and those behind it, under ids that are that slot's.
    fn job_of(&self, slot: i64) -> NewJob {
        let mut job = self.job.clone();
        job.id = JobId::derived(slot, &self.name);
        for (place, next) in job.then.iter_mut().enumerate() {
            next.id = JobId::derived(slot, &format!("{}\n{place}", self.name));
        }
        job
    }
}

impl Queue {
    /// Stores the jobs of slots that have begun since `seen`; answers how many.
    ///
    /// # Errors
    /// When Redis cannot be asked; the next call sees to the same slots.
    pub async fn fire(&self, recurring: &[Recurring], seen: &mut Slots) -> Result<usize, Error> {
        let now = self.clock.now_ms();
        let due: Vec<(&Recurring, i64)> = recurring
            .iter()
            .filter_map(|recurring| Some((recurring, recurring.schedule.slot(now)?)))
            .filter(|(recurring, slot)| seen.0.get(&recurring.name) != Some(slot))
            .collect();
        if due.is_empty() {
            return Ok(0);
        }
        let jobs = due
            .iter()
            .map(|(recurring, slot)| recurring.job_of(*slot))
            .collect::<Vec<NewJob>>();
        let mut ready = Vec::with_capacity(jobs.len());
        for ((recurring, slot), job) in due.iter().zip(&jobs) {
            // Checked again: a time to expire that was ahead when it was set may have passed.
            job.check(now)?;
            let mut one = Ready::new(job, self.defaults(now));
            one.entry.slot = Some(Slot {
                name: &recurring.name,
                plan: recurring.schedule.plan(),
                at: *slot,
                late: now - slot > LATE.as_millis() as i64,
                run_late: recurring.missed == Missed::RunOnce,
            });
            ready.push(one);
        }
        let answers = self.store(ready, None, None, now).await?;
        for ((recurring, slot), (word, _)) in due.iter().zip(&answers) {
            // A slot the queue had no room for stays unseen, and is tried again.
            if word != "full" {
                seen.0.insert(recurring.name.clone(), *slot);
            }
        }
        let is_new = |(word, _): &&(String, String)| word == "new";
        Ok(answers.iter().filter(is_new).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21 10:07:30.500 UTC, a Saturday.
    const NOW: i64 = 1_795_255_650_500;

    #[test]
    fn a_slot_is_the_newest_that_has_begun() {
        let slot = |pattern: &str| Schedule::cron(pattern).unwrap().slot(NOW);
        assert_eq!(slot("* * * * *"), Some(NOW - 30_500));
        assert_eq!(slot("0 * * * *"), Some(NOW - 450_500));
        assert_eq!(slot("7 10 * * SAT"), Some(NOW - 30_500));
        assert_eq!(slot("0 0 * * SUN"), Some(1_794_700_800_000));
        assert_eq!(slot("30 7 10 21 11 *"), Some(NOW - 500));
        let every = Schedule::every(Duration::from_secs(90)).unwrap();
        assert_eq!(every.slot(NOW), Some(NOW - NOW % 90_000));
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for pattern in ["", "* * * *", "61 * * * *", "soon", "0 0 31 2"] {
            assert!(Schedule::cron(pattern).is_err(), "{pattern}");
        }
        assert!(Schedule::every(Duration::from_millis(999)).is_err());
        assert!(Schedule::every(Duration::from_secs(31_622_401)).is_err());
        assert!(Schedule::every(Duration::from_secs(u64::MAX)).is_err());
    }

    #[test]
    fn a_schedule_that_never_comes_again_is_refused() {
        let fires = |pattern: &str| Schedule::cron(pattern).unwrap().check_fires(NOW).is_ok();
        for pattern in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 2 *"] {
            assert!(!fires(pattern), "{pattern}");
        }
        for pattern in ["0 0 29 2 *", "* * * * *", "0 3 * * *"] {
            assert!(fires(pattern), "{pattern}");
        }
        // Seven fields: seconds first, a year last.
        if let Ok(past) = Schedule::cron("0 0 0 1 1 * 2020") {
            assert!(past.check_fires(NOW).is_err());
        }
    }
}
