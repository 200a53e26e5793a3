//! Streams: add, read and trim entries.

use super::arguments::{Options, count, integer};
use super::{Args, Context};
use crate::errors::CommandError;
use crate::reply::{Outcome, Reply};
use crate::store::stream::{Fields, parse_u64};
use crate::store::{Stream, StreamId, Value};

/// How to trim a stream. `~` trims exactly, which is close to what the hosted service
/// does.
#[derive(Debug, Clone, Copy)]
struct Trim {
    by: TrimBy,
    limit: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
enum TrimBy {
    Length(usize),
    MinId(StreamId),
}

impl Trim {
    fn apply(&self, stream: &mut Stream) -> usize {
        match self.by {
            TrimBy::Length(max_len) => stream.trim_to_length(max_len, self.limit),
            TrimBy::MinId(min_id) => stream.trim_to_id(min_id, self.limit),
        }
    }
}

/// Parses `MAXLEN|MINID [=|~] threshold [LIMIT n]` after its first word.
fn trim_option(word: &str, options: &mut Options<'_>) -> Result<Trim, CommandError> {
    let mut approximate = false;
    let mut threshold = options.value()?;
    if matches!(threshold.as_slice(), b"~" | b"=") && options.n_left() > 0 {
        approximate = threshold == b"~";
        threshold = options.value()?;
    }
    let by = match word {
        "MAXLEN" => {
            let max_len = integer(threshold)?;
            let refused = CommandError::fixed("ERR The MAXLEN argument must be >= 0.");
            TrimBy::Length(usize::try_from(max_len).map_err(|_| refused)?)
        }
        _ => TrimBy::MinId(parse_id(threshold, 0)?),
    };
    let mut limit = None;
    if options
        .rest()
        .first()
        .is_some_and(|word| word.eq_ignore_ascii_case(b"LIMIT"))
    {
        options.skip(1);
        let refused = CommandError::fixed("ERR The LIMIT argument must be >= 0.");
        let n = integer(options.value()?)?;
        let n = usize::try_from(n).map_err(|_| refused)?;
        if !approximate {
            return Err(CommandError::fixed(
                "ERR syntax error, LIMIT cannot be used without the special ~ option",
            ));
        }
        limit = (n > 0).then_some(n);
    }
    Ok(Trim { by, limit })
}

/// Parses an ID argument. `missing_seq` replaces an absent sequence number.
pub fn parse_id(text: &[u8], missing_seq: u64) -> Result<StreamId, CommandError> {
    StreamId::parse(text, missing_seq).ok_or(CommandError::STREAM_ID)
}

/// How the ID of a new entry is determined.
enum NewId {
    Auto,
    AutoSeq(u64),
    Given(StreamId),
}

impl NewId {
    fn parse(text: &[u8]) -> Result<Self, CommandError> {
        if text == b"*" {
            return Ok(Self::Auto);
        }
        if let Some(ms) = text.strip_suffix(b"-*") {
            return Ok(Self::AutoSeq(parse_u64(ms).ok_or(CommandError::STREAM_ID)?));
        }
        Ok(Self::Given(parse_id(text, 0)?))
    }

