//! Pending entries of a group: acknowledge, list and claim them.

use super::arguments::{Options, integer};
use super::streams::{entry_reply, parse_id, range_end, range_start};
use super::{Args, Context};
use crate::errors::CommandError;
use crate::reply::{Outcome, Reply};
use crate::store::StreamId;
use crate::store::stream::Group;

pub fn xack(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let present = context.db.stream(&args[1])?;
    if !present.is_some_and(|stream| stream.groups.contains_key(&args[2])) {
        return Ok(Reply::Int(0));
    }
    let ids = args[3..]
        .iter()
        .map(|id| parse_id(id, 0))
        .collect::<Result<Vec<_>, _>>()?;
    let mut n_acknowledged = 0;
    let stream = context.db.stream_mut(&args[1])?;
    if let Some(group) = stream.and_then(|stream| stream.groups.get_mut(&args[2])) {
        n_acknowledged = ids.into_iter().filter(|id| group.forget(*id)).count();
    }
    Ok(Reply::count(n_acknowledged))
}

fn find_group<'a>(context: &'a Context<'_>, args: Args<'_>) -> Result<&'a Group, CommandError> {
    context
        .db
        .stream(&args[1])?
        .and_then(|stream| stream.groups.get(&args[2]))
        .ok_or_else(|| {
            CommandError::new(format!(
                "NOGROUP No such key '{}' or consumer group '{}'",
                String::from_utf8_lossy(&args[1]),
                String::from_utf8_lossy(&args[2])
            ))
        })
}

pub fn xpending(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    if args.len() == 3 {
        return find_group(context, args).map(pending_summary);
    }
    let mut options = Options::new(args, 3);
    let mut min_idle_ms = 0;
    if options.word().as_deref() == Some("IDLE") {
        min_idle_ms = options.integer()?;
        if options.n_left() < 3 {
            return Err(CommandError::SYNTAX);
        }
    } else {
        options.unread();
    }
    let [start, end, limit, consumer @ ..] = options.rest() else {
        return Err(CommandError::SYNTAX);
    };
    if consumer.len() > 1 {
        return Err(CommandError::SYNTAX);
    }
    let limit = integer(limit)?.max(0);
    let (start, end) = (range_start(start)?, range_end(end)?);
    let group = find_group(context, args)?;
    if start > end {
        return Ok(Reply::Array(Vec::new()));
    }
    let listed = group
        .pending
        .range(start..=end)
        .map(|(id, pending)| (id, pending, (context.now_ms - pending.delivered_ms).max(0)))
        .filter(|(_, pending, idle_ms)| {
            *idle_ms >= min_idle_ms && consumer.iter().all(|name| *name == pending.consumer)
        })
        .take(usize::try_from(limit).unwrap_or(usize::MAX))
        .map(|(id, pending, idle_ms)| {
            Reply::Array(vec![
                Reply::Bulk(id.to_bytes()),
                Reply::bulk(pending.consumer.clone()),
                Reply::Int(idle_ms),
                Reply::Int(i64::try_from(pending.n_delivered).unwrap_or(i64::MAX)),
            ])
        });
    Ok(Reply::Array(listed.collect()))
}

fn pending_summary(group: &Group) -> Reply {
    let (Some(first), Some(last)) = (
        group.pending.keys().next(),
        group.pending.keys().next_back(),
    ) else {
        return Reply::Array(vec![Reply::Int(0), Reply::Nil, Reply::Nil, Reply::NilArray]);
    };
    let consumers = group
        .consumers
        .iter()
        .filter(|(_, consumer)| !consumer.pending.is_empty());
    let consumers = consumers.map(|(name, consumer)| {
        Reply::bulks([
            name.clone(),
            consumer.pending.len().to_string().into_bytes(),
        ])
    });
    Reply::Array(vec![
        Reply::count(group.pending.len()),
        Reply::Bulk(first.to_bytes()),
        Reply::Bulk(last.to_bytes()),
        Reply::Array(consumers.collect()),
    ])
}

/// The fields that XCLAIM sets on the entries it claims.
struct Claim {
    min_idle_ms: i64,
    delivered_ms: i64,
    n_delivered: Option<u64>,
    force: bool,
    just_id: bool,
    last_id: Option<StreamId>,
}

pub fn xclaim(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let now_ms = context.now_ms;
    find_group(context, args)?;
    let min_idle_ms = integer(&args[4])
        .map_err(|_| CommandError::fixed("ERR Invalid min-idle-time argument for XCLAIM"))?;
    let mut claim = Claim {
        min_idle_ms: min_idle_ms.max(0),
        delivered_ms: now_ms,
        n_delivered: None,
        force: false,
        just_id: false,
        last_id: None,
    };
    let n_ids = args[5..]
        .iter()
        .position(|arg| StreamId::parse(arg, 0).is_none())
        .unwrap_or(args.len() - 5);
    let ids: Vec<StreamId> = args[5..5 + n_ids]
        .iter()
        .filter_map(|arg| StreamId::parse(arg, 0))
        .collect();
    let mut options = Options::new(args, 5 + n_ids);
    while let Some(word) = options.word() {
        let refused = |name: &str| {
            CommandError::new(format!("ERR Invalid {name} option argument for XCLAIM"))
        };
        match word.as_str() {
            "FORCE" => claim.force = true,
            "JUSTID" => claim.just_id = true,
            "IDLE" => {
                let idle_ms = options.integer().map_err(|_| refused("IDLE"))?;
                claim.delivered_ms = now_ms.saturating_sub(idle_ms);
            }
            "TIME" => claim.delivered_ms = options.integer().map_err(|_| refused("TIME"))?,
            "RETRYCOUNT" => {
                let n = options.integer().map_err(|_| refused("RETRYCOUNT"))?;
                claim.n_delivered = Some(u64::try_from(n).map_err(|_| refused("RETRYCOUNT"))?);
            }
            "LASTID" => claim.last_id = Some(parse_id(options.value()?, 0)?),
            other => {
                return Err(CommandError::new(format!(
                    "ERR Unrecognized XCLAIM option '{other}'"
                )));
            }
        }
    }
    if claim.delivered_ms < 0 || claim.delivered_ms > now_ms {
        claim.delivered_ms = now_ms;
    }
    take_over(context, args, &ids, &claim)
}

