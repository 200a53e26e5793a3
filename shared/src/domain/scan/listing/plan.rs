//! Which index a listing reads, and what of it.
//!
//! A listing never reads all clips of a guild. It reads one index, the one that most likely
//! has the fewest entries for the filter. What the index does not decide is decided by the
//! rows and the records, for a limited number of them.

use super::cursor::ClipCursor;
use crate::discord::MessageId;
use crate::redis::commands::sorted_sets::Range;
use crate::scan::{ClipFilter, ClipOrder, ClipSource, Term, words};

/// Up to this many terms or channels are read, each with a command. One more command reads
/// the records.
const MOST: usize = 3;

/// An index, and the entries in it that the filter allows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plan {
    /// The clips that have all of these terms, in the order of their messages.
    Terms(Vec<String>),
    /// The clips of known length, by length.
    Lengths,
    /// The clips of these channels, in the order of their messages.
    Channels(Vec<String>),
    /// All clips, by time.
    Recent,
}

/// A listed clip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub channel: String,
    /// In 20 digits.
    pub message: String,
    pub clip: String,
    /// Its score or length, if the index is in that order.
    pub number: Option<i64>,
    /// Whether another index does not have it.
    pub is_ruled_out: bool,
}

impl Row {
    /// A member of an index: what stands before the row, and the row as `message`,
    /// `channel`, `clip`.
    fn of_entry(entry: &str) -> Option<Row> {
        let mut parts = entry.rsplitn(4, ':');
        let (clip, channel, message) = (parts.next()?, parts.next()?, parts.next()?);
        let number = parts
            .next()?
            .strip_prefix('l')
            .and_then(|ms| ms.parse().ok());
        Some(Row {
            channel: channel.to_owned(),
            message: message.to_owned(),
            clip: clip.to_owned(),
            number,
            is_ruled_out: false,
        })
    }

    /// A member of the index by channel or by time.
    pub fn of_member(member: &str, number: Option<i64>) -> Option<Row> {
        let mut parts = member.splitn(3, ':');
        let (channel, message, clip) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Row {
            channel: channel.to_owned(),
            message: message.to_owned(),
            clip: clip.to_owned(),
            number,
            is_ruled_out: false,
        })
    }

    /// As the records and the indexes by channel and by time name it.
    pub fn member(&self) -> String {
        let Row {
            channel,
            message,
            clip,
            ..
        } = self;
        format!("{channel}:{message}:{clip}")
    }

    /// When its message was posted, in unix milliseconds.
    pub fn posted_at(&self) -> Option<i64> {
        Some(MessageId::parse(&self.message)?.created_ms())
    }

    /// As [`Row::place`], for comparing it later.
    pub fn owned_place(&self) -> (String, String, String) {
        let Row {
            channel,
            message,
            clip,
            ..
        } = self;
        (message.clone(), channel.clone(), clip.clone())
    }

    /// Its place in the order of messages.
    pub fn place(&self) -> (&str, &str, &str) {
        (&self.message, &self.channel, &self.clip)
    }
}

impl Plan {
    /// The plan for a filter. The same filter has the same plan, so that a cursor fits.
    pub fn of(filter: &ClipFilter) -> Plan {
        if filter.sort == ClipOrder::Longest {
            return Plan::Lengths;
        }
        let terms = filter.terms();
        match terms.is_empty() {
            false => Plan::Terms(terms.iter().take(MOST).map(Term::to_string).collect()),
            true if (1..=MOST).contains(&filter.channel_ids.len()) => {
                Plan::Channels(filter.channel_ids.clone())
            }
            true => Plan::Recent,
        }
    }

    /// Whether the index alone decides which clips are listed, and they need no second look
    /// at the row (`false`, `…`) or at the record (`…`, `false`).
    pub fn leaves_open(&self, filter: &ClipFilter) -> (bool, bool) {
        let by_channel = !filter.channel_ids.is_empty() && !matches!(self, Plan::Channels(_));
        let is_dated = filter.after.is_some() || filter.before.is_some();
        let by_date = is_dated && *self == Plan::Lengths;
        let by_length = match self {
            // The lengths in the index are whole milliseconds, which is close enough to
            // read no more than is shown.
            Plan::Lengths => false,
            _ => {
                filter.min_seconds.is_some() || filter.max_seconds.is_some() || filter.known_length
            }
        };
        let known: &[String] = match self {
            Plan::Terms(terms) => terms,
            _ => &[],
        };
        let by_term = filter
            .terms()
            .iter()
            .any(|term| !known.contains(&term.to_string()))
            || filter.source == Some(ClipSource::Attachment)
            || filter.spoiler == Some(false)
            || filter.is_clip == Some(false);
        (by_channel || by_date, by_length || by_term)
    }

