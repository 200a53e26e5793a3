//! Sorted sets: members with scores.

use super::arguments::{Options, count, float, index_range, integer, is};
use super::hashes::{MAX_RANDOM_COUNT, pick_indexes};
use super::scan::{ScanOptions, scan_collection};
use super::{Args, Context};
use crate::errors::CommandError;
use crate::number::format_f64;
use crate::reply::{Outcome, Reply};
use crate::store::SortedSet;

/// Which members ZADD writes and what it returns.
#[derive(Default)]
struct AddOptions {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
    changed: bool,
    increment: bool,
}

pub fn zadd(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut options = AddOptions::default();
    let mut at = 2;
    while let Some(word) = args.get(at) {
        match String::from_utf8_lossy(word).to_ascii_uppercase().as_str() {
            "NX" => options.nx = true,
            "XX" => options.xx = true,
            "GT" => options.gt = true,
            "LT" => options.lt = true,
            "CH" => options.changed = true,
            "INCR" => options.increment = true,
            _ => break,
        }
        at += 1;
    }
    add(context, &args[1], &args[at..], &options)
}

pub fn zincrby(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let options = AddOptions {
        increment: true,
        ..AddOptions::default()
    };
    add(context, &args[1], &args[2..], &options)
}

fn add(context: &mut Context<'_>, key: &[u8], pairs: &[Vec<u8>], options: &AddOptions) -> Outcome {
    let (pairs, rest) = pairs.as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return Err(CommandError::SYNTAX);
    }
    if options.nx && options.xx {
        return Err(CommandError::fixed(
            "ERR XX and NX options at the same time are not compatible",
        ));
    }
    if options.gt && options.lt || options.nx && (options.gt || options.lt) {
        return Err(CommandError::fixed(
            "ERR GT, LT, and/or NX options at the same time are not compatible",
        ));
    }
    if options.increment && pairs.len() > 1 {
        return Err(CommandError::fixed(
            "ERR INCR option supports a single increment-element pair",
        ));
    }
    let scores = pairs
        .iter()
        .map(|[score, _]| float(score))
        .collect::<Result<Vec<f64>, _>>()?;
    if context.db.sorted_set(key)?.is_none() && options.xx {
        return Ok(if options.increment {
            Reply::Nil
        } else {
            Reply::Int(0)
        });
    }
    let set = context.db.sorted_set_or_create(key)?;
    let (mut n_added, mut n_changed, mut result) = (0, 0, Reply::Nil);
    let mut failure = None;
    for ([_, member], given) in pairs.iter().zip(scores) {
        let present = set.score(member);
        let score = match present {
            Some(present) if options.increment => present + given,
            _ => given,
        };
        if score.is_nan() {
            failure = Some(CommandError::SCORE_NAN);
            break;
        }
        let writes = match present {
            None => !options.xx,
            Some(present) => {
                !(options.nx || options.gt && score <= present || options.lt && score >= present)
            }
        };
        if !writes {
            continue;
        }
        set.insert(member, score);
        n_added += i64::from(present.is_none());
        n_changed += i64::from(present.is_none_or(|present| present != score));
        result = Reply::bulk(format_f64(score));
    }
    context.db.remove_if_empty(key);
    match failure {
        Some(error) => Err(error),
        None if options.increment => Ok(result),
        None if options.changed => Ok(Reply::Int(n_changed)),
        None => Ok(Reply::Int(n_added)),
    }
}

pub fn zscore(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let set = context.db.sorted_set(&args[1])?;
    Ok(score_reply(set, &args[2]))
}

pub fn zmscore(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let set = context.db.sorted_set(&args[1])?;
    Ok(Reply::Array(
        args[2..]
            .iter()
            .map(|member| score_reply(set, member))
            .collect(),
    ))
}

fn score_reply(set: Option<&SortedSet>, member: &[u8]) -> Reply {
    set.and_then(|set| set.score(member))
        .map_or(Reply::Nil, |score| Reply::bulk(format_f64(score)))
}

