//! Why a run stops, and with which outcome.
//!
//! Every step of a run answers `Result<_, StopReason>`: what goes wrong in it, and what
//! somebody asks it to do, both end it. The outcome says what the queue does next.
//!
//! A job that waits because Discord cannot be reached loses no attempt, for it is no problem
//! of this job. One that waited for Discord, found it at work for others and fails in the
//! same way again has a problem of its own.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::discord;
use shared::json::to_json;
use shared::queue::{ActiveJob, JobError, Outcome};
use shared::redis;
use shared::scan::{PauseReason, Trip};
use shared::telemetry;

use crate::Clients;

/// How often a job that waits for longer looks whether somebody ended the pause.
pub const LOOK_AGAIN: Duration = Duration::from_secs(900);

/// How long all jobs leave Discord alone after it refused the token: each further
/// refusal counts towards a ban of the address.
const AFTER_BAD_TOKEN: Duration = Duration::from_secs(300);

/// Why a run stops.
#[derive(Debug)]
pub enum StopReason {
    /// Nothing wrong; later.
    Later(Duration),
    /// Discord cannot be reached.
    Unreachable(Outage),
    /// Worth another attempt.
    Retry(String),
    /// Another attempt would fail alike.
    Fail(String),
    /// Not to be done, as the guild's settings say.
    Unwanted(String),
    /// Another attempt of this job is at work.
    Superseded,
    /// Somebody cancelled the job.
    Cancelled,
}

/// Discord cannot be reached. Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    pub since: i64,
    /// When the next try is due, for all jobs.
    pub until: i64,
}

impl StopReason {
    pub fn outcome(self) -> Outcome {
        match self {
            StopReason::Later(after) => Outcome::Snooze { after },
            // `OutageWait::next` has made it one of the others in every run that can wait.
            StopReason::Unreachable(_) => Outcome::Snooze {
                after: Duration::ZERO,
            },
            StopReason::Retry(reason) => Outcome::Retry {
                reason,
                after: None,
            },
            StopReason::Fail(reason) => Outcome::Fail { reason },
            StopReason::Unwanted(reason) => Outcome::Unwanted { reason },
            // Not accepted in any case: the lease is another's.
            StopReason::Superseded => Outcome::Snooze {
                after: Duration::ZERO,
            },
            StopReason::Cancelled => Outcome::Cancelled,
        }
    }
}

impl From<discord::Error> for StopReason {
    fn from(error: discord::Error) -> StopReason {
        use discord::Error;
        match &error {
            // All jobs wait for these, and a person may end that.
            Error::RateLimited {
                wait, global: true, ..
            }
            | Error::Banned(wait) => StopReason::Later(with_jitter((*wait).min(LOOK_AGAIN))),
            Error::RateLimited { wait, .. } => StopReason::Later(with_jitter(*wait)),
            Error::Unauthorized => {
                StopReason::Fail("Discord refuses the bot's token (DISCORD_TOKEN)".to_owned())
            }
            Error::Forbidden { code } => StopReason::Fail(format!(
                "the bot may not read this channel: it needs the permission VIEW_CHANNEL there (Discord code {code})"
            )),
            Error::NotFound { code } => StopReason::Fail(format!(
                "there is no such channel, or the bot is not in its guild (Discord code {code})"
            )),
            Error::BadRequest { .. } => StopReason::Fail(error.to_string()),
            Error::Unavailable { .. } | Error::Unreachable(_) | Error::Malformed => {
                StopReason::Retry(reason("discord_unavailable", &error, &error.to_string()))
            }
        }
    }
}

impl From<redis::Error> for StopReason {
    fn from(error: redis::Error) -> StopReason {
        let message = "the database could not be used";
        StopReason::Retry(reason("database_unavailable", &error, message))
    }
}

/// A reason as callers see it. Its causes are for the log only: they name the machines this
/// runs on.
fn reason(code: &'static str, error: &dyn std::error::Error, message: &str) -> String {
    let error = telemetry::chain(error);
    tracing::warn!(code, error, "an attempt failed");
    JobError::reason(code, message)
}

