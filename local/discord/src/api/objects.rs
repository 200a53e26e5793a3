//! Channels, the guild, the bot, and refreshed file URLs.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::{error::ApiError, query::Fields};
use crate::{
    guild::{BOT_ID, Channel, Guild, OWNER_ID, Role},
    state::State,
    timestamp,
};

/// Application flag GATEWAY_MESSAGE_CONTENT_LIMITED. It applies to bots in fewer than a
/// hundred guilds, such as this one.
const MESSAGE_CONTENT_LIMITED: u64 = 1 << 19;
/// Application flags unrelated to message content.
const OTHER_FLAGS: u64 = (1 << 23) | (1 << 15);

/// A channel the bot can see.
pub(crate) fn readable_channel(guild: &Guild, channel_id: u64) -> Result<&Channel, ApiError> {
    let channel = guild
        .find_channel(channel_id)
        .ok_or_else(ApiError::unknown_channel)?;
    if !guild.may_see(channel) {
        return Err(ApiError::missing_access());
    }
    Ok(channel)
}

pub(crate) fn channel(state: &State, channel_id: u64) -> Result<Value, ApiError> {
    let guild = state.guild();
    let position = guild
        .channels()
        .position(|channel| channel.id == channel_id);
    readable_channel(&guild, channel_id)
        .map(|channel| channel.to_json(guild.id, position.unwrap_or(0)))
}

pub(crate) fn guild(state: &State, guild_id: u64) -> Result<Value, ApiError> {
    let guild = state.guild();
    check_guild(&guild, guild_id)?;
    Ok(json!({
        "id": guild.id.to_string(),
        "name": guild.name,
        "icon": null,
        "owner_id": OWNER_ID.to_string(),
        "roles": guild.all_roles().iter().map(Role::to_json).collect::<Vec<_>>(),
        "emojis": [],
        "features": ["COMMUNITY", "NEWS"],
        "premium_tier": 0,
        "preferred_locale": "en-US",
        "nsfw_level": 0,
    }))
}

/// All channels, including those the bot cannot see, but no threads.
pub(crate) fn guild_channels(state: &State, guild_id: u64) -> Result<Value, ApiError> {
    let guild = state.guild();
    check_guild(&guild, guild_id)?;
    let channels = guild
        .channels()
        .filter(|channel| channel.thread.is_none())
        .enumerate()
        .map(|(position, channel)| channel.to_json(guild.id, position))
        .collect();
    Ok(Value::Array(channels))
}

pub(crate) fn check_guild(guild: &Guild, guild_id: u64) -> Result<(), ApiError> {
    if guild.id == guild_id {
        Ok(())
    } else {
        Err(ApiError::unknown_guild())
    }
}

pub(crate) fn me() -> Value {
    json!({
        "id": BOT_ID.to_string(),
        "username": "trawl-sample",
        "discriminator": "0",
        "global_name": null,
        "avatar": null,
        "bot": true,
        "verified": true,
        "mfa_enabled": false,
        "flags": 0,
        "public_flags": 0,
    })
}

/// The guilds that the bot is in, by ID.
pub(crate) fn my_guilds(state: &State, fields: &Fields) -> Result<Value, ApiError> {
    let limit = fields.limit(1, 200)?.unwrap_or(200);
    let (before, after) = (fields.id("before")?, fields.id("after")?);
    let guild = state.guild();
    let mut guilds = guild.also_in.clone();
    guilds.push((guild.id, guild.name.clone()));
    guilds.sort_unstable();
    guilds.retain(|(id, _)| {
        before.is_none_or(|before| *id < before) && after.is_none_or(|after| *id > after)
    });
    let guilds = guilds.into_iter().take(limit).map(|(id, name)| {
        json!({
            "id": id.to_string(),
            "name": name,
            "icon": null,
            "owner": false,
            "permissions": guild.everyone.to_string(),
            "features": [],
        })
    });
    Ok(guilds.collect())
}

/// A member of the guild. Only the bot is known here.
pub(crate) fn member(state: &State, guild_id: u64, user_id: u64) -> Result<Value, ApiError> {
    let guild = state.guild();
    check_guild(&guild, guild_id)?;
    if user_id != BOT_ID {
        return Err(ApiError::unknown_member());
    }
    let roles = guild.bot_role_ids().into_iter().map(|id| id.to_string());
    Ok(json!({
        "user": me(),
        "nick": null,
        "roles": roles.collect::<Vec<String>>(),
        "joined_at": timestamp::format(crate::snowflake::ms_of(guild.id)),
        "deaf": false,
        "mute": false,
        "flags": 0,
    }))
}

pub(crate) fn application(state: &State, hides_content: bool) -> Value {
    let has_intent = state.has_content_intent.load(Ordering::Relaxed) && !hides_content;
    let intent = if has_intent {
        MESSAGE_CONTENT_LIMITED
    } else {
        0
    };
    json!({
        "id": BOT_ID.to_string(),
        "name": "Trawl Sample",
        "description": "",
        "icon": null,
        "bot": me(),
        "bot_public": false,
        "bot_require_code_grant": false,
        "verify_key": "0".repeat(64),
        "flags": OTHER_FLAGS | intent,
    })
}

/// New URLs for 1 to 50 expired ones. For a URL of another server, `refreshed` is null.
pub(crate) fn refresh_urls(state: &State, body: &[u8]) -> Result<Value, ApiError> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let urls: Vec<&str> = body["attachment_urls"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if urls.is_empty() || urls.len() > 50 {
        return Err(ApiError::invalid_form(
            "attachment_urls",
            "BASE_TYPE_BAD_LENGTH",
            "Must be between 1 and 50 in length.",
        ));
    }
    let now_ms = state.now_ms();
    let refreshed: Vec<Value> = urls
        .into_iter()
        .map(|url| json!({ "original": url, "refreshed": state.signer.refresh(url, now_ms) }))
        .collect();
    Ok(json!({ "refreshed_urls": refreshed }))
}
