//! Leaving Discord alone, by all jobs of all drainers: because it asked for that, refused
//! the token or the address, or cannot be reached.
//!
//! A job learns of it when it takes its channel, by the command that reads its guild's
//! settings, and while it runs by the reply to each page it saves.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ScanStore;
use super::scripts::{self, PauseRequest};
use crate::redis::{Error, HashField};

/// The first pause while Discord cannot be reached; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// The longest of them: scans go on this long after Discord came back, at the latest.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How long it is remembered for how often Discord was tried in vain.
const MEMORY: Duration = Duration::from_secs(3600);

/// Discord shuts an address out that was refused 10,000 times in ten minutes. A tenth is
/// left for what is on its way, and for other programs at the same address.
const REFUSALS: u64 = 9_000;
const REFUSALS_WINDOW: Duration = Duration::from_secs(600);

/// The name of the field, beside a queue's jobs, that running jobs look at.
pub const BOARD: &str = "#discord";

/// Why Discord is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PauseReason {
    /// All requests of the bot together are too many, or the address is shut out.
    Limited,
    /// The bot's token is refused.
    Token,
    /// It cannot be reached, or answers with errors of its own.
    Away,
    /// So many requests were refused that the address would be shut out soon.
    Refusals,
}

impl PauseReason {
    fn word(self) -> &'static str {
        match self {
            PauseReason::Limited => "limited",
            PauseReason::Token => "token",
            PauseReason::Away => "away",
            PauseReason::Refusals => "refusals",
        }
    }
}

/// Why and until when Discord is left alone.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Breaker {
    /// Unix milliseconds; may have passed.
    pub until: f64,
    pub why: Option<PauseReason>,
    /// A mark of the token that was refused.
    token: Option<String>,
    /// Since when it has been away.
    since: Option<f64>,
}

impl Breaker {
    /// As it is stored. What cannot be read holds nobody up.
    pub fn parse(text: &str) -> Breaker {
        let until = text.parse().ok();
        // A number alone was written by an earlier version.
        until.map_or_else(
            || serde_json::from_str(text).unwrap_or_default(),
            |until| Breaker {
                until,
                ..Breaker::default()
            },
        )
    }

    /// Until when those who ask with the token of this mark leave Discord alone, if that
    /// is after `now`.
    pub fn pauses(&self, token: &str, now: i64) -> Option<i64> {
        let is_anothers = self.token.as_ref().is_some_and(|mark| mark != token);
        Some(self.until as i64).filter(|until| *until > now && !is_anothers)
    }

    /// Whether Discord could not be reached when it was last tried.
    pub fn is_away(&self) -> bool {
        self.why == Some(PauseReason::Away)
    }

    /// Since when, in unix milliseconds.
    pub fn away_since(&self) -> Option<i64> {
        self.since.filter(|_| self.is_away()).map(|at| at as i64)
    }
}

/// What happened to a request.
#[derive(Clone, Debug)]
pub struct Trip<'a> {
    pub why: PauseReason,
    /// How long all jobs wait for it; for one that is away the pauses are the store's own.
    pub wait: Duration,
    /// Whether Discord counts it among those it refused.
    pub is_refusal: bool,
    /// A mark of the token it was sent with.
    pub token: &'a str,
}

impl ScanStore {
    /// Leaves Discord alone for `pause`, in all functions; a second at least.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn pause_discord(&self, now: i64, pause: Duration) -> Result<(), Error> {
        let trip = Trip {
            why: PauseReason::Limited,
            wait: pause.max(Duration::from_secs(1)),
            is_refusal: false,
            token: "",
        };
        self.trip(now, &trip, None).await?;
        Ok(())
    }

    /// Notes what happened to a request; `board` is the field that running jobs look at.
    /// Answers until when all jobs wait, and since when Discord has been away, 0 if it is
    /// not. Three commands, four with a board: only what went wrong costs them.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn trip(
        &self,
        now: i64,
        trip: &Trip<'_>,
        board: Option<&HashField>,
    ) -> Result<(i64, i64), Error> {
        let is_away = trip.why == PauseReason::Away;
        // For how long Discord will be away nobody says; the script doubles the pause.
        let wait = if is_away { FIRST_PAUSE } else { trip.wait };
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let request = PauseRequest {
            now,
            why: trip.why.word(),
            wait: milliseconds(wait),
            token: trip.token,
            field: board.map(|board| board.field.as_str()),
            keep: milliseconds(MEMORY),
            longest: is_away.then(|| milliseconds(LONGEST_PAUSE)),
            budget: trip.is_refusal.then_some(REFUSALS),
            window: trip.is_refusal.then(|| milliseconds(REFUSALS_WINDOW)),
        };
        let mut keys = vec![self.keys().breaker()];
        keys.extend(board.map(|board| board.key.clone()));
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        scripts::pause(self.redis(), &keys, &request).await
    }

    /// Lets all jobs ask Discord again: if it was left alone for this reason, or for
    /// whatever reason. Answers whether it was.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn resume_discord(
        &self,
        only: Option<PauseReason>,
        board: &HashField,
    ) -> Result<bool, Error> {
        let why = only.map_or("", PauseReason::word);
        let breaker = self.keys().breaker();
        let keys = [breaker.as_str(), board.key.as_str()];
        scripts::resume(self.redis(), &keys, &board.field, why).await
    }
}
