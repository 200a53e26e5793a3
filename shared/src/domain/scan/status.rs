//! The status of a channel's scan.

use super::{Channel, ScanStatus};
use crate::discord::MessageId;
use crate::queue::{JobError, JobState, Referenced};
use serde::Serialize;

/// How the scans of a channel stand.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelStatus {
    /// The id of the guild.
    pub guild_id: String,
    /// The id of the channel or thread.
    pub channel_id: String,
    /// The channel's name when it was last scanned.
    pub channel_name: Option<String>,
    /// For a thread, the channel it is in. `null` for any other channel, and for a thread
    /// that was last scanned before this was recorded.
    pub parent_id: Option<String>,
    /// The status of the latest scan. `null` if the channel was never scanned.
    pub status: Option<ScanStatus>,
    /// How many messages with clips are known.
    pub messages_with_clips: u64,
    /// The same as `messagesWithClips`.
    pub message_count: u64,
    /// How many messages all scans of the channel have read.
    pub messages_scanned: u64,
    /// The same as `messagesScanned`.
    pub total_messages_scanned: u64,
    /// The newest message read. The next `forward` scan begins after it.
    pub forward_message_id: Option<MessageId>,
    /// The oldest message read. The next `backfill` scan begins before it.
    pub backward_message_id: Option<MessageId>,
    /// Whether the channel's beginning was reached. If not, a `backfill` scan, or a scan
    /// without `maxMessages`, has more to read.
    pub reached_start: bool,
    /// Why the latest scan failed, for programs.
    pub error_code: Option<String>,
    /// Why the latest scan failed, in a sentence for people.
    pub error_message: Option<String>,
    /// When any of this last changed, in unix milliseconds.
    pub updated_at: Option<i64>,
}

impl ChannelStatus {
    /// The status of a channel that has never been scanned.
    pub fn unknown(guild_id: &str, channel_id: &str) -> ChannelStatus {
        ChannelStatus {
            guild_id: guild_id.to_owned(),
            channel_id: channel_id.to_owned(),
            channel_name: None,
            parent_id: None,
            status: None,
            messages_with_clips: 0,
            message_count: 0,
            messages_scanned: 0,
            total_messages_scanned: 0,
            forward_message_id: None,
            backward_message_id: None,
            reached_start: false,
            error_code: None,
            error_message: None,
            updated_at: None,
        }
    }

    /// Derives the status from the record and the jobs. A record that cannot be parsed is
    /// ignored.
    pub fn of(guild_id: &str, channel: &Referenced) -> ChannelStatus {
        let text = channel.record.as_deref();
        let record: Option<Channel> = text.and_then(|text| serde_json::from_str(text).ok());
        let (status, reason) = status_of(record.as_ref(), channel);
        let parts = reason.as_deref().map(JobError::parts);
        let (error_code, error_message) = parts
            .map(|(code, message)| (code.to_owned(), message.to_owned()))
            .unzip();
        let shown = ChannelStatus::unknown(guild_id, &channel.field);
        let Some(record) = record else {
            return ChannelStatus {
                status,
                error_code,
                error_message,
                ..shown
            };
        };
        ChannelStatus {
            reached_start: record.reached_start(status == Some(ScanStatus::Succeeded)),
            channel_name: record.channel_name,
            parent_id: record.parent_id,
            status,
            messages_with_clips: record.message_count,
            message_count: record.message_count,
            messages_scanned: record.total_messages_scanned,
            total_messages_scanned: record.total_messages_scanned,
            forward_message_id: record.forward_message_id,
            backward_message_id: record.backward_message_id,
            error_code,
            error_message,
            // A record that only imports and single messages have made has no time.
            updated_at: Some(record.updated_at).filter(|at| *at > 0),
            ..shown
        }
    }
}

