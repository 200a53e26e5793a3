//! `GET /api/guilds/{guildId}/clips`: newest first.

use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;
use shared::http::{ApiError, Reply, Request, Snowflake};
use shared::redis::Redis;
use shared::scan::{Clip, ClipCursor, ClipQuery};

use crate::State;

/// Clips of a page unless told otherwise, and at most.
const PAGE: u64 = 20;
const LARGEST_PAGE: u64 = 100;

/// The last unix millisecond a JavaScript number holds.
const LATEST: i64 = 9_007_199_254_740_991;

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Page {
    clips: Vec<Clip>,
    cursor: Option<String>,
}

pub async fn list(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let guild = Snowflake::parse(request.path_parameter("guildId"))
        .ok_or_else(|| ApiError::bad_request("guildId: expected a Discord id, 15 to 20 digits"))?;
    let query = query(&request)?;
    let store = state.store.on(&redis);
    let (clips, next) = store.list_clips(guild.as_str(), &query).await?;
    Ok(Reply::ok(&Page {
        clips,
        cursor: next.map(|cursor| cursor.to_string()),
    }))
}

fn query(request: &Request) -> Result<ClipQuery, ApiError> {
    let channel = parameter(
        request,
        "channelId",
        "a Discord id, 15 to 20 digits",
        Snowflake::parse,
    )?;
    let time = |name| {
        parameter(request, name, "unix milliseconds", |text| {
            i64::from_str(text)
                .ok()
                .filter(|at| (0..=LATEST).contains(at))
        })
    };
    let seconds = "a number of seconds from 0 to 86400";
    let limit = "a whole number from 1 to 100";
    let cursor = "the cursor of an earlier reply";
    Ok(ClipQuery {
        channel_id: channel.map(String::from),
        after: time("after")?,
        before: time("before")?,
        min_seconds: parameter(request, "minSeconds", seconds, |text| {
            f64::from_str(text)
                .ok()
                .filter(|s| (0.0..=86_400.0).contains(s))
        })?,
        cursor: parameter(request, "cursor", cursor, ClipCursor::parse)?,
        limit: parameter(request, "limit", limit, |text| {
            u64::from_str(text)
                .ok()
                .filter(|n| (1..=LARGEST_PAGE).contains(n))
        })?
        .unwrap_or(PAGE),
    })
}

/// A parameter of the query; one without a value counts as left out.
fn parameter<T>(
    request: &Request,
    name: &str,
    expected: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let Some(text) = request.query(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let wrong = || ApiError::bad_request(format!("{name}: expected {expected}"));
    read(&text).map(Some).ok_or_else(wrong)
}
