//! The provider for the Upstash REST API.
//!
//! A command is `POST /` with its words as a JSON array, a pipeline is `POST /pipeline`,
//! and a transaction is `POST /multi-exec`. This module handles retries, the deadline and
//! the sync token. The transport handles the bytes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Deserialize;

use super::service::{Redis, RedisService, Scope};
use super::transport::Answer;
use super::{Error, Meter, RawCommand, Repeat, Reply, Transport};
use crate::clock::{Clock, Deadline};

/// The longest time of one attempt. A call with all its retries takes at most twice as
/// long.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(2500);

/// The number of attempts for a request that may be sent again: one, and three more.
const TRIES: u32 = 4;

/// The longest pause. The pause before attempt `n` is random, below `50 ms · 2^n`.
const LONGEST_PAUSE: Duration = Duration::from_millis(800);

/// How long a reading of the service's clock is valid. After that the next call reads it
/// again, so a clock that was corrected is trusted again.
const SKEW_HOLDS: Duration = Duration::from_secs(60);

/// An Upstash database, or another server with the same API.
pub struct Upstash {
    transport: Transport,
    clock: Clock,
    deadline: Option<Deadline>,
    /// Shared by all scopes that have no token of their own.
    sync_token: Arc<Mutex<Option<String>>>,
    /// How far this clock was ahead at the last reading.
    skew: Arc<Mutex<Option<Skew>>>,
    meter: Meter,
}

/// A reading of both clocks.
#[derive(Clone, Copy)]
struct Skew {
    ahead_ms: i64,
    /// When it was taken, by this machine's clock and by the monotonic clock.
    seen_ms: i64,
    elapsed: Duration,
}

impl Skew {
    /// How far this clock is ahead now, or `None` if the reading is too old. A clock that
    /// was corrected since then is trusted immediately, without asking the service.
    fn at(&self, now_ms: i64, elapsed: Duration) -> Option<i64> {
        let age = elapsed.saturating_sub(self.elapsed);
        if age >= SKEW_HOLDS {
            return None;
        }
        let moved_ms = (now_ms - self.seen_ms) - i64::try_from(age.as_millis()).unwrap_or(0);
        let corrected = self.ahead_ms + moved_ms;
        // The monotonic clock stands still while a machine sleeps, so it may only reduce
        // the difference.
        Some(match corrected.abs() < self.ahead_ms.abs() {
            true => corrected,
            false => self.ahead_ms,
        })
    }
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    result: Option<Reply>,
    error: Option<String>,
}

impl Upstash {
    /// Creates a client that reads the time from `clock`. Sends nothing yet.
    pub fn new(transport: Transport, clock: Clock) -> Upstash {
        Upstash {
            transport,
            clock,
            deadline: None,
            sync_token: Arc::default(),
            skew: Arc::default(),
            meter: Meter::default(),
        }
    }

    /// Sends a request until it is answered, or until its attempts or its time are used up.
    /// `refused` recognizes an answer after which the request should be sent again.
    async fn request(
        &self,
        path: &str,
        body: Vec<u8>,
        repeat: Repeat,
        n_commands: u64,
        refused: fn(&Answer) -> Option<Error>,
    ) -> Result<Answer, Error> {
        // The deadline covers all attempts, so a caller waits no longer for four than for
        // two.
        let deadline = self.clock.deadline(2 * ATTEMPT_TIMEOUT);
        let (mut tried, mut renewed) = (0, false);
        loop {
            let right = self.transport.token.value();
            let began = self.clock.elapsed();
            let outcome = self.attempt(path, body.clone(), &right, &deadline).await;
            let took = self.clock.elapsed().saturating_sub(began);
            // An attempt without a reply may have run, and is billed in that case.
            let is_billed = !matches!(outcome, Err(Error::Unreachable(_)));
            let n_billed = if is_billed { n_commands } else { 0 };
            self.meter.add(n_billed, took, outcome.is_ok());
            let failed = match outcome {
                Ok(answer) => match refused(&answer) {
                    None => return Ok(answer),
                    Some(error) => error,
                },
                Err(error) => error,
            };
            // A refused request did not run. The token may have been replaced.
            if matches!(failed, Error::Unauthorized) && !renewed {
                renewed = true;
                if self.transport.token.renew(&right).await {
                    continue;
                }
            }
            tried += 1;
            // A request that never arrived may be sent again even if it must not run twice.
            let harmless = repeat == Repeat::Safe || failed.ran_nothing();
            let pause = Duration::from_millis(50 << tried)
                .min(LONGEST_PAUSE)
                .mul_f64(fastrand::f64());
            if tried == TRIES
                || !harmless
                || !failed.is_retryable()
                || self.time_left(&deadline) <= pause
            {
                return Err(failed);
            }
            self.clock.pause(pause).await;
        }
    }

