//! `GET /api/guilds/{guildId}/clips`: newest first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{ApiError, Context, Limit, Moment, PageCursor, Reply, Seconds, Snowflake, Spec};
use shared::openapi::Operation;
use shared::scan::{Clip, ClipCursor, ClipQuery};

pub const LIST: Spec<Guild, Filter> =
    Spec::get("/api/guilds/{guildId}/clips", "listClips", "List clips");

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Guild {
    /// The id of the guild.
    pub guild_id: Snowflake,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// Lists only clips in this channel or thread.
    channel_id: Option<Snowflake>,
    /// Lists only clips posted after this time: unix milliseconds or RFC 3339.
    after: Option<Moment>,
    /// Lists only clips posted before this time: unix milliseconds or RFC 3339.
    before: Option<Moment>,
    /// Lists only clips of at least this length, in seconds. Clips of unknown length are
    /// kept, since they may be long enough; see `unknownLength`.
    min_seconds: Option<Seconds>,
    /// Whether clips of unknown length are kept (`keep`) or left out (`omit`).
    #[serde(default)]
    unknown_length: UnknownLength,
    /// Where the page begins: the cursor that came with the page before. Without it, the
    /// first page.
    cursor: Option<PageCursor>,
    /// How many clips the page holds at most.
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

/// A page of clips.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ClipPage")]
struct Page {
    /// The clips, newest first.
    clips: Vec<Clip>,
    /// Send it as `cursor` to get the next page. `null` on the last page.
    next_cursor: Option<String>,
}

pub fn operations() -> Vec<Operation> {
    vec![LIST.operation().describe("Lists the clips of a guild, newest first. A forward repeats the clip of its original, so it is listed only while the original is not known.").reply::<Page>(200, "A page of clips.")]
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
        next_cursor: next.map(|next| cx.next_cursor(&next)),
    }))
}
