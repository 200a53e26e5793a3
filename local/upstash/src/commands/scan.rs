//! Cursors: SCAN over the keyspace; HSCAN, SSCAN and ZSCAN over one collection.

use super::arguments::{Options, count, is};
use super::{Args, Context};
use crate::errors::CommandError;
use crate::glob;
use crate::reply::{Outcome, Reply};
use crate::store::keyspace::scan_position;

/// A collection of up to this size is returned whole, whatever COUNT says.
const WHOLE_UP_TO: usize = 128;
/// How many keys one SCAN examines if few of them match.
const LOOK_AT_LEAST: usize = 1000;

/// Cursor and options of a scan.
pub struct ScanOptions {
    pub cursor: u64,
    pub pattern: Option<Vec<u8>>,
    pub count: usize,
    pub kind: Option<String>,
    pub with_type: bool,
    pub without_values: bool,
}

impl ScanOptions {
    /// Parses the cursor at `at` and the options after it.
    pub fn parse(args: Args<'_>, at: usize) -> Result<Self, CommandError> {
        let cursor = std::str::from_utf8(&args[at])
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or(CommandError::fixed("ERR invalid cursor"))?;
        let mut found = Self {
            cursor,
            pattern: None,
            count: 10,
            kind: None,
            with_type: false,
            without_values: false,
        };
        let keyspace = is(&args[0], "SCAN");
        let mut options = Options::new(args, at + 1);
        while let Some(word) = options.word() {
            match word.as_str() {
                "MATCH" => found.pattern = Some(options.value()?.clone()),
                "COUNT" => {
                    found.count = count(options.value()?, CommandError::NOT_INTEGER)?;
                    if found.count == 0 {
                        return Err(CommandError::SYNTAX);
                    }
                }
                "TYPE" if keyspace => {
                    let kind = String::from_utf8_lossy(options.value()?).to_ascii_lowercase();
                    found.kind = Some(kind);
                }
                "WITHTYPE" if keyspace => found.with_type = true,
                "NOVALUES" if is(&args[0], "HSCAN") => found.without_values = true,
                _ => return Err(CommandError::SYNTAX),
            }
        }
        Ok(found)
    }

    /// The reply for an empty collection.
    pub fn empty() -> Reply {
        page(0, Vec::new())
    }

    fn takes(&self, name: &[u8]) -> bool {
        self.pattern
            .as_ref()
            .is_none_or(|pattern| glob::matches(pattern, name))
    }
}

fn page(cursor: u64, items: Vec<Reply>) -> Reply {
    Reply::Array(vec![Reply::bulk(cursor.to_string()), Reply::Array(items)])
}

pub fn scan(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let options = ScanOptions::parse(args, 1)?;
    let look_at = options.count.max(LOOK_AT_LEAST);
    let mut items = Vec::new();
    let (mut n_taken, mut n_seen, mut last) = (0, 0, None);
    for (position, key, entry) in context.db.starting_at(options.cursor) {
        // Keys at the same position are returned together, because a cursor cannot
        // separate them.
        let full = n_taken >= options.count || n_seen >= look_at;
        if full && last != Some(position) {
            return Ok(page(position, items));
        }
        n_seen += 1;
        last = Some(position);
        let kind = entry.value.type_name();
        if options.takes(key) && options.kind.as_deref().is_none_or(|wanted| wanted == kind) {
            n_taken += 1;
            items.push(Reply::bulk(key));
            if options.with_type {
                items.push(Reply::bulk(kind));
            }
        }
    }
    Ok(page(0, items))
}

/// One page of a collection, in hash order if it is too large to return whole.
pub fn scan_collection<'a, T>(
    entries: impl Iterator<Item = (&'a [u8], T)>,
    len: usize,
    options: &ScanOptions,
    mut push: impl FnMut(&'a [u8], T, &mut Vec<Reply>),
) -> Reply {
    let mut items = Vec::new();
    if len <= WHOLE_UP_TO {
        for (name, value) in entries.filter(|(name, _)| options.takes(name)) {
            push(name, value, &mut items);
        }
        return page(0, items);
    }
    let mut rest: Vec<(u64, &[u8], T)> = entries
        .map(|(name, value)| (scan_position(name), name, value))
        .filter(|(position, ..)| *position >= options.cursor)
        .collect();
    let mut cursor = 0;
    if rest.len() > options.count {
        rest.select_nth_unstable_by_key(options.count, |(position, ..)| *position);
        cursor = rest[options.count].0;
        // A whole page may share one position. Then that position is returned completely.
        if rest.iter().all(|(position, ..)| *position >= cursor) {
            cursor += 1;
        }
        rest.retain(|(position, ..)| *position < cursor);
    }
    rest.sort_unstable_by_key(|(position, ..)| *position);
    for (_, name, value) in rest {
        if options.takes(name) {
            push(name, value, &mut items);
        }
    }
    page(cursor, items)
}