    /// The ranges to read, each with `limit` entries. `from` is where an earlier page ended.
    /// `None` if the cursor is none of this plan.
    pub fn ranges(
        &self,
        filter: &ClipFilter,
        from: Option<&ClipCursor>,
        limit: u64,
    ) -> Option<Vec<Range>> {
        let is_up = filter.sort == ClipOrder::Oldest;
        let lex = |min: String, max: String| Range::Lex { min, max, limit };
        Some(match self {
            Plan::Terms(terms) => {
                let range = |term: &String| {
                    let from = from.map(|from| format!("{term}:{from}"));
                    let from = from.map(|from| (from.clone(), from));
                    bounded(term, filter, from, is_up, limit)
                };
                terms.iter().map(range).collect()
            }
            Plan::Lengths => {
                let ms = |seconds: f64| (seconds * 1000.0).round() as u64;
                let term = |seconds: f64| Term::Length(ms(seconds)).to_string();
                let min = filter
                    .min_seconds
                    .map_or("l".to_owned(), |least| term(least) + ":");
                let max = filter
                    .max_seconds
                    .map_or("m".to_owned(), |most| term(most) + ";");
                let max = match from {
                    Some(from) => {
                        let (ms, row): (u64, &str) = from.numbered()?;
                        format!("{}:{row}", Term::Length(ms))
                    }
                    None => max,
                };
                vec![lex(format!("[{min}"), format!("({max}"))]
            }
            Plan::Channels(channels) => {
                let place = match from {
                    Some(from) => {
                        let mut parts = from.as_str().splitn(3, ':');
                        Some((parts.next()?, parts.next()?, parts.next()?))
                    }
                    None => None,
                };
                let range = |channel: &String| {
                    let bounds = place.map(|(message, last, clip)| {
                        // In the order of messages, a message's clips are in the order of
                        // channels.
                        let whole = format!("{channel}:{message}:");
                        let after = format!("{channel}:{message};");
                        match channel.as_str().cmp(last) {
                            std::cmp::Ordering::Equal => {
                                let row = format!("{whole}{clip}");
                                (row.clone(), row)
                            }
                            std::cmp::Ordering::Less => (after.clone(), after),
                            std::cmp::Ordering::Greater => (whole.clone(), whole),
                        }
                    });
                    bounded(channel, filter, bounds, is_up, limit)
                };
                channels.iter().map(range).collect()
            }
            Plan::Recent => {
                let score = match from {
                    Some(from) => Some(from.numbered::<i64>()?.0),
                    None => None,
                };
                let after = filter.after.map(|after| after.saturating_add(1));
                let before = filter.before.map(|before| before.saturating_sub(1));
                let (min, max) = match is_up {
                    true => (score.or(after), before),
                    false => (after, score.or(before)),
                };
                vec![Range::Score {
                    min: min.map_or(f64::NEG_INFINITY, |at| at as f64),
                    max: max.map_or(f64::INFINITY, |at| at as f64),
                    offset: 0,
                    limit,
                }]
            }
        })
    }

    /// The row of an entry of the index of terms.
    pub fn row_of_entry(entry: &str) -> Option<Row> {
        Row::of_entry(entry)
    }

    /// Where a page that ends with this row ended.
    pub fn cursor(&self, row: &Row) -> ClipCursor {
        let Row {
            channel,
            message,
            clip,
            number,
            ..
        } = row;
        let number = number.unwrap_or(0);
        ClipCursor::new(match self {
            Plan::Terms(_) | Plan::Channels(_) => format!("{message}:{channel}:{clip}"),
            Plan::Lengths => format!("{number}:{message}:{channel}:{clip}"),
            Plan::Recent => format!("{number}:{channel}:{message}:{clip}"),
        })
    }
}

impl ClipFilter {
    /// The words that all clips have.
    pub(super) fn words(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for word in self.text.iter().flat_map(|text| words(text)) {
            if !found.contains(&word) {
                found.push(word);
            }
        }
        found
    }

    /// The terms that all clips have, those first that fewer clips are likely to have.
    fn terms(&self) -> Vec<Term> {
        let mut words = self.words();
        // Long words are rarer than short ones.
        words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
        let source = self
            .source
            .filter(|source| *source != ClipSource::Attachment);
        let mut terms: Vec<Term> = words.into_iter().map(Term::Word).collect();
        terms.extend(self.author_id.clone().map(Term::Author));
        terms.extend((self.is_clip == Some(true)).then_some(Term::Recorded));
        terms.extend((self.spoiler == Some(true)).then_some(Term::Spoiler));
        terms.extend(self.provider.clone().map(Term::Provider));
        terms.extend(source.map(Term::Source));
        terms
    }
}

/// The entries that begin with `prefix` and a message between the dates. `from` excludes
/// what an earlier page has shown: its first part where the order is ascending, its second
/// where it is descending.
fn bounded(
    prefix: &str,
    filter: &ClipFilter,
    from: Option<(String, String)>,
    is_up: bool,
    limit: u64,
) -> Range {
    let first_at = |ms: i64| format!("{prefix}:{:0>20}", MessageId::at(ms).0);
    let min = match (filter.after, &from) {
        (_, Some((from, _))) if is_up => format!("({from}"),
        (Some(after), _) => format!("[{}", first_at(after.saturating_add(1))),
        (None, _) => format!("[{prefix}:"),
    };
    let max = match (filter.before, &from) {
        (_, Some((_, from))) if !is_up => format!("({from}"),
        (Some(before), _) => format!("({}", first_at(before)),
        // The byte after the colon.
        (None, _) => format!("({prefix};"),
    };
    Range::Lex { min, max, limit }
}
