//! What follows a forward scan that includes the channel's threads: a job that lists the
//! threads and scans those that no scan has read yet, or that have news.

use shared::jobs::{ChannelScan, Direction, GuildScan};
use shared::queue::{ActiveJob, JobError, JobId};
use shared::scan::IncludeThreads;
use shared::telemetry;

use crate::Clients;
use crate::jobs::stop::StopReason;

/// Whether the scan asks for its channel's threads.
pub fn are_wanted(scan: &ChannelScan) -> bool {
    let threads = scan.options.include_threads;
    let is_wanted = threads.is_some_and(|threads| threads != IncludeThreads::None);
    is_wanted && scan.direction() == Direction::Forward
}

/// Stores that job. Asked again for the same scan, it stores it once.
pub async fn request(
    clients: &Clients,
    scan: &ChannelScan,
    job: &ActiveJob,
) -> Result<(), StopReason> {
    let follow = GuildScan {
        scan_mode: scan.scan_mode,
        options: scan.options.clone(),
        scheduled: scan.scheduled,
        threads_of: Some(scan.channel_id.clone()),
        ..GuildScan::new(&scan.guild_id)
    };
    let id = &job.attempt.id;
    let own = JobId::derived(id.created_ms(), &format!("{id}/threads"));
    let stored = async {
        let mut new = follow.into_job(own)?;
        new.priority = job.priority;
        new.traceparent = job.traceparent.clone();
        clients.queue.enqueue(new).await
    };
    match stored.await {
        Ok(_) => Ok(()),
        Err(error) => {
            let error = telemetry::chain(&error);
            tracing::warn!(job_id = %id, error, "the threads of a channel could not be requested");
            let message = "a database request failed";
            Err(StopReason::Retry(JobError::reason(
                "database_unavailable",
                message,
            )))
        }
    }
}
