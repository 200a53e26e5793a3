//! Consumer groups: creating them and reading through them.

use super::arguments::Options;
use super::streams::{entry_reply, keys_and_ids, parse_id, read_limit};
use super::{Args, Context};
use crate::errors::CommandError;
use crate::reply::{Outcome, Reply};
use crate::store::stream::{Consumer, Group};
use crate::store::{Stream, StreamId};

pub fn xgroup(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let subcommand = String::from_utf8_lossy(&args[1]).to_ascii_uppercase();
    let fits = match subcommand.as_str() {
        "CREATE" | "SETID" => args.len() >= 5,
        "DESTROY" => args.len() == 4,
        "CREATECONSUMER" | "DELCONSUMER" => args.len() == 5,
        _ => return Err(unknown_subcommand(args, "XGROUP")),
    };
    if !fits {
        return Err(CommandError::arity(&format!("xgroup|{subcommand}")));
    }
    match subcommand.as_str() {
        "CREATE" => create(context, args),
        "SETID" => set_id(context, args),
        "DESTROY" => destroy(context, args),
        "CREATECONSUMER" => create_consumer(context, args),
        _ => delete_consumer(context, args),
    }
}

pub fn unknown_subcommand(args: Args<'_>, command: &str) -> CommandError {
    CommandError::new(format!(
        "ERR unknown subcommand '{}'. Try {command} HELP.",
        String::from_utf8_lossy(&args[1])
    ))
}

/// Parses MKSTREAM and ENTRIESREAD after the ID.
fn group_options(args: Args<'_>, create: bool) -> Result<(bool, Option<u64>), CommandError> {
    let (mut make_stream, mut n_read) = (false, None);
    let mut options = Options::new(args, 5);
    while let Some(word) = options.word() {
        match word.as_str() {
            "MKSTREAM" if create => make_stream = true,
            "ENTRIESREAD" => {
                let given = options.integer()?;
                if given < -1 {
                    return Err(CommandError::fixed(
                        "ERR value for ENTRIESREAD must be positive or -1",
                    ));
                }
                n_read = u64::try_from(given).ok();
            }
            _ => return Err(CommandError::SYNTAX),
        }
    }
    Ok((make_stream, n_read))
}

fn missing_key() -> CommandError {
    CommandError::fixed(
        "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.",
    )
}

fn group_start(stream: Option<&Stream>, id: &[u8]) -> Result<StreamId, CommandError> {
    match id {
        b"$" => Ok(stream.map_or(StreamId::MIN, |stream| stream.last_id)),
        _ => parse_id(id, 0),
    }
}

fn create(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (make_stream, n_read) = group_options(args, true)?;
    let stream = context.db.stream(&args[2])?;
    if stream.is_none() && !make_stream {
        return Err(missing_key());
    }
    let last_delivered = group_start(stream, &args[4])?;
    if stream.is_some_and(|stream| stream.groups.contains_key(&args[3])) {
        return Err(CommandError::BUSY_GROUP);
    }
    let stream = context.db.stream_or_create(&args[2])?;
    let group = Group {
        last_delivered,
        n_read,
        ..Group::default()
    };
    stream.groups.insert(args[3].clone(), group);
    Ok(Reply::OK)
}

fn no_group(args: Args<'_>, key: &[u8], group: &[u8]) -> CommandError {
    let (key, group) = (String::from_utf8_lossy(key), String::from_utf8_lossy(group));
    let command = String::from_utf8_lossy(&args[0]).to_ascii_lowercase();
    CommandError::new(match command.as_str() {
        "xgroup" | "xinfo" => {
            format!("NOGROUP No such consumer group '{group}' for key name '{key}'")
        }
        "xreadgroup" => format!(
            "NOGROUP No such key '{key}' or consumer group '{group}' in XREADGROUP with GROUP option"
        ),
        _ => format!("NOGROUP No such key '{key}' or consumer group '{group}'"),
    })
}

/// The group named in an XGROUP subcommand, for modification.
fn group_mut<'a>(
    context: &'a mut Context<'_>,
    args: Args<'_>,
) -> Result<&'a mut Group, CommandError> {
    let (key, group) = (&args[2], &args[3]);
    let present = context.db.stream(key)?.ok_or_else(missing_key)?;
    if !present.groups.contains_key(group) {
        return Err(no_group(args, key, group));
    }
    let stream = context.db.stream_mut(key)?;
    stream
        .and_then(|stream| stream.groups.get_mut(group))
        .ok_or_else(|| no_group(args, key, group))
}

fn set_id(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (_, n_read) = group_options(args, false)?;
    let stream = context.db.stream(&args[2])?;
    let start = stream
        .map(|stream| group_start(Some(stream), &args[4]))
        .transpose();
    let group = group_mut(context, args)?;
    group.last_delivered = start?.unwrap_or_default();
    group.n_read = n_read;
    Ok(Reply::OK)
}