pub fn zcard(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    Ok(Reply::count(
        context.db.sorted_set(&args[1])?.map_or(0, SortedSet::len),
    ))
}

pub fn zrem(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    if context.db.sorted_set(&args[1])?.is_none() {
        return Ok(Reply::Int(0));
    }
    let mut n_removed = 0;
    if let Some(set) = context.db.sorted_set_mut(&args[1])? {
        for member in &args[2..] {
            n_removed += usize::from(set.remove(member).is_some());
        }
    }
    context.db.remove_if_empty(&args[1]);
    Ok(Reply::count(n_removed))
}

pub fn zrank(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    rank(context, args, false)
}

pub fn zrevrank(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    rank(context, args, true)
}

fn rank(context: &Context<'_>, args: Args<'_>, reverse: bool) -> Outcome {
    let with_score = match &args[3..] {
        [] => false,
        [word] if is(word, "WITHSCORE") => true,
        _ => return Err(CommandError::SYNTAX),
    };
    let Some((set, rank)) = context
        .db
        .sorted_set(&args[1])?
        .and_then(|set| Some((set, set.rank(&args[2])?)))
    else {
        return Ok(if with_score {
            Reply::NilArray
        } else {
            Reply::Nil
        });
    };
    let rank = Reply::count(if reverse { set.len() - 1 - rank } else { rank });
    Ok(match with_score {
        true => Reply::Array(vec![rank, score_reply(Some(set), &args[2])]),
        false => rank,
    })
}

pub fn zpopmin(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    pop(context, args, false)
}

pub fn zpopmax(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    pop(context, args, true)
}

fn pop(context: &mut Context<'_>, args: Args<'_>, highest: bool) -> Outcome {
    if args.len() > 3 {
        return Err(CommandError::SYNTAX);
    }
    let n = match args.get(2) {
        Some(n) => count(n, CommandError::NOT_POSITIVE)?,
        None => 1,
    };
    let popped = pop_members(context, &args[1], highest, n)?;
    Ok(Reply::Array(with_scores(popped)))
}

type Scored = Vec<(Vec<u8>, f64)>;

fn pop_members(
    context: &mut Context<'_>,
    key: &[u8],
    highest: bool,
    n: usize,
) -> Result<Scored, CommandError> {
    let Some(set) = context.db.sorted_set(key)? else {
        return Ok(Vec::new());
    };
    let owned = |(member, score): (&[u8], f64)| (member.to_vec(), score);
    let popped: Scored = match highest {
        true => set.iter().rev().take(n).map(owned).collect(),
        false => set.iter().take(n).map(owned).collect(),
    };
    if !popped.is_empty()
        && let Some(set) = context.db.sorted_set_mut(key)?
    {
        for (member, _) in &popped {
            set.remove(member);
        }
        context.db.remove_if_empty(key);
    }
    Ok(popped)
}

/// ZMPOP numkeys key [key …] MIN|MAX [COUNT n]: from the first key that has members.
pub fn zmpop(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (keys, mut options) = counted_keys(args, 1)?;
    let highest = match options.word().as_deref() {
        Some("MIN") => false,
        Some("MAX") => true,
        _ => return Err(CommandError::SYNTAX),
    };
    let n = pop_count(&mut options)?;
    for key in keys {
        let popped = pop_members(context, key, highest, n)?;
        if !popped.is_empty() {
            let pairs = popped
                .into_iter()
                .map(|pair| Reply::Array(with_scores(vec![pair])));
            return Ok(Reply::Array(vec![
                Reply::bulk(key.clone()),
                Reply::Array(pairs.collect()),
            ]));
        }
    }
    Ok(Reply::NilArray)
}

