//! Unions, intersections and differences of sorted sets. Members of plain sets have score
//! 1.

use indexmap::IndexMap;

use super::arguments::count;
use super::sorted_set_ranges::store;
use super::sorted_sets::with_scores;
use super::{Args, Context};
use crate::commands::arguments::{Options, integer};
use crate::errors::CommandError;
use crate::number::parse_f64;
use crate::reply::{Outcome, Reply};
use crate::store::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algebra {
    Union,
    Intersection,
    Difference,
}

#[derive(Debug, Clone, Copy)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            // Infinity minus infinity counts as zero, as in Redis.
            Self::Sum if (left + right).is_nan() => 0.0,
            Self::Sum => left + right,
            Self::Min => left.min(right),
            Self::Max => left.max(right),
        }
    }
}

struct Query<'a> {
    keys: &'a [Vec<u8>],
    weights: Vec<f64>,
    aggregate: Aggregate,
    scores: bool,
}

/// Parses `numkeys key … [WEIGHTS …] [AGGREGATE …] [WITHSCORES]` from `at`. A key of the
/// wrong type is reported before the options are parsed.
fn parse<'a>(
    context: &Context<'_>,
    args: Args<'a>,
    at: usize,
    how: Algebra,
    stores: bool,
) -> Result<Query<'a>, CommandError> {
    let n = integer(&args[at])?;
    if n < 1 {
        let name = String::from_utf8_lossy(&args[0]).to_ascii_lowercase();
        return Err(CommandError::new(format!(
            "ERR at least 1 input key is needed for '{name}' command"
        )));
    }
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    let keys = args[at + 1..].get(..n).ok_or(CommandError::SYNTAX)?;
    for key in keys {
        match context.db.value(key) {
            None | Some(Value::SortedSet(_) | Value::Set(_)) => {}
            Some(_) => return Err(CommandError::WRONG_TYPE),
        }
    }
    let mut query = Query {
        keys,
        weights: vec![1.0; n],
        aggregate: Aggregate::Sum,
        scores: false,
    };
    let mut options = Options::new(args, at + 1 + n);
    while let Some(word) = options.word() {
        match word.as_str() {
            "WEIGHTS" if how != Algebra::Difference => {
                for weight in &mut query.weights {
                    *weight = parse_f64(options.value()?).ok_or(CommandError::WEIGHT_FLOAT)?;
                }
            }
            "AGGREGATE" if how != Algebra::Difference => {
                let name = options.value()?;
                query.aggregate = match name.to_ascii_uppercase().as_slice() {
                    b"SUM" => Aggregate::Sum,
                    b"MIN" => Aggregate::Min,
                    b"MAX" => Aggregate::Max,
                    _ => return Err(CommandError::SYNTAX),
                };
            }
            "WITHSCORES" if !stores => query.scores = true,
            _ => return Err(CommandError::SYNTAX),
        }
    }
    Ok(query)
}

type Scores = IndexMap<Vec<u8>, f64>;

/// A key's members with weighted scores.
fn weighted(context: &Context<'_>, key: &[u8], weight: f64) -> Result<Scores, CommandError> {
    let weigh = |score: f64| {
        let weighted = score * weight;
        if weighted.is_nan() { 0.0 } else { weighted }
    };
    match context.db.value(key) {
        None => Ok(Scores::new()),
        Some(Value::SortedSet(set)) => Ok(set
            .iter()
            .map(|(member, score)| (member.to_vec(), weigh(score)))
            .collect()),
        Some(Value::Set(set)) => Ok(set
            .iter()
            .map(|member| (member.clone(), weigh(1.0)))
            .collect()),
        Some(_) => Err(CommandError::WRONG_TYPE),
    }
}

fn combine(
    context: &Context<'_>,
    query: &Query<'_>,
    how: Algebra,
) -> Result<Vec<(Vec<u8>, f64)>, CommandError> {
    let inputs = query
        .keys
        .iter()
        .zip(&query.weights)
        .map(|(key, weight)| weighted(context, key, *weight))
        .collect::<Result<Vec<Scores>, _>>()?;
    let mut inputs = inputs.into_iter();
    let mut result = inputs.next().unwrap_or_default();
    for input in inputs {
        match how {
            Algebra::Union => {
                for (member, score) in input {
                    result
                        .entry(member)
                        .and_modify(|present| *present = query.aggregate.apply(*present, score))
                        .or_insert(score);
                }
            }
            Algebra::Intersection => result.retain(|member, present| match input.get(member) {
                Some(score) => {
                    *present = query.aggregate.apply(*present, *score);
                    true
                }
                None => false,
            }),
            Algebra::Difference => result.retain(|member, _| !input.contains_key(member)),
        }
    }
    let mut members: Vec<(Vec<u8>, f64)> = result.into_iter().collect();
    members.sort_by(|left, right| {
        let by_score = (left.1 + 0.0).total_cmp(&(right.1 + 0.0));
        by_score.then_with(|| left.0.cmp(&right.0))
    });
    Ok(members)
}

fn answer(context: &mut Context<'_>, args: Args<'_>, how: Algebra) -> Outcome {
    let query = parse(context, args, 1, how, false)?;
    let members = combine(context, &query, how)?;
    Ok(match query.scores {
        true => Reply::Array(with_scores(members)),
        false => Reply::bulks(members.into_iter().map(|(member, _)| member)),
    })
}

fn answer_stored(context: &mut Context<'_>, args: Args<'_>, how: Algebra) -> Outcome {
    let query = parse(context, args, 2, how, true)?;
    let members = combine(context, &query, how)?;
    let n = members.len();
    store(context, &args[1], members);
    Ok(Reply::count(n))
}

pub fn zunion(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    answer(context, args, Algebra::Union)
}

pub fn zinter(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    answer(context, args, Algebra::Intersection)
}

pub fn zdiff(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    answer(context, args, Algebra::Difference)
}

pub fn zunionstore(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    answer_stored(context, args, Algebra::Union)
}

pub fn zinterstore(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    answer_stored(context, args, Algebra::Intersection)
}

pub fn zdiffstore(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    answer_stored(context, args, Algebra::Difference)
}

pub fn zintercard(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (keys, mut options) = super::sorted_sets::counted_keys(args, 1)?;
    let mut limit = 0;
    while let Some(word) = options.word() {
        if word != "LIMIT" {
            return Err(CommandError::SYNTAX);
        }
        let refused = CommandError::fixed("ERR LIMIT can't be negative");
        limit = count(options.value()?, refused)?;
    }
    let query = Query {
        keys,
        weights: vec![1.0; keys.len()],
        aggregate: Aggregate::Sum,
        scores: false,
    };
    let n = combine(context, &query, Algebra::Intersection)?.len();
    Ok(Reply::count(if limit > 0 { n.min(limit) } else { n }))
}
