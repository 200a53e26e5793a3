//! `GET /api/guilds/{guildId}/scan-statuses` and
//! `GET /api/guilds/{guildId}/channels/{channelId}/scan-status`.
//!
//! One script reads the records of the channels and the jobs they name.

use std::sync::Arc;

use serde::Serialize;
use shared::http::{ApiError, Reply, Request, Snowflake};
use shared::jobs::ChannelScan;
use shared::redis::Redis;

use crate::State;
use crate::status::ChannelStatus;

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Statuses {
    statuses: Vec<ChannelStatus>,
}

pub async fn of_guild(
    state: Arc<State>,
    redis: Redis,
    request: Request,
) -> Result<Reply, ApiError> {
    let guild = request.snowflake("guildId")?;
    let statuses = read(&state, &redis, &guild, None).await?;
    Ok(Reply::ok(&Statuses { statuses }))
}

pub async fn of_channel(
    state: Arc<State>,
    redis: Redis,
    request: Request,
) -> Result<Reply, ApiError> {
    let guild = request.snowflake("guildId")?;
    let channel = request.snowflake("channelId")?;
    let fields = [channel.as_str()];
    let mut statuses = read(&state, &redis, &guild, Some(&fields)).await?;
    let status = statuses.pop();
    Ok(Reply::ok(&status.unwrap_or_else(|| {
        ChannelStatus::unknown(guild.as_str(), channel.as_str())
    })))
}

async fn read(
    state: &State,
    redis: &Redis,
    guild: &Snowflake,
    channels: Option<&[&str]>,
) -> Result<Vec<ChannelStatus>, ApiError> {
    let records = state.store.keys().channels(guild.as_str());
    let queue = state.queue.on(redis);
    let followed = queue
        .follow(&records, channels, &ChannelScan::UNIQUE_FORMS)
        .await?;
    Ok(followed
        .iter()
        .map(|channel| ChannelStatus::of(guild.as_str(), channel))
        .collect())
}
