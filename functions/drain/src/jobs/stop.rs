//! What a job does about trouble.

use std::time::Duration;

use shared::discord;
use shared::queue::{JobError, Outcome};
use shared::redis;
use shared::scan::{PauseReason, Trip};
use shared::telemetry;

use super::watch::LOOK_AGAIN;
use crate::Environment;

/// How long all jobs leave Discord alone after it refused the token: each further
/// refusal counts towards a ban of the address.
const AFTER_BAD_TOKEN: Duration = Duration::from_secs(300);

/// How a job goes on.
#[derive(Debug)]
pub enum Trouble {
    /// Nothing wrong; later.
    Later(Duration),
    /// Discord cannot be reached: until when all jobs wait, and since when that is so,
    /// both in unix milliseconds.
    Away { until: i64, since: i64 },
    /// Worth another attempt.
    Again(String),
    /// Another attempt would fail alike.
    Never(String),
    /// Not to be done, as somebody set it.
    Unwanted(String),
    /// Another attempt of this job is at work.
    Superseded,
    /// Somebody cancelled the job.
    Cancelled,
}

impl Trouble {
    pub fn outcome(self) -> Outcome {
        match self {
            Trouble::Later(after) => Outcome::Snooze { after },
            // Whoever waits for it has made it a wait.
            Trouble::Away { .. } => Outcome::Snooze {
                after: Duration::ZERO,
            },
            Trouble::Again(reason) => Outcome::Retry {
                reason,
                after: None,
            },
            Trouble::Never(reason) => Outcome::Fail { reason },
            Trouble::Unwanted(reason) => Outcome::Unwanted { reason },
            // Not accepted in any case: the lease is another's.
            Trouble::Superseded => Outcome::Snooze {
                after: Duration::ZERO,
            },
            Trouble::Cancelled => Outcome::Cancelled,
        }
    }
}

impl From<discord::Error> for Trouble {
    fn from(error: discord::Error) -> Trouble {
        use discord::Error;
        match &error {
            // All jobs wait for these, and a person may end that.
            Error::RateLimited {
                wait, global: true, ..
            }
            | Error::Banned(wait) => Trouble::Later(with_jitter((*wait).min(LOOK_AGAIN))),
            Error::RateLimited { wait, .. } => Trouble::Later(with_jitter(*wait)),
            Error::Unauthorized => {
                Trouble::Never("Discord refuses the bot's token (DISCORD_TOKEN)".to_owned())
            }
            Error::Forbidden { code } => Trouble::Never(format!(
                "the bot may not read this channel: it needs the permission VIEW_CHANNEL there (Discord code {code})"
            )),
            Error::NotFound { code } => Trouble::Never(format!(
                "there is no such channel, or the bot is not in its guild (Discord code {code})"
            )),
            Error::BadRequest { .. } => Trouble::Never(error.to_string()),
            Error::Unavailable { .. } | Error::Unreachable(_) | Error::Malformed => {
                Trouble::Again(told("discord_unavailable", &error, &error.to_string()))
            }
        }
    }
}

impl From<redis::Error> for Trouble {
    fn from(error: redis::Error) -> Trouble {
        let message = "the database could not be used";
        Trouble::Again(told("database_unavailable", &error, message))
    }
}

/// A reason as callers see it. Its causes are for the log: they tell of the machines this
/// runs on.
fn told(code: &'static str, error: &dyn std::error::Error, message: &str) -> String {
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

/// What Discord answered. What all jobs must know of is told to them.
pub async fn heed<T>(env: &Environment, answer: Result<T, discord::Error>) -> Result<T, Trouble> {
    let error = match answer {
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    if let Some((why, wait, is_refusal)) = trip_of(&error) {
        let token = env.discord.token_mark();
        let trip = Trip {
            why,
            wait,
            is_refusal,
            token: &token,
        };
        let now = env.clock.now_ms();
        let (until, since) = env.store.trip(now, &trip, Some(&env.board)).await?;
        env.note_pause(until, (why == PauseReason::Token).then_some(token));
        if why == PauseReason::Away {
            tracing::warn!(
                error = telemetry::chain(&error),
                "Discord cannot be reached"
            );
            return Err(Trouble::Away { until, since });
        }
    }
    Err(error.into())
}

/// Up to a tenth and a quarter of a second longer, so that jobs told the same do not
/// come back together.
pub fn with_jitter(wait: Duration) -> Duration {
    wait + (wait / 10 + Duration::from_millis(250)).mul_f64(fastrand::f64())
}
