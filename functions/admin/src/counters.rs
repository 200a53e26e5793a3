//! `GET /api/admin/counters?name=&period=&n=`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use shared::counters::{self, Period};
use shared::http::{Access, ApiError, Context, Reply, Spec};
use shared::openapi::Operation;

use crate::State;

pub const READ: Spec<(), Which> = Spec::get(
    "/api/admin/counters",
    "readCounter",
    "A counter, by minute, hour or day.",
)
.access(Access::Admin);

/// Periods shown unless the caller asks for another number.
const DEFAULT_PERIODS: u64 = 24;

#[derive(Deserialize, JsonSchema)]
pub struct Which {
    /// Which counter.
    name: Name,
    /// How finely it is counted. Defaults to `hour`.
    period: Option<Period>,
    /// How many of the latest periods. Defaults to 24; a minute can be read for 3 hours, an
    /// hour for 8 days, a day for 400 days.
    n: Option<Periods>,
}

/// How many periods. The most there can be depends on the period.
#[derive(Clone, Copy, Deserialize)]
struct Periods(u64);

/// The name of a counter.
struct Name(&'static str);

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Counter")]
struct Counts {
    name: &'static str,
    period: &'static str,
    /// Oldest first. The last is that of the period that has not ended.
    counts: Vec<Count>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CounterPeriod")]
struct Count {
    /// When the period began, in unix milliseconds.
    at: i64,
    count: u64,
}

pub fn operations() -> Vec<Operation> {
    vec![READ.operation().reply::<Counts>(200, "Oldest first.")]
}

pub async fn read(cx: Context<State, (), Which>) -> Result<Reply, ApiError> {
    let Which { name, period, n } = &cx.query;
    let (name, period) = (name.0, period.unwrap_or(Period::Hour));
    let n = n.map_or(DEFAULT_PERIODS, |periods| periods.0);
    let (n, most) = (u32::try_from(n).ok(), period.kept());
    let n = n.filter(|n| (1..=most).contains(n)).ok_or_else(|| {
        ApiError::bad_request(format!("n: expected a whole number from 1 to {most}"))
    })?;
    let counts = cx.counters().last(name, period, n).await?;
    Ok(Reply::ok(&Counts {
        name,
        period: period.name(),
        counts: counts
            .into_iter()
            .map(|(at, count)| Count { at, count })
            .collect(),
    }))
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let name = counters::ALL.into_iter().find(|name| *name == text);
        name.map(Name).ok_or_else(|| {
            let all = counters::ALL.join(", ");
            serde::de::Error::custom(format!("expected one of {all}"))
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
        // What any period has.
        json_schema!({ "type": "integer", "minimum": 1, "maximum": 180 })
    }
}
