//! `GET /api/admin/counters?name=&period=&n=`.

use std::sync::Arc;

use serde::Serialize;
use shared::counters::{self, Period};
use shared::http::{ApiError, Reply, Request};
use shared::redis::Redis;

use crate::State;

/// Periods told unless asked otherwise.
const USUAL: u32 = 24;

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Counts {
    name: &'static str,
    period: &'static str,
    /// Oldest first, the one under way last.
    counts: Vec<Count>,
}

#[derive(Serialize, schemars::JsonSchema)]
struct Count {
    /// Unix milliseconds at which the period began.
    at: i64,
    count: u64,
}

pub async fn read(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let wanted = request.query("name").unwrap_or_default();
    let name = counters::ALL.into_iter().find(|name| *name == wanted);
    let name = name.ok_or_else(|| {
        ApiError::bad_request(format!(
            "name: expected one of {}",
            counters::ALL.join(", ")
        ))
    })?;
    let periods = format!("one of {}", Period::ALL.map(Period::name).join(", "));
    let named = |text: &str| Period::ALL.into_iter().find(|period| period.name() == text);
    let period = request
        .query_as("period", &periods, named)?
        .unwrap_or(Period::Hour);
    let n = request
        .query_number("n", period.kept().into())?
        .map_or(USUAL, |n| n as u32);
    let counts = state.counters.on(&redis).last(name, period, n).await?;
    Ok(Reply::ok(&Counts {
        name,
        period: period.name(),
        counts: counts
            .into_iter()
            .map(|(at, count)| Count { at, count })
            .collect(),
    }))
}
