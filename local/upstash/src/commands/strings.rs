//! Strings and counters.

use super::arguments::{Options, integer};
use super::expiry::{Expiry, Unit, getex_option, positive_at_ms};
use super::{Args, Context};
use crate::errors::CommandError;
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::store::Value;
use crate::store::database::Entry;

/// Redis's default `proto-max-bulk-len`, the maximum length of a string.
pub const MAX_STRING_BYTES: usize = 512 * 1024 * 1024;

pub fn get(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    Ok(Reply::bulk_or_nil(context.db.string(&args[1])?))
}

/// The condition under which SET writes.
enum When<'a> {
    Always,
    Missing,
    Present,
    Equal(&'a [u8]),
    Different(&'a [u8]),
}

pub fn set(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (key, value) = (&args[1], &args[2]);
    let mut when = When::Always;
    let mut unit: Option<(Unit, &Vec<u8>)> = None;
    let (mut keep, mut return_old) = (false, false);
    let mut options = Options::new(args, 3);
    while let Some(word) = options.word() {
        let unconditional = matches!(when, When::Always);
        match word.as_str() {
            "NX" if unconditional || matches!(when, When::Missing) => when = When::Missing,
            "XX" if unconditional || matches!(when, When::Present) => when = When::Present,
            "IFEQ" if unconditional => when = When::Equal(options.value()?),
            "IFNE" if unconditional => when = When::Different(options.value()?),
            "GET" => return_old = true,
            "KEEPTTL" if unit.is_none() => keep = true,
            other => match Unit::from_word(other) {
                Some(found) if unit.is_none() && !keep => unit = Some((found, options.value()?)),
                _ => return Err(CommandError::SYNTAX),
            },
        }
    }
    let expiry = match unit {
        Some((unit, value)) => Expiry::At(positive_at_ms(unit, value, context.now_ms, "set")?),
        None if keep => Expiry::Keep,
        None => Expiry::Clear,
    };
    let compares = matches!(when, When::Equal(_) | When::Different(_));
    let old = match return_old || compares {
        true => context.db.string(key)?.cloned(),
        false => None,
    };
    let writes = match when {
        When::Always => true,
        When::Missing => !context.db.contains(key),
        When::Present => context.db.contains(key),
        When::Equal(expected) => old.as_deref() == Some(expected),
        When::Different(unexpected) => old.as_deref() != Some(unexpected),
    };
    if writes {
        write(context, key, value.clone(), expiry);
    }
    Ok(match (return_old, writes) {
        (true, _) => Reply::bulk_or_nil(old.as_ref()),
        (false, true) => Reply::OK,
        (false, false) => Reply::Nil,
    })
}

/// Stores a string with the given expiry. An expiry in the past deletes the key.
fn write(context: &mut Context<'_>, key: &[u8], value: Vec<u8>, expiry: Expiry) {
    let value = Value::String(value);
    match expiry {
        Expiry::Clear => context.db.set(key, value),
        Expiry::Keep => context.db.set_keeping_expiry(key, value),
        Expiry::At(at_ms) if at_ms <= context.now_ms => {
            context.db.remove(key);
        }
        Expiry::At(at_ms) => {
            let expire_at_ms = Some(at_ms);
            context.db.put(
                key,
                Entry {
                    value,
                    expire_at_ms,
                },
            );
        }
    }
}

pub fn setnx(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let missing = !context.db.contains(&args[1]);
    if missing {
        context.db.set(&args[1], Value::String(args[2].clone()));
    }
    Ok(Reply::flag(missing))
}

pub fn setex(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let at_ms = positive_at_ms(Unit::EX, &args[2], context.now_ms, "setex")?;
    write(context, &args[1], args[3].clone(), Expiry::At(at_ms));
    Ok(Reply::OK)
}

pub fn psetex(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let at_ms = positive_at_ms(Unit::PX, &args[2], context.now_ms, "psetex")?;
    write(context, &args[1], args[3].clone(), Expiry::At(at_ms));
    Ok(Reply::OK)
}

pub fn getset(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let old = context.db.string(&args[1])?.cloned();
    context.db.set(&args[1], Value::String(args[2].clone()));
    Ok(Reply::bulk_or_nil(old.as_ref()))
}

pub fn getdel(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let old = context.db.string(&args[1])?.cloned();
    context.db.remove(&args[1]);
    Ok(Reply::bulk_or_nil(old.as_ref()))
}

pub fn getex(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let key = &args[1];
    let option = getex_option(args, 2)?;
    let Some(value) = context.db.string(key)?.cloned() else {
        return Ok(Reply::Nil);
    };
    let expiry = option.resolve(context.now_ms, "getex")?;
    match expiry {
        Expiry::Keep => {}
        Expiry::Clear => {
            context.db.set_expiry(key, None);
        }
        Expiry::At(at_ms) if at_ms <= context.now_ms => {
            context.db.remove(key);
        }
        Expiry::At(at_ms) => {
            context.db.set_expiry(key, Some(at_ms));
        }
    }
    Ok(Reply::Bulk(value))
}

/// DELEX key [IFEQ value | IFNE value]: deletes a key conditionally.
pub fn delex(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let key = &args[1];
    let deletes = match &args[2..] {
        [] => context.db.contains(key),
        [word, value] => {
            let present = context.db.string(key)?;
            match String::from_utf8_lossy(word).to_ascii_uppercase().as_str() {
                "IFEQ" => present == Some(value),
                "IFNE" => present.is_some_and(|present| present != value),
                _ => return Err(CommandError::SYNTAX),
            }
        }
        _ => return Err(CommandError::arity("delex")),
    };
    if deletes {
        context.db.remove(key);
    }
    Ok(Reply::flag(deletes))
}

pub fn mget(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let values = args[1..].iter().map(|key| match context.db.value(key) {
        Some(Value::String(value)) => Reply::Bulk(value.clone()),
        _ => Reply::Nil,
    });
    Ok(Reply::Array(values.collect()))
}

pub fn mset(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    for (key, value) in pairs(args, "mset")? {
        context.db.set(key, Value::String(value.clone()));
    }
    Ok(Reply::OK)
}

pub fn msetnx(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let pairs = pairs(args, "msetnx")?;
    if pairs.iter().any(|(key, _)| context.db.contains(key)) {
        return Ok(Reply::Int(0));
    }
    for (key, value) in pairs {
        context.db.set(key, Value::String(value.clone()));
    }
    Ok(Reply::Int(1))
}

type Pairs<'a> = Vec<(&'a Vec<u8>, &'a Vec<u8>)>;

fn pairs<'a>(args: Args<'a>, command: &str) -> Result<Pairs<'a>, CommandError> {
    let (pairs, rest) = args[1..].as_chunks::<2>();
    if !rest.is_empty() {
        return Err(CommandError::arity(command));
    }
    Ok(pairs.iter().map(|[key, value]| (key, value)).collect())
}

