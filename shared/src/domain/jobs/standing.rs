//! How a guild scan stands, from its plan and the jobs of its channels.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::state::{Amount, waits_for_discord};
use crate::guild::ChannelKind;
use crate::queue::{Job, JobId, JobState};
use crate::scan::{Channel, Phase, Plan, Planned, ScanProgress, ScanStatus};

/// How many channels of a guild scan stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelCounts {
    /// Channels and threads that are scanned: the sum of the next five.
    pub total: u64,
    /// Those that wait for their turn or for their time.
    pub pending: u64,
    /// Those that are read now.
    pub running: u64,
    /// Those that were read.
    pub succeeded: u64,
    /// Those whose scan failed.
    pub failed: u64,
    /// Those whose scan was cancelled.
    pub cancelled: u64,
    /// Channels that are not scanned, each with its reason in `channels`.
    pub left_out: u64,
    /// Channels that are not scanned because nothing was posted in them since their last
    /// scan.
    pub unchanged: u64,
    /// Archived threads that are not scanned because a guild scan has at most 10,000
    /// channels and threads.
    pub too_many: u64,
}

/// A channel or thread in a guild scan.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "GuildScanChannel")]
pub struct ChannelStanding {
    /// The id of the channel or thread.
    pub channel_id: String,
    /// Its name.
    pub name: Option<String>,
    /// What it is.
    pub kind: ChannelKind,
    /// For a thread, the channel it is in; for a channel, its category.
    pub parent_id: Option<String>,
    /// The id of its scan. `null` if it is left out.
    pub scan_id: Option<String>,
    /// Whether that scan was there before, so that the guild scan does not cancel it.
    pub shared: bool,
    /// How its scan stands. `null` if it is left out.
    pub status: Option<ScanStatus>,
    /// How many messages its scan has read.
    pub messages_scanned: u64,
    /// How many clips its scan has found that were not known before.
    pub clips_found: u64,
    /// Why it is left out or failed, for programs.
    pub error_code: Option<String>,
    /// Why it is left out or failed, in a sentence for people.
    pub error_message: Option<String>,
}

/// What a guild scan did.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GuildScanResult {
    /// How the channels ended.
    pub channels: ChannelCounts,
    /// How many messages were read.
    pub messages_scanned: u64,
    /// How many clips were found that were not known before.
    pub clips_found: u64,
}

/// How a guild scan stands.
#[derive(Clone, Debug, Default)]
pub struct GuildStanding {
    pub counts: ChannelCounts,
    /// By channel id.
    pub channels: Vec<ChannelStanding>,
    messages_scanned: u64,
    clips_found: u64,
    /// The sum of the percentages of all channels that are scanned.
    percents: u64,
    at: i64,
}

/// A guild scan.
#[derive(Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GuildScanState<'a> {
    /// The id of the guild scan.
    scan_id: &'a JobId,
    /// The same as `scanId`.
    job_id: &'a JobId,
    /// The id of the guild.
    guild_id: &'a str,
    /// Whether the guild scan waits, runs, or how it ended. It ends when the scans of all its
    /// channels have, and has failed if one of them has.
    status: ScanStatus,
    /// How much is done, over all channels.
    progress: Amount,
    /// How many clips were found that were not known before.
    clips_found: u64,
    /// How many channels stand how.
    counts: ChannelCounts,
    /// The channels and threads, by id, also those that are left out. Empty until they are
    /// listed.
    channels: Vec<ChannelStanding>,
    /// Why the guild scan failed, for programs.
    error_code: Option<String>,
    /// Why the guild scan failed, in a sentence for people.
    error_message: Option<String>,
    /// When it was requested, in unix milliseconds.
    created_at: i64,
    /// When it continues, in unix milliseconds. `null` unless it waits for that time.
    run_at: Option<i64>,
    /// Until when it waits for Discord, in unix milliseconds: to list its channels, or because
    /// all scans that have not ended wait. `null` if it does not.
    waiting_for_discord_until: Option<i64>,
    /// When it ended, in unix milliseconds.
    finished_at: Option<i64>,
}

/// The results of scans: of one that ended, or as far as one has come.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Done {
    messages_scanned: u64,
    clips_found: u64,
}