fn destroy(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let stream = context.db.stream(&args[2])?.ok_or_else(missing_key)?;
    if !stream.groups.contains_key(&args[3]) {
        return Ok(Reply::Int(0));
    }
    if let Some(stream) = context.db.stream_mut(&args[2])? {
        stream.groups.remove(&args[3]);
    }
    Ok(Reply::Int(1))
}

fn create_consumer(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let seen_ms = context.now_ms;
    let group = group_mut(context, args)?;
    if group.consumers.contains_key(&args[4]) {
        return Ok(Reply::Int(0));
    }
    let consumer = Consumer {
        seen_ms,
        ..Consumer::default()
    };
    group.consumers.insert(args[4].clone(), consumer);
    Ok(Reply::Int(1))
}

fn delete_consumer(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let group = group_mut(context, args)?;
    let Some(consumer) = group.consumers.remove(&args[4]) else {
        return Ok(Reply::Int(0));
    };
    for id in &consumer.pending {
        group.pending.remove(id);
    }
    Ok(Reply::count(consumer.pending.len()))
}

pub fn xreadgroup(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (mut limit, mut acknowledged, mut group) = (usize::MAX, false, None);
    let mut options = Options::new(args, 1);
    loop {
        match options.word().as_deref() {
            Some("GROUP") => group = Some((options.value()?, options.value()?)),
            Some("COUNT") => limit = read_limit(options.value()?)?,
            Some("NOACK") => acknowledged = true,
            Some("BLOCK") => return Err(CommandError::BLOCKING),
            Some("STREAMS") => break,
            _ => return Err(CommandError::SYNTAX),
        }
    }
    let (keys, ids) = keys_and_ids(options.rest(), "xreadgroup")?;
    let (group, consumer) = group.ok_or(CommandError::fixed(
        "ERR Missing GROUP option for XREADGROUP",
    ))?;
    let mut starts = Vec::with_capacity(keys.len());
    for (key, id) in keys.iter().zip(ids) {
        let stream = context.db.stream(key)?;
        if !stream.is_some_and(|stream| stream.groups.contains_key(group)) {
            return Err(no_group(args, key, group));
        }
        starts.push(match id.as_slice() {
            b">" => None,
            b"$" => {
                return Err(CommandError::fixed(
                    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
                ));
            }
            _ => Some(parse_id(id, 0)?),
        });
    }
    let mut replies = Vec::new();
    for (key, start) in keys.iter().zip(starts) {
        let now_ms = context.now_ms;
        let Some(stream) = context.db.stream_mut(key)? else {
            continue;
        };
        let entries = match start {
            None => read_new(stream, group, consumer, now_ms, limit, acknowledged),
            Some(after) => read_history(stream, group, consumer, now_ms, after, limit),
        };
        // Reading history returns a stream even without entries; reading new entries does
        // not.
        if start.is_some() || !entries.is_empty() {
            replies.push(Reply::Array(vec![
                Reply::bulk(key.clone()),
                Reply::Array(entries),
            ]));
        }
    }
    Ok(if replies.is_empty() {
        Reply::NilArray
    } else {
        Reply::Array(replies)
    })
}

fn read_new(
    stream: &mut Stream,
    name: &[u8],
    consumer: &[u8],
    now_ms: i64,
    limit: usize,
    acknowledged: bool,
) -> Vec<Reply> {
    let Some(mut group) = stream.groups.remove(name) else {
        return Vec::new();
    };
    let mut replies = Vec::new();
    if let Some(from) = group.last_delivered.next() {
        let new = stream.entries.range(from..).take(limit);
        let ids: Vec<StreamId> = new
            .map(|(id, fields)| {
                replies.push(entry_reply(*id, fields));
                *id
            })
            .collect();
        // A consumer that got no entries is not created.
        if !ids.is_empty() {
            group
                .consumers
                .entry(consumer.to_vec())
                .or_default()
                .seen_ms = now_ms;
        }
        for id in ids {
            stream.advance(&mut group, id);
            if !acknowledged {
                group.assign(id, consumer, now_ms, 1);
            }
        }
    }
    stream.groups.insert(name.to_vec(), group);
    replies
}

/// The consumer's pending entries. Deleted entries are returned as nil.
fn read_history(
    stream: &mut Stream,
    name: &[u8],
    consumer: &[u8],
    now_ms: i64,
    after: StreamId,
    limit: usize,
) -> Vec<Reply> {
    let Some(group) = stream.groups.get_mut(name) else {
        return Vec::new();
    };
    let consumer = group.consumers.entry(consumer.to_vec()).or_default();
    consumer.seen_ms = now_ms;
    let Some(from) = after.next() else {
        return Vec::new();
    };
    let mut replies = Vec::new();
    for id in consumer.pending.range(from..).take(limit) {
        match stream.entries.get(id) {
            Some(fields) => {
                replies.push(entry_reply(*id, fields));
                if let Some(pending) = group.pending.get_mut(id) {
                    pending.delivered_ms = now_ms;
                    pending.n_delivered += 1;
                }
            }
            None => replies.push(Reply::Array(vec![
                Reply::Bulk(id.to_bytes()),
                Reply::NilArray,
            ])),
        }
    }
    replies
}
