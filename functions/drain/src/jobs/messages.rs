//! Scanning single messages, as a bot names them when they are posted.
//!
//! Clips are stored by their id, so running it twice stores them once. The channel's
//! cursors are not moved, and its owner is not disturbed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use shared::discord::{Error as DiscordError, Message, MessageId, Position};
use shared::jobs::MessageScan;
use shared::queue::{ActiveJob, Outcome, Signal};
use shared::redis::Pipeline;
use shared::scan::{Clip, Filter, ScanProgress, ScanStatus, find_clips};

use super::reporter::Reporter;
use super::trouble::{Trouble, heed};
use super::{arguments, checks};
use crate::Environment;

/// A window of history is asked for while it may hold this many of the messages;
/// fewer are asked for one by one.
const WORTH_A_WINDOW: usize = 3;

pub async fn run(env: Arc<Environment>, job: ActiveJob) -> Outcome {
    let scan: MessageScan = match arguments(&job) {
        Ok(scan) => scan,
        Err(outcome) => return outcome,
    };
    let mut reporter = Reporter::new(job.attempt.clone());
    let outcome = scan_messages(&env, &job, &scan, &mut reporter).await;
    match outcome {
        Ok(outcome) => outcome,
        Err(trouble) => {
            let mut pipeline = Pipeline::new();
            let (status, detail) = match &trouble {
                Trouble::Never(reason) => (ScanStatus::Failed, json!({ "error": reason })),
                Trouble::Again(reason) if job.is_last_attempt() => {
                    (ScanStatus::Failed, json!({ "error": reason }))
                }
                Trouble::Again(reason) => (ScanStatus::Pending, json!({ "error": reason })),
                Trouble::Cancelled => (ScanStatus::Cancelled, json!({})),
                Trouble::Later(_) | Trouble::Superseded => (ScanStatus::Pending, json!({})),
            };
            reporter.add_status(&env, &mut pipeline, status, detail);
            // Events are told as far as Redis is there; the outcome decides.
            if let Err(error) = pipeline.send(&*env.redis).await {
                tracing::warn!(job_id = %job.attempt.id, error = shared::telemetry::chain(&error), "event not told");
            }
            trouble.outcome()
        }
    }
}

async fn scan_messages(
    env: &Environment,
    job: &ActiveJob,
    scan: &MessageScan,
    reporter: &mut Reporter,
) -> Result<Outcome, Trouble> {
    checks::channel(env, &scan.guild_id, &scan.channel_id).await?;
    let wanted: BTreeSet<MessageId> = scan
        .message_ids
        .iter()
        .filter_map(|id| MessageId::parse(id))
        .collect();
    let total = wanted.len() as u64;
    let (messages, missing) = fetch(env, job, scan, wanted).await?;
    let filter = Filter {
        min_seconds: scan.options.min_video_seconds,
    };
    let clips: Vec<Clip> = messages
        .iter()
        .flat_map(|message| find_clips(&scan.guild_id, &scan.channel_id, message, &filter))
        .collect();
    let progress = ScanProgress {
        current: total,
        total: Some(total),
        percent: 100.0,
        clips_found: clips.len() as u64,
        updated_at: env.clock.now_ms(),
    };
    let mut pipeline = Pipeline::new();
    reporter.add_status(env, &mut pipeline, ScanStatus::Running, json!({}));
    reporter.add_clips(env, &mut pipeline, &clips);
    if !missing.is_empty() {
        let data =
            json!({ "message": "messages are gone or could not be read", "messageIds": missing });
        reporter.add_log(env, &mut pipeline, data);
    }
    reporter.add_progress(env, &mut pipeline, &progress);
    let found = json!({ "messagesScanned": messages.len(), "clipsFound": clips.len(), "missingMessages": missing.len() });
    reporter.add_status(env, &mut pipeline, ScanStatus::Succeeded, found.clone());
    let slot = env.store.add_page(
        &mut pipeline,
        &scan.guild_id,
        &scan.channel_id,
        None,
        &clips,
    );
    let mut replies = pipeline.send(&*env.redis).await?;
    env.store.read_page(&mut replies, slot)?;
    Ok(Outcome::Done(found))
}

/// The messages that could be read, and the ids of the others. By windows of a
/// hundred while several may be in one, then one by one.
async fn fetch(
    env: &Environment,
    job: &ActiveJob,
    scan: &MessageScan,
    mut wanted: BTreeSet<MessageId>,
) -> Result<(Vec<Message>, Vec<MessageId>), Trouble> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    while wanted.len() > WORTH_A_WINDOW {
        let Some(newest) = wanted.last() else { break };
        let position = Position::Before(MessageId(newest.0 + 1));
        let page = heed(
            env,
            env.discord.messages(&scan.channel_id, position, 100).await,
        )
        .await?;
        let Some((low, _)) = page.range else { break };
        found.extend(
            page.messages
                .into_iter()
                .filter(|message| wanted.remove(&message.id)),
        );
        missing.extend(
            page.unreadable
                .iter()
                .filter_map(|m| m.id)
                .filter(|id| wanted.remove(id)),
        );
        // What the window should have held is gone.
        let rest: BTreeSet<MessageId> = wanted.split_off(&low);
        missing.extend(rest);
        pause(env, job, page.wait.max(env.page_interval)).await?;
    }
    for id in wanted {
        match env.discord.message(&scan.channel_id, id).await {
            Ok(message) => found.push(message),
            Err(DiscordError::NotFound { .. } | DiscordError::Malformed) => missing.push(id),
            Err(other) => return heed(env, Err(other)).await,
        }
    }
    Ok((found, missing))
}

async fn pause(env: &Environment, job: &ActiveJob, pause: Duration) -> Result<(), Trouble> {
    let mut job = job.clone();
    tokio::select! {
        biased;
        signal = job.interrupted() => Err(match signal {
            Signal::Cancel => Trouble::Cancelled,
            _ => Trouble::Later(Duration::ZERO),
        }),
        () = env.clock.sleep(pause) => Ok(()),
    }
}
