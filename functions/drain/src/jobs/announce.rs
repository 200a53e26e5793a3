//! Tells a guild's webhook how scans end.
//!
//! The end of a scan costs nothing if the guild has no webhook: the command that starts the
//! scan says so. Otherwise an item is added to what is to be told, and a job of kind `notice`
//! is stored. If the attempt dies before that, the next attempt does the same again.

use serde::Deserialize;
use serde_json::Value;
use shared::jobs::{ChannelScan, GuildScan, ImportFile, SendNotice};
use shared::notices::{Item, ItemType};
use shared::queue::{ActiveJob, Attempt, EndedJob, Error, JobError, Outcome};
use shared::telemetry;

use crate::Clients;

/// The kinds of jobs whose end is told.
const TOLD: [&str; 5] = [
    ChannelScan::SCAN,
    ChannelScan::BATCH,
    ChannelScan::RESCAN,
    GuildScan::KIND,
    ImportFile::KIND,
];

/// The arguments that matter here, of a job of any kind.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    guild_id: String,
    channel_id: Option<String>,
    guild_scan_id: Option<String>,
    #[serde(default)]
    scheduled: bool,
}

/// A job that has ended.
struct Ended<'a> {
    kind: &'a str,
    args: &'a str,
    attempt: &'a Attempt,
    end: End<'a>,
}

enum End<'a> {
    Done(&'a Value),
    Failed(&'a str),
}

/// Called with the outcome of each attempt. A failure is logged: the scan itself has ended.
pub async fn after(clients: &Clients, job: &ActiveJob, outcome: &Outcome) {
    let has_webhook = clients.take_webhook(job.attempt.id.as_str());
    let end = match outcome {
        Outcome::Done(result) => End::Done(result),
        Outcome::Fail { reason } => End::Failed(reason),
        Outcome::Retry { reason, .. } if job.is_last_attempt() => End::Failed(reason),
        _ => return,
    };
    if has_webhook == Some(false) {
        return;
    }
    tell_or_log(
        clients,
        &Ended {
            kind: &job.kind,
            args: job.args(),
            attempt: &job.attempt,
            end,
        },
    )
    .await;
}

/// Called for a job that ended without its handler.
pub async fn after_end(clients: &Clients, job: &EndedJob) {
    if job.cancelled {
        return;
    }
    tell_or_log(
        clients,
        &Ended {
            kind: &job.kind,
            args: job.args(),
            attempt: &job.attempt,
            end: End::Failed(&job.reason),
        },
    )
    .await;
}

async fn tell_or_log(clients: &Clients, ended: &Ended<'_>) {
    if let Err(error) = tell(clients, ended).await {
        let (job_id, error) = (&ended.attempt.id, telemetry::chain(&error));
        tracing::warn!(%job_id, error, "the guild's webhook will not be told how a scan ended");
    }
}

async fn tell(clients: &Clients, ended: &Ended<'_>) -> Result<(), Error> {
    if !TOLD.contains(&ended.kind) {
        return Ok(());
    }
    let Ok(place) = serde_json::from_str::<Place>(ended.args) else {
        return Ok(());
    };
    // The end of the guild scan tells of its channels.
    if place.guild_scan_id.is_some() {
        return Ok(());
    }
    let guild = place.guild_id.clone();
    let Some(webhook) = clients.notices.webhook(&guild).await? else {
        return Ok(());
    };
    let Some(item) = item(place, ended, clients.clock.now_ms()) else {
        return Ok(());
    };
    if !webhook.wants(&item) {
        return Ok(());
    }
    // First the item, then the job that sends it.
    clients.notices.add(&guild, &item).await?;
    let notice = SendNotice { guild_id: guild };
    clients
        .queue
        .enqueue(notice.after(&ended.attempt.id)?)
        .await?;
    Ok(())
}

fn item(place: Place, ended: &Ended<'_>, now: i64) -> Option<Item> {
    let mut item = Item {
        kind: ItemType::ScanFinished,
        scan_id: ended.attempt.id.to_string(),
        job_type: ended.kind.to_owned(),
        channel_id: place.channel_id,
        messages_scanned: 0,
        clips_found: 0,
        error_code: None,
        error_message: None,
        at: now,
    };
    match ended.end {
        End::Failed(reason) => {
            let (code, message) = JobError::parts(reason);
            item.kind = ItemType::ScanFailed;
            item.error_code = Some(code.to_owned());
            item.error_message = Some(message.to_owned());
        }
        End::Done(result) => {
            let number = |name: &str| result[name].as_u64().unwrap_or(0);
            item.messages_scanned = number("messagesScanned");
            item.clips_found = number("clipsFound");
            if let Some(channel) = result["channelId"].as_str() {
                item.channel_id = Some(channel.to_owned());
            }
            if place.scheduled {
                // A scheduled scan without clips is no news.
                item.kind = ItemType::NewClips;
                return (item.clips_found > 0).then_some(item);
            }
        }
    }
    Some(item)
}
