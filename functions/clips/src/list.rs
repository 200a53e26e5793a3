//! `GET /api/guilds/{guildId}/clips`: newest first.

use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;
use shared::http::{ApiError, Moment, Reply, Request, Snowflake};
use shared::redis::Redis;
use shared::scan::{Clip, ClipCursor, ClipQuery};

use crate::State;

/// Clips of a page unless told otherwise, and at most.
const PAGE: u64 = 20;
const LARGEST_PAGE: u64 = 100;

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Page {
    clips: Vec<Clip>,
    cursor: Option<String>,
}

pub async fn list(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let guild = request.snowflake("guildId")?;
    let query = query(&request)?;
    let store = state.store.on(&redis);
    let (clips, next) = store.list_clips(guild.as_str(), &query).await?;
    Ok(Reply::ok(&Page {
        clips,
        cursor: next.map(|next| request.next_cursor(&next)),
    }))
}

fn query(request: &Request) -> Result<ClipQuery, ApiError> {
    let channel = request.query_as("channelId", Snowflake::EXPECTED, Snowflake::parse)?;
    let time = |name| request.query_as(name, Moment::EXPECTED, Moment::parse);
    let seconds = "a number of seconds from 0 to 86400";
    Ok(ClipQuery {
        channel_id: channel.map(String::from),
        after: time("after")?.map(Moment::ms),
        before: time("before")?.map(Moment::ms),
        min_seconds: request.query_as("minSeconds", seconds, |text| {
            f64::from_str(text)
                .ok()
                .filter(|s| (0.0..=86_400.0).contains(s))
        })?,
        known_length: request
            .query_as("unknownLength", "keep or omit", |text| match text {
                "keep" => Some(false),
                "omit" => Some(true),
                _ => None,
            })?
            .unwrap_or(false),
        cursor: request.cursor(ClipCursor::parse)?,
        limit: request.query_number("limit", LARGEST_PAGE)?.unwrap_or(PAGE),
    })
}
