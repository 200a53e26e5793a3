//! Stores the jobs of schedules whose slots have begun.
//!
//! A slot asks Discord for the newest messages, compares them with what was read, and stores
//! a job only where something is new. So a slot without news costs no job: it reads the
//! guild's policy, the records of its channels, and writes the next slot.
//!
//! It is harmless when two drainers look at the same slot. The job's id comes from the slot,
//! so it is stored once, and both write the same next slot.

use std::time::Duration;

use shared::discord::{self, ChannelType, MessageId};
use shared::queue::{Error, NewJob, Queue};
use shared::redis::Redis;
use shared::redis::commands::hashes::Hashes as _;
use shared::scan::{Channel, GuildSettings, ScanPolicy, ScanStatus};
use shared::schedules::{Due, has_news, is_hopeless};
use shared::telemetry;

use crate::Clients;
use crate::jobs::checked;

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
    let policy = clients.store.on(redis);
    let policy = policy.scan_policy(&due.name.guild_id).await?;
    let wanted = match &due.name.channel_id {
        Some(channel) => news_of_channel(clients, redis, due, &policy, channel).await?,
        None => news_of_guild(clients, redis, due, &policy).await?,
    };
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    let jobs = wanted.iter().map(|channel| {
        let mut job = due.scan_of(channel)?;
        job.priority = policy.settings.priority;
        Ok(job)
    });
    jobs.collect::<Result<_, Error>>().map(Some)
}

/// While Discord is away, nobody asks it.
fn is_paused(clients: &Clients, policy: &ScanPolicy) -> bool {
    let (token, now) = (clients.discord.token_mark(), clients.clock.now_ms());
    policy.breaker.pauses(&token, now).is_some()
}

/// The records of some channels of a guild.
async fn records(
    clients: &Clients,
    redis: &Redis,
    guild: &str,
    channels: &[&str],
) -> Result<Vec<Option<Channel>>, Error> {
    let key = clients.store.keys().channels(guild);
    let texts = redis.hmget(&key, channels).await?;
    let records = texts.into_iter();
    Ok(records
        .map(|text| serde_json::from_str(&text?).ok())
        .collect())
}

async fn news_of_channel(
    clients: &Clients,
    redis: &Redis,
    due: &Due,
    policy: &ScanPolicy,
    channel: &str,
) -> Result<Option<Vec<String>>, Error> {
    let newest = match is_paused(clients, policy) {
        // The job waits until Discord is back.
        true => Newest::Unknown,
        false => newest_in(clients, &policy.settings, channel).await,
    };
    let guild = &due.name.guild_id;
    let record = match newest {
        Newest::Unknown | Newest::Excluded => None,
        Newest::Hidden | Newest::Message(_) => {
            records(clients, redis, guild, &[channel]).await?.pop()
        }
    };
    let record = record.flatten();
    let is_limited = due.schedule.options.max_messages.is_some();
    let is_wanted = match newest {
        Newest::Unknown => true,
        Newest::Excluded => false,
        // The first scan says why, in the channel's status.
        Newest::Hidden => record.is_none_or(|record| record.status != Some(ScanStatus::Failed)),
        Newest::Message(newest) => has_news(record.as_ref(), newest, is_limited),
    };
    Ok(Some(
        is_wanted.then(|| channel.to_owned()).into_iter().collect(),
    ))
}

async fn news_of_guild(
    clients: &Clients,
    redis: &Redis,
    due: &Due,
    policy: &ScanPolicy,
) -> Result<Option<Vec<String>>, Error> {
    if is_paused(clients, policy) {
        return Ok(None);
    }
    let guild = &due.name.guild_id;
    let answer = clients.discord.guild_channels(guild).await;
    if let Err(discord::Error::NotFound { .. } | discord::Error::Forbidden { .. }) = answer {
        // The bot is not in the guild any more.
        return Ok(Some(Vec::new()));
    }
    let channels = match checked(clients, answer).await {
        Ok(channels) => channels,
        Err(stop) => {
            tracing::warn!(?stop, "a schedule could not ask for a guild's channels");
            return Ok(None);
        }
    };
    let channels = channels.into_iter().filter(|channel| {
        channel.kind() == ChannelType::Messages
            && !policy.settings.leaves_out(&channel.id.to_string())
    });
    let channels: Vec<(String, Option<MessageId>)> = channels
        .map(|channel| (channel.id.to_string(), channel.last_message_id))
        .collect();
    let ids: Vec<&str> = channels.iter().map(|(id, _)| id.as_str()).collect();
    if ids.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let records = records(clients, redis, guild, &ids).await?;
    let (now, is_limited) = (
        clients.clock.now_ms(),
        due.schedule.options.max_messages.is_some(),
    );
    let news = channels.into_iter().zip(records);
    let news = news.filter(|((_, newest), record)| {
        let record = record.as_ref();
        !is_hopeless(record, now) && has_news(record, *newest, is_limited)
    });
    Ok(Some(news.map(|((id, _), _)| id).collect()))
}

/// What is known of a channel's newest message.
enum Newest {
    /// It could not be asked for.
    Unknown,
    /// The guild's settings exclude the channel.
    Excluded,
    /// The bot cannot see the channel.
    Hidden,
    Message(Option<MessageId>),
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
        Ok(channel) => Newest::Message(channel.last_message_id),
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
