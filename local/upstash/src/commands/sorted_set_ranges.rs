//! Ranges of a sorted set by index, score or member.

use super::arguments::{Options, index_range, integer};
use super::sorted_sets::{remove_members, with_scores};
use super::{Args, Context};
use crate::errors::CommandError;
use crate::number::parse_f64;
use crate::reply::{Outcome, Reply};
use crate::store::sorted_set::ScoreBound;
use crate::store::{SortedSet, Value};

/// One end of a range by member.
#[derive(Debug, Clone, PartialEq)]
pub enum LexBound<'a> {
    Lowest,
    Highest,
    Included(&'a [u8]),
    Excluded(&'a [u8]),
}

impl LexBound<'_> {
    fn admits_above(&self, member: &[u8]) -> bool {
        match self {
            Self::Lowest => true,
            Self::Highest => false,
            Self::Included(bound) => member >= *bound,
            Self::Excluded(bound) => member > *bound,
        }
    }

    fn admits_below(&self, member: &[u8]) -> bool {
        match self {
            Self::Lowest => false,
            Self::Highest => true,
            Self::Included(bound) => member <= *bound,
            Self::Excluded(bound) => member < *bound,
        }
    }
}

enum Range<'a> {
    Index(i64, i64),
    Score(ScoreBound, ScoreBound),
    Lex(LexBound<'a>, LexBound<'a>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Index,
    Score,
    Lex,
}

struct Query<'a> {
    range: Range<'a>,
    reverse: bool,
    offset: i64,
    limit: i64,
}

pub fn score_bound(text: &[u8]) -> Result<ScoreBound, CommandError> {
    let parse = |text| parse_f64(text).ok_or(CommandError::MIN_MAX_FLOAT);
    match text.strip_prefix(b"(") {
        Some(rest) => Ok(ScoreBound::Excluded(parse(rest)?)),
        None => Ok(ScoreBound::Included(parse(text)?)),
    }
}

fn lex_bound(text: &[u8]) -> Result<LexBound<'_>, CommandError> {
    match text {
        b"-" => Ok(LexBound::Lowest),
        b"+" => Ok(LexBound::Highest),
        [b'[', rest @ ..] => Ok(LexBound::Included(rest)),
        [b'(', rest @ ..] => Ok(LexBound::Excluded(rest)),
        _ => Err(CommandError::MIN_MAX_LEX),
    }
}

impl<'a> Query<'a> {
    /// Builds the range from its two ends; reversed ranges name the higher end first.
    fn new(by: By, reverse: bool, first: &'a [u8], second: &'a [u8]) -> Result<Self, CommandError> {
        let (low, high) = match reverse && by != By::Index {
            true => (second, first),
            false => (first, second),
        };
        let range = match by {
            By::Index => Range::Index(integer(low)?, integer(high)?),
            By::Score => Range::Score(score_bound(low)?, score_bound(high)?),
            By::Lex => Range::Lex(lex_bound(low)?, lex_bound(high)?),
        };
        Ok(Self {
            range,
            reverse,
            offset: 0,
            limit: -1,
        })
    }

    fn limited(mut self, limit: Option<(i64, i64)>) -> Self {
        if let Some((offset, limit)) = limit {
            (self.offset, self.limit) = (offset, limit);
        }
        self
    }

    fn run(&self, set: &SortedSet) -> Vec<(Vec<u8>, f64)> {
        match &self.range {
            Range::Index(start, stop) => self.by_index(set, *start, *stop),
            Range::Score(low, high) => self.page(set.by_score(*low, *high)),
            Range::Lex(low, high) => match (low, high, self.reverse) {
                (LexBound::Included(from) | LexBound::Excluded(from), _, false) => self.page_of(
                    set.iter_from_member(from)
                        .filter(|(member, _)| low.admits_above(member))
                        .take_while(|(member, _)| high.admits_below(member)),
                ),
                _ => {
                    self.page(set.iter().filter(|(member, _)| {
                        low.admits_above(member) && high.admits_below(member)
                    }))
                }
            },
        }
    }

    fn by_index(&self, set: &SortedSet, start: i64, stop: i64) -> Vec<(Vec<u8>, f64)> {
        let Some((start, stop)) = index_range(start, stop, set.len()) else {
            return Vec::new();
        };
        let n = stop - start + 1;
        let owned = |(member, score): (&[u8], f64)| (member.to_vec(), score);
        // Start from the nearer end.
        let mut members: Vec<_> = match (self.reverse, start > set.len() / 2) {
            (false, false) => set.iter().skip(start).take(n).map(owned).collect(),
            (true, false) => set.iter().rev().skip(start).take(n).map(owned).collect(),
            (false, true) => set
                .iter()
                .rev()
                .skip(set.len() - 1 - stop)
                .take(n)
                .map(owned)
                .collect(),
            (true, true) => set
                .iter()
                .skip(set.len() - 1 - stop)
                .take(n)
                .map(owned)
                .collect(),
        };
        if start > set.len() / 2 {
            members.reverse();
        }
        self.page_of(
            members
                .iter()
                .map(|(member, score)| (member.as_slice(), *score)),
        )
    }