/// Writes the results of jobs that have ended into the plan. `gone` holds the records of
/// channels whose jobs do not exist any more. Returns the ids of the channels that ended.
pub fn fold(plan: &mut Plan, jobs: &[Job], gone: &BTreeMap<String, Channel>) -> Vec<String> {
    let jobs = by_id(jobs);
    let mut ended = Vec::new();
    for (id, planned) in &mut plan.channels {
        if !planned.is_unfinished() {
            continue;
        }
        let job = planned.job.as_deref().and_then(|job| jobs.get(job));
        match (job, gone.get(id)) {
            (Some(job), _) if job.state.is_finished() => of_job(planned, job),
            (None, Some(record)) => of_record(planned, record),
            _ => continue,
        }
        ended.push(id.clone());
    }
    ended
}

fn by_id(jobs: &[Job]) -> HashMap<&str, &Job> {
    jobs.iter().map(|job| (job.id.as_str(), job)).collect()
}

fn status_of(state: JobState) -> ScanStatus {
    match state {
        JobState::Waiting | JobState::Delayed => ScanStatus::Pending,
        JobState::Active => ScanStatus::Running,
        JobState::Completed => ScanStatus::Succeeded,
        JobState::Failed => ScanStatus::Failed,
        JobState::Cancelled => ScanStatus::Cancelled,
    }
}

fn of_job(planned: &mut Planned, job: &Job) {
    let (messages, clips) = done_by(job);
    planned.status = Some(status_of(job.state));
    (planned.messages_scanned, planned.clips_found) = (messages, clips);
    let last = job
        .errors
        .last()
        .filter(|_| job.state == JobState::Cancelled);
    // A scan that the guild's settings exclude ends as cancelled, with the reason.
    planned.error_code = (job.error_code.clone()).or(last.map(|error| error.error_code.clone()));
    planned.error_message =
        (job.error_message.clone()).or(last.map(|error| error.error_message.clone()));
}

fn of_record(planned: &mut Planned, record: &Channel) {
    let is_open = |status: &ScanStatus| matches!(status, ScanStatus::Pending | ScanStatus::Running);
    let status = record.status.filter(|status| !is_open(status));
    planned.status = Some(status.unwrap_or(ScanStatus::Cancelled));
}

/// When the first of the unfinished scans goes on, if all of them wait for Discord.
fn all_wait_until(jobs: &[Job]) -> Option<i64> {
    let unfinished = jobs.iter().filter(|job| !job.state.is_finished());
    let waits: Option<Vec<i64>> = unfinished.map(waits_for_discord).collect();
    waits?.into_iter().min()
}

fn done_by(job: &Job) -> (u64, u64) {
    if let Some(result) = &job.returnvalue {
        let done: Done = serde_json::from_value(result.clone()).unwrap_or_default();
        return (done.messages_scanned, done.clips_found);
    }
    let progress = progress_of(job);
    (progress.current, progress.clips_found)
}

fn progress_of(job: &Job) -> ScanProgress {
    let stored = job.progress.clone();
    stored
        .and_then(|value| serde_json::from_value(value).ok())
        .unwrap_or_default()
}

impl GuildStanding {
    /// From a plan and the jobs of the channels that it counts as unfinished.
    pub fn of(plan: &Plan, jobs: &[Job], at: i64) -> GuildStanding {
        let jobs = by_id(jobs);
        let mut standing = GuildStanding {
            at,
            ..GuildStanding::default()
        };
        standing.counts.unchanged = plan.head.unchanged;
        standing.counts.too_many = plan.head.too_many;
        for (id, planned) in &plan.channels {
            let mut planned = planned.clone();
            let job = planned.job.as_deref().and_then(|job| jobs.get(job));
            let percent = match (&planned.status, job) {
                (Some(_), _) => 100,
                (None, Some(job)) => {
                    of_job(&mut planned, job);
                    let percent = progress_of(job).percent.unwrap_or(0);
                    if job.state.is_finished() {
                        100
                    } else {
                        percent
                    }
                }
                (None, None) => {
                    planned.status = planned.job.as_ref().map(|_| ScanStatus::Pending);
                    0
                }
            };
            standing.add(id, planned, percent);
        }
        standing
    }

    fn add(&mut self, id: &str, planned: Planned, percent: u8) {
        let counts = &mut self.counts;
        let count = match planned.status {
            Some(ScanStatus::Pending) => &mut counts.pending,
            Some(ScanStatus::Running) => &mut counts.running,
            Some(ScanStatus::Succeeded) => &mut counts.succeeded,
            Some(ScanStatus::Failed) => &mut counts.failed,
            Some(ScanStatus::Cancelled) => &mut counts.cancelled,
            None => &mut counts.left_out,
        };
        *count += 1;
        if planned.status.is_some() {
            counts.total += 1;
            self.percents += u64::from(percent);
        }
        self.messages_scanned += planned.messages_scanned;
        self.clips_found += planned.clips_found;
        self.channels.push(ChannelStanding {
            channel_id: id.to_owned(),
            name: planned.name,
            kind: planned.kind,
            parent_id: planned.parent_id,
            scan_id: planned.job,
            shared: planned.shared,
            status: planned.status,
            messages_scanned: planned.messages_scanned,
            clips_found: planned.clips_found,
            error_code: planned.error_code,
            error_message: planned.error_message,
        });
    }

