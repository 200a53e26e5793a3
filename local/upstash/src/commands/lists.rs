//! Lists, except the blocking commands.

use super::arguments::{Options, count, index_range, integer, is};
use super::sorted_sets::{counted_keys, pop_count};
use super::{Args, Context};
use crate::errors::CommandError;
use crate::reply::{Outcome, Reply};
use crate::store::List;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Left,
    Right,
}

impl End {
    fn parse(arg: &[u8]) -> Result<Self, CommandError> {
        match arg {
            arg if is(arg, "LEFT") => Ok(Self::Left),
            arg if is(arg, "RIGHT") => Ok(Self::Right),
            _ => Err(CommandError::SYNTAX),
        }
    }

    fn push(self, list: &mut List, element: Vec<u8>) {
        match self {
            Self::Left => list.push_front(element),
            Self::Right => list.push_back(element),
        }
    }

    fn pop(self, list: &mut List) -> Option<Vec<u8>> {
        match self {
            Self::Left => list.pop_front(),
            Self::Right => list.pop_back(),
        }
    }
}

pub fn lpush(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    push(context, args, End::Left)
}

pub fn rpush(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    push(context, args, End::Right)
}

pub fn lpushx(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    match context.db.list(&args[1])? {
        Some(_) => push(context, args, End::Left),
        None => Ok(Reply::Int(0)),
    }
}

pub fn rpushx(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    match context.db.list(&args[1])? {
        Some(_) => push(context, args, End::Right),
        None => Ok(Reply::Int(0)),
    }
}

fn push(context: &mut Context<'_>, args: Args<'_>, end: End) -> Outcome {
    let list = context.db.list_or_create(&args[1])?;
    for element in &args[2..] {
        end.push(list, element.clone());
    }
    Ok(Reply::count(list.len()))
}

pub fn lpop(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    pop(context, args, End::Left)
}

pub fn rpop(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    pop(context, args, End::Right)
}

fn pop(context: &mut Context<'_>, args: Args<'_>, end: End) -> Outcome {
    if args.len() > 3 {
        return Err(CommandError::arity(&String::from_utf8_lossy(&args[0])));
    }
    let n = match args.get(2) {
        Some(n) => Some(count(n, CommandError::NOT_POSITIVE)?),
        None => None,
    };
    if context.db.list(&args[1])?.is_none() {
        return Ok(if n.is_some() {
            Reply::NilArray
        } else {
            Reply::Nil
        });
    }
    let mut popped = pop_elements(context, &args[1], end, n.unwrap_or(1))?;
    Ok(match n {
        Some(_) => Reply::bulks(popped),
        None => popped.pop().map_or(Reply::Nil, Reply::Bulk),
    })
}

fn pop_elements(
    context: &mut Context<'_>,
    key: &[u8],
    end: End,
    n: usize,
) -> Result<Vec<Vec<u8>>, CommandError> {
    let mut popped = Vec::new();
    if n == 0 {
        return Ok(popped);
    }
    if let Some(list) = context.db.list_mut(key)? {
        while popped.len() < n
            && let Some(element) = end.pop(list)
        {
            popped.push(element);
        }
    }
    context.db.remove_if_empty(key);
    Ok(popped)
}

/// LMPOP numkeys key [key …] LEFT|RIGHT [COUNT n]: from the first list that has elements.
pub fn lmpop(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (keys, mut options) = counted_keys(args, 1)?;
    let end = End::parse(options.value()?)?;
    let n = pop_count(&mut options)?;
    for key in keys {
        if context.db.list(key)?.is_some() {
            let popped = pop_elements(context, key, end, n)?;
            return Ok(Reply::Array(vec![
                Reply::bulk(key.clone()),
                Reply::bulks(popped),
            ]));
        }
    }
    Ok(Reply::NilArray)
}

pub fn llen(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    Ok(Reply::count(
        context.db.list(&args[1])?.map_or(0, List::len),
    ))
}

/// An index into the list. Negative values count from the end.
fn position(index: i64, len: usize) -> Option<usize> {
    let len = i64::try_from(len).ok()?;
    let index = if index < 0 {
        index.checked_add(len)?
    } else {
        index
    };
    (0..len).contains(&index).then_some(index as usize)
}

pub fn lindex(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let Some(list) = context.db.list(&args[1])? else {
        return Ok(Reply::Nil);
    };
    let index = position(integer(&args[2])?, list.len());
    Ok(Reply::bulk_or_nil(index.and_then(|index| list.get(index))))
}

pub fn lrange(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (start, stop) = (integer(&args[2])?, integer(&args[3])?);
    let list = context.db.list(&args[1])?;
    let range = list.and_then(|list| Some((list, index_range(start, stop, list.len())?)));
    Ok(match range {
        Some((list, (start, stop))) => Reply::bulks(list.range(start..=stop).cloned()),
        None => Reply::Array(Vec::new()),
    })
}