/// An unfinished job determines the status. Otherwise the record does, unless its job
/// ended without updating it: cancelled while it waited, or ended by a drainer that died
/// at that moment. A record without a status was created when the first scan was
/// requested, or by jobs for single messages.
fn status_of(record: Option<&Channel>, jobs: &Referenced) -> (Option<ScanStatus>, Option<String>) {
    let stored = record.and_then(|record| record.status);
    let error = record.and_then(|record| record.error_message.clone());
    let unfinished = [jobs.owner, jobs.unfinished];
    if unfinished.contains(&Some(JobState::Active)) {
        return (Some(ScanStatus::Running), None);
    }
    if unfinished.contains(&Some(JobState::Waiting)) {
        return (Some(ScanStatus::Pending), error);
    }
    if stored.is_some_and(|stored| !matches!(stored, ScanStatus::Pending | ScanStatus::Running)) {
        return (stored, error);
    }
    match jobs.owner {
        Some(JobState::Completed) => (Some(ScanStatus::Succeeded), None),
        Some(JobState::Failed) => (Some(ScanStatus::Failed), jobs.owner_error.clone().or(error)),
        Some(JobState::Cancelled) => (Some(ScanStatus::Cancelled), None),
        // The job was deleted by retention or by a person, so the scan will not continue.
        _ => (stored.map(|_| ScanStatus::Cancelled), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(
        stored: Option<&str>,
        owner: Option<JobState>,
        unfinished: Option<JobState>,
    ) -> Option<ScanStatus> {
        let record = stored.map(|stored| format!(r#"{{"revision": 1, "status": "{stored}"}}"#));
        let channel = Referenced {
            field: "1".into(),
            record,
            owner,
            owner_error: Some("why".into()),
            unfinished,
        };
        ChannelStatus::of("2", &channel).status
    }

    #[test]
    fn an_unfinished_job_says_more_than_the_record() {
        use JobState::{Active, Completed, Waiting};
        assert_eq!(seen(None, None, None), None);
        assert_eq!(seen(None, None, Some(Waiting)), Some(ScanStatus::Pending));
        assert_eq!(
            seen(Some("SUCCEEDED"), Some(Completed), Some(Waiting)),
            Some(ScanStatus::Pending)
        );
        assert_eq!(
            seen(Some("PENDING"), Some(Active), None),
            Some(ScanStatus::Running)
        );
        assert_eq!(
            seen(Some("RUNNING"), Some(Waiting), None),
            Some(ScanStatus::Pending)
        );
    }

    #[test]
    fn a_record_whose_job_ended_without_telling_it_is_not_believed() {
        use JobState::{Cancelled, Completed, Failed};
        for stored in ["PENDING", "RUNNING"] {
            let of = |owner| seen(Some(stored), owner, None);
            assert_eq!(of(Some(Completed)), Some(ScanStatus::Succeeded));
            assert_eq!(of(Some(Failed)), Some(ScanStatus::Failed));
            assert_eq!(of(Some(Cancelled)), Some(ScanStatus::Cancelled));
            assert_eq!(of(None), Some(ScanStatus::Cancelled));
        }
        assert_eq!(
            seen(Some("SUCCEEDED"), None, None),
            Some(ScanStatus::Succeeded)
        );
    }

    #[test]
    fn a_channel_that_was_only_asked_for_is_as_its_first_job() {
        use JobState::{Active, Cancelled, Failed, Waiting};
        let of = |owner| {
            let channel = Referenced {
                field: "1".into(),
                record: Some(r#"{"revision": 0, "owner": null}"#.into()),
                owner,
                owner_error: None,
                unfinished: None,
            };
            ChannelStatus::of("2", &channel).status
        };
        assert_eq!(of(Some(Waiting)), Some(ScanStatus::Pending));
        assert_eq!(of(Some(Active)), Some(ScanStatus::Running));
        assert_eq!(of(Some(Cancelled)), Some(ScanStatus::Cancelled));
        assert_eq!(of(Some(Failed)), Some(ScanStatus::Failed));
        // Nothing stored, or deleted since: there is no scan.
        assert_eq!(of(None), None);
    }
}
