//! The state of a scan, derived from its job.

use serde::{Deserialize, Serialize};

use super::{ChannelScan, GuildScan};
use crate::queue::{Job, JobId, JobState};
use crate::scan::{ScanProgress, ScanStatus};

/// How a scan stands, as its job has it.
#[derive(Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScanState<'a> {
    /// The id of the scan.
    scan_id: &'a JobId,
    /// The same as `scanId`.
    job_id: &'a JobId,
    /// The id of the guild.
    guild_id: Option<String>,
    /// The id of the channel or thread.
    channel_id: Option<String>,
    /// Whether the scan waits, runs, or how it ended.
    status: ScanStatus,
    /// How much is done.
    progress: Amount,
    /// How many clips were found that were not known before.
    clips_found: u64,
    /// Whether the scan reached the channel's beginning. `false` as long as that is not
    /// known; `null` for the scan of a guild, and for a job that reads single messages or a
    /// file.
    reached_start: Option<bool>,
    /// Until when the scan waits for Discord, which asked for the wait or cannot be reached,
    /// in unix milliseconds. `null` if it does not.
    waiting_for_discord_until: Option<i64>,
    /// Why the scan failed, for programs.
    error_code: Option<&'a str>,
    /// Why the scan failed, in a sentence for people.
    error_message: Option<&'a str>,
    /// When any of this last changed, in unix milliseconds.
    updated_at: i64,
}

/// How much of a scan is done.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Progress")]
pub struct Amount {
    /// How many messages were read.
    pub(super) current: u64,
    /// How many messages there are to read. `null` where the number is not limited.
    pub(super) total: Option<u64>,
    /// How much is done: a whole number from 0 to 100. `null` until it is known. Without a
    /// `total` it is estimated from the time that the messages span.
    pub(super) percent: Option<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    guild_id: Option<String>,
    channel_id: Option<String>,
}

/// Until when a job waits for Discord, if it does.
pub(super) fn waits_for_discord(job: &Job) -> Option<i64> {
    let checkpoint = job.checkpoint.as_ref()?;
    let waits = checkpoint.get("waitingForDiscord") == Some(&serde_json::Value::Bool(true));
    (waits && job.state == JobState::Delayed).then_some(job.run_at)
}

impl ScanState<'_> {
    /// The scan of a job.
    pub fn of(job: &Job) -> ScanState<'_> {
        let place: Option<Place> = serde_json::from_str(job.data.get()).ok();
        let (guild_id, channel_id) = place.map_or((None, None), |p| (p.guild_id, p.channel_id));
        let stored = job.progress.clone();
        let progress: ScanProgress = stored
            .and_then(|value| serde_json::from_value(value).ok())
            .unwrap_or_default();
        let status = match job.state {
            // Between two looks at its scans, the job of a guild scan waits in the queue.
            JobState::Waiting | JobState::Delayed
                if job.kind == GuildScan::KIND
                    && progress.percent.is_some_and(|percent| percent < 100) =>
            {
                ScanStatus::Running
            }
            JobState::Waiting | JobState::Delayed => ScanStatus::Pending,
            JobState::Active => ScanStatus::Running,
            JobState::Completed => ScanStatus::Succeeded,
            JobState::Failed => ScanStatus::Failed,
            JobState::Cancelled => ScanStatus::Cancelled,
        };
        let times = [
            Some(progress.updated_at),
            job.finished_at,
            job.started_at,
            Some(job.created_at),
        ];
        ScanState {
            scan_id: &job.id,
            job_id: &job.id,
            guild_id,
            channel_id,
            status,
            progress: Amount {
                current: progress.current,
                total: progress.total,
                percent: match job.state {
                    JobState::Completed => Some(100),
                    _ => progress.percent,
                },
            },
            clips_found: progress.clips_found,
            reached_start: ChannelScan::KINDS
                .contains(&job.kind.as_str())
                .then(|| progress.reached_start.unwrap_or(false)),
            waiting_for_discord_until: waits_for_discord(job),
            error_code: job.error_code.as_deref(),
            error_message: job.error_message.as_deref(),
            updated_at: times.into_iter().flatten().max().unwrap_or_default(),
        }
    }
}
