//! Stores the jobs of schedules whose slots have begun.
//!
//! A slot asks Discord for the newest messages, compares them with what was read, and stores
//! a job only if something is new. So a slot without news costs no job: it reads the guild's
//! policy, the records of its channels, and writes the next slot. The job is the scan of a
//! channel, or a guild scan, which reads threads too.
//!
//! It is harmless when two drainers look at the same slot. The job's id comes from the slot,
//! so it is stored once, and both write the same next slot.

use std::time::Duration;

use shared::discord::{self, Channel, ChannelType};
use shared::guild::{ChannelKind, GuildView};
use shared::queue::{Error, NewJob, Queue};
use shared::redis::Redis;
use shared::scan::{GuildSettings, IncludeThreads, ScanPolicy, ScanStatus, ScanStore};
use shared::schedules::{Due, has_news};
use shared::telemetry;

use crate::Clients;
use crate::jobs::{checked, news};

/// How long a look asks Discord at most. Slots that are left are found again a minute later.
/// Meanwhile no job runs in this invocation.
const LONGEST_LOOK: Duration = Duration::from_secs(20);

/// The jobs of one call.
const JOBS_AT_ONCE: usize = 100;

/// The result of a look.
#[derive(Debug, Default)]
pub struct Fired {
    /// The jobs that are new.
    pub jobs: Vec<NewJob>,
}

/// Looks for slots that have begun, and stores their jobs.
///
/// # Errors
/// If Redis cannot be reached. The slots are found again by the next look.
pub async fn fire(clients: &Clients, queue: &Queue, redis: &Redis) -> Result<Fired, Error> {
    let (clock, schedules) = (queue.clock(), clients.schedules.on(redis));
    let due = schedules.due(clock.now_ms()).await?;
    let begun = clock.elapsed();
    let (mut looked, mut jobs) = (Vec::new(), Vec::new());
    for due in due {
        if clock.elapsed().saturating_sub(begun) > LONGEST_LOOK {
            break;
        }
        if let Some(found) = jobs_of(clients, redis, &due).await? {
            jobs.extend(found);
            looked.push(due);
        }
    }
    let mut fired = Fired::default();
    for part in jobs.chunks(JOBS_AT_ONCE) {
        let answers = queue.enqueue_many(part.to_vec()).await?;
        let new = part.iter().zip(&answers);
        let new = new.filter(|(_, answer)| !answer.is_duplicate());
        fired.jobs.extend(new.map(|(job, _)| job.clone()));
    }
    // Last, so that a drainer that dies before this leaves the slots to the next one.
    schedules.move_on(&looked, clock.now_ms()).await?;
    Ok(fired)
}

/// The jobs that a slot needs. `None` if Discord cannot be asked: the slot then waits.
async fn jobs_of(
    clients: &Clients,
    redis: &Redis,
    due: &Due,
) -> Result<Option<Vec<NewJob>>, Error> {
    let store = clients.store.on(redis);
    let policy = store.scan_policy(&due.name.guild_id).await?;
    let wanted = match &due.name.channel_id {
        Some(channel) => wanted_of_channel(clients, &store, due, &policy, channel).await?,
        None => match is_paused(clients, &policy) {
            true => None,
            false => wanted_of_guild(clients, &store, due, &policy.settings).await?,
        },
    };
    let job = match wanted {
        None => return Ok(None),
        Some(Wanted::Nothing) => return Ok(Some(Vec::new())),
        Some(Wanted::Channel(channel)) => due.scan_of(&channel)?,
        Some(Wanted::Guild) => due.guild_job()?,
    };
    Ok(Some(vec![NewJob {
        priority: policy.settings.priority,
        ..job
    }]))
}

/// What a slot has to do.
enum Wanted {
    Nothing,
    /// A scan of this channel.
    Channel(String),
    /// A guild scan.
    Guild,
}

/// While Discord is away, nobody asks it.
fn is_paused(clients: &Clients, policy: &ScanPolicy) -> bool {
    let (token, now) = (clients.discord.token_mark(), clients.clock.now_ms());
    policy.breaker.pauses(&token, now).is_some()
}

