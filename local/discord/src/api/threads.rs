//! Lists of threads.

use serde_json::{Value, json};

use super::{
    error::ApiError,
    objects::{check_guild, readable_channel},
    query::Fields,
    route::ArchivedList,
};
use crate::{
    guild::{
        BOT_ID, Channel,
        permissions::{MANAGE_THREADS, READ_MESSAGE_HISTORY},
    },
    state::State,
    timestamp,
};

/// All active threads the bot can see, newest first, without paging.
pub(crate) fn active(state: &State, guild_id: u64) -> Result<Value, ApiError> {
    let guild = state.guild();
    check_guild(&guild, guild_id)?;
    let mut threads: Vec<&Channel> = guild
        .channels()
        .filter(|channel| {
            channel
                .thread
                .is_some_and(|thread| thread.archived_at_ms.is_none())
        })
        .filter(|channel| readable_channel(&guild, channel.id).is_ok())
        .collect();
    threads.reverse();
    Ok(json!({
        "threads": to_json(&threads, guild_id),
        "members": members(&threads),
    }))
}

/// Archived threads of a channel, most recently archived first, starting before a time.
/// Joined private threads are ordered by ID instead and start before an ID.
pub(crate) fn archived(
    state: &State,
    channel_id: u64,
    list: ArchivedList,
    fields: &Fields,
) -> Result<Value, ApiError> {
    let guild = state.guild();
    let parent = readable_channel(&guild, channel_id)?;
    let permissions = guild.bot_permissions(parent);
    let needed = match list {
        ArchivedList::Private => READ_MESSAGE_HISTORY | MANAGE_THREADS,
        _ => READ_MESSAGE_HISTORY,
    };
    if permissions & needed != needed {
        return Err(ApiError::missing_permissions());
    }
    let limit = fields.limit(1, 100)?.unwrap_or(50);
    let before = match list {
        ArchivedList::Joined => fields.id("before")?.map(|id| id as i64),
        _ => before_time(fields)?,
    };

    let mut threads: Vec<(i64, &Channel)> = guild
        .channels()
        .filter(|thread| thread.parent_id == Some(channel_id) && is_in(list, thread))
        .filter_map(|thread| Some((thread.thread?.archived_at_ms?, thread)))
        .map(|(archived_at_ms, thread)| match list {
            ArchivedList::Joined => (thread.id as i64, thread),
            _ => (archived_at_ms, thread),
        })
        .filter(|(key, _)| before.is_none_or(|before| *key < before))
        .collect();
    threads.sort_by_key(|(key, _)| std::cmp::Reverse(*key));
    let has_more = threads.len() > limit;
    let threads: Vec<&Channel> = threads
        .into_iter()
        .take(limit)
        .map(|(_, thread)| thread)
        .collect();
    Ok(json!({
        "threads": to_json(&threads, guild.id),
        "members": members(&threads),
        "has_more": has_more,
    }))
}

fn is_in(list: ArchivedList, thread: &Channel) -> bool {
    match list {
        ArchivedList::Public => thread.kind != 12,
        ArchivedList::Private => thread.kind == 12,
        ArchivedList::Joined => thread.kind == 12 && is_joined(thread),
    }
}

fn is_joined(thread: &Channel) -> bool {
    thread.thread.is_some_and(|thread| thread.joined)
}

fn before_time(fields: &Fields) -> Result<Option<i64>, ApiError> {
    let Some(text) = fields.text("before") else {
        return Ok(None);
    };
    let invalid = || {
        let message = format!("Could not parse {text}. Should be ISO8601.");
        ApiError::invalid_form("before", "DATE_TIME_TYPE_PARSE", &message)
    };
    timestamp::parse(text).map(Some).ok_or_else(invalid)
}

fn to_json(threads: &[&Channel], guild_id: u64) -> Vec<Value> {
    threads
        .iter()
        .map(|thread| thread.to_json(guild_id, 0))
        .collect()
}

fn members(threads: &[&Channel]) -> Vec<Value> {
    threads
        .iter()
        .filter(|thread| is_joined(thread))
        .map(|thread| {
            json!({
                "id": thread.id.to_string(),
                "user_id": BOT_ID.to_string(),
                "join_timestamp": timestamp::format(crate::snowflake::ms_of(thread.id)),
                "flags": 0,
            })
        })
        .collect()
}
