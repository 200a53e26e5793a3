//! `DELETE /api/guilds/{guildId}/clips/{clipId}?messageId=`: one clip, and
//! `DELETE /api/guilds/{guildId}/clips?channelId=` (or `messageId=`, `authorId=`): those of
//! a channel, a message or an author. `channelId` beside `messageId` says in which channel.
//!
//! With the key of the API, as scans and settings are: it is the callers of the product
//! who are asked to take something down, not whoever runs it.

use std::sync::Arc;

use serde::Serialize;
use shared::discord::MessageId;
use shared::http::{ApiError, Reply, Request, Snowflake};
use shared::redis::Redis;
use shared::scan::ClipsOf;

use crate::State;

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Removed {
    /// Clips this request removed; none where there was none, or none any more.
    removed: u64,
    /// There may be more: send the request again with it. Null when nothing is left.
    cursor: Option<String>,
}

pub async fn one(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let guild = request.snowflake("guildId")?;
    let clip = request.path_parameter("clipId");
    if !is_clip(clip) {
        return Err(ApiError::bad_request("clipId: expected the id of a clip"));
    }
    let message = message(&request)?.ok_or_else(|| ApiError::bad_request("messageId: required"))?;
    let clips = ClipsOf::Message {
        id: message,
        clip: Some(clip.to_owned()),
        channel: id(&request, "channelId")?.map(String::from),
    };
    let store = state.store.on(&redis);
    let removed = store.remove_clips(guild.as_str(), &clips, None).await?;
    Ok(Reply::ok(&Removed {
        removed: removed.clips,
        cursor: None,
    }))
}

pub async fn many(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let guild = request.snowflake("guildId")?;
    let channel = id(&request, "channelId")?.map(String::from);
    let author = id(&request, "authorId")?.map(String::from);
    let clips = match (message(&request)?, channel, author) {
        (Some(id), channel, None) => ClipsOf::Message {
            id,
            clip: None,
            channel,
        },
        (None, Some(channel), None) => ClipsOf::Channel(channel),
        (None, None, Some(author)) => ClipsOf::Author(author),
        _ => {
            let detail = "channelId, authorId or messageId: expected one of them";
            return Err(ApiError::bad_request(detail));
        }
    };
    let cursor = request.cursor(row)?;
    let store = state.store.on(&redis);
    let removed = store.remove_clips(guild.as_str(), &clips, cursor).await?;
    Ok(Reply::ok(&Removed {
        removed: removed.clips,
        cursor: removed.next.map(|row| request.next_cursor(&row)),
    }))
}

fn id(request: &Request, name: &str) -> Result<Option<Snowflake>, ApiError> {
    request.query_as(name, Snowflake::EXPECTED, Snowflake::parse)
}

fn message(request: &Request) -> Result<Option<MessageId>, ApiError> {
    let id = id(request, "messageId")?;
    Ok(id.and_then(|id| MessageId::parse(id.as_str())))
}

/// An attachment's id, or of a link `e` and 16 digits.
fn is_clip(text: &str) -> bool {
    let is_link = text.strip_prefix('e').is_some_and(|hash| {
        hash.len() == 16
            && hash
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    });
    is_link || Snowflake::parse(text).is_some()
}

/// A row an earlier request ended with.
fn row(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(':').collect();
    let is_id = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_row = matches!(parts[..], [channel, message, clip]
        if Snowflake::parse(channel).is_some() && is_id(message) && message.len() == 20 && is_clip(clip));
    is_row.then(|| text.to_owned())
}