    fn page<'b>(
        &self,
        members: impl DoubleEndedIterator<Item = (&'b [u8], f64)>,
    ) -> Vec<(Vec<u8>, f64)> {
        match self.reverse {
            true => self.page_of(members.rev()),
            false => self.page_of(members),
        }
    }

    fn page_of<'b>(&self, members: impl Iterator<Item = (&'b [u8], f64)>) -> Vec<(Vec<u8>, f64)> {
        let Ok(offset) = usize::try_from(self.offset) else {
            return Vec::new();
        };
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        members
            .skip(offset)
            .take(limit)
            .map(|(member, score)| (member.to_vec(), score))
            .collect()
    }
}

/// Options of ZRANGE and the older commands it replaces.
#[derive(Default)]
struct Words {
    scores: bool,
    reverse: bool,
    by: Option<By>,
    limit: Option<(i64, i64)>,
}

fn words(args: Args<'_>, from: usize, full: bool) -> Result<Words, CommandError> {
    let mut found = Words::default();
    let mut options = Options::new(args, from);
    while let Some(word) = options.word() {
        match word.as_str() {
            "WITHSCORES" => found.scores = true,
            "LIMIT" => found.limit = Some((options.integer()?, options.integer()?)),
            "REV" if full => found.reverse = true,
            "BYSCORE" if full => found.by = Some(By::Score),
            "BYLEX" if full => found.by = Some(By::Lex),
            _ => return Err(CommandError::SYNTAX),
        }
    }
    Ok(found)
}

pub fn zrange(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let words = words(args, 4, true)?;
    let by = words.by.unwrap_or(By::Index);
    if words.scores && by == By::Lex {
        return Err(CommandError::fixed(
            "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
        ));
    }
    answer(context, args, by, words.reverse, &words)
}

pub fn zrevrange(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let words = words(args, 4, false)?;
    if words.limit.is_some() {
        return Err(CommandError::fixed(
            "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
        ));
    }
    answer(context, args, By::Index, true, &words)
}

pub fn zrangebyscore(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let words = words(args, 4, false)?;
    answer(context, args, By::Score, false, &words)
}

pub fn zrevrangebyscore(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let words = words(args, 4, false)?;
    answer(context, args, By::Score, true, &words)
}

pub fn zrangebylex(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    by_lex(context, args, false)
}

pub fn zrevrangebylex(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    by_lex(context, args, true)
}

fn by_lex(context: &mut Context<'_>, args: Args<'_>, reverse: bool) -> Outcome {
    let words = words(args, 4, false)?;
    if words.scores {
        return Err(CommandError::fixed(
            "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
        ));
    }
    answer(context, args, By::Lex, reverse, &words)
}

fn answer(
    context: &mut Context<'_>,
    args: Args<'_>,
    by: By,
    reverse: bool,
    words: &Words,
) -> Outcome {
    let query = Query::new(by, reverse, &args[2], &args[3])?.limited(words.limit);
    let members = match context.db.sorted_set(&args[1])? {
        Some(set) => query.run(set),
        None => Vec::new(),
    };
    Ok(match words.scores {
        true => Reply::Array(with_scores(members)),
        false => Reply::bulks(members.into_iter().map(|(member, _)| member)),
    })
}

pub fn zrangestore(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let words = words(args, 5, true)?;
    if words.scores {
        return Err(CommandError::SYNTAX);
    }
    let by = words.by.unwrap_or(By::Index);
    let query = Query::new(by, words.reverse, &args[3], &args[4])?.limited(words.limit);
    let members = match context.db.sorted_set(&args[2])? {
        Some(set) => query.run(set),
        None => Vec::new(),
    };
    let n = members.len();
    store(context, &args[1], members);
    Ok(Reply::count(n))
}

/// Replaces `key` with a sorted set, or deletes it if the set is empty.
pub fn store(context: &mut Context<'_>, key: &[u8], members: Vec<(Vec<u8>, f64)>) {
    if members.is_empty() {
        context.db.remove(key);
        return;
    }
    let mut set = SortedSet::default();
    for (member, score) in members {
        set.insert(&member, score);
    }
    context.db.set(key, Value::SortedSet(set));
}

pub fn zcount(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let (low, high) = (score_bound(&args[2])?, score_bound(&args[3])?);
    let set = context.db.sorted_set(&args[1])?;
    Ok(Reply::count(
        set.map_or(0, |set| set.by_score(low, high).count()),
    ))
}

pub fn zlexcount(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let query = Query::new(By::Lex, false, &args[2], &args[3])?;
    let set = context.db.sorted_set(&args[1])?;
    Ok(Reply::count(set.map_or(0, |set| query.run(set).len())))
}

pub fn zremrangebyscore(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    remove_range(context, args, By::Score)
}

pub fn zremrangebylex(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    remove_range(context, args, By::Lex)
}

fn remove_range(context: &mut Context<'_>, args: Args<'_>, by: By) -> Outcome {
    let query = Query::new(by, false, &args[2], &args[3])?;
    let doomed = match context.db.sorted_set(&args[1])? {
        Some(set) => query.run(set),
        None => return Ok(Reply::Int(0)),
    };
    let doomed: Vec<Vec<u8>> = doomed.into_iter().map(|(member, _)| member).collect();
    remove_members(context, &args[1], &doomed)
}
