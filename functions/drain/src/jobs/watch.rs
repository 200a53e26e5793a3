//! Tells a running job when to stop, because it was cancelled or requests to Discord are
//! paused, and keeps the pace that all jobs share.
//!
//! The script that saves a page reads all of this in one command. A job that saves no
//! page for two seconds, because Discord or the channel's pace is slow, checks for its
//! own cancellation every two seconds.

use std::time::Duration;

use shared::queue::{ActiveJob, Queue, Signal};
use shared::redis::commands::hashes::Hashes as _;
use shared::scan::{Breaker, Pace, PauseReason};

use super::stop::{LOOK_AGAIN, Outage, StopReason, with_jitter};
use crate::Clients;

/// How often a waiting job checks whether it was cancelled.
const LOOK: Duration = Duration::from_secs(2);

/// How often a job whose token was refused checks for a new token.
const NEW_TOKEN: Duration = Duration::from_secs(60);

/// The hash field that holds the shared pace.
const PACE: &str = "#pace";

/// Share of a second that one request uses, in milliseconds. Discord allows a bot 50
/// requests per second. The remainder is for jobs that start, which account for their
/// requests afterwards, and for other functions.
const REQUEST_MS: u64 = 1000 / 35;

/// Does `work`, unless the job is interrupted or cancelled in the meantime.
pub async fn unless_stopped<T>(
    clients: &Clients,
    job: &ActiveJob,
    work: impl Future<Output = T>,
) -> Result<T, StopReason> {
    let mut signalled = job.clone();
    tokio::select! {
        biased;
        signal = signalled.interrupted() => Err(interruption(signal)),
        done = work => Ok(done),
        () = cancelled(clients, job) => Err(StopReason::Cancelled),
    }
}

/// The reason to stop after this signal.
pub fn interruption(signal: Signal) -> StopReason {
    match signal {
        Signal::Cancel => StopReason::Cancelled,
        Signal::HandBack | Signal::GoOn => StopReason::Later(Duration::ZERO),
    }
}

/// Returns once the job has been cancelled.
async fn cancelled(clients: &Clients, job: &ActiveJob) {
    let state = clients.queue.state_field(&job.attempt.id);
    loop {
        clients.clock.sleep(LOOK).await;
        // If this fails, the next check or page may succeed.
        let found = clients
            .redis
            .hget(&state.key, &state.field)
            .await
            .ok()
            .flatten();
        if found.is_some_and(|text| Queue::is_cancelled(&text)) {
            return;
        }
    }
}

/// The fields next to a job's progress that tell whether it has to stop.
pub fn fields(clients: &Clients, job: &ActiveJob) -> Vec<String> {
    let state = clients.queue.state_field(&job.attempt.id);
    vec![state.field, clients.board.field.clone()]
}

/// Stops the job if the fields say so.
pub fn check_stop(clients: &Clients, watched: &[String]) -> Result<(), StopReason> {
    let text = |n: usize| watched.get(n).map(String::as_str).unwrap_or_default();
    if Queue::is_cancelled(text(0)) {
        return Err(StopReason::Cancelled);
    }
    let now = clients.clock.now_ms();
    let token = clients.discord.token_mark();
    let breaker = Breaker::parse(text(1));
    match breaker.pauses(&token, now) {
        Some(until) => Err(discord_paused(&breaker, until, now)),
        None => Ok(()),
    }
}

/// The reason to stop while requests to Discord are paused.
pub fn discord_paused(breaker: &Breaker, until: i64, now: i64) -> StopReason {
    match (breaker.away_since(), breaker.why) {
        (Some(since), _) => StopReason::Unreachable(Outage { since, until }),
        // A new token ends this pause at once, and nothing would wake the waiting jobs.
        (None, Some(PauseReason::Token)) => {
            later(until.min(now + NEW_TOKEN.as_millis() as i64), now)
        }
        (None, _) => later(until, now),
    }
}

pub fn later(until: i64, now: i64) -> StopReason {
    let wait = Duration::from_millis(u64::try_from(until - now).unwrap_or(0));
    StopReason::Later(with_jitter(wait.min(LOOK_AGAIN)))
}

/// The part of the shared pace that requests use up, or `None` if pages are not paced.
pub fn pace(clients: &Clients, requests: u64, now: i64) -> Option<Pace<'static>> {
    (!clients.page_interval.is_zero()).then_some(Pace {
        field: PACE,
        now,
        spent: requests * REQUEST_MS,
    })
}

/// How long a job has to wait for the shared pace.
pub fn pace_wait(watched: &[String], now: i64) -> Duration {
    let taken: i64 = watched
        .get(2)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    Duration::from_millis(u64::try_from(taken - now).unwrap_or(0))
}
