//! `GET /api/admin/counters?name=&period=&limit=`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use shared::counters::{self, Period};
use shared::http::{Access, ApiError, Context, FieldCode, FieldError, Reply, Spec};
use shared::openapi::Operation;

use crate::State;

pub const READ: Spec<(), Which> =
    Spec::get("/api/admin/counters", "readCounter", "Read a counter").access(Access::Admin);

/// Periods shown unless the caller asks for another number.
const DEFAULT_PERIODS: u64 = 24;

#[derive(Deserialize, JsonSchema)]
pub struct Which {
    /// The name of the counter.
    name: Name,
    /// The length of a period. Defaults to `hour`.
    period: Option<Period>,
    /// How many of the latest periods to return. Defaults to 24. At most 180 minutes, 192 hours
    /// or 400 days, which is as long as they are kept.
    limit: Option<Periods>,
}

/// How many periods. The most there can be depends on the period.
#[derive(Clone, Copy, Deserialize)]
struct Periods(u64);

/// The name of a counter.
struct Name(&'static str);

/// What was counted, period by period.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Counter")]
struct Counts {
    /// The name of the counter.
    name: &'static str,
    /// The length of a period.
    period: &'static str,
    /// The periods, oldest first. The last one has not ended yet.
    counts: Vec<Count>,
}

/// What was counted in one period.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CounterPeriod")]
struct Count {
    /// When the period began, in unix milliseconds.
    started_at: i64,
    /// How much was counted.
    count: u64,
}

pub fn operations() -> Vec<Operation> {
    vec![
        READ.operation()
            .describe("Returns how much was counted in each of the latest minutes, hours or days.")
            .reply::<Counts>(200, "The counter."),
    ]
}

pub async fn read(cx: Context<State, (), Which>) -> Result<Reply, ApiError> {
    let Which {
        name,
        period,
        limit,
    } = &cx.query;
    let (name, period) = (name.0, period.unwrap_or(Period::Hour));
    let n = limit.map_or(DEFAULT_PERIODS, |periods| periods.0);
    let (n, most) = (u32::try_from(n).ok(), period.kept());
    let n = n.filter(|n| (1..=most).contains(n)).ok_or_else(|| {
        let detail = format!("expected a whole number from 1 to {most}");
        FieldError::parameter("limit", FieldCode::OutOfRange, detail)
    })?;
    let counts = cx.counters().last(name, period, n).await?;
    Ok(Reply::ok(&Counts {
        name,
        period: period.name(),
        counts: counts
            .into_iter()
            .map(|(started_at, count)| Count { started_at, count })
            .collect(),
    }))
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let name = counters::ALL.into_iter().find(|name| *name == text);
        name.map(Name).ok_or_else(|| {
            let all = counters::ALL.map(|name| format!("`{name}`")).join(" or ");
            serde::de::Error::custom(format!("expected {all}"))
        })
    }
}

impl JsonSchema for Name {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "CounterName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": counters::ALL })
    }
}

impl JsonSchema for Periods {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Periods".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // The most that one of the periods has.
        json_schema!({ "type": "integer", "minimum": 1, "maximum": 400 })
    }
}
