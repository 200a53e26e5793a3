//! Sets.

use super::arguments::{count, integer};
use super::hashes::{MAX_RANDOM_COUNT, pick_indexes};
use super::scan::{ScanOptions, scan_collection};
use super::sorted_sets::counted_keys;
use super::{Args, Context};
use crate::errors::CommandError;
use crate::reply::{Outcome, Reply};
use crate::store::value::ordered_members;
use crate::store::{Set, Value};

/// Larger sets no longer preserve insertion order on removal, which makes removal fast.
const ORDERED_MEMBERS: usize = 512;

pub fn sadd(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let set = context.db.set_or_create(&args[1])?;
    let n_added = args[2..]
        .iter()
        .filter(|member| set.insert((*member).clone()));
    Ok(Reply::count(n_added.count()))
}

pub fn srem(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    if context.db.set_value(&args[1])?.is_none() {
        return Ok(Reply::Int(0));
    }
    let mut n_removed = 0;
    if let Some(set) = context.db.set_mut(&args[1])? {
        n_removed = args[2..]
            .iter()
            .filter(|member| remove(set, member))
            .count();
    }
    context.db.remove_if_empty(&args[1]);
    Ok(Reply::count(n_removed))
}

fn remove(set: &mut Set, member: &[u8]) -> bool {
    match set.len() > ORDERED_MEMBERS {
        true => set.swap_remove(member),
        false => set.shift_remove(member),
    }
}

pub fn scard(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    Ok(Reply::count(
        context.db.set_value(&args[1])?.map_or(0, Set::len),
    ))
}

pub fn sismember(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let set = context.db.set_value(&args[1])?;
    Ok(Reply::flag(set.is_some_and(|set| set.contains(&args[2]))))
}

pub fn smismember(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let set = context.db.set_value(&args[1])?;
    let found = args[2..]
        .iter()
        .map(|member| Reply::flag(set.is_some_and(|set| set.contains(member))));
    Ok(Reply::Array(found.collect()))
}

pub fn smembers(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let set = context.db.set_value(&args[1])?;
    Ok(set.map_or(Reply::Array(Vec::new()), members_reply))
}

fn members_reply(set: &Set) -> Reply {
    Reply::bulks(ordered_members(set).into_iter().cloned())
}

pub fn smove(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (from, to, member) = (&args[1], &args[2], &args[3]);
    let Some(source) = context.db.set_value(from)? else {
        return Ok(Reply::Int(0));
    };
    let present = source.contains(member);
    context.db.set_value(to)?;
    if !present || from == to {
        return Ok(Reply::flag(present));
    }
    if let Some(source) = context.db.set_mut(from)? {
        remove(source, member);
    }
    context.db.remove_if_empty(from);
    context.db.set_or_create(to)?.insert(member.clone());
    Ok(Reply::Int(1))
}

pub fn spop(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    if args.len() > 3 {
        return Err(CommandError::SYNTAX);
    }
    let n = match args.get(2) {
        Some(n) => Some(count(n, CommandError::NOT_POSITIVE)?),
        None => None,
    };
    let len = context.db.set_value(&args[1])?.map_or(0, Set::len);
    if len == 0 {
        return Ok(n.map_or(Reply::Nil, |_| Reply::Array(Vec::new())));
    }
    let wanted = n.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    let indexes = pick_indexes(context.random, len, wanted);
    let mut popped = Vec::new();
    if !indexes.is_empty()
        && let Some(set) = context.db.set_mut(&args[1])?
    {
        let picked = indexes.iter().filter_map(|index| set.get_index(*index));
        popped = picked.cloned().collect::<Vec<_>>();
        for member in &popped {
            remove(set, member);
        }
    }
    context.db.remove_if_empty(&args[1]);
    Ok(match n {
        Some(_) => Reply::bulks(popped),
        None => popped.pop().map_or(Reply::Nil, Reply::Bulk),
    })
}

pub fn srandmember(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    if args.len() > 3 {
        return Err(CommandError::SYNTAX);
    }
    let n = match args.get(2) {
        Some(n) => Some(integer(n)?),
        None => None,
    };
    if n.is_some_and(|n| !(-MAX_RANDOM_COUNT..=i64::MAX / 2).contains(&n)) {
        return Err(CommandError::OUT_OF_RANGE);
    }
    let Some(set) = context.db.set_value(&args[1])? else {
        return Ok(n.map_or(Reply::Nil, |_| Reply::Array(Vec::new())));
    };
    let indexes = pick_indexes(context.random, set.len(), n);
    let mut picked = indexes
        .iter()
        .filter_map(|index| set.get_index(*index))
        .cloned();
    Ok(match n {
        Some(_) => Reply::bulks(picked),
        None => picked.next().map_or(Reply::Nil, Reply::Bulk),
    })
}

#[derive(Clone, Copy)]
enum Algebra {
    Intersection,
    Union,
    Difference,
}

fn combine(context: &Context<'_>, keys: &[Vec<u8>], how: Algebra) -> Result<Set, CommandError> {
    let empty = Set::default();
    let sets = keys
        .iter()
        .map(|key| Ok(context.db.set_value(key)?.unwrap_or(&empty)))
        .collect::<Result<Vec<&Set>, CommandError>>()?;
    let Some((first, rest)) = sets.split_first() else {
        return Ok(empty);
    };
    Ok(match how {
        Algebra::Union => sets.iter().flat_map(|set| set.iter()).cloned().collect(),
        Algebra::Intersection => first
            .iter()
            .filter(|member| rest.iter().all(|set| set.contains(*member)))
            .cloned()
            .collect(),
        Algebra::Difference => first
            .iter()
            .filter(|member| !rest.iter().any(|set| set.contains(*member)))
            .cloned()
            .collect(),
    })
}

pub fn sinter(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    combine(context, &args[1..], Algebra::Intersection).map(|set| members_reply(&set))
}

pub fn sunion(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    combine(context, &args[1..], Algebra::Union).map(|set| members_reply(&set))
}

pub fn sdiff(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    combine(context, &args[1..], Algebra::Difference).map(|set| members_reply(&set))
}

pub fn sinterstore(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    store(context, args, Algebra::Intersection)
}

pub fn sunionstore(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    store(context, args, Algebra::Union)
}

pub fn sdiffstore(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    store(context, args, Algebra::Difference)
}

fn store(context: &mut Context<'_>, args: Args<'_>, how: Algebra) -> Outcome {
    let set = combine(context, &args[2..], how)?;
    let n = set.len();
    match n {
        0 => {
            context.db.remove(&args[1]);
        }
        _ => context.db.set(&args[1], Value::Set(set)),
    }
    Ok(Reply::count(n))
}

pub fn sintercard(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (keys, mut options) = counted_keys(args, 1)?;
    let mut limit = 0;
    while let Some(word) = options.word() {
        if word != "LIMIT" {
            return Err(CommandError::SYNTAX);
        }
        let refused = CommandError::fixed("ERR LIMIT can't be negative");
        limit = count(options.value()?, refused)?;
    }
    let n = combine(context, keys, Algebra::Intersection)?.len();
    Ok(Reply::count(if limit > 0 { n.min(limit) } else { n }))
}

pub fn sscan(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let options = ScanOptions::parse(args, 2)?;
    let Some(set) = context.db.set_value(&args[1])? else {
        return Ok(ScanOptions::empty());
    };
    let members = ordered_members(set)
        .into_iter()
        .map(|member| (member.as_slice(), ()));
    Ok(scan_collection(
        members,
        set.len(),
        &options,
        |member, (), out| {
            out.push(Reply::bulk(member));
        },
    ))
}