    async fn attempt(
        &self,
        path: &str,
        body: Vec<u8>,
        right: &str,
        deadline: &Deadline,
    ) -> Result<Answer, Error> {
        let timeout = ATTEMPT_TIMEOUT.min(self.time_left(deadline));
        if timeout.is_zero() {
            return Err(Error::Timeout(timeout));
        }
        let token = self.sync_token();
        let answer = self
            .transport
            .post(
                path,
                body,
                right,
                token.as_deref(),
                self.clock.patience(timeout),
            )
            .await?;
        // The next request carries the token, so that a replica that is behind waits until
        // it has caught up.
        if let Some(token) = &answer.sync_token {
            *self.token() = Some(token.clone());
        }
        if let Some(seconds) = answer.date {
            // The middle of that second.
            let theirs = i64::try_from(seconds).unwrap_or(0) * 1000 + 500;
            let seen_ms = self.clock.now_ms();
            *lock(&self.skew) = Some(Skew {
                ahead_ms: seen_ms - theirs,
                seen_ms,
                elapsed: self.clock.elapsed(),
            });
        }
        match answer.status {
            // A 400 carries the error of a command, which is its reply.
            200 | 400 => Ok(answer),
            401 | 403 => Err(Error::Unauthorized),
            429 => Err(Error::LimitReached),
            status => Err(Error::Service { status }),
        }
    }

    fn time_left(&self, deadline: &Deadline) -> Duration {
        let left = deadline.remaining();
        match &self.deadline {
            Some(own) => left.min(own.remaining()),
            None => left,
        }
    }

    fn token(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        lock(&self.sync_token)
    }

    /// Subtracts the commands of a script that the service did not know, because it ran
    /// nothing.
    fn correct(&self, command: &RawCommand, outcome: &Result<Reply, Error>) {
        if outcome.as_ref().is_err_and(Error::is_no_script) {
            self.meter.take_back(command.inner.into());
        }
    }

    async fn many(
        &self,
        path: &'static str,
        commands: Vec<RawCommand>,
    ) -> Result<Vec<Result<Reply, Error>>, Error> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let words: Vec<&[String]> = commands.iter().map(|c| c.words.as_slice()).collect();
        let safe = commands.iter().all(|c| c.repeat == Repeat::Safe);
        let repeat = if safe { Repeat::Safe } else { Repeat::Never };
        let answer = self
            .request(
                path,
                to_json(&words)?,
                repeat,
                commands.iter().map(billed).sum(),
                none_ready,
            )
            .await?;
        if answer.status == 400 || answer.body.first() == Some(&b'{') {
            return Err(match outcome(parse(&answer.body)?) {
                Err(error) => error,
                Ok(_) => Error::Malformed("one reply to several commands".into()),
            });
        }
        let replies: Vec<Body> = parse(&answer.body)?;
        if replies.len() != commands.len() {
            return Err(Error::Malformed(format!(
                "{} replies to {} commands",
                replies.len(),
                commands.len()
            )));
        }
        let outcomes: Vec<_> = replies.into_iter().map(outcome).collect();
        for (command, outcome) in commands.iter().zip(&outcomes) {
            self.correct(command, outcome);
        }
        Ok(outcomes)
    }
}

