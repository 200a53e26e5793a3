//! What a job does about trouble.

use std::time::Duration;

use shared::discord;
use shared::queue::Outcome;
use shared::redis;
use shared::telemetry;

use crate::Environment;

/// How long all jobs leave Discord alone after it refused the token: each further
/// refusal counts towards a ban of the address.
const AFTER_BAD_TOKEN: Duration = Duration::from_secs(300);

/// How a job goes on.
#[derive(Debug)]
pub enum Trouble {
    /// Nothing wrong; later.
    Later(Duration),
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
    /// How long every job leaves Discord alone because of `error`.
    fn pause_for_all(error: &discord::Error) -> Option<Duration> {
        match error {
            discord::Error::Banned(wait) => Some(*wait),
            discord::Error::Unauthorized => Some(AFTER_BAD_TOKEN),
            _ => None,
        }
    }

    pub fn outcome(self) -> Outcome {
        match self {
            Trouble::Later(after) => Outcome::Snooze { after },
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
            Error::RateLimited(wait) | Error::Banned(wait) => Trouble::Later(with_jitter(*wait)),
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
                Trouble::Again(telemetry::chain(&error))
            }
        }
    }
}

impl From<redis::Error> for Trouble {
    fn from(error: redis::Error) -> Trouble {
        Trouble::Again(telemetry::chain(&error))
    }
}

/// What Discord answered; when it wants to be left alone, every job is told.
pub async fn heed<T>(env: &Environment, answer: Result<T, discord::Error>) -> Result<T, Trouble> {
    if let Some(pause) = answer.as_ref().err().and_then(Trouble::pause_for_all) {
        env.store.pause_discord(env.clock.now_ms(), pause).await?;
    }
    Ok(answer?)
}

/// Up to a tenth and a quarter of a second longer, so that jobs told the same do not
/// come back together.
pub fn with_jitter(wait: Duration) -> Duration {
    wait + (wait / 10 + Duration::from_millis(250)).mul_f64(fastrand::f64())
}