    /// The number of channels whose scans have not ended.
    pub fn unfinished(&self) -> u64 {
        self.counts.pending + self.counts.running
    }

    /// The ids of the channels that are left out.
    pub fn unreadable_ids(&self) -> Vec<String> {
        let left_out = self.channels.iter().filter(|c| c.status.is_none());
        left_out.map(|channel| channel.channel_id.clone()).collect()
    }

    /// Why a guild scan whose channels have all ended has failed, if it has.
    pub fn failure(&self) -> Option<(&'static str, String)> {
        let ChannelCounts {
            total,
            failed,
            left_out,
            unchanged,
            ..
        } = self.counts;
        if failed > 0 {
            let what = format!("the scans of {failed} of {total} channels failed");
            return Some(("channels_failed", what));
        }
        if total == 0 && unchanged == 0 && left_out > 0 {
            let what = "none of the channels can be scanned".to_owned();
            return Some(("channels_unreadable", what));
        }
        None
    }

    /// As the job of the guild scan stores it.
    pub fn progress(&self) -> ScanProgress {
        ScanProgress {
            current: self.messages_scanned,
            total: None,
            percent: Some(self.percent()),
            clips_found: self.clips_found,
            reached_start: None,
            updated_at: self.at,
        }
    }

    fn percent(&self) -> u8 {
        let average = self.percents / self.counts.total.max(1);
        let most = if self.unfinished() > 0 { 99 } else { 100 };
        average.min(most) as u8
    }

    /// What a guild scan that has ended did.
    pub fn result(&self) -> GuildScanResult {
        GuildScanResult {
            channels: self.counts,
            messages_scanned: self.messages_scanned,
            clips_found: self.clips_found,
        }
    }
}

impl<'a> GuildScanState<'a> {
    /// Of the job of a guild scan, its plan, and the jobs of the channels that the plan
    /// counts as unfinished.
    pub fn of(
        job: &'a Job,
        guild_id: &'a str,
        plan: Option<&Plan>,
        jobs: &[Job],
        now: i64,
    ) -> GuildScanState<'a> {
        let standing = plan.map(|plan| GuildStanding::of(plan, jobs, now));
        let standing = standing.unwrap_or_default();
        let is_over = plan.is_some_and(|plan| plan.head.phase >= Phase::Following)
            && standing.unfinished() == 0;
        let failure = standing.failure().filter(|_| is_over);
        let has_ended = plan.is_some_and(|plan| plan.head.phase == Phase::Ended);
        let status = match status_of(job.state) {
            // It was retried, and has not begun again.
            ScanStatus::Pending if has_ended => ScanStatus::Pending,
            // Its scans have ended, and the job will find out at its next look.
            ScanStatus::Pending | ScanStatus::Running if is_over => match failure {
                Some(_) => ScanStatus::Failed,
                None => ScanStatus::Succeeded,
            },
            ScanStatus::Pending if plan.is_some() => ScanStatus::Running,
            other => other,
        };
        let (code, message) = match status {
            ScanStatus::Failed => {
                let live = failure.map(|(code, message)| (code.to_owned(), message));
                let stored = job.error_code.clone().zip(job.error_message.clone());
                stored.or(live).unzip()
            }
            _ => (None, None),
        };
        GuildScanState {
            scan_id: &job.id,
            job_id: &job.id,
            guild_id,
            status,
            progress: Amount {
                current: standing.messages_scanned,
                total: None,
                percent: match (status, plan) {
                    (ScanStatus::Succeeded, _) => Some(100),
                    (_, Some(_)) => Some(standing.percent()),
                    (_, None) => None,
                },
            },
            clips_found: standing.clips_found,
            counts: standing.counts,
            channels: standing.channels,
            error_code: code,
            error_message: message,
            created_at: job.created_at,
            run_at: Some(job.run_at).filter(|_| job.state == JobState::Delayed && plan.is_none()),
            waiting_for_discord_until: waits_for_discord(job).or_else(|| all_wait_until(jobs)),
            finished_at: job.finished_at,
        }
    }
}
