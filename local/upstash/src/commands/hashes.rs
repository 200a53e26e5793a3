//! Hashes: fields and values under one key.

use super::arguments::integer;
use super::scan::{ScanOptions, scan_collection};
use super::{Args, Context};
use crate::errors::CommandError;
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::store::Hash;

/// HRANDFIELD rejects larger counts instead of allocating the memory.
pub const MAX_RANDOM_COUNT: i64 = 10_000_000;

pub fn hset(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    set_pairs(context, args, "hset").map(Reply::count)
}

pub fn hmset(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    set_pairs(context, args, "hmset").map(|_| Reply::OK)
}

fn set_pairs(
    context: &mut Context<'_>,
    args: Args<'_>,
    command: &str,
) -> Result<usize, CommandError> {
    let (pairs, rest) = args[2..].as_chunks::<2>();
    if !rest.is_empty() {
        return Err(CommandError::arity(command));
    }
    let hash = context.db.hash_or_create(&args[1])?;
    let mut n_new = 0;
    for [field, value] in pairs {
        n_new += usize::from(hash.set(field, value.clone()));
    }
    Ok(n_new)
}

pub fn hsetnx(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let present = context
        .db
        .hash(&args[1])?
        .is_some_and(|hash| hash.contains(&args[2]));
    if !present {
        let hash = context.db.hash_or_create(&args[1])?;
        hash.set(&args[2], args[3].clone());
    }
    Ok(Reply::flag(!present))
}

pub fn hget(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let hash = context.db.hash(&args[1])?;
    Ok(Reply::bulk_or_nil(hash.and_then(|hash| hash.get(&args[2]))))
}

pub fn hmget(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let hash = context.db.hash(&args[1])?;
    let values = args[2..]
        .iter()
        .map(|field| Reply::bulk_or_nil(hash.and_then(|hash| hash.get(field))));
    Ok(Reply::Array(values.collect()))
}

pub fn hgetall(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    collect(context, args, |field, value, out| {
        out.push(Reply::bulk(field.clone()));
        out.push(Reply::bulk(value.clone()));
    })
}

pub fn hkeys(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    collect(context, args, |field, _, out| {
        out.push(Reply::bulk(field.clone()))
    })
}

pub fn hvals(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    collect(context, args, |_, value, out| {
        out.push(Reply::bulk(value.clone()))
    })
}

fn collect(
    context: &Context<'_>,
    args: Args<'_>,
    mut push: impl FnMut(&Vec<u8>, &Vec<u8>, &mut Vec<Reply>),
) -> Outcome {
    let mut replies = Vec::new();
    if let Some(hash) = context.db.hash(&args[1])? {
        for (field, value) in hash.iter() {
            push(field, value, &mut replies);
        }
    }
    Ok(Reply::Array(replies))
}

pub fn hdel(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    if context.db.hash(&args[1])?.is_none() {
        return Ok(Reply::Int(0));
    }
    let mut n_removed = 0;
    if let Some(hash) = context.db.hash_mut(&args[1])? {
        for field in &args[2..] {
            n_removed += usize::from(hash.remove(field).is_some());
        }
    }
    context.db.remove_if_empty(&args[1]);
    Ok(Reply::count(n_removed))
}

pub fn hlen(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    Ok(Reply::count(
        context.db.hash(&args[1])?.map_or(0, Hash::len),
    ))
}

pub fn hexists(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let hash = context.db.hash(&args[1])?;
    Ok(Reply::flag(
        hash.is_some_and(|hash| hash.contains(&args[2])),
    ))
}

pub fn hstrlen(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let hash = context.db.hash(&args[1])?;
    let value = hash.and_then(|hash| hash.get(&args[2]));
    Ok(Reply::count(value.map_or(0, Vec::len)))
}

