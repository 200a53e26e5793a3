//! `GET /api/guilds/{guildId}/clips`: newest first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{ApiError, Context, Limit, Moment, PageCursor, Reply, Seconds, Snowflake, Spec};
use shared::openapi::Operation;
use shared::scan::{Clip, ClipCursor, ClipQuery};

pub const LIST: Spec<Guild, Filter> = Spec::get(
    "/api/guilds/{guildId}/clips",
    "listClips",
    "The clips of a guild, newest first.",
);

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Guild {
    pub guild_id: Snowflake,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// Only clips of this channel.
    channel_id: Option<Snowflake>,
    /// Only clips posted after this time: unix milliseconds or RFC 3339.
    after: Option<Moment>,
    /// Only clips posted before this time: unix milliseconds or RFC 3339.
    before: Option<Moment>,
    /// Only clips of at least this length. Clips of unknown length are kept, since they may
    /// be long enough.
    min_seconds: Option<Seconds>,
    /// Whether clips of unknown length are kept or left out.
    #[serde(default)]
    unknown_length: UnknownLength,
    cursor: Option<PageCursor>,
    #[serde(default)]
    limit: Limit<20, 100>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum UnknownLength {
    #[default]
    Keep,
    Omit,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ClipPage")]
struct Page {
    clips: Vec<Clip>,
    cursor: Option<String>,
}

pub fn operations() -> Vec<Operation> {
    vec![LIST.operation().reply::<Page>(200, "A page.")]
}

pub async fn list(cx: Context<(), Guild, Filter>) -> Result<Reply, ApiError> {
    let filter = &cx.query;
    let query = ClipQuery {
        channel_id: filter.channel_id.clone().map(String::from),
        after: filter.after.map(Moment::ms),
        before: filter.before.map(Moment::ms),
        min_seconds: filter.min_seconds.map(Seconds::get),
        known_length: filter.unknown_length == UnknownLength::Omit,
        cursor: cx.place(filter.cursor.as_ref(), ClipCursor::parse)?,
        limit: filter.limit.get(),
    };
    let guild = cx.path.guild_id.as_str();
    let (clips, next) = cx.store().list_clips(guild, &query).await?;
    Ok(Reply::ok(&Page {
        clips,
        cursor: next.map(|next| cx.next_cursor(&next)),
    }))
}
