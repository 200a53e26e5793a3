//! Why a run stops, and with which outcome.
//!
//! Every step of a run returns `Result<_, StopReason>`. A fault ends the run, and so does
//! a request such as a cancellation. The outcome tells the queue what to do next.
//!
//! A job that waits because Discord cannot be reached does not use up an attempt, because
//! the job is not at fault. But if Discord has worked for other jobs in the meantime and
//! this job fails again in the same way, the attempt counts.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::discord;
use shared::json::to_json;
use shared::queue::{ActiveJob, JobError, Outcome};
use shared::redis;
use shared::scan::{PauseReason, Trip};
use shared::telemetry;

use crate::Clients;

/// Longest single wait. A job that has to wait longer checks at this interval whether the
/// pause is over.
pub const LOOK_AGAIN: Duration = Duration::from_secs(900);

/// How long all jobs stop calling Discord after it refused the token. Each further
/// refusal counts towards a ban of the IP address.
const AFTER_BAD_TOKEN: Duration = Duration::from_secs(300);

/// Why a run stops.
#[derive(Debug)]
pub enum StopReason {
    /// Discord asked for a wait; the job continues after it. Without one, it continues at
    /// once, in another run.
    Later(Duration),
    /// Something of Trawl's own is in use; the job continues later.
    Busy(Duration),
    /// Discord cannot be reached.
    Unreachable(Outage),
    /// Another attempt may succeed.
    Retry(String),
    /// Another attempt would fail in the same way.
    Fail(String),
    /// The guild's settings exclude this work.
    Unwanted(String),
    /// Another attempt of this job is running.
    Superseded,
    /// The job was cancelled.
    Cancelled,
}

/// Discord cannot be reached. Times are in Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    pub since: i64,
    /// When the next request is due, for all jobs.
    pub until: i64,
}

impl StopReason {
    /// The job fails; `code` is for programs, `message` for people.
    pub fn fail(code: &'static str, message: &str) -> StopReason {
        StopReason::Fail(JobError::reason(code, message))
    }

    pub fn outcome(self) -> Outcome {
        match self {
            StopReason::Later(after) | StopReason::Busy(after) => Outcome::Snooze { after },
            // Runs that can wait have already turned this into another reason, with
            // `OutageWait::next`.
            StopReason::Unreachable(_) => Outcome::Snooze {
                after: Duration::ZERO,
            },
            StopReason::Retry(reason) => Outcome::Retry {
                reason,
                after: None,
            },
            StopReason::Fail(reason) => Outcome::Fail { reason },
            StopReason::Unwanted(reason) => Outcome::Unwanted { reason },
            // The queue does not accept the outcome in any case, because the lease
            // belongs to another attempt.
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
            // All jobs wait for these, and a person may end the wait.
            Error::RateLimited {
                wait, global: true, ..
            }
            | Error::Banned(wait) => StopReason::Later(with_jitter((*wait).min(LOOK_AGAIN))),
            Error::RateLimited { wait, .. } => StopReason::Later(with_jitter(*wait)),
            Error::Unauthorized => {
                let message = "Discord rejected the bot token (DISCORD_TOKEN)";
                StopReason::fail("discord_token_refused", message)
            }
            Error::Forbidden { code } => StopReason::fail(
                "channel_forbidden",
                &format!(
                    "the bot cannot see this channel: grant it the VIEW_CHANNEL permission there (Discord code {code})"
                ),
            ),
            Error::NotFound { code } => StopReason::fail(
                "channel_not_found",
                &format!(
                    "the channel does not exist, or the bot is not in its guild (Discord code {code})"
                ),
            ),
            Error::BadRequest { .. } => StopReason::fail("discord_refused", &error.to_string()),
            Error::Unavailable { .. } | Error::Unreachable(_) | Error::Malformed => {
                StopReason::Retry(reason("discord_unavailable", &error, &error.to_string()))
            }
        }
    }
}

impl From<redis::Error> for StopReason {
    fn from(error: redis::Error) -> StopReason {
        let message = "a database request failed";
        StopReason::Retry(reason("database_unavailable", &error, message))
    }
}

/// The reason as callers see it. The causes are only logged, because they name internal
/// hosts.
fn reason(code: &'static str, error: &dyn std::error::Error, message: &str) -> String {
    let error = telemetry::chain(error);
    tracing::warn!(code, error, "a job attempt failed");
    JobError::reason(code, message)
}

/// Determines what a refusal means for all jobs: why and how long they stop calling
/// Discord, and whether it counts towards the ban of an IP address.
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

/// Returns Discord's answer, or why the run stops. A refusal that concerns all jobs is
/// recorded for them first, so that they do not each find out with a request of their
/// own.
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

/// Adds up to a tenth plus a quarter of a second, so that jobs that wait for the same
/// event do not resume at once.
pub fn with_jitter(wait: Duration) -> Duration {
    wait + (wait / 10 + Duration::from_millis(250)).mul_f64(fastrand::f64())
}

/// The code of a failure to reach Discord.
pub const UNREACHABLE: &str = "discord_unreachable";

/// How long a job waits for Discord at most.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The checkpoint of a job that waits: since when it has been waiting for Discord.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutageWait {
    /// Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<i64>,
    /// Whether it waits because Discord asked for it, or cannot be reached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waiting_for_discord: bool,
}

impl OutageWait {
    /// Reads the checkpoint of a job.
    pub fn of(job: &ActiveJob) -> OutageWait {
        let stored = job.checkpoint();
        let stored = stored.and_then(|text| serde_json::from_str(&text).ok());
        stored.unwrap_or_default()
    }

    /// Writes the checkpoint of a job if it has changed.
    pub fn remember(self, job: &ActiveJob) {
        if self != OutageWait::of(job) {
            job.set_checkpoint(to_json(&self));
        }
    }

    /// Notes what the job waits for, so that those who follow it see it.
    pub fn note(&mut self, stop: &StopReason) {
        self.waiting_for_discord = match stop {
            StopReason::Later(wait) => !wait.is_zero(),
            StopReason::Unreachable(_) => true,
            _ => false,
        };
    }

    /// The reason to stop at `now` during an outage. `asked` means that the job found out
    /// by a request of its own.
    pub fn next(&mut self, now: i64, outage: Outage, asked: bool) -> StopReason {
        match self.waiting_since {
            // Discord was reachable in the meantime, but not for this job.
            Some(began) if asked && outage.since > began => {
                self.waiting_since = None;
                let message = "Discord cannot be reached or returns errors";
                StopReason::Retry(JobError::reason(UNREACHABLE, message))
            }
            Some(began) if now - began >= LONGEST.as_millis() as i64 => StopReason::fail(
                UNREACHABLE,
                "Discord could not be reached for a day: retry the job once it is available",
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
