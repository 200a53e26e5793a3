//! Jobs that run repeatedly, by a cron pattern or at regular intervals.
//!
//! A schedule is divided into slots, and each slot gets at most one job, however many
//! drainers look. The script that stores the job also stores the newest slot under the
//! schedule's name, and the schedule itself. If the name is new, or its schedule has
//! changed, no slot counts as missed: the next slot to begin is the first that gets a job.
//!
//! Looking costs nothing while no slot has begun since this environment's last look.
//! Drainers look once a minute, so if slots are shorter than that, only the newest one gets
//! its job.

use std::collections::HashMap;
use std::str::FromStr as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use croner::Cron;

use super::{NewJob, Ready};
use crate::queue::scripts::Slot;
use crate::queue::{Error, JobId, Queue};

/// A slot that began longer ago than this was missed. It is more than the longest drain
/// takes, because with a single drainer nobody looks while a drain runs.
const LATE: Duration = Duration::from_secs(1000);

/// The longest time between two slots.
const LONGEST_PAUSE: Duration = Duration::from_secs(366 * 86_400);

/// When a job repeats. Times are in UTC.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// A cron pattern of five fields, or six if it starts with seconds.
    Cron(Box<Cron>),
    /// A regular interval, counted from 1970. At least a second, at most a year.
    Every(Duration),
}

/// What happens to slots that began while no drainer looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missed {
    /// They get no job.
    #[default]
    Skip,
    /// The newest of them gets its job late.
    RunOnce,
}

/// A recurring job.
#[derive(Clone, Debug)]
pub struct Recurring {
    /// Identifies the schedule: a job with another name has a new schedule. At most 128
    /// bytes.
    pub name: String,
    /// When it runs.
    pub schedule: Schedule,
    /// What happens to slots that began while no drainer ran.
    pub missed: Missed,
    /// The job that each slot stores, with an id of its own.
    pub job: NewJob,
}

/// The slots that this environment has handled, so that it asks once for each.
#[derive(Debug, Default)]
pub struct Slots(HashMap<String, i64>);

impl Schedule {
    /// Parses a cron pattern.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `pattern` is not a valid cron pattern.
    pub fn cron(pattern: &str) -> Result<Schedule, Error> {
        Cron::from_str(pattern)
            .map(|cron| Schedule::Cron(Box::new(cron)))
            .map_err(|error| Error::Invalid(format!("cron: {error}")))
    }

    /// A schedule with a slot every `pause`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `pause` is shorter than a second or longer than a year.
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
    /// [`Error::Invalid`] if none ever does, as on the 30th of February.
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

    /// The schedule as text. Different schedules have different texts.
    fn plan(&self) -> String {
        match self {
            Schedule::Cron(cron) => cron.as_str().to_owned(),
            Schedule::Every(pause) => format!("every {} ms", pause.as_millis()),
        }
    }

    /// The newest slot that has begun, in unix milliseconds, or `None` if none has.
    pub fn slot(&self, now_ms: i64) -> Option<i64> {
        match self {
            Schedule::Cron(cron) => {
                let now: DateTime<Utc> = DateTime::from_timestamp_millis(now_ms)?;
                let slot = cron.find_previous_occurrence(&now, true).ok()?;
                // A slot has no fraction of a second.
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
    /// The job of a slot and its chain, with ids that belong to that slot.
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
    /// Stores the jobs of slots that have begun since `seen`, and returns how many it
    /// stored.
    ///
    /// # Errors
    /// Redis could not be asked. The next call handles the same slots.
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
            // Checked again, because an expiry time that was in the future when it was
            // configured may have passed.
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
            // If the queue was full, the slot stays unhandled and is tried again.
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
    fn an_invalid_schedule_is_refused() {
        for pattern in ["", "* * * *", "61 * * * *", "soon", "0 0 31 2"] {
            assert!(Schedule::cron(pattern).is_err(), "{pattern}");
        }
        assert!(Schedule::every(Duration::from_millis(999)).is_err());
        assert!(Schedule::every(Duration::from_secs(31_622_401)).is_err());
        assert!(Schedule::every(Duration::from_secs(u64::MAX)).is_err());
    }

    #[test]
    fn a_schedule_that_never_occurs_again_is_refused() {
        let fires = |pattern: &str| Schedule::cron(pattern).unwrap().check_fires(NOW).is_ok();
        for pattern in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 2 *"] {
            assert!(!fires(pattern), "{pattern}");
        }
        for pattern in ["0 0 29 2 *", "* * * * *", "0 3 * * *"] {
            assert!(fires(pattern), "{pattern}");
        }
        // Seven fields: seconds first, the year last.
        if let Ok(past) = Schedule::cron("0 0 0 1 1 * 2020") {
            assert!(past.check_fires(NOW).is_err());
        }
    }
}
