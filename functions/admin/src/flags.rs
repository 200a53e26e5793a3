//! `GET /api/admin/flags`, `GET` and `PUT /api/admin/flags/{name}`.
//!
//! Only the flags something asks about are shown and set, so a name that is misspelt is
//! told.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::flags::{self, Rule};
use shared::http::{ApiError, Bounded, Reply, Request, Snowflake};
use shared::redis::Redis;

use crate::State;

/// The most guilds one rule may name.
const MOST_NAMED: usize = 1000;

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Flags {
    flags: Vec<Shown>,
}

/// A flag with all there is to say of its rule.
#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Shown {
    name: &'static str,
    on: bool,
    percent: f64,
    allow: Vec<String>,
}

/// A whole rule; what is left out is off.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    on: Option<bool>,
    percent: Option<Bounded<0, 100>>,
    allow: Option<Vec<Snowflake>>,
}

pub async fn list(state: Arc<State>, redis: Redis, _: Request) -> Result<Reply, ApiError> {
    let mut rules = state.flags.all(&redis).await?;
    let flags = flags::ALL.into_iter();
    Ok(Reply::ok(&Flags {
        flags: flags
            .map(|name| shown(name, rules.remove(name).unwrap_or_default()))
            .collect(),
    }))
}

pub async fn one(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let name = named(&request)?;
    let rule = state.flags.get(&redis, name).await?;
    Ok(Reply::ok(&shown(name, rule)))
}

pub async fn set(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let name = named(&request)?;
    let wanted: Wanted = request.json()?;
    let allow = wanted.allow.unwrap_or_default();
    if allow.len() > MOST_NAMED {
        let detail = format!("allow: expected a list of at most {MOST_NAMED} ids");
        return Err(ApiError::bad_request(detail));
    }
    let rule = Rule {
        on: wanted.on.unwrap_or_default(),
        percent: wanted.percent.map_or(0.0, |percent| percent.get() as f64),
        allow: allow.into_iter().map(String::from).collect(),
    };
    state.flags.set(&redis, name, &rule).await?;
    Ok(Reply::ok(&shown(name, rule)))
}

fn named(request: &Request) -> Result<&'static str, ApiError> {
    let wanted = request.path_parameter("name");
    let found = flags::ALL.into_iter().find(|name| *name == wanted);
    found.ok_or_else(|| ApiError::not_found("there is no flag of this name"))
}

fn shown(name: &'static str, rule: Rule) -> Shown {
    Shown {
        name,
        on: rule.on,
        percent: rule.percent,
        allow: rule.allow,
    }
}