/// What of a refusal matters to all jobs: why and how long they leave Discord alone, and
/// whether it counts towards the ban of an address that is refused too often.
fn trip_of(error: &discord::Error) -> Option<(PauseReason, Duration, bool)> {
    use discord::Error;
    let limited = |wait: Duration, counts| Some((PauseReason::Limited, wait, counts));
    match error {
        Error::Banned(wait) => limited(*wait, true),
        Error::RateLimited { shared: true, .. } => None,
        Error::RateLimited { wait, global, .. } => {
            limited(if *global { *wait } else { Duration::ZERO }, true)
        }
        Error::Forbidden { .. } => limited(Duration::ZERO, true),
        Error::Unauthorized => Some((PauseReason::Token, AFTER_BAD_TOKEN, true)),
        Error::Unavailable { .. } | Error::Unreachable(_) => {
            Some((PauseReason::Away, Duration::ZERO, false))
        }
        Error::NotFound { .. } | Error::BadRequest { .. } | Error::Malformed => None,
    }
}

/// What Discord answered, or why the run stops. A refusal that concerns all jobs is noted
/// for them first, so that they do not each find out by a request of their own.
pub async fn checked<T>(
    clients: &Clients,
    answer: Result<T, discord::Error>,
) -> Result<T, StopReason> {
    let error = match answer {
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    if let Some((why, wait, is_refusal)) = trip_of(&error) {
        let token = clients.discord.token_mark();
        let trip = Trip {
            why,
            wait,
            is_refusal,
            token: &token,
        };
        let now = clients.clock.now_ms();
        let (until, since) = clients.store.trip(now, &trip, Some(&clients.board)).await?;
        clients.note_pause(until, (why == PauseReason::Token).then_some(token));
        if why == PauseReason::Away {
            tracing::warn!(
                error = telemetry::chain(&error),
                "Discord cannot be reached"
            );
            return Err(StopReason::Unreachable(Outage { since, until }));
        }
    }
    Err(error.into())
}

/// Up to a tenth and a quarter of a second longer, so that jobs that wait for the
/// same do not come back together.
pub fn with_jitter(wait: Duration) -> Duration {
    wait + (wait / 10 + Duration::from_millis(250)).mul_f64(fastrand::f64())
}

/// How long a job waits for Discord at most.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Since when a job has been waiting for Discord, as its checkpoint.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutageWait {
    /// Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<i64>,
}

impl OutageWait {
    /// What a job remembers.
    pub fn of(job: &ActiveJob) -> OutageWait {
        let stored = job.checkpoint();
        let stored = stored.and_then(|text| serde_json::from_str(&text).ok());
        stored.unwrap_or_default()
    }

    /// Has a job remember it, if that is news.
    pub fn remember(self, job: &ActiveJob) {
        if self.waiting_since != OutageWait::of(job).waiting_since {
            job.set_checkpoint(to_json(&self));
        }
    }

    /// Why a job stops at `now` in an outage; `asked` says that it found out by a request
    /// of its own.
    pub fn next(&mut self, now: i64, outage: Outage, asked: bool) -> StopReason {
        match self.waiting_since {
            // Discord was reached meanwhile, and not by this job.
            Some(began) if asked && outage.since > began => {
                self.waiting_since = None;
                StopReason::Retry("Discord cannot be reached, or answers with an error".to_owned())
            }
            Some(began) if now - began >= LONGEST.as_millis() as i64 => StopReason::Fail(
                "Discord could not be reached for a day: retry the job once it can".to_owned(),
            ),
            _ => {
                self.waiting_since.get_or_insert(now);
                let wait = u64::try_from(outage.until - now).unwrap_or(0);
                StopReason::Later(with_jitter(Duration::from_millis(wait)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_waits_a_day_and_no_longer_and_costs_an_attempt_only_for_itself() {
        let outage = |since, until| Outage { since, until };
        let day = LONGEST.as_millis() as i64;
        let mut waiting = OutageWait::default();
        let later = |stop: &StopReason| matches!(stop, StopReason::Later(_));
        assert!(later(&waiting.next(1000, outage(900, 3000), true)));
        assert!(later(&waiting.next(day, outage(900, day + 1), true)));
        let over = waiting.next(1000 + day, outage(900, 2000 + day), false);
        assert!(matches!(over, StopReason::Fail(_)), "{over:?}");
        let own = waiting.next(50_000, outage(49_000, 52_000), true);
        assert!(matches!(own, StopReason::Retry(_)), "{own:?}");
        assert!(later(&waiting.next(60_000, outage(60_000, 62_000), true)));
    }
}
