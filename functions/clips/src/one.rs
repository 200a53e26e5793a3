//! `GET /api/clips/{channelId}/{clipId}` shows a clip with a link that works, and `GET
//! …/play` goes to it.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::cache::{self, Entry};
use shared::discord::{self, MessageId};
use shared::http::{ApiError, Context, ErrorCode, FieldCode, FieldError, Reply, Snowflake, Spec};
use shared::link;
use shared::openapi::Operation;
use shared::scan::Clip;

use crate::State;
use crate::clip_id::ClipId;

pub const SHOW: Spec<OneClip, Place> =
    Spec::get("/api/clips/{channelId}/{clipId}", "getClip", "Get a clip");

pub const PLAY: Spec<OneClip, Place> = Spec::get(
    "/api/clips/{channelId}/{clipId}/play",
    "getClipFile",
    "Get the file of a clip",
);

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneClip {
    /// The id of the channel or thread that the clip is in.
    channel_id: Snowflake,
    /// The id of the clip.
    clip_id: ClipId,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The id of the message that the clip is in. It saves two steps. If it is left out and
    /// several messages of the channel show the clip, the newest of them is meant.
    message_id: Option<Snowflake>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        SHOW.operation().describe("Returns a clip. Its `url` works for at least another minute: an expired one is replaced by a fresh one, for which Discord is asked once for all callers. A link that somebody posted cannot be replaced; once it has expired, `url` is null.")
            .reply::<Clip>(200, "The clip.")
            .problems(&[404]),
        PLAY.operation().describe("Redirects to the file of a clip, at an address that works. A clip on another site is not redirected to; its `url` is the page that plays it.")
            .empty(302, "The file is at `Location`.")
            .header("Location")
            .problems(&[404, 409]),
    ]
}

pub async fn show(cx: Context<State, OneClip, Place>) -> Result<Reply, ApiError> {
    let mut clip = find(&cx).await?;
    match clip.is_uploaded() {
        true => clip.url = Some(fresh(&cx, &clip).await?),
        // A message keeps a link as it was posted, so reading it again would not help.
        false => link::drop_expired(&mut clip, cx.clock().now_ms()),
    }
    Ok(Reply::ok(&clip))
}

pub async fn play(cx: Context<State, OneClip, Place>) -> Result<Reply, ApiError> {
    let clip = find(&cx).await?;
    let external = || {
        let detail = "the clip is on another site, which is not redirected to: open its url";
        ApiError::new(ErrorCode::ClipExternal, detail)
    };
    if !clip.is_uploaded() {
        return Err(external());
    }
    let url = fresh(&cx, &clip).await?;
    let hosts = cx.state.hosts.as_ref();
    let url = hosts.and_then(|hosts| hosts.check(&url).ok());
    Ok(Reply::found(url.ok_or_else(external)?.as_str()))
}

/// The address of the file, if it is still there.
async fn fresh(cx: &Context<State, OneClip, Place>, clip: &Clip) -> Result<String, ApiError> {
    let (discord, now) = (&cx.state.discord, cx.clock().now_ms());
    let url = link::fresh_url(clip, discord, &cx.cache(), now).await?;
    url.ok_or_else(|| {
        let detail = "the message of the clip, or the file in it, was deleted";
        ApiError::new(ErrorCode::ClipGone, detail)
    })
}

async fn find(cx: &Context<State, OneClip, Place>) -> Result<Clip, ApiError> {
    let (channel, id) = (&cx.path.channel_id, &cx.path.clip_id.0);
    let store = cx.store();
    let found = match &cx.query.message_id {
        Some(message) => {
            let message = MessageId::parse(message.as_str()).ok_or_else(|| {
                let detail = format!("expected {}", Snowflake::EXPECTED);
                FieldError::parameter("messageId", FieldCode::Invalid, detail)
            })?;
            store.clip(channel.as_str(), message, id).await?
        }
        None => match guild_of(cx, channel).await? {
            Some(guild) => store.clip_in(&guild, channel.as_str(), id).await?,
            None => None,
        },
    };
    found.ok_or_else(|| {
        let detail = "no such clip was found in this channel, or it was removed";
        ApiError::new(ErrorCode::ClipNotFound, detail)
    })
}

/// The guild that a channel is in, as far as the bot can see it.
async fn guild_of(
    cx: &Context<State, OneClip, Place>,
    channel: &Snowflake,
) -> Result<Option<String>, ApiError> {
    let load = || async {
        match cx.state.discord.channel(channel.as_str()).await {
            Ok(channel) => Ok(channel.guild_id),
            Err(discord::Error::NotFound { .. } | discord::Error::Forbidden { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    };
    let entry = Entry::new(&cache::HOME, channel.as_str());
    Ok(cx.cache().get_or_load(&entry, load).await?)
}
