//! Who may write a channel's record.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use shared::counters::CLIPS;
use shared::jobs::ChannelScan;
use shared::queue::{ActiveJob, Attempt, EndedJob};
use shared::redis::Pipeline;
use shared::scan::{
    self as store, Breaker, Channel, GuildSettings, Owner, PageSave, ScanStatus, Work,
};

use super::reporter::Reporter;
use super::trouble::{Trouble, with_jitter};
use super::watch::left_alone;
use crate::Environment;

/// How long a channel is owned after its last page; a page takes a few seconds.
const OWNERSHIP: Duration = Duration::from_secs(60);

/// A pause between pages longer than this is not waited out here.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long a job waits for another that scans the same channel, at most.
const BUSY_PAUSE: Duration = Duration::from_secs(15);

/// The owner a running attempt is at `now`.
pub fn owner(attempt: &Attempt, now: i64) -> Owner {
    Owner {
        until: now + OWNERSHIP.as_millis() as i64,
        ..former_owner(attempt)
    }
}

/// The owner an attempt was that lets go.
pub fn former_owner(attempt: &Attempt) -> Owner {
    Owner {
        job: attempt.id.to_string(),
        fence: attempt.fence,
        until: 0,
    }
}

/// What there is to do for a job.
pub enum Taken {
    /// It owns the channel, whose guild has these settings; why Discord was left alone
    /// until then.
    Channel(Box<Channel>, GuildSettings, Breaker),
    /// Its last page was saved before; only the queue was not told.
    Done(Work),
}

/// Makes an attempt the owner of its channel.
pub async fn take(
    env: &Environment,
    scan: &ChannelScan,
    job: &ActiveJob,
) -> Result<Taken, Trouble> {
    let now = env.clock.now_ms();
    let owner = owner(&job.attempt, now);
    let latest = now + LONGEST_PAUSE.as_millis() as i64;
    let until = |at: i64| Duration::from_millis(u64::try_from(at - now).unwrap_or(0));
    let (guild, channel) = (&scan.guild_id, &scan.channel_id);
    let token = env.discord.token_mark();
    let taken = env
        .store
        .take(guild, channel, &owner, now, latest, &token)
        .await?;
    match taken {
        store::Taken::Yes(channel, settings, breaker) => {
            env.forget_pause();
            Ok(Taken::Channel(channel, settings, breaker))
        }
        store::Taken::Done(mut channel) => {
            let work = channel.works.remove(job.attempt.id.as_str());
            Ok(Taken::Done(work.unwrap_or_default()))
        }
        store::Taken::Busy { until: at } => {
            Err(Trouble::Later(with_jitter(until(at).min(BUSY_PAUSE))))
        }
        store::Taken::Paused { until: at, breaker } => Err(left_alone(&breaker, at, now)),
        store::Taken::Slow { until: at } => Err(Trouble::Later(with_jitter(until(at)))),
        store::Taken::Lost => Err(Trouble::Superseded),
    }
}

/// A job ended without its handler: says so in the channel's record and the events.
pub async fn ended(env: Arc<Environment>, job: EndedJob) {
    let Ok(scan) = serde_json::from_str::<ChannelScan>(job.args()) else {
        return;
    };
    let status = if job.cancelled {
        ScanStatus::Cancelled
    } else {
        ScanStatus::Failed
    };
    let mut pipeline = Pipeline::new();
    if let Ok(Some(mut channel)) = env.store.channel(&scan.guild_id, &scan.channel_id).await {
        // Refused if another attempt took the channel since.
        channel.owner = Some(former_owner(&job.attempt));
        channel.revision += 1;
        (channel.status, channel.updated_at) = (Some(status), env.clock.now_ms());
        channel.error_message = Some(job.reason.clone()).filter(|_| !job.cancelled);
        channel.works.remove(job.attempt.id.as_str());
        let (guild, id) = (&scan.guild_id, &scan.channel_id);
        let page = PageSave {
            guild_id: guild,
            channel_id: id,
            job_id: job.attempt.id.as_str(),
            record: Some(&channel),
            count: Some(env.counters.places(CLIPS)),
            ..PageSave::default()
        };
        env.store.add_page(&mut pipeline, &page);
    }
    let mut reporter = Reporter::after(job.attempt.clone());
    reporter.add_status(&env, status, json!({ "error": job.reason }));
    reporter.tell(&mut pipeline);
    if let Err(error) = pipeline.send(&*env.redis).await {
        let error = shared::telemetry::chain(&error);
        tracing::warn!(job_id = %job.attempt.id, error, "the end of a job was not told");
    }
}
