//! Lists the clips that a filter selects, page by page.
//!
//! A page takes two requests: one reads rows from an index, the other the records of the
//! rows that the index and the row itself do not rule out.
//!
//! | file | contents |
//! |---|---|
//! | `plan` | which index is read, and what of it |
//! | `common` | the rows that several terms have in common |
//! | `cursor` | where a page ended |

mod common;
mod cursor;
mod plan;

pub use cursor::ClipCursor;

use self::common::{Entries, common};
use self::plan::{Plan, Row};
use super::{Clip, ClipFilter, ClipOrder, ScanStore, Term};
use crate::redis::commands::sorted_sets::{
    Range, zrange, zrange_reversed, zrange_reversed_with_scores, zrange_with_scores,
};
use crate::redis::{Error, Pipeline};

/// If several clips of one millisecond meet the end of a page, this many more are read. A
/// message has far fewer clips.
const TIES: u64 = 64;

/// How many rows are read if rows have to be looked at one by one.
const WALK: u64 = 500;

/// How many times more records are read than are shown if they have to be looked at one by
/// one.
const LOOK_AHEAD: u64 = 5;

/// Which clips to list, and which of them are on the page.
#[derive(Clone, Debug, Default)]
pub struct ClipQuery {
    /// Which clips to list.
    pub filter: ClipFilter,
    /// Where an earlier page ended.
    pub cursor: Option<ClipCursor>,
    /// Maximum number of clips.
    pub limit: u64,
}

/// Rows of an index, in order, and whether there are more.
struct Found {
    rows: Vec<Row>,
    more: bool,
}

impl ScanStore {
    /// Returns a page of clips and the cursor of the next page, in two requests and at most
    /// four commands. A page may have fewer clips than requested, or none, although more
    /// follow; only a page without a cursor is the last.
    ///
    /// # Errors
    /// If Redis cannot be reached. A clip that cannot be parsed is skipped.
    pub async fn list_clips(
        &self,
        guild_id: &str,
        query: &ClipQuery,
    ) -> Result<(Vec<Clip>, Option<ClipCursor>), Error> {
        let filter = &query.filter;
        let plan = Plan::of(filter);
        let (by_row, by_record) = plan.leaves_open(filter);
        let records = match by_record {
            true => (query.limit * LOOK_AHEAD).min(WALK.max(query.limit)),
            false => query.limit,
        };
        let is_walk = by_row || matches!(&plan, Plan::Terms(terms) if terms.len() > 1);
        let wanted = if is_walk { WALK.max(records) } else { records };
        let found = self.rows(guild_id, &plan, query, wanted).await?;
        let (mut places, mut last) = (Vec::new(), None);
        for (n, row) in found.rows.iter().enumerate() {
            if places.len() as u64 == records {
                break;
            }
            last = Some(n);
            if !row.is_ruled_out && filter.allows_row(row) {
                places.push((n, row.member()));
            }
        }
        let members = places.iter().map(|(_, member)| member.as_str());
        let mut stored = self.clips_of(members).await?;
        let mut clips = Vec::new();
        for (n, member) in &places {
            if clips.len() as u64 == query.limit {
                last = Some(n - 1);
                break;
            }
            let clip = stored.remove(member).map(|record| record.clip);
            // An imported file may have claimed a channel of another guild, which has scanned
            // it since.
            let clip = clip.filter(|clip| clip.guild_id.is_empty() || clip.guild_id == guild_id);
            clips.extend(clip.filter(|clip| filter.allows(clip)));
        }
        let is_end = last.is_none_or(|last| last + 1 == found.rows.len()) && !found.more;
        let last = last.filter(|_| !is_end).map(|last| &found.rows[last]);
        Ok((clips, last.map(|row| plan.cursor(row))))
    }

    /// The rows that follow the cursor: `wanted` of them, or all there are.
    async fn rows(
        &self,
        guild_id: &str,
        plan: &Plan,
        query: &ClipQuery,
        wanted: u64,
    ) -> Result<Found, Error> {
        if *plan == Plan::Recent {
            return self.recent_rows(guild_id, plan, query, wanted).await;
        }
        let none = Found {
            rows: Vec::new(),
            more: false,
        };
        let filter = &query.filter;
        let is_up = filter.sort == ClipOrder::Oldest;
        // One more than wanted tells whether there is another page.
        let Some(ranges) = plan.ranges(filter, query.cursor.as_ref(), wanted + 1) else {
            return Ok(none);
        };
        let key = match plan {
            Plan::Channels(_) => self.keys().by_channel(guild_id),
            _ => self.keys().index(guild_id),
        };
        let mut pipeline = Pipeline::new();
        let slots: Vec<_> = ranges
            .into_iter()
            .map(|range| match is_up {
                true => pipeline.add(zrange(&key, range)),
                false => pipeline.add(zrange_reversed(&key, range)),
            })
            .collect();
        let mut replies = pipeline.send(&**self.redis()).await?;
        let mut lists = Vec::new();
        for slot in slots {
            let members = replies.take(slot)?;
            let is_full = members.len() as u64 > wanted;
            let rows = members.iter().filter_map(|member| match plan {
                Plan::Channels(_) => Row::of_member(member, None),
                _ => Plan::row_of_entry(member),
            });
            lists.push(Entries {
                rows: rows.collect(),
                is_full,
            });
        }
        let Entries { mut rows, is_full } = match plan {
            Plan::Channels(_) => {
                let mut rows: Vec<Row> = lists.into_iter().flat_map(|list| list.rows).collect();
                rows.sort_by(|one, other| one.place().cmp(&other.place()));
                if !is_up {
                    rows.reverse();
                }
                let is_full = rows.len() as u64 > wanted;
                Entries { rows, is_full }
            }
            _ => common(lists, is_up),
        };
        rows.truncate(wanted as usize);
        Ok(Found {
            rows,
            more: is_full,
        })
    }