pub fn incr(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    add(context, &args[1], 1)
}

pub fn decr(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    add(context, &args[1], -1)
}

pub fn incrby(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    add(context, &args[1], integer(&args[2])?)
}

pub fn decrby(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let by = integer(&args[2])?
        .checked_neg()
        .ok_or(CommandError::fixed("ERR decrement would overflow"))?;
    add(context, &args[1], by)
}

fn add(context: &mut Context<'_>, key: &[u8], by: i64) -> Outcome {
    let present = match context.db.string(key)? {
        Some(text) => integer(text)?,
        None => 0,
    };
    let sum = present.checked_add(by).ok_or(CommandError::OVERFLOW)?;
    let text = sum.to_string().into_bytes();
    context.db.set_keeping_expiry(key, Value::String(text));
    Ok(Reply::Int(sum))
}

pub fn incrbyfloat(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let key = &args[1];
    let present = context.db.string(key)?.map_or(&b"0"[..], Vec::as_slice);
    let parsed = number::parse_f64(present).ok_or(CommandError::NOT_FLOAT)?;
    let by = number::parse_f64(&args[2]).ok_or(CommandError::NOT_FLOAT)?;
    if !(parsed + by).is_finite() {
        return Err(CommandError::NAN_OR_INFINITY);
    }
    let text = number::add_decimal(present, &args[2]).ok_or(CommandError::NAN_OR_INFINITY)?;
    let value = Value::String(text.clone().into_bytes());
    context.db.set_keeping_expiry(key, value);
    Ok(Reply::bulk(text))
}

pub fn append(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let present = context.db.string(&args[1])?.map_or(0, Vec::len);
    if present.saturating_add(args[2].len()) > MAX_STRING_BYTES {
        return Err(CommandError::STRING_TOO_LONG);
    }
    let value = context.db.string_or_create(&args[1])?;
    value.extend_from_slice(&args[2]);
    Ok(Reply::count(value.len()))
}

pub fn strlen(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let value = context.db.string(&args[1])?;
    Ok(Reply::count(value.map_or(0, Vec::len)))
}

pub fn getrange(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (mut start, mut end) = (integer(&args[2])?, integer(&args[3])?);
    let Some(value) = context.db.string(&args[1])? else {
        return Ok(Reply::bulk(""));
    };
    let len = value.len() as i64;
    if start < 0 && end < 0 && start > end {
        return Ok(Reply::bulk(""));
    }
    // Unlike in list ranges, an end before the start of the string means the first byte.
    start = if start < 0 {
        (start.saturating_add(len)).max(0)
    } else {
        start
    };
    end = if end < 0 {
        (end.saturating_add(len)).max(0)
    } else {
        end
    }
    .min(len - 1);
    if start > end || len == 0 {
        return Ok(Reply::bulk(""));
    }
    Ok(Reply::bulk(&value[start as usize..=end as usize]))
}

pub fn setrange(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (key, patch) = (&args[1], &args[3]);
    let offset = integer(&args[2])?;
    let offset = usize::try_from(offset).map_err(|_| CommandError::OFFSET_RANGE)?;
    let present = context.db.string(key)?.map_or(0, Vec::len);
    if patch.is_empty() {
        return Ok(Reply::count(present));
    }
    let end = offset.saturating_add(patch.len());
    if end > MAX_STRING_BYTES {
        return Err(CommandError::STRING_TOO_LONG);
    }
    let value = context.db.string_or_create(key)?;
    if value.len() < end {
        value.resize(end, 0);
    }
    value[offset..end].copy_from_slice(patch);
    Ok(Reply::count(value.len()))
}
