//! `GET /api/guilds/{guildId}/scan-statuses` and
//! `GET /api/guilds/{guildId}/channels/{channelId}/scan-status`.
//!
//! One script reads the records of the channels and the jobs they name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{ApiError, Context, Reply, Snowflake, Spec};
use shared::jobs::ChannelScan;
use shared::openapi::Operation;

use crate::status::ChannelStatus;

pub const OF_GUILD: Spec<Guild> = Spec::get(
    "/api/guilds/{guildId}/scan-statuses",
    "listScanStatuses",
    "The scan statuses of a guild's channels.",
);

pub const OF_CHANNEL: Spec<Channel> = Spec::get(
    "/api/guilds/{guildId}/channels/{channelId}/scan-status",
    "getScanStatus",
    "The scan status of a channel.",
);

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Guild {
    guild_id: Snowflake,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    guild_id: Snowflake,
    channel_id: Snowflake,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ChannelStatusList")]
struct Statuses {
    statuses: Vec<ChannelStatus>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        OF_GUILD
            .operation()
            .reply::<Statuses>(200, "The channels that were ever scanned."),
        OF_CHANNEL
            .operation()
            .reply::<ChannelStatus>(200, "`status` is null when it was never scanned."),
    ]
}

pub async fn of_guild(cx: Context<(), Guild>) -> Result<Reply, ApiError> {
    let statuses = read(&cx, &cx.path.guild_id, None).await?;
    Ok(Reply::ok(&Statuses { statuses }))
}

pub async fn of_channel(cx: Context<(), Channel>) -> Result<Reply, ApiError> {
    let Channel {
        guild_id,
        channel_id,
    } = &cx.path;
    let channels = [channel_id.as_str()];
    let mut statuses = read(&cx, guild_id, Some(&channels)).await?;
    let status = statuses.pop();
    Ok(Reply::ok(&status.unwrap_or_else(|| {
        ChannelStatus::unknown(guild_id.as_str(), channel_id.as_str())
    })))
}

async fn read<P>(
    cx: &Context<(), P>,
    guild: &Snowflake,
    channels: Option<&[&str]>,
) -> Result<Vec<ChannelStatus>, ApiError> {
    let records = cx.store().keys().channels(guild.as_str());
    let queue = cx.queue();
    let followed = queue
        .read_referenced(&records, channels, &ChannelScan::UNIQUE_FORMS)
        .await?;
    Ok(followed
        .iter()
        .map(|channel| ChannelStatus::of(guild.as_str(), channel))
        .collect())
}
