//! `GET`, `PUT` and `DELETE /api/guilds/{guildId}/schedule` and
//! `…/channels/{channelId}/schedule`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{
    ApiError, Bounded, Context, ErrorCode, FieldCode, FieldError, Reply, Spec, StatusCode,
};
use shared::jobs::{OptionsRequest, ScanOptions};
use shared::openapi::Operation;
use shared::queue::JobId;
use shared::schedules::{ScheduleName, ScheduledScan, Stored, Timing, TimingError};

use crate::State;
use crate::discord::{OneChannel, OneGuild, find_channel, is_visible, unknown_guild};

const OF_GUILD: &str = "/api/guilds/{guildId}/schedule";
const OF_CHANNEL: &str = "/api/guilds/{guildId}/channels/{channelId}/schedule";

pub const READ: Spec<OneGuild> = Spec::get(OF_GUILD, "getGuildSchedule", "Get a guild's schedule");

pub const WRITE: Spec<OneGuild> =
    Spec::put(OF_GUILD, "putGuildSchedule", "Schedule scans of a guild");

pub const REMOVE: Spec<OneGuild> =
    Spec::delete(OF_GUILD, "removeGuildSchedule", "Remove a guild's schedule");

pub const READ_CHANNEL: Spec<OneChannel> =
    Spec::get(OF_CHANNEL, "getChannelSchedule", "Get a channel's schedule");

pub const WRITE_CHANNEL: Spec<OneChannel> = Spec::put(
    OF_CHANNEL,
    "putChannelSchedule",
    "Schedule scans of a channel",
);

pub const REMOVE_CHANNEL: Spec<OneChannel> = Spec::delete(
    OF_CHANNEL,
    "removeChannelSchedule",
    "Remove a channel's schedule",
);

/// When to scan, and how. Either `everyMinutes` or `cron` is required.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ScheduleInput {
    /// Minutes between two scans, from 1 to 525600, which is a year. The first scan is that
    /// many minutes from now.
    every_minutes: Option<Bounded<1, 525_600>>,
    /// A cron pattern of five fields: minute, hour, day of the month, month, day of the week.
    cron: Option<String>,
    /// The time zone of `cron`, by its IANA name, such as `Europe/Berlin`. Defaults to UTC.
    time_zone: Option<String>,
    /// Limits on what each scan reads and stores.
    options: Option<OptionsRequest>,
}

/// When a guild or a channel is scanned. Without a schedule, every field but the ids is `null`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Schedule {
    /// The id of the guild.
    guild_id: String,
    /// The id of the channel. `null` in the schedule of a whole guild.
    channel_id: Option<String>,
    /// Minutes between two scans. `null` if the schedule has a `cron` pattern.
    every_minutes: Option<u64>,
    /// The cron pattern. `null` if the schedule has `everyMinutes`.
    cron: Option<String>,
    /// The time zone of `cron`. `null` if the schedule has `everyMinutes`.
    time_zone: Option<String>,
    /// Limits on what each scan reads and stores.
    options: Option<ScanOptions>,
    /// When the next scan is due, in unix milliseconds.
    next_run_at: Option<i64>,
    /// Since when the schedule is as it is, in unix milliseconds.
    updated_at: Option<i64>,
}

pub fn operations() -> Vec<Operation> {
    let read = |operation: Operation| operation.reply::<Schedule>(200, "The schedule.");
    let write = |operation: Operation| {
        operation
            .body::<ScheduleInput>()
            .reply::<Schedule>(200, "The schedule as it is now.")
            .problems(&[404, 409])
    };
    vec![
        read(READ.operation().describe("Returns when the channels of a guild are scanned. Without a schedule, every field but `guildId` is null.")),
        write(WRITE.operation().describe("Has the channels of a guild scanned forward again and again. In each slot, only the channels with new messages are scanned: Discord's channel list names the newest message of each, and a guild without news costs one command. A channel whose last scan is unfinished is left out. The schedule replaces the one before.")),
        REMOVE.operation().describe("Removes the schedule of a guild. Scans that wait or run are not cancelled. The schedules of single channels stay.").empty(204, "The guild has no schedule."),
        read(READ_CHANNEL.operation().describe("Returns when a channel is scanned by a schedule of its own. Without one, every field but the ids is null.")),
        write(WRITE_CHANNEL.operation().describe("Has a channel or thread scanned forward again and again. A slot without new messages stores no job, and neither does one whose last scan is unfinished. The schedule replaces the one before, and works beside the schedule of the guild.")),
        REMOVE_CHANNEL.operation().describe("Removes the schedule of a channel. Scans that wait or run are not cancelled.").empty(204, "The channel has no schedule of its own."),
    ]
}

