//! `GET /api/admin/flags`, `GET` and `PUT /api/admin/flags/{name}`.
//!
//! Only flags that the code uses can be read and set, so a misspelt name is an error.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::flags::{self, Rule};
use shared::http::{
    Access, ApiError, Bounded, Context, ErrorCode, FieldCode, FieldError, Reply, Snowflake, Spec,
};
use shared::openapi::Operation;

use crate::State;

pub const LIST: Spec =
    Spec::get("/api/admin/flags", "listFlags", "List flags").access(Access::Admin);

pub const GET: Spec<OneFlag> =
    Spec::get("/api/admin/flags/{name}", "getFlag", "Get a flag").access(Access::Admin);

pub const SET: Spec<OneFlag> =
    Spec::put("/api/admin/flags/{name}", "putFlag", "Set a flag").access(Access::Admin);

#[derive(Deserialize, JsonSchema)]
pub struct OneFlag {
    /// The name of the flag.
    name: String,
}

/// The most guilds one rule may name.
const MOST_NAMED: usize = 1000;

/// The flags.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FlagList")]
struct Flags {
    /// Each flag with its rule.
    flags: Vec<Flag>,
}

/// A flag and its rule.
#[derive(Serialize, JsonSchema)]
struct Flag {
    /// The name of the flag.
    name: &'static str,
    /// Whether the flag is on for all.
    on: bool,
    /// For how many per cent of its subjects it is on. They are always the same ones.
    percent: u8,
    /// The ids for which it is on in any case.
    allow: Vec<String>,
}

/// The rule of a flag. What is left out is off.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FlagInput")]
struct RuleInput {
    /// Whether the flag is on for all.
    on: Option<bool>,
    /// For how many per cent of its subjects it is on.
    percent: Option<Bounded<0, 100>>,
    /// The ids for which it is on in any case, at most 1,000.
    allow: Option<Vec<Snowflake>>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        LIST.operation().describe("Lists every flag that the code knows, with its rule. A flag that was never set is off.").reply::<Flags>(200, "The flags."),
        GET.operation().describe("Returns the rule of a flag. A flag that was never set is off.")
            .reply::<Flag>(200, "The flag.")
            .problems(&[404]),
        SET.operation().describe("Replaces the rule of a flag. A part of the rule that the body leaves out is off. The flag `scans-off` has requests for scans and batches refused, by guild.")
            .body::<RuleInput>()
            .reply::<Flag>(200, "The flag after the change.")
            .problems(&[404]),
    ]
}

pub async fn list(cx: Context<State>) -> Result<Reply, ApiError> {
    let mut rules = cx.flags().all(cx.redis()).await?;
    let flags = flags::ALL.into_iter();
    Ok(Reply::ok(&Flags {
        flags: flags
            .map(|name| shown(name, rules.remove(name).unwrap_or_default()))
            .collect(),
    }))
}

pub async fn get(cx: Context<State, OneFlag>) -> Result<Reply, ApiError> {
    let name = known(&cx.path)?;
    let rule = cx.flags().get(cx.redis(), name).await?;
    Ok(Reply::ok(&shown(name, rule)))
}

pub async fn set(cx: Context<State, OneFlag>) -> Result<Reply, ApiError> {
    let name = known(&cx.path)?;
    let input: RuleInput = cx.json()?;
    let allow = input.allow.unwrap_or_default();
    if allow.len() > MOST_NAMED {
        let detail = format!("expected an array of at most {MOST_NAMED} ids");
        return Err(FieldError::field("allow", FieldCode::OutOfRange, detail).into());
    }
    let rule = Rule {
        on: input.on.unwrap_or_default(),
        percent: input.percent.map_or(0.0, |percent| percent.get() as f64),
        allow: allow.into_iter().map(String::from).collect(),
    };
    cx.flags().set(cx.redis(), name, &rule).await?;
    Ok(Reply::ok(&shown(name, rule)))
}

fn known(path: &OneFlag) -> Result<&'static str, ApiError> {
    let found = flags::ALL.into_iter().find(|name| *name == path.name);
    let detail = "there is no flag with this name";
    found.ok_or_else(|| ApiError::new(ErrorCode::FlagNotFound, detail))
}

fn shown(name: &'static str, rule: Rule) -> Flag {
    Flag {
        name,
        on: rule.on,
        percent: rule.percent.clamp(0.0, 100.0) as u8,
        allow: rule.allow,
    }
}
