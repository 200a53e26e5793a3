//! Keys of any type.

use super::arguments::{Options, integer};
use super::{Args, Context};
use crate::errors::CommandError;
use crate::glob;
use crate::reply::{Outcome, Reply};
use crate::store::Value;

pub fn del(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let n_removed = args[1..]
        .iter()
        .filter(|key| context.db.remove(key).is_some());
    Ok(Reply::count(n_removed.count()))
}

pub fn exists(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    Ok(Reply::count(
        args[1..]
            .iter()
            .filter(|key| context.db.contains(key))
            .count(),
    ))
}

pub fn type_of(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    Ok(Reply::Status(
        context.db.value(&args[1]).map_or("none", Value::type_name),
    ))
}

pub fn keys(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let names = context.db.iter().map(|(key, _)| key);
    Ok(Reply::bulks(
        names.filter(|key| glob::matches(&args[1], key)),
    ))
}

pub fn randomkey(context: &mut Context<'_>, _: Args<'_>) -> Outcome {
    let key = context.db.random_key(context.random);
    Ok(key.map_or(Reply::Nil, Reply::Bulk))
}

pub fn rename(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let entry = context
        .db
        .remove(&args[1])
        .ok_or(CommandError::NO_SUCH_KEY)?;
    context.db.put(&args[2], entry);
    Ok(Reply::OK)
}

pub fn renamenx(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    if !context.db.contains(&args[1]) {
        return Err(CommandError::NO_SUCH_KEY);
    }
    if context.db.contains(&args[2]) {
        return Ok(Reply::Int(0));
    }
    rename(context, args).map(|_| Reply::Int(1))
}

/// COPY of a key onto itself returns 0, as on the hosted service. Redis rejects it.
pub fn copy(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut replace = false;
    let mut options = Options::new(args, 3);
    while let Some(word) = options.word() {
        match word.as_str() {
            "REPLACE" => replace = true,
            "DB" => {
                if integer(options.value()?)? != 0 {
                    return Err(CommandError::fixed("ERR DB index is out of range"));
                }
            }
            _ => return Err(CommandError::SYNTAX),
        }
    }
    let Some(entry) = context.db.entry(&args[1]).cloned() else {
        return Ok(Reply::Int(0));
    };
    if args[1] == args[2] || (context.db.contains(&args[2]) && !replace) {
        return Ok(Reply::Int(0));
    }
    context.db.put(&args[2], entry);
    Ok(Reply::Int(1))
}

pub fn dbsize(context: &mut Context<'_>, _: Args<'_>) -> Outcome {
    Ok(Reply::count(context.db.len()))
}

pub fn flush(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    match &args[1..] {
        [] => {}
        [mode] if mode.eq_ignore_ascii_case(b"SYNC") || mode.eq_ignore_ascii_case(b"ASYNC") => {}
        _ => return Err(CommandError::SYNTAX),
    }
    context.db.clear();
    Ok(Reply::OK)
}
