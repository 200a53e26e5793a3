//! `GET /api/guilds/{guildId}`, `GET /api/guilds/{guildId}/channels/{channelId}` and
//! `DELETE /api/guilds/{guildId}/cache`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::cache::{self, Cache, Entry};
use shared::discord::{self, MessageId};
use shared::http::{Access, ApiError, Context, ErrorCode, Reply, Snowflake, Spec, StatusCode};
use shared::openapi::Operation;

use crate::State;

pub const GUILD: Spec<OneGuild> = Spec::get("/api/guilds/{guildId}", "getGuild", "Get a guild");

pub const CHANNEL: Spec<OneChannel> = Spec::get(
    "/api/guilds/{guildId}/channels/{channelId}",
    "getChannel",
    "Get a channel",
);

pub const FORGET: Spec<OneGuild> = Spec::delete(
    "/api/guilds/{guildId}/cache",
    "forgetGuild",
    "Forget a guild's cached data",
)
.access(Access::Admin);

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneGuild {
    /// The id of the guild.
    pub guild_id: Snowflake,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneChannel {
    /// The id of the guild.
    pub guild_id: Snowflake,
    /// The id of the channel or thread.
    pub channel_id: Snowflake,
}

/// A guild (a Discord server).
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Guild {
    /// The id of the guild.
    pub id: MessageId,
    /// Its name.
    pub name: Option<String>,
    /// The hash of its icon, from which Discord makes the address of the image.
    pub icon: Option<String>,
}

/// A channel or thread of a guild.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// The id of the channel.
    id: MessageId,
    /// The id of its guild.
    guild_id: Option<String>,
    /// Its name.
    name: Option<String>,
    /// Its type, as Discord numbers them: 0 is a text channel, 11 a public thread.
    #[serde(rename = "type")]
    kind: Option<u64>,
    /// The id of the newest message in it.
    last_message_id: Option<MessageId>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        GUILD
            .operation().describe("Returns a guild as Discord had it at most ten minutes ago. 404 if there is no such guild or the bot is not in it.")
            .reply::<Guild>(200, "The guild.")
            .problems(&[404]),
        CHANNEL
            .operation().describe("Returns a channel or thread as Discord had it at most fifteen minutes ago. 404 if there is no such channel in this guild or the bot may not see it.")
            .reply::<Channel>(200, "The channel.")
            .problems(&[404]),
        FORGET.operation().describe("Removes a guild, its channels and its settings from the cache, so that the next request reads them anew. Nothing else is removed. Needs the admin key.").empty(204, "The guild is no longer cached."),
    ]
}

pub async fn guild(cx: Context<State, OneGuild>) -> Result<Reply, ApiError> {
    let found = find(&cx.state.discord, &cx.cache(), &cx.path.guild_id).await?;
    Ok(Reply::ok(&found.ok_or_else(unknown_guild)?))
}

/// Whether the bot is in a guild.
pub async fn is_visible(
    discord: &discord::Discord,
    cache: &Cache,
    guild: &Snowflake,
) -> Result<bool, ApiError> {
    Ok(find(discord, cache, guild).await?.is_some())
}

async fn find(
    discord: &discord::Discord,
    cache: &Cache,
    guild: &Snowflake,
) -> Result<Option<Guild>, discord::Error> {
    let load = || async {
        let found = visible(discord.guild(guild.as_str()).await)?;
        Ok::<_, discord::Error>(found.map(|guild| Guild {
            id: guild.id,
            name: guild.name,
            icon: guild.icon,
        }))
    };
    let entry = Entry::new(&cache::GUILD, guild.as_str());
    cache.get_or_load(&entry, load).await
}

pub fn unknown_guild() -> ApiError {
    let detail = "the guild does not exist, or the bot is not in it";
    ApiError::new(ErrorCode::GuildNotFound, detail)
}

pub async fn channel(cx: Context<State, OneChannel>) -> Result<Reply, ApiError> {
    Ok(Reply::ok(&find_channel(&cx).await?))
}

/// The channel of the path, as Discord had it a while ago.
///
/// # Errors
/// 404 if there is no such channel in the guild, or the bot cannot see it.
pub async fn find_channel(cx: &Context<State, OneChannel>) -> Result<Channel, ApiError> {
    let (guild, channel) = (cx.path.guild_id.as_str(), cx.path.channel_id.as_str());
    let load = || async {
        let found = visible(cx.state.discord.channel(channel).await)?;
        Ok::<_, discord::Error>(found.map(|channel| Channel {
            id: channel.id,
            kind: channel.type_number(),
            guild_id: channel.guild_id,
            name: channel.name,
            last_message_id: channel.last_message_id,
        }))
    };
    let entry = Entry::new(&cache::CHANNEL, channel).under(guild);
    let found = cx.cache().get_or_load(&entry, load).await?;
    // The cache is keyed by channel, so it may hold a channel of another guild.
    let is_of_guild = |found: &Channel| found.guild_id.as_deref() == Some(guild);
    let detail = "the channel does not exist, or the bot cannot see it";
    let unknown = || ApiError::new(ErrorCode::ChannelNotFound, detail);
    found.filter(is_of_guild).ok_or_else(unknown)
}

pub async fn forget(cx: Context<State, OneGuild>) -> Result<Reply, ApiError> {
    let guild = cx.path.guild_id.as_str();
    cx.cache().invalidate_guild(guild).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// A missing or invisible object is a valid answer too, and is cached.
pub fn visible<T>(answer: Result<T, discord::Error>) -> Result<Option<T>, discord::Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(discord::Error::NotFound { .. } | discord::Error::Forbidden { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
