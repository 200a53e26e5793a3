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
    let name = name.ok_or_else(|| expected("name", &counters::ALL))?;
    let period = match request.query("period") {
        Some(text) => Period::ALL.into_iter().find(|period| period.name() == text),
        None => Some(Period::Hour),
    };
    let period = period.ok_or_else(|| expected("period", &Period::ALL.map(Period::name)))?;
    let n = match request.query("n") {
        Some(text) => text
            .parse()
            .ok()
            .filter(|n| (1..=period.kept()).contains(n)),
        None => Some(USUAL),
    };
    let n = n.ok_or_else(|| {
        let most = period.kept();
        ApiError::bad_request(format!("n: expected a whole number from 1 to {most}"))
    })?;
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

fn expected(field: &str, words: &[&str]) -> ApiError {
    ApiError::bad_request(format!("{field}: expected one of {}", words.join(", ")))
}