fn billed(command: &RawCommand) -> u64 {
    1 + u64::from(command.inner)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RedisService for Upstash {
    fn execute(&self, command: RawCommand) -> BoxFuture<'_, Result<Reply, Error>> {
        async move {
            let body = to_json(&command.words)?;
            let answer = self
                .request("/", body, command.repeat, billed(&command), not_ready)
                .await?;
            let outcome = outcome(parse(&answer.body)?);
            self.correct(&command, &outcome);
            outcome
        }
        .boxed()
    }

    fn pipeline(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, Error>>, Error>> {
        self.many("/pipeline", commands).boxed()
    }

    fn multi_exec(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, Error>>, Error>> {
        self.many("/multi-exec", commands).boxed()
    }

    fn scoped(&self, scope: Scope) -> Redis {
        Arc::new(Upstash {
            transport: self.transport.clone(),
            clock: self.clock.clone(),
            deadline: scope.deadline,
            skew: self.skew.clone(),
            meter: self.meter.clone(),
            sync_token: match scope.sync_token {
                Some(token) => Arc::new(Mutex::new(Some(token))),
                None => self.sync_token.clone(),
            },
        })
    }

    fn clock_skew_ms(&self) -> Option<i64> {
        let skew = (*lock(&self.skew))?;
        skew.at(self.clock.now_ms(), self.clock.elapsed())
    }

    fn meter(&self) -> Option<Meter> {
        Some(self.meter.clone())
    }

    fn sync_token(&self) -> Option<String> {
        self.token().clone()
    }
}

fn outcome(body: Body) -> Result<Reply, Error> {
    match body.error {
        None => Ok(body.result.unwrap_or(Reply::Nil)),
        Some(text) => Err(Error::of_reply(&text)),
    }
}

/// Returns the reason to send a request again, for an answer that is a single reply.
fn not_ready(answer: &Answer) -> Option<Error> {
    // Most replies are not errors. Looking at the first bytes avoids reading those twice.
    let is_error = answer.status == 400 || answer.body.starts_with(b"{\"error\"");
    let body: Body = serde_json::from_slice(&answer.body)
        .ok()
        .filter(|_| is_error)?;
    outcome(body).err().filter(Error::is_retryable)
}

/// Like [`not_ready`], for an answer that is a list of replies. Returns a reason only if
/// none of the commands was run.
fn none_ready(answer: &Answer) -> Option<Error> {
    if answer.body.first() != Some(&b'[') {
        return not_ready(answer);
    }
    if !answer.body.starts_with(b"[{\"error\"") {
        return None;
    }
    let replies: Vec<Body> = serde_json::from_slice(&answer.body).ok()?;
    let mut failed = replies.into_iter().map(|reply| outcome(reply).err());
    let first = failed.next()??;
    let none_ran = first.ran_nothing() && failed.all(|f| f.is_some_and(|f| f.ran_nothing()));
    none_ran.then_some(first)
}

fn to_json<T: serde::Serialize>(words: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(words).map_err(|error| Error::Malformed(error.to_string()))
}

fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::Malformed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corrected_clock_is_trusted_immediately() {
        let ahead = Skew {
            ahead_ms: 7_200_000,
            seen_ms: 7_200_000,
            elapsed: Duration::from_secs(5),
        };
        let after = |now_ms, secs| ahead.at(now_ms, Duration::from_secs(secs));
        assert_eq!(after(7_201_000, 6), Some(7_200_000));
        assert_eq!(after(1_000, 6), Some(0));
        // Nor does a machine that slept look like a clock that is wrong.
        assert_eq!(after(14_400_000, 6), Some(7_200_000));
        assert_eq!(after(7_265_000, 65), None);
    }
}