fn take_over(
    context: &mut Context<'_>,
    args: Args<'_>,
    ids: &[StreamId],
    claim: &Claim,
) -> Outcome {
    let (now_ms, consumer) = (context.now_ms, &args[3]);
    let Some(stream) = context.db.stream_mut(&args[1])? else {
        return Err(CommandError::NO_SUCH_KEY);
    };
    let entries = &stream.entries;
    let Some(group) = stream.groups.get_mut(&args[2]) else {
        return Err(CommandError::NO_SUCH_KEY);
    };
    if let Some(last_id) = claim.last_id
        && last_id > group.last_delivered
    {
        group.last_delivered = last_id;
    }
    // Only a successful claim creates the consumer.
    if let Some(known) = group.consumers.get_mut(consumer) {
        known.seen_ms = now_ms;
    }
    let mut replies = Vec::new();
    for id in ids {
        let Some(fields) = entries.get(id) else {
            group.forget(*id);
            continue;
        };
        let n_delivered = match group.pending.get(id) {
            None if claim.force => 0,
            None => continue,
            Some(pending) if now_ms - pending.delivered_ms < claim.min_idle_ms => continue,
            Some(pending) => pending.n_delivered,
        };
        // JUSTID does not count as a delivery.
        let n_delivered = claim
            .n_delivered
            .unwrap_or(n_delivered + u64::from(!claim.just_id));
        group.assign(*id, consumer, claim.delivered_ms, n_delivered);
        replies.push(match claim.just_id {
            true => Reply::Bulk(id.to_bytes()),
            false => entry_reply(*id, fields),
        });
    }
    Ok(Reply::Array(replies))
}

pub fn xautoclaim(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let min_idle_ms = integer(&args[4])
        .map_err(|_| CommandError::fixed("ERR Invalid min-idle-time argument for XAUTOCLAIM"))?;
    let start = range_start(&args[5])?;
    let (mut limit, mut just_id) = (100, false);
    let mut options = Options::new(args, 6);
    while let Some(word) = options.word() {
        match word.as_str() {
            "COUNT" => {
                limit = options.integer()?;
                if limit <= 0 || limit > i64::MAX / 16 {
                    return Err(CommandError::fixed("ERR COUNT must be > 0"));
                }
            }
            "JUSTID" => just_id = true,
            _ => return Err(CommandError::SYNTAX),
        }
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    find_group(context, args)?;
    let (now_ms, consumer) = (context.now_ms, &args[3]);
    let Some(stream) = context.db.stream_mut(&args[1])? else {
        return Err(CommandError::NO_SUCH_KEY);
    };
    let entries = &stream.entries;
    let Some(group) = stream.groups.get_mut(&args[2]) else {
        return Err(CommandError::NO_SUCH_KEY);
    };
    if let Some(known) = group.consumers.get_mut(consumer) {
        known.seen_ms = now_ms;
    }
    let mut candidates = group.pending.range(start..).map(|(id, pending)| {
        (
            *id,
            now_ms - pending.delivered_ms >= min_idle_ms,
            pending.n_delivered,
        )
    });
    let (mut picked, mut looked_at, mut n_claimed) = (Vec::new(), 0, 0);
    let mut next = None;
    let look_at = limit.saturating_mul(10);
    for (id, idle, n_delivered) in &mut candidates {
        if looked_at == look_at || n_claimed == limit {
            next = Some(id);
            break;
        }
        looked_at += 1;
        // A deleted entry is removed however short its idle time is.
        if idle || !entries.contains_key(&id) {
            n_claimed += 1;
            picked.push((id, n_delivered));
        }
    }
    let (mut replies, mut deleted) = (Vec::new(), Vec::new());
    for (id, n_delivered) in picked {
        let Some(fields) = entries.get(&id) else {
            group.forget(id);
            deleted.push(id.to_bytes());
            continue;
        };
        group.assign(id, consumer, now_ms, n_delivered + u64::from(!just_id));
        replies.push(match just_id {
            true => Reply::Bulk(id.to_bytes()),
            false => entry_reply(id, fields),
        });
    }
    Ok(Reply::Array(vec![
        Reply::Bulk(next.unwrap_or_default().to_bytes()),
        Reply::Array(replies),
        Reply::bulks(deleted),
    ]))
}
