//! `DELETE /api/guilds/{guildId}/clips/{clipId}?messageId=` removes one clip. `DELETE
//! /api/guilds/{guildId}/clips?channelId=` (or `messageId=`, `authorId=`) removes the
//! clips of a channel, a message or an author. With both `messageId` and `channelId`, the
//! channel says where the message is.
//!
//! Both keys may do this, as with scans and settings: takedown requests reach the product
//! that calls the API, not the operator.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::discord::MessageId;
use shared::http::{ApiError, Context, FieldCode, FieldError, PageCursor, Reply, Snowflake, Spec};
use shared::openapi::Operation;
use shared::scan::ClipsOf;

use crate::State;
use crate::clip_id::ClipId;
use crate::list::Guild;

pub const MANY: Spec<Guild, Selection> =
    Spec::delete("/api/guilds/{guildId}/clips", "removeClips", "Remove clips");

pub const ONE: Spec<OneClip, Place> = Spec::delete(
    "/api/guilds/{guildId}/clips/{clipId}",
    "removeClip",
    "Remove a clip",
);

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Selection {
    /// Removes the clips in this channel. With `messageId`, the channel that the message is
    /// in.
    channel_id: Option<Snowflake>,
    /// Removes the clips in this message.
    message_id: Option<Snowflake>,
    /// Removes the clips in messages that this user wrote.
    author_id: Option<Snowflake>,
    /// The `nextCursor` of the reply before, to remove the next ones.
    cursor: Option<PageCursor>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneClip {
    /// The id of the guild.
    guild_id: Snowflake,
    /// The id of the clip.
    clip_id: ClipId,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The id of the message that the clip is in.
    message_id: Snowflake,
    /// The id of the channel that the message is in.
    channel_id: Option<Snowflake>,
}

/// How many clips were removed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemovedClips")]
struct Removed {
    /// How many clips this request removed. 0 if there were none, or none are left.
    removed: u64,
    /// Send the request again with this as its `cursor` to remove the next ones. `null` if
    /// nothing is left.
    next_cursor: Option<String>,
}

pub fn operations() -> Vec<Operation> {
    let removed = "The clips were removed, as far as one request goes.";
    vec![
        MANY.operation().describe("Removes the clips of a channel, a message or an author for good: a later scan does not bring them back. Name exactly one of `channelId`, `messageId` and `authorId`; only `channelId` may stand beside `messageId`, to say which channel the message is in. One request removes a limited number. While `cursor` in the reply is not null, send the request again with it.").reply::<Removed>(200, removed),
        ONE.operation().describe("Removes a clip of one message for good: a later scan does not bring it back. Removing it again is no error.")
            .reply::<Removed>(200, "The clip is removed."),
    ]
}

pub async fn one(cx: Context<State, OneClip, Place>) -> Result<Reply, ApiError> {
    let clips = ClipsOf::Message {
        id: message_id(&cx.query.message_id)?,
        clip: Some(cx.path.clip_id.0.clone()),
        channel: cx.query.channel_id.clone().map(String::from),
    };
    let guild = cx.path.guild_id.as_str();
    let removed = cx.store().remove_clips(guild, &clips, None).await?;
    Ok(Reply::ok(&Removed {
        removed: removed.clips,
        next_cursor: None,
    }))
}

pub async fn many(cx: Context<State, Guild, Selection>) -> Result<Reply, ApiError> {
    let of = &cx.query;
    let channel = of.channel_id.clone().map(String::from);
    let clips = match (&of.message_id, channel, &of.author_id) {
        (Some(message), channel, None) => ClipsOf::Message {
            id: message_id(message)?,
            clip: None,
            channel,
        },
        (None, Some(channel), None) => ClipsOf::Channel(channel),
        (None, None, Some(author)) => ClipsOf::Author(author.as_str().to_owned()),
        _ => {
            let detail = "name exactly one of channelId, messageId and authorId; channelId may also stand beside messageId";
            let code = FieldCode::Invalid;
            return Err(FieldError::parameter("channelId", code, detail).into());
        }
    };
    let place = cx.place(of.cursor.as_ref(), row)?;
    let guild = cx.path.guild_id.as_str();
    let removed = cx.store().remove_clips(guild, &clips, place).await?;
    Ok(Reply::ok(&Removed {
        removed: removed.clips,
        next_cursor: removed.next.map(|row| cx.next_cursor(&row)),
    }))
}

fn message_id(id: &Snowflake) -> Result<MessageId, ApiError> {
    let id = MessageId::parse(id.as_str());
    id.ok_or_else(|| {
        let detail = format!("expected {}", Snowflake::EXPECTED);
        FieldError::parameter("messageId", FieldCode::Invalid, detail).into()
    })
}

/// The row at which an earlier request stopped.
fn row(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(':').collect();
    let is_id = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_row = matches!(parts[..], [channel, message, clip]
        if Snowflake::parse(channel).is_some() && is_id(message) && message.len() == 20 && ClipId::is_one(clip));
    is_row.then(|| text.to_owned())
}