    /// As [`ScanStore::rows`], by time. Several rows have the same time, so the rows before
    /// the cursor are read again and left out.
    async fn recent_rows(
        &self,
        guild_id: &str,
        plan: &Plan,
        query: &ClipQuery,
        wanted: u64,
    ) -> Result<Found, Error> {
        let filter = &query.filter;
        let is_up = filter.sort == ClipOrder::Oldest;
        let from = query.cursor.as_ref();
        let place = from.and_then(|from| from.numbered::<i64>());
        let key = self.keys().recent(guild_id);
        let mut asked = wanted + 1 + if from.is_some() { TIES } else { 0 };
        loop {
            let ranges = plan.ranges(filter, from, asked).unwrap_or_default();
            let Some(range @ Range::Score { .. }) = ranges.into_iter().next() else {
                return Ok(Found {
                    rows: Vec::new(),
                    more: false,
                });
            };
            let words = match is_up {
                true => {
                    zrange_with_scores(&key, range)
                        .send(&**self.redis())
                        .await?
                }
                false => {
                    let read = zrange_reversed_with_scores(&key, range);
                    read.send(&**self.redis()).await?
                }
            };
            let is_full = words.len() as u64 / 2 == asked;
            let follows = |score: i64, member: &str| {
                place.is_none_or(|place| match is_up {
                    true => (score, member) > place,
                    false => (score, member) < place,
                })
            };
            let mut rows: Vec<Row> = words
                .chunks_exact(2)
                .filter_map(|pair| {
                    let score = pair[1].parse::<f64>().ok()? as i64;
                    let row = Row::of_member(&pair[0], Some(score))?;
                    follows(score, &pair[0]).then_some(row)
                })
                .collect();
            if rows.is_empty() && is_full {
                // More clips of one millisecond than anybody expects.
                asked *= 4;
                continue;
            }
            let is_cut = rows.len() as u64 > wanted;
            rows.truncate(wanted as usize);
            return Ok(Found {
                rows,
                more: is_full || is_cut,
            });
        }
    }
}

impl ClipFilter {
    /// Whether a row can be one of the clips, as far as the row tells.
    fn allows_row(&self, row: &Row) -> bool {
        let is_there = self.channel_ids.is_empty() || self.channel_ids.contains(&row.channel);
        let is_dated = self.after.is_some() || self.before.is_some();
        is_there && (!is_dated || row.posted_at().is_some_and(|at| self.allows_time(at)))
    }

    fn allows_time(&self, at: i64) -> bool {
        self.after.is_none_or(|after| at > after) && self.before.is_none_or(|before| at < before)
    }

    /// Whether a clip is selected.
    fn allows(&self, clip: &Clip) -> bool {
        let is_long_enough = match clip.duration_seconds {
            Some(seconds) => {
                self.min_seconds.is_none_or(|least| seconds >= least)
                    && self.max_seconds.is_none_or(|most| seconds <= most)
            }
            None => !self.known_length,
        };
        let words = self.words();
        let terms = if words.is_empty() {
            Vec::new()
        } else {
            clip.terms()
        };
        let provider = |name: &String| Term::Provider(name.clone()).to_string();
        is_long_enough
            && self.allows_time(clip.posted_at)
            && self
                .author_id
                .as_ref()
                .is_none_or(|id| clip.author_id.as_ref() == Some(id))
            && self.source.is_none_or(|source| clip.source == source)
            && self.spoiler.is_none_or(|wanted| clip.spoiler == wanted)
            && self.is_clip.is_none_or(|wanted| clip.is_clip == wanted)
            && self
                .provider
                .as_ref()
                .is_none_or(|name| clip.provider.as_ref().map(provider) == Some(provider(name)))
            && words
                .into_iter()
                .all(|word| terms.contains(&Term::Word(word)))
    }
}
