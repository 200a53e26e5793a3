//! How a job waits while Discord cannot be reached.
//!
//! It costs no attempt, for it is no problem of this job. A job that waited for Discord,
//! met it at work for others and fails in the same way again has a problem of its own.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::queue::ActiveJob;

use super::trouble::{Trouble, with_jitter};

/// How long a job waits for Discord at most.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Since when a job has been waiting, as its checkpoint.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<i64>,
}

impl Waiting {
    /// What a job remembers.
    pub fn of(job: &ActiveJob) -> Waiting {
        let stored = job.checkpoint();
        let stored = stored.and_then(|text| serde_json::from_str(&text).ok());
        stored.unwrap_or_default()
    }

    /// Has a job remember it, if that is news.
    pub fn remember(self, job: &ActiveJob) {
        if self.waiting_since != Waiting::of(job).waiting_since {
            job.set_checkpoint(serde_json::to_string(&self).unwrap_or_default());
        }
    }

    /// What becomes of a job at `now` that Discord is not there for since `since`, until
    /// `until`; `met` says that it asked Discord itself.
    pub fn next(&mut self, now: i64, until: i64, since: i64, met: bool) -> Trouble {
        match self.waiting_since {
            // It came back meanwhile, and not for this job.
            Some(began) if met && since > began => {
                self.waiting_since = None;
                Trouble::Again("Discord cannot be reached, or answers with an error".to_owned())
            }
            Some(began) if now - began >= LONGEST.as_millis() as i64 => Trouble::Never(
                "Discord could not be reached for a day: retry the job once it can".to_owned(),
            ),
            _ => {
                self.waiting_since.get_or_insert(now);
                let wait = u64::try_from(until - now).unwrap_or(0);
                Trouble::Later(with_jitter(Duration::from_millis(wait)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_waits_a_day_and_no_longer_and_costs_an_attempt_only_for_itself() {
        let day = LONGEST.as_millis() as i64;
        let mut waiting = Waiting::default();
        let later = |trouble: &Trouble| matches!(trouble, Trouble::Later(_));
        assert!(later(&waiting.next(1000, 3000, 900, true)));
        assert!(later(&waiting.next(day, day + 1, 900, true)));
        let over = waiting.next(1000 + day, 2000 + day, 900, false);
        assert!(matches!(over, Trouble::Never(_)), "{over:?}");
        let own = waiting.next(50_000, 52_000, 49_000, true);
        assert!(matches!(own, Trouble::Again(_)), "{own:?}");
        assert!(later(&waiting.next(60_000, 62_000, 60_000, true)));
    }
}
