//! Determines which attempt may write a channel's record.

use std::sync::Arc;
use std::time::Duration;

use shared::counters::CLIPS;
use shared::jobs::ChannelScan;
use shared::queue::{ActiveJob, Attempt, EndedJob};
use shared::redis::Pipeline;
use shared::scan::{
    Channel, Owner, Ownership, OwnershipRequest, PageSave, ScanPolicy, ScanStatus, Work,
};

use crate::Clients;
use crate::jobs::reporter::{Reporter, failure};
use crate::jobs::stop::{StopReason, with_jitter};
use crate::jobs::watch::discord_paused;

/// How long a channel stays owned after its last page. A page takes a few seconds.
const OWNERSHIP: Duration = Duration::from_secs(60);

/// A longer pause between pages is not waited out here; the job is postponed.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long a job waits at most for another job that scans the same channel.
const BUSY_PAUSE: Duration = Duration::from_secs(15);

/// The owner that a running attempt is at `now`.
pub fn owner(attempt: &Attempt, now: i64) -> Owner {
    Owner {
        until: now + OWNERSHIP.as_millis() as i64,
        ..former_owner(attempt)
    }
}

/// The owner that an attempt becomes when it releases the channel.
pub fn former_owner(attempt: &Attempt) -> Owner {
    Owner {
        job: attempt.id.to_string(),
        fence: attempt.fence,
        until: 0,
    }
}

/// What to do for a job.
pub enum ToDo {
    /// The attempt owns the channel and scans it. The policy says why requests to Discord
    /// were paused before.
    Scan(Box<Channel>, ScanPolicy),
    /// Nothing: the last page was saved before, but the queue does not know yet.
    Nothing(Work),
}

/// Makes an attempt the owner of its channel.
pub async fn request(
    clients: &Clients,
    scan: &ChannelScan,
    job: &ActiveJob,
) -> Result<ToDo, StopReason> {
    let now = clients.clock.now_ms();
    let until = |at: i64| Duration::from_millis(u64::try_from(at - now).unwrap_or(0));
    let request = OwnershipRequest {
        guild_id: &scan.guild_id,
        channel_id: &scan.channel_id,
        owner: &owner(&job.attempt, now),
        now,
        latest: now + LONGEST_PAUSE.as_millis() as i64,
        token: &clients.discord.token_mark(),
    };
    match clients.store.request_ownership(&request).await? {
        Ownership::Granted(channel, policy) => {
            clients.note_webhook(job.attempt.id.as_str(), policy.has_webhook);
            clients.forget_pause();
            Ok(ToDo::Scan(channel, policy))
        }
        Ownership::Done(mut channel, policy) => {
            clients.note_webhook(job.attempt.id.as_str(), policy.has_webhook);
            let work = channel.works.remove(job.attempt.id.as_str());
            Ok(ToDo::Nothing(work.unwrap_or_default()))
        }
        Ownership::Busy { until: at } => {
            Err(StopReason::Busy(with_jitter(until(at).min(BUSY_PAUSE))))
        }
        Ownership::Paused { until: at, breaker } => Err(discord_paused(&breaker, at, now)),
        Ownership::Slow { until: at } => Err(StopReason::Later(with_jitter(until(at)))),
        Ownership::Superseded => Err(StopReason::Superseded),
    }
}

/// Records in the channel and in the events that a job ended without its handler.
pub async fn ended(clients: Arc<Clients>, job: EndedJob) {
    let Ok(scan) = serde_json::from_str::<ChannelScan>(job.args()) else {
        return;
    };
    let status = if job.cancelled {
        ScanStatus::Cancelled
    } else {
        ScanStatus::Failed
    };
    let mut pipeline = Pipeline::new();
    if let Ok(Some(mut channel)) = clients
        .store
        .channel(&scan.guild_id, &scan.channel_id)
        .await
    {
        // The script refuses this if another attempt has taken the channel since.
        channel.owner = Some(former_owner(&job.attempt));
        channel.revision += 1;
        (channel.status, channel.updated_at) = (Some(status), clients.clock.now_ms());
        channel.error_message = Some(job.reason.clone()).filter(|_| !job.cancelled);
        channel.works.remove(job.attempt.id.as_str());
        let (guild, id) = (&scan.guild_id, &scan.channel_id);
        let page = PageSave {
            guild_id: guild,
            channel_id: id,
            job_id: job.attempt.id.as_str(),
            record: Some(&channel),
            count: Some(clients.counters.places(CLIPS)),
            ..PageSave::default()
        };
        clients.store.add_page(&mut pipeline, &page);
    }
    let mut reporter = Reporter::after(job.attempt.clone());
    reporter.add_status(&clients, status, failure(&job.reason));
    reporter.add_to(&clients, &mut pipeline);
    if let Err(error) = pipeline.send(&*clients.redis).await {
        let error = shared::telemetry::chain(&error);
        tracing::warn!(job_id = %job.attempt.id, error, "the event for the end of a job could not be sent");
    }
}