impl OneGuild {
    fn schedule(&self) -> ScheduleName {
        ScheduleName {
            guild_id: self.guild_id.as_str().to_owned(),
            channel_id: None,
        }
    }
}

impl OneChannel {
    fn schedule(&self) -> ScheduleName {
        ScheduleName {
            guild_id: self.guild_id.as_str().to_owned(),
            channel_id: Some(self.channel_id.as_str().to_owned()),
        }
    }
}

pub async fn read(cx: Context<State, OneGuild>) -> Result<Reply, ApiError> {
    find(&cx, cx.path.schedule()).await
}

pub async fn read_channel(cx: Context<State, OneChannel>) -> Result<Reply, ApiError> {
    find(&cx, cx.path.schedule()).await
}

async fn find<P>(cx: &Context<State, P>, name: ScheduleName) -> Result<Reply, ApiError> {
    let found = cx.schedules().read(&name).await?;
    Ok(Reply::ok(&shown(name, found, cx.clock().now_ms())))
}

pub async fn write(cx: Context<State, OneGuild>) -> Result<Reply, ApiError> {
    let schedule = wanted(&cx)?;
    if !is_visible(&cx.state.discord, &cx.cache(), &cx.path.guild_id).await? {
        return Err(unknown_guild());
    }
    store(&cx, cx.path.schedule(), schedule).await
}

pub async fn write_channel(cx: Context<State, OneChannel>) -> Result<Reply, ApiError> {
    let schedule = wanted(&cx)?;
    find_channel(&cx).await?;
    store(&cx, cx.path.schedule(), schedule).await
}

/// The schedule in the body, checked.
fn wanted<P>(cx: &Context<State, P>) -> Result<ScheduledScan, ApiError> {
    let input: ScheduleInput = cx.json()?;
    let mut timing = Timing {
        every_minutes: input.every_minutes.map(Bounded::get),
        cron: input.cron,
        time_zone: input.time_zone,
    };
    let now = cx.clock().now_ms();
    timing
        .check(now)
        .map_err(|TimingError { field, expected }| {
            FieldError::field(field, FieldCode::Invalid, expected)
        })?;
    if timing.cron.is_some() && timing.time_zone.is_none() {
        timing.time_zone = Some("UTC".to_owned());
    }
    Ok(ScheduledScan {
        revision: JobId::new(cx.clock()).to_string(),
        timing,
        options: input.options.unwrap_or_default().into(),
        updated_at: now,
    })
}

async fn store<P>(
    cx: &Context<State, P>,
    name: ScheduleName,
    schedule: ScheduledScan,
) -> Result<Reply, ApiError> {
    let begun = schedule.updated_at;
    let next = schedule.timing.next(begun, begun).unwrap_or(i64::MAX >> 11);
    match cx.schedules().write(&name, &schedule, next).await? {
        Stored::Yes => Ok(Reply::ok(&shown(name, Some(schedule), begun))),
        Stored::Full => {
            let detail = "there are 10,000 schedules already: remove one first";
            Err(ApiError::new(ErrorCode::TooManySchedules, detail))
        }
    }
}

pub async fn remove(cx: Context<State, OneGuild>) -> Result<Reply, ApiError> {
    cx.schedules().remove(&cx.path.schedule()).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

pub async fn remove_channel(cx: Context<State, OneChannel>) -> Result<Reply, ApiError> {
    cx.schedules().remove(&cx.path.schedule()).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

fn shown(name: ScheduleName, found: Option<ScheduledScan>, now: i64) -> Schedule {
    let timing = found.as_ref().map(|found| found.timing.clone());
    let timing = timing.unwrap_or_default();
    Schedule {
        guild_id: name.guild_id,
        channel_id: name.channel_id,
        next_run_at: found
            .as_ref()
            .and_then(|found| found.timing.next(found.updated_at, now)),
        every_minutes: timing.every_minutes,
        cron: timing.cron,
        time_zone: timing.time_zone,
        updated_at: found.as_ref().map(|found| found.updated_at),
        options: found.map(|found| found.options),
    }
}