/// The keys behind a `numkeys` argument at `at`, and the options after them.
pub fn counted_keys(args: Args<'_>, at: usize) -> Result<(&[Vec<u8>], Options<'_>), CommandError> {
    let n = integer(&args[at]).ok().filter(|n| *n > 0);
    let n = n.ok_or(CommandError::fixed("ERR numkeys should be greater than 0"))?;
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    let keys = args[at + 1..].get(..n).ok_or(CommandError::SYNTAX)?;
    Ok((keys, Options::new(args, at + 1 + n)))
}

/// The optional `COUNT n` of LMPOP and ZMPOP; 1 without it.
pub fn pop_count(options: &mut Options<'_>) -> Result<usize, CommandError> {
    let refused = CommandError::fixed("ERR count should be greater than 0");
    let n = match options.word().as_deref() {
        None => return Ok(1),
        Some("COUNT") => count(options.value()?, refused.clone())?,
        Some(_) => return Err(CommandError::SYNTAX),
    };
    match (n, options.n_left()) {
        (0, _) => Err(refused),
        (n, 0) => Ok(n),
        _ => Err(CommandError::SYNTAX),
    }
}

/// Members and scores as one flat list.
pub fn with_scores(members: Scored) -> Vec<Reply> {
    members
        .into_iter()
        .flat_map(|(member, score)| [Reply::Bulk(member), Reply::bulk(format_f64(score))])
        .collect()
}

pub fn zrandmember(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let n = match args.get(2) {
        Some(n) => Some(integer(n)?),
        None => None,
    };
    let scores = match &args[3.min(args.len())..] {
        [] => false,
        [word] if is(word, "WITHSCORES") => true,
        _ => return Err(CommandError::SYNTAX),
    };
    if n.is_some_and(|n| !(-MAX_RANDOM_COUNT..=i64::MAX / 2).contains(&n)) {
        return Err(CommandError::OUT_OF_RANGE);
    }
    let Some(set) = context.db.sorted_set(&args[1])? else {
        return Ok(n.map_or(Reply::Nil, |_| Reply::Array(Vec::new())));
    };
    let members: Vec<(&[u8], f64)> = set.iter().collect();
    let mut picked = pick_indexes(context.random, members.len(), n)
        .into_iter()
        .map(|index| (members[index].0.to_vec(), members[index].1));
    Ok(match (n, scores) {
        (None, _) => picked
            .next()
            .map_or(Reply::Nil, |(member, _)| Reply::Bulk(member)),
        (Some(_), true) => Reply::Array(with_scores(picked.collect())),
        (Some(_), false) => Reply::bulks(picked.map(|(member, _)| member)),
    })
}

pub fn zscan(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let options = ScanOptions::parse(args, 2)?;
    let Some(set) = context.db.sorted_set(&args[1])? else {
        return Ok(ScanOptions::empty());
    };
    Ok(scan_collection(
        set.iter(),
        set.len(),
        &options,
        |member, score, out| {
            out.push(Reply::bulk(member));
            out.push(Reply::bulk(format_f64(score)));
        },
    ))
}

pub fn zremrangebyrank(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (start, stop) = (integer(&args[2])?, integer(&args[3])?);
    let Some(set) = context.db.sorted_set(&args[1])? else {
        return Ok(Reply::Int(0));
    };
    let Some((start, stop)) = index_range(start, stop, set.len()) else {
        return Ok(Reply::Int(0));
    };
    let doomed = set.iter().skip(start).take(stop - start + 1);
    let doomed: Vec<Vec<u8>> = doomed.map(|(member, _)| member.to_vec()).collect();
    remove_members(context, &args[1], &doomed)
}

/// Removes members that are known to exist.
pub fn remove_members(context: &mut Context<'_>, key: &[u8], members: &[Vec<u8>]) -> Outcome {
    if !members.is_empty()
        && let Some(set) = context.db.sorted_set_mut(key)?
    {
        for member in members {
            set.remove(member);
        }
        context.db.remove_if_empty(key);
    }
    Ok(Reply::count(members.len()))
}
