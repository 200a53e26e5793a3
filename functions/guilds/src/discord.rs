//! `GET /api/guilds/{guildId}`, `GET /api/guilds/{guildId}/channels/{channelId}` and
//! `DELETE /api/guilds/{guildId}/cache`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::cache::{CHANNEL, Cache, Entry, GUILD};
use shared::discord::{self, MessageId};
use shared::http::{ApiError, Reply, Request, Snowflake, StatusCode};
use shared::redis::Redis;

use crate::State;

/// A guild as it is shown and cached.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct Guild {
    id: MessageId,
    name: Option<String>,
    icon: Option<String>,
}

/// A channel as it is shown and cached.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Channel {
    id: MessageId,
    guild_id: Option<String>,
    name: Option<String>,
    /// As Discord numbers it.
    #[serde(rename = "type")]
    kind: Option<u64>,
    last_message_id: Option<MessageId>,
}

pub async fn guild(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let guild = request.snowflake("guildId")?;
    let found = find(&state, &state.cache.on(&redis), &guild).await?;
    Ok(Reply::ok(&found.ok_or_else(unknown_guild)?))
}

/// Whether the bot is in a guild.
pub(crate) async fn is_visible(
    state: &State,
    cache: &Cache,
    guild: &Snowflake,
) -> Result<bool, ApiError> {
    Ok(find(state, cache, guild).await?.is_some())
}

async fn find(
    state: &State,
    cache: &Cache,
    guild: &Snowflake,
) -> Result<Option<Guild>, discord::Error> {
    let load = || async {
        let found = known(state.discord.guild(guild.as_str()).await)?;
        Ok::<_, discord::Error>(found.map(|guild| Guild {
            id: guild.id,
            name: guild.name,
            icon: guild.icon,
        }))
    };
    let entry = Entry::new(&GUILD, guild.as_str());
    cache.get_or_load(&entry, load).await
}

pub(crate) fn unknown_guild() -> ApiError {
    ApiError::not_found("there is no such guild, or the bot is not in it")
}

pub async fn channel(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let guild = request.snowflake("guildId")?;
    let channel = request.snowflake("channelId")?;
    let load = || async {
        let found = known(state.discord.channel(channel.as_str()).await)?;
        Ok::<_, discord::Error>(found.map(|channel| Channel {
            id: channel.id,
            kind: channel.type_number(),
            guild_id: channel.guild_id,
            name: channel.name,
            last_message_id: channel.last_message_id,
        }))
    };
    let entry = Entry::new(&CHANNEL, channel.as_str()).under(guild.as_str());
    let found = state.cache.on(&redis).get_or_load(&entry, load).await?;
    // Cached is the channel, whatever guild it was asked for in.
    let of_guild = |found: &Channel| found.guild_id.as_deref() == Some(guild.as_str());
    let unknown = || ApiError::not_found("there is no such channel, or the bot may not see it");
    Ok(Reply::ok(&found.filter(of_guild).ok_or_else(unknown)?))
}

pub async fn forget(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let guild = request.snowflake("guildId")?;
    let cache = state.cache.on(&redis);
    cache.invalidate_guild(guild.as_str()).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// That there is no such thing is an answer, which is cached as well.
fn known<T>(answer: Result<T, discord::Error>) -> Result<Option<T>, discord::Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(discord::Error::NotFound { .. } | discord::Error::Forbidden { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