    fn resolve(&self, last: StreamId, now_ms: i64) -> Result<StreamId, CommandError> {
        let id = match self {
            Self::Auto => {
                let now = StreamId {
                    ms: now_ms.max(0) as u64,
                    seq: 0,
                };
                match now > last {
                    true => Some(now),
                    false => last.next(),
                }
            }
            Self::AutoSeq(ms) if *ms == last.ms => {
                last.seq.checked_add(1).map(|seq| StreamId { ms: *ms, seq })
            }
            Self::AutoSeq(ms) => Some(StreamId {
                ms: *ms,
                seq: u64::from(*ms == 0),
            }),
            Self::Given(id) => Some(*id),
        };
        match id {
            Some(id) if id > last => Ok(id),
            _ => Err(CommandError::STREAM_ID_SMALL),
        }
    }
}

pub fn xadd(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (mut trim, mut create) = (None, true);
    let mut options = Options::new(args, 2);
    while let Some(word) = options.word() {
        match word.as_str() {
            "MAXLEN" | "MINID" if trim.is_some() => {
                return Err(CommandError::fixed(
                    "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
                ));
            }
            "MAXLEN" | "MINID" => trim = Some(trim_option(&word, &mut options)?),
            "NOMKSTREAM" => create = false,
            _ => {
                options.unread();
                break;
            }
        }
    }
    let id_text = options.value().map_err(|_| CommandError::arity("xadd"))?;
    let id = NewId::parse(id_text)?;
    let fields = options.rest();
    if fields.is_empty() || fields.len() % 2 == 1 {
        return Err(CommandError::arity("xadd"));
    }
    if matches!(id, NewId::Given(StreamId::MIN)) {
        return Err(CommandError::STREAM_ID_ZERO);
    }
    let last = match context.db.stream(&args[1])? {
        Some(stream) => stream.last_id,
        None if !create => return Ok(Reply::Nil),
        None => StreamId::MIN,
    };
    if last == StreamId::MAX {
        return Err(CommandError::fixed(
            "ERR The stream has exhausted the last possible ID, unable to add more items",
        ));
    }
    let id = id.resolve(last, context.now_ms)?;
    let stream = context.db.stream_or_create(&args[1])?;
    stream.append(id, fields.to_vec());
    if let Some(trim) = trim {
        trim.apply(stream);
    }
    Ok(Reply::Bulk(id.to_bytes()))
}

pub fn xlen(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let stream = context.db.stream(&args[1])?;
    Ok(Reply::count(
        stream.map_or(0, |stream| stream.entries.len()),
    ))
}

/// An entry as a reply: the ID, then the fields.
pub fn entry_reply(id: StreamId, fields: &Fields) -> Reply {
    Reply::Array(vec![
        Reply::Bulk(id.to_bytes()),
        Reply::bulks(fields.iter().cloned()),
    ])
}

/// The lower end of a range: `-`, an id, or `(` and an id.
pub fn range_start(text: &[u8]) -> Result<StreamId, CommandError> {
    match text {
        b"-" => Ok(StreamId::MIN),
        b"+" => Ok(StreamId::MAX),
        [b'(', rest @ ..] => parse_id(rest, 0)?
            .next()
            .ok_or(CommandError::fixed("ERR invalid start ID for the interval")),
        _ => parse_id(text, 0),
    }
}

/// The upper end of a range. An ID without a sequence number includes the whole
/// millisecond.
pub fn range_end(text: &[u8]) -> Result<StreamId, CommandError> {
    match text {
        b"-" => Ok(StreamId::MIN),
        b"+" => Ok(StreamId::MAX),
        [b'(', rest @ ..] => parse_id(rest, u64::MAX)?
            .previous()
            .ok_or(CommandError::fixed("ERR invalid end ID for the interval")),
        _ => parse_id(text, u64::MAX),
    }
}

pub fn xrange(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (start, end) = (range_start(&args[2])?, range_end(&args[3])?);
    range(context, args, start, end, false)
}

pub fn xrevrange(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (start, end) = (range_start(&args[3])?, range_end(&args[2])?);
    range(context, args, start, end, true)
}

fn range(
    context: &Context<'_>,
    args: Args<'_>,
    start: StreamId,
    end: StreamId,
    reverse: bool,
) -> Outcome {
    let mut limit = None;
    let mut options = Options::new(args, 4);
    while let Some(word) = options.word() {
        match word.as_str() {
            "COUNT" => limit = Some(options.integer()?.max(0)),
            _ => return Err(CommandError::SYNTAX),
        }
    }
    let Some(stream) = context.db.stream(&args[1])? else {
        return Ok(Reply::Array(Vec::new()));
    };
    if limit == Some(0) {
        return Ok(Reply::NilArray);
    }
    if start > end {
        return Ok(Reply::Array(Vec::new()));
    }
    let limit = limit
        .and_then(|limit| usize::try_from(limit).ok())
        .unwrap_or(usize::MAX);
    let entries = stream.entries.range(start..=end);
    let show = |(id, fields): (&StreamId, &Fields)| entry_reply(*id, fields);
    Ok(Reply::Array(match reverse {
        true => entries.rev().take(limit).map(show).collect(),
        false => entries.take(limit).map(show).collect(),
    }))
}

pub fn xdel(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    if context.db.stream(&args[1])?.is_none() {
        return Ok(Reply::Int(0));
    }
    let ids = args[2..]
        .iter()
        .map(|id| parse_id(id, 0))
        .collect::<Result<Vec<_>, _>>()?;
    let mut n_removed = 0;
    if let Some(stream) = context.db.stream_mut(&args[1])? {
        n_removed = ids.into_iter().filter(|id| stream.delete(*id)).count();
    }
    Ok(Reply::count(n_removed))
}

pub fn xtrim(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut options = Options::new(args, 2);
    let word = options.word().unwrap_or_default();
    if !matches!(word.as_str(), "MAXLEN" | "MINID") {
        return Err(CommandError::SYNTAX);
    }
    let trim = trim_option(&word, &mut options)?;
    if options.n_left() > 0 {
        return Err(CommandError::SYNTAX);
    }
    if context.db.stream(&args[1])?.is_none() {
        return Ok(Reply::Int(0));
    }
    let stream = context.db.stream_mut(&args[1])?;
    Ok(Reply::count(stream.map_or(0, |stream| trim.apply(stream))))
}

pub fn xread(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let mut limit = usize::MAX;
    let mut options = Options::new(args, 1);
    loop {
        match options.word().as_deref() {
            Some("COUNT") => limit = read_limit(options.value()?)?,
            Some("BLOCK") => return Err(CommandError::BLOCKING),
            Some("STREAMS") => break,
            _ => return Err(CommandError::SYNTAX),
        }
    }
    let (keys, ids) = keys_and_ids(options.rest(), "xread")?;
    let mut starts = Vec::with_capacity(keys.len());
    for (key, id) in keys.iter().zip(ids) {
        let stream = context.db.stream(key)?;
        starts.push(match id.as_slice() {
            b"$" => stream.map_or(StreamId::MIN, |stream| stream.last_id),
            b">" => {
                return Err(CommandError::fixed(
                    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
                ));
            }
            _ => parse_id(id, 0)?,
        });
    }
    let mut replies = Vec::new();
    for (key, after) in keys.iter().zip(starts) {
        let (Some(stream), Some(from)) = (context.db.stream(key)?, after.next()) else {
            continue;
        };
        let entries = stream.entries.range(from..).take(limit);
        let entries: Vec<Reply> = entries
            .map(|(id, fields)| entry_reply(*id, fields))
            .collect();
        if !entries.is_empty() {
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

/// COUNT of a read: zero and below mean no limit.
pub fn read_limit(arg: &[u8]) -> Result<usize, CommandError> {
    let n = integer(arg)?;
    Ok(usize::try_from(n)
        .ok()
        .filter(|n| *n > 0)
        .unwrap_or(usize::MAX))
}

type Split<'a> = (&'a [Vec<u8>], &'a [Vec<u8>]);

/// The keys after STREAMS and the same number of IDs.
pub fn keys_and_ids<'a>(rest: &'a [Vec<u8>], command: &str) -> Result<Split<'a>, CommandError> {
    if rest.is_empty() {
        return Err(CommandError::SYNTAX);
    }
    if rest.len() % 2 == 1 {
        let symbol = if command == "xread" { "'$'" } else { "'>'" };
        return Err(CommandError::new(format!(
            "ERR Unbalanced '{command}' list of streams: for each stream key an ID or {symbol} must be specified."
        )));
    }
    Ok(rest.split_at(rest.len() / 2))
}

/// XSETID key id [ENTRIESADDED n] [MAXDELETEDID id].
pub fn xsetid(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let id = parse_id(&args[2], 0)?;
    let (mut n_added, mut max_deleted) = (None, None);
    let mut options = Options::new(args, 3);
    while let Some(word) = options.word() {
        match word.as_str() {
            "ENTRIESADDED" => {
                let refused = CommandError::fixed("ERR entries_added must be positive");
                n_added = Some(count(options.value()?, refused)?);
            }
            "MAXDELETEDID" => max_deleted = Some(parse_id(options.value()?, 0)?),
            _ => return Err(CommandError::SYNTAX),
        }
    }
    if !matches!(context.db.value(&args[1]), Some(Value::Stream(_))) {
        context.db.stream(&args[1])?;
        return Err(CommandError::NO_SUCH_KEY);
    }
    let Some(stream) = context.db.stream_mut(&args[1])? else {
        return Err(CommandError::NO_SUCH_KEY);
    };
    if stream
        .entries
        .keys()
        .next_back()
        .is_some_and(|top| id < *top)
    {
        return Err(CommandError::fixed(
            "ERR The ID specified in XSETID is smaller than the target stream top item",
        ));
    }
    stream.last_id = id;
    if let Some(n_added) = n_added {
        stream.n_added = n_added as u64;
    }
    if let Some(max_deleted) = max_deleted {
        stream.max_deleted = max_deleted;
    }
    Ok(Reply::OK)
}
