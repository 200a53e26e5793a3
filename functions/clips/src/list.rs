//! `GET /api/guilds/{guildId}/clips`: newest first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{ApiError, Context, Limit, PageCursor, Reply, Snowflake, Spec};
use shared::link;
use shared::openapi::Operation;
use shared::scan::{Clip, ClipCursor, ClipQuery};

use crate::State;
use crate::filter::{selection, wrong_parameter};

pub const LIST: Spec<Guild, Filter> =
    Spec::get("/api/guilds/{guildId}/clips", "listClips", "List clips");

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Guild {
    /// The id of the guild.
    pub guild_id: Snowflake,
}

selection! {
    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    Filter, ChannelText {
        /// Where the page begins: the cursor that came with the page before. Without it, the
        /// first page.
        cursor: Option<PageCursor>,
        /// How many clips the page holds at most.
        #[serde(default)]
        limit: Limit<20, 100>,
    }
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

pub async fn list(cx: Context<State, Guild, Filter>) -> Result<Reply, ApiError> {
    let query = ClipQuery {
        filter: cx.query.filter().map_err(wrong_parameter)?,
        cursor: cx.place(cx.query.cursor.as_ref(), ClipCursor::parse)?,
        limit: cx.query.limit.get(),
    };
    let guild = cx.path.guild_id.as_str();
    let (mut clips, next) = cx.store().list_clips(guild, &query).await?;
    let now = cx.clock().now_ms();
    clips
        .iter_mut()
        .for_each(|clip| link::drop_expired(clip, now));
    Ok(Reply::ok(&Page {
        clips,
        next_cursor: next.map(|next| cx.next_cursor(&next)),
    }))
}
