//! `GET /api/guilds/{guildId}/scan-statuses` and
//! `GET /api/guilds/{guildId}/channels/{channelId}/scan-status`.
//!
//! One script reads the records of the channels and the jobs they name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{ApiError, Context, Reply, Snowflake, Spec};
use shared::jobs::ChannelScan;
use shared::openapi::Operation;
use shared::scan::ChannelStatus;

pub const OF_GUILD: Spec<Guild> = Spec::get(
    "/api/guilds/{guildId}/scan-statuses",
    "listScanStatuses",
    "List a guild's scan statuses",
);

pub const OF_CHANNEL: Spec<Channel> = Spec::get(
    "/api/guilds/{guildId}/channels/{channelId}/scan-status",
    "getScanStatus",
    "Get a channel's scan status",
);

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Guild {
    /// The id of the guild.
    guild_id: Snowflake,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// The id of the guild.
    guild_id: Snowflake,
    /// The id of the channel or thread.
    channel_id: Snowflake,
}

/// The scan statuses of a guild's channels.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ChannelStatusList")]
struct Statuses {
    /// One status for each channel.
    statuses: Vec<ChannelStatus>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        OF_GUILD
            .operation().describe("Lists every channel of a guild for which a scan was ever requested, with the status of its latest scan and what all its scans together have read.")
            .reply::<Statuses>(200, "The channels for which a scan was requested."),
        OF_CHANNEL
            .operation().describe("Returns the status of a channel's latest scan and what all its scans together have read. `status` is null if the channel was never scanned.")
            .reply::<ChannelStatus>(200, "The status of the channel."),
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
    let forms = ChannelScan::unique_forms(guild.as_str());
    let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
    let followed = queue.read_referenced(&records, channels, &forms).await?;
    Ok(followed
        .iter()
        .map(|channel| ChannelStatus::of(guild.as_str(), channel))
        .collect())
}