pub fn hincrby(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let by = integer(&args[3])?;
    let present = match context
        .db
        .hash(&args[1])?
        .and_then(|hash| hash.get(&args[2]))
    {
        Some(text) => number::parse_i64(text).ok_or(CommandError::HASH_NOT_INTEGER)?,
        None => 0,
    };
    let sum = present.checked_add(by).ok_or(CommandError::OVERFLOW)?;
    let hash = context.db.hash_or_create(&args[1])?;
    hash.set_keeping_expiry(&args[2], sum.to_string().into_bytes());
    Ok(Reply::Int(sum))
}

pub fn hincrbyfloat(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let by = number::parse_f64(&args[3]).ok_or(CommandError::NOT_FLOAT)?;
    if by.is_infinite() {
        return Err(CommandError::fixed("ERR value is NaN or Infinity"));
    }
    let present = context
        .db
        .hash(&args[1])?
        .and_then(|hash| hash.get(&args[2]));
    let present = present.map_or(&b"0"[..], Vec::as_slice);
    let parsed = number::parse_f64(present).ok_or(CommandError::HASH_NOT_FLOAT)?;
    if !(parsed + by).is_finite() {
        return Err(CommandError::NAN_OR_INFINITY);
    }
    let text = number::add_decimal(present, &args[3]).ok_or(CommandError::NAN_OR_INFINITY)?;
    let hash = context.db.hash_or_create(&args[1])?;
    hash.set_keeping_expiry(&args[2], text.clone().into_bytes());
    Ok(Reply::bulk(text))
}

pub fn hrandfield(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let count = match args.get(2) {
        Some(count) => Some(integer(count)?),
        None => None,
    };
    let with_values = match &args[3.min(args.len())..] {
        [] => false,
        [word] if word.eq_ignore_ascii_case(b"WITHVALUES") => true,
        _ => return Err(CommandError::SYNTAX),
    };
    if count.is_some_and(|count| !(-MAX_RANDOM_COUNT..=i64::MAX / 2).contains(&count)) {
        return Err(CommandError::OUT_OF_RANGE);
    }
    let hash = context.db.hash(&args[1])?;
    let Some(hash) = hash else {
        return Ok(count.map_or(Reply::Nil, |_| Reply::Array(Vec::new())));
    };
    let picked = pick_indexes(context.random, hash.len(), count);
    let fields = picked.iter().filter_map(|index| hash.at(*index));
    if count.is_none() {
        return Ok(fields
            .take(1)
            .next()
            .map_or(Reply::Nil, |(field, _)| Reply::bulk(field.clone())));
    }
    let replies = fields.flat_map(|(field, value)| {
        let value = with_values.then(|| Reply::bulk(value.clone()));
        std::iter::once(Reply::bulk(field.clone())).chain(value)
    });
    Ok(Reply::Array(replies.collect()))
}

/// The indexes that a random pick returns: one; up to `count` distinct ones; or, for a
/// negative count, that many with repetition.
pub fn pick_indexes(
    random: &mut crate::random::Random,
    len: usize,
    count: Option<i64>,
) -> Vec<usize> {
    let Some(count) = count else {
        return vec![random.below(len)];
    };
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count < 0 {
        return (0..wanted).map(|_| random.below(len)).collect();
    }
    let mut indexes: Vec<usize> = (0..len).collect();
    for at in 0..wanted.min(len) {
        let other = at + random.below(len - at);
        indexes.swap(at, other);
    }
    indexes.truncate(wanted);
    indexes
}

pub fn hscan(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let options = ScanOptions::parse(args, 2)?;
    let Some(hash) = context.db.hash(&args[1])? else {
        return Ok(ScanOptions::empty());
    };
    let entries = hash.iter().map(|(field, value)| (field.as_slice(), value));
    Ok(scan_collection(
        entries,
        hash.len(),
        &options,
        |field, value, out| {
            out.push(Reply::bulk(field));
            if !options.without_values {
                out.push(Reply::bulk(value.clone()));
            }
        },
    ))
}