async fn wanted_of_channel(
    clients: &Clients,
    store: &ScanStore,
    due: &Due,
    policy: &ScanPolicy,
    channel: &str,
) -> Result<Option<Wanted>, Error> {
    let newest = match is_paused(clients, policy) {
        // The job waits until Discord is back.
        true => Newest::Unknown,
        false => newest_in(clients, &policy.settings, channel).await,
    };
    let has_threads = match &newest {
        Newest::Unknown | Newest::Excluded | Newest::Hidden => false,
        Newest::Message(found) => {
            let threads = due.schedule.options.include_threads;
            let includes = threads.is_some_and(|threads| threads != IncludeThreads::None);
            let may_have = ChannelKind::of(found.type_number()).has_threads();
            found.kind() == ChannelType::ThreadsOnly || (includes && may_have)
        }
    };
    if has_threads {
        return wanted_of_guild(clients, store, due, &policy.settings).await;
    }
    let record = match newest {
        Newest::Unknown | Newest::Excluded => None,
        Newest::Hidden | Newest::Message(_) => {
            let guild = &due.name.guild_id;
            store.records_of(guild, &[channel]).await?.pop().flatten()
        }
    };
    let is_limited = due.schedule.options.max_messages.is_some();
    let is_wanted = match newest {
        Newest::Unknown => true,
        Newest::Excluded => false,
        // The first scan says why, in the channel's status.
        Newest::Hidden => record.is_none_or(|record| record.status != Some(ScanStatus::Failed)),
        Newest::Message(found) => has_news(record.as_ref(), found.last_message_id, is_limited),
    };
    Ok(Some(match is_wanted {
        true => Wanted::Channel(channel.to_owned()),
        false => Wanted::Nothing,
    }))
}

async fn wanted_of_guild(
    clients: &Clients,
    store: &ScanStore,
    due: &Due,
    settings: &GuildSettings,
) -> Result<Option<Wanted>, Error> {
    let answer = GuildView::load(&clients.discord, &due.name.guild_id).await;
    if let Err(discord::Error::NotFound { .. } | discord::Error::Forbidden { .. }) = answer {
        // The bot is not in the guild any more.
        return Ok(Some(Wanted::Nothing));
    }
    let view = match checked(clients, answer).await {
        Ok(view) => view,
        Err(stop) => {
            tracing::warn!(?stop, "a schedule could not ask for a guild's channels");
            return Ok(None);
        }
    };
    let (scan, now) = (due.guild_scan(), clients.clock.now_ms());
    let has_any = news::has_any(store, &view, &scan, settings, due.is_first(), now).await?;
    Ok(Some(match has_any {
        true => Wanted::Guild,
        false => Wanted::Nothing,
    }))
}

/// What is known of a channel's newest message.
enum Newest {
    /// It could not be asked for.
    Unknown,
    /// The guild's settings exclude the channel.
    Excluded,
    /// The bot cannot see the channel.
    Hidden,
    /// The channel, which names it.
    Message(Box<Channel>),
}

async fn newest_in(clients: &Clients, settings: &GuildSettings, channel: &str) -> Newest {
    if settings.leaves_out(channel) {
        return Newest::Excluded;
    }
    let answer = clients.discord.channel(channel).await;
    if let Err(discord::Error::NotFound { .. } | discord::Error::Forbidden { .. }) = answer {
        return Newest::Hidden;
    }
    match checked(clients, answer).await {
        Ok(channel) => Newest::Message(Box::new(channel)),
        Err(stop) => {
            tracing::warn!(
                ?stop,
                "a schedule could not ask for a channel's newest message"
            );
            Newest::Unknown
        }
    }
}

/// Like [`fire`], but a failure is logged. It must not delay the queue's own jobs.
pub async fn fire_or_log(clients: &Clients, queue: &Queue, redis: &Redis) -> Fired {
    fire(clients, queue, redis).await.unwrap_or_else(|error| {
        let error = telemetry::chain(&error);
        tracing::error!(error, "scheduled scans could not be enqueued");
        Fired::default()
    })
}
