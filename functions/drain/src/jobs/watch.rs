//! Whether a running job is to stop: because somebody cancelled it or because Discord is to
//! be left alone; and the pace that all jobs keep together.
//!
//! The script that saves a page reads it, in one command for all of it. A job that saves
//! no page for two seconds, since Discord is slow or the pace of the channel is, asks
//! for its own cancellation every two seconds.

use std::time::Duration;

use shared::queue::{ActiveJob, Queue, Signal};
use shared::redis::commands::hashes::Hashes as _;
use shared::scan::{Breaker, Pace, PauseReason};

use super::stop::{LOOK_AGAIN, Outage, StopReason, with_jitter};
use crate::Clients;

/// How often a job that waits asks whether it was cancelled.
const LOOK: Duration = Duration::from_secs(2);

/// How often a job whose token was refused looks whether there is another.
const NEW_TOKEN: Duration = Duration::from_secs(60);

/// The field of the pace.
const PACE: &str = "#pace";

/// Milliseconds one request takes of the second all requests of a bot share. Discord
/// grants 50; the rest is for jobs that begin, which pay afterwards, and other functions.
const REQUEST_MS: u64 = 1000 / 35;

/// Does `work`, unless the job is interrupted or cancelled meanwhile.
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

fn interruption(signal: Signal) -> StopReason {
    match signal {
        Signal::Cancel => StopReason::Cancelled,
        Signal::HandBack | Signal::GoOn => StopReason::Later(Duration::ZERO),
    }
}

/// Ends once somebody has cancelled the job.
async fn cancelled(clients: &Clients, job: &ActiveJob) {
    let state = clients.queue.state_field(&job.attempt.id);
    loop {
        clients.clock.sleep(LOOK).await;
        // The next look, or page, may have an answer.
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

/// The fields beside a job's progress that say whether it is to stop.
pub fn fields(clients: &Clients, job: &ActiveJob) -> Vec<String> {
    let state = clients.queue.state_field(&job.attempt.id);
    vec![state.field, clients.board.field.clone()]
}

/// Whether the fields say that the job is to stop.
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

/// Why a job stops while Discord is left alone.
pub fn discord_paused(breaker: &Breaker, until: i64, now: i64) -> StopReason {
    match (breaker.away_since(), breaker.why) {
        (Some(since), _) => StopReason::Unreachable(Outage { since, until }),
        // Another token ends it at once, and nobody would wake those that wait.
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

/// What requests take of the common pace; none where pages are not paced at all.
pub fn pace(clients: &Clients, requests: u64, now: i64) -> Option<Pace<'static>> {
    (!clients.page_interval.is_zero()).then_some(Pace {
        field: PACE,
        now,
        spent: requests * REQUEST_MS,
    })
}

/// How long the common pace has a job wait.
pub fn pace_wait(watched: &[String], now: i64) -> Duration {
    let taken: i64 = watched
        .get(2)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    Duration::from_millis(u64::try_from(taken - now).unwrap_or(0))
}