pub fn lset(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let Some(list) = context.db.list(&args[1])? else {
        return Err(CommandError::NO_SUCH_KEY);
    };
    let index = position(integer(&args[2])?, list.len()).ok_or(CommandError::INDEX_RANGE)?;
    if let Some(list) = context.db.list_mut(&args[1])? {
        list[index] = args[3].clone();
    }
    Ok(Reply::OK)
}

pub fn linsert(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let after = match &args[2] {
        word if is(word, "BEFORE") => 0,
        word if is(word, "AFTER") => 1,
        _ => return Err(CommandError::SYNTAX),
    };
    let Some(list) = context.db.list(&args[1])? else {
        return Ok(Reply::Int(0));
    };
    let Some(pivot) = list.iter().position(|element| *element == args[3]) else {
        return Ok(Reply::Int(-1));
    };
    let list = context.db.list_or_create(&args[1])?;
    list.insert(pivot + after, args[4].clone());
    Ok(Reply::count(list.len()))
}

pub fn lrem(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let wanted = integer(&args[2])?;
    let element = &args[3];
    let Some(list) = context.db.list(&args[1])? else {
        return Ok(Reply::Int(0));
    };
    let limit = match wanted {
        0 => usize::MAX,
        n => usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX),
    };
    let hits = list
        .iter()
        .enumerate()
        .filter(|(_, present)| *present == element);
    let mut doomed: Vec<usize> = match wanted < 0 {
        true => hits.rev().take(limit).map(|(index, _)| index).collect(),
        false => hits.take(limit).map(|(index, _)| index).collect(),
    };
    doomed.sort_unstable();
    if !doomed.is_empty() {
        let list = context.db.list_or_create(&args[1])?;
        let mut index = 0;
        list.retain(|_| {
            let keep = doomed.binary_search(&index).is_err();
            index += 1;
            keep
        });
        context.db.remove_if_empty(&args[1]);
    }
    Ok(Reply::count(doomed.len()))
}

pub fn ltrim(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (start, stop) = (integer(&args[2])?, integer(&args[3])?);
    if context.db.list(&args[1])?.is_none() {
        return Ok(Reply::OK);
    }
    if let Some(list) = context.db.list_mut(&args[1])? {
        match index_range(start, stop, list.len()) {
            Some((start, stop)) => {
                list.truncate(stop + 1);
                list.drain(..start);
            }
            None => list.clear(),
        }
    }
    context.db.remove_if_empty(&args[1]);
    Ok(Reply::OK)
}

pub fn lpos(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (mut rank, mut wanted, mut max_len) = (1i64, None, 0usize);
    let mut options = Options::new(args, 3);
    while let Some(word) = options.word() {
        match word.as_str() {
            "RANK" => {
                rank = options.integer()?;
                if rank == 0 {
                    return Err(CommandError::fixed(
                        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
                    ));
                }
                if rank == i64::MIN {
                    return Err(CommandError::OUT_OF_RANGE);
                }
            }
            "COUNT" => {
                let refused = CommandError::fixed("ERR COUNT can't be negative");
                wanted = Some(count(options.value()?, refused)?);
            }
            "MAXLEN" => {
                let refused = CommandError::fixed("ERR MAXLEN can't be negative");
                max_len = count(options.value()?, refused)?;
            }
            _ => return Err(CommandError::SYNTAX),
        }
    }
    let list = context.db.list(&args[1])?;
    let look_at = if max_len == 0 { usize::MAX } else { max_len };
    let skip = usize::try_from(rank.unsigned_abs() - 1).unwrap_or(usize::MAX);
    let take = match wanted {
        None => 1,
        Some(0) => usize::MAX,
        Some(n) => n,
    };
    let indexes = list.into_iter().flat_map(|list| list.iter().enumerate());
    let hit =
        |(index, element): (usize, &Vec<u8>)| (*element == args[2]).then(|| Reply::count(index));
    let mut found: Vec<Reply> = match (rank < 0, list) {
        (true, Some(list)) => list
            .iter()
            .enumerate()
            .rev()
            .take(look_at)
            .filter_map(hit)
            .skip(skip)
            .take(take)
            .collect(),
        _ => indexes
            .take(look_at)
            .filter_map(hit)
            .skip(skip)
            .take(take)
            .collect(),
    };
    Ok(match wanted {
        Some(_) => Reply::Array(found),
        None => found.pop().unwrap_or(Reply::Nil),
    })
}

pub fn lmove(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (from, to) = (End::parse(&args[3])?, End::parse(&args[4])?);
    move_element(context, &args[1], &args[2], from, to)
}

pub fn rpoplpush(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    move_element(context, &args[1], &args[2], End::Right, End::Left)
}

fn move_element(
    context: &mut Context<'_>,
    source: &[u8],
    destination: &[u8],
    from: End,
    to: End,
) -> Outcome {
    if context.db.list(source)?.is_none() {
        return Ok(Reply::Nil);
    }
    context.db.list(destination)?;
    let element = context.db.list_mut(source)?.and_then(|list| from.pop(list));
    let Some(element) = element else {
        return Ok(Reply::Nil);
    };
    to.push(context.db.list_or_create(destination)?, element.clone());
    context.db.remove_if_empty(source);
    Ok(Reply::Bulk(element))
}
