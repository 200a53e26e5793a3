//! The circuit breaker for Discord. It stops the requests of all jobs in all drainers
//! when Discord asks for a pause, rejects the token or the IP address, or cannot be
//! reached.
//!
//! A job reads it in the command that reads the guild's settings, when it takes a
//! channel. While it runs, it learns of a pause from the reply to each page it saves.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ScanStore;
use super::scripts::{self, PauseRequest};
use crate::redis::{Error, HashField};

/// The first pause while Discord cannot be reached. Each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// The longest pause. Scans resume this long after Discord is back, at the latest.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How long the number of failed tries is remembered.
const MEMORY: Duration = Duration::from_secs(3600);

/// Discord blocks an IP address after 10,000 refused requests in ten minutes. A tenth is
/// left for requests in flight and for other programs at the same address.
const REFUSALS: u64 = 9_000;
const REFUSALS_WINDOW: Duration = Duration::from_secs(600);

/// The hash field, next to a queue's jobs, in which running jobs see a pause.
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

/// The state of the circuit breaker.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Breaker {
    /// The end of the pause in Unix milliseconds, which may be in the past.
    pub until: f64,
    pub why: Option<PauseReason>,
    /// The fingerprint of the rejected token.
    token: Option<String>,
    /// Since when Discord has been unreachable.
    since: Option<f64>,
}

impl Breaker {
    /// Parses the stored state. If it is malformed, nothing is paused.
    pub fn parse(text: &str) -> Breaker {
        let until = text.parse().ok();
        // An earlier version stored only a number.
        until.map_or_else(
            || serde_json::from_str(text).unwrap_or_default(),
            |until| Breaker {
                until,
                ..Breaker::default()
            },
        )
    }

    /// The end of the pause for requests with the token that has this fingerprint, if it
    /// is after `now`.
    pub fn pauses(&self, token: &str, now: i64) -> Option<i64> {
        let is_anothers = self.token.as_ref().is_some_and(|mark| mark != token);
        Some(self.until as i64).filter(|until| *until > now && !is_anothers)
    }

    /// Whether the last request found Discord unreachable.
    pub fn is_away(&self) -> bool {
        self.why == Some(PauseReason::Away)
    }

    /// Since when Discord has been unreachable, in Unix milliseconds.
    pub fn away_since(&self) -> Option<i64> {
        self.since.filter(|_| self.is_away()).map(|at| at as i64)
    }
}

/// What happened to a request.
#[derive(Clone, Debug)]
pub struct Trip<'a> {
    pub why: PauseReason,
    /// How long all jobs pause. If Discord is unreachable, the store determines the pause
    /// instead.
    pub wait: Duration,
    /// Whether Discord counts it as a refused request.
    pub is_refusal: bool,
    /// The fingerprint of the token it was sent with.
    pub token: &'a str,
}

impl ScanStore {
    /// Pauses requests to Discord in all functions, for at least a second.
    ///
    /// # Errors
    /// If Redis cannot be reached.
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

    /// Records what happened to a request. `board` is the field that running jobs read.
    /// Returns the end of the pause and since when Discord has been unreachable (0 if it
    /// is reachable). Costs three commands, or four with a board, and is only called
    /// after a failure.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn trip(
        &self,
        now: i64,
        trip: &Trip<'_>,
        board: Option<&HashField>,
    ) -> Result<(i64, i64), Error> {
        let is_away = trip.why == PauseReason::Away;
        // Nobody knows how long Discord will be unreachable, so the script doubles the
        // pause.
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

    /// Ends a pause, either one with the given reason or any. Returns whether there was
    /// one.
    ///
    /// # Errors
    /// If Redis cannot be reached.
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
