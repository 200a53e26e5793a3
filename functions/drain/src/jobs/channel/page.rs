//! Computes where a scan's next page starts and what a page covers.

use std::collections::HashSet;

use shared::discord::{MessageId, Page, Position};
use shared::jobs::{ChannelScan, Direction};
use shared::scan::{CLIPS_AT_ONCE, Channel, ClipRecord, Covered, Stretch, Work};

/// Maximum number of messages per page.
pub const LARGEST: u64 = 100;

/// A forward scan reads the last two minutes before its cursor again, because Discord
/// adds link previews to messages after they are posted.
const OVERLAP_MS: i64 = 120_000;

/// A message this much older than the request that is missing from the page has been
/// deleted. A newer message may have been posted since. Clock skew is assumed to be
/// smaller.
const SETTLED_MS: i64 = 60_000;

/// Where a new scan starts, given the channel's cursors.
pub fn begin(scan: &ChannelScan, channel: &Channel) -> Work {
    let (after, before) = ends(scan);
    let mut work = Work::default();
    match scan.direction() {
        Direction::Forward if after.is_some() => work.after = after,
        _ if before.is_some() => work.before = before,
        // Down from the newest message, which is the default.
        Direction::Backward if after.is_some() || scan.is_rescan() => {}
        Direction::Backward => work.before = channel.backward_message_id,
        Direction::Forward => {
            if let Some(newest) = channel.forward_message_id {
                // Do not go below what was read; only a scan that goes down does that.
                let oldest = channel.backward_message_id.unwrap_or(newest);
                let overlap = MessageId::at(newest.created_ms() - OVERLAP_MS);
                let before = MessageId(oldest.0.saturating_sub(1));
                work.after = Some(overlap.max(before).min(newest));
                work.seen = Some(newest);
            }
        }
    }
    work
}

/// The messages between which a scan reads, as far as its job names them.
fn ends(scan: &ChannelScan) -> (Option<MessageId>, Option<MessageId>) {
    let id = |text: &Option<String>| text.as_deref().and_then(MessageId::parse);
    (id(&scan.after_message_id), id(&scan.before_message_id))
}

/// Where a scan that goes in the direction of `work` ends, if its job says so: at the
/// message that it does not read any more.
pub fn end(scan: &ChannelScan, work: &Work) -> Option<MessageId> {
    let (after, before) = ends(scan);
    match position(work) {
        Position::After(_) => before,
        Position::Before(_) | Position::Newest => after,
    }
}

/// Cuts off what lies beyond the end of a scan. Returns whether the page reached it.
pub fn within(page: Page, work: &Work, end: Option<MessageId>) -> (Page, bool) {
    let Some(end) = end else {
        return (page, false);
    };
    let is_upwards = matches!(position(work), Position::After(_));
    let reached = page.range.is_some_and(|(low, high)| match is_upwards {
        true => high.0.saturating_add(1) >= end.0,
        false => low.0 <= end.0.saturating_add(1),
    });
    match (reached, is_upwards) {
        (false, _) => (page, false),
        (true, true) => (only(page, |id| id < end), true),
        (true, false) => (only(page, |id| id > end), true),
    }
}

pub fn position(work: &Work) -> Position {
    match (work.after, work.before) {
        (Some(after), _) => Position::After(after),
        (None, Some(before)) => Position::Before(before),
        (None, None) => Position::Newest,
    }
}

/// How many messages to request. Messages that are read again do not count, so as long as
/// there are any, a full page is requested.
pub fn limit(work: &Work, most: Option<u64>) -> u64 {
    match most {
        Some(most) if work.seen.is_none() => LARGEST.min(most.saturating_sub(work.listed)),
        _ => LARGEST,
    }
}

/// A page as it was read.
pub struct Read<'a> {
    pub page: &'a Page,
    /// Whether there is nothing after it.
    pub is_last: bool,
    /// The end of the scan, if the page reached it.
    pub end: Option<MessageId>,
    /// When it was requested, in Unix milliseconds.
    pub asked_ms: i64,
}

impl Read<'_> {
    /// What the page covers.
    pub fn covered(&self, work: &Work) -> Covered {
        let range = self.page.range;
        let (low, high) = range.map_or((0, 0), |(low, high)| (low.0, high.0));
        let above = match (self.end, self.is_last) {
            (Some(end), _) => end.0,
            (None, true) => 0,
            (None, false) => low.saturating_sub(1),
        };
        let from_start = self.is_last && above == 0;
        match position(work) {
            Position::After(after) => Covered {
                above: after.0,
                below: self.end.map_or(high.max(after.0) + 1, |end| end.0),
                range,
                from_start: after.0 == 0,
            },
            Position::Before(MessageId(below)) => Covered {
                above,
                below,
                range,
                from_start,
            },
            Position::Newest => Covered {
                above,
                below: high.max(above) + 1,
                range,
                from_start,
            },
        }
    }

    /// The range in which a stored row that is missing from this page belongs to a
    /// deleted message: what the page covers and, above that, what was posted well before
    /// the request if nothing newer exists.
    pub fn stretch(&self, work: &Work, covered: &Covered) -> Option<Stretch> {
        // An unreadable message without an ID could be any message.
        let unreadable = &self.page.unreadable;
        if unreadable.iter().any(|message| message.id.is_none()) {
            return None;
        }
        let is_top = match position(work) {
            Position::Newest => true,
            Position::After(_) => self.is_last && self.end.is_none(),
            Position::Before(_) => false,
        };
        let settled = MessageId::at(self.asked_ms - SETTLED_MS).0;
        let high = covered.below.saturating_sub(1);
        let high = if is_top { high.max(settled) } else { high };
        let low = covered.above + 1;
        (low <= high).then_some(Stretch {
            low: MessageId(low),
            high: MessageId(high),
        })
    }
}

/// Whether a message is outside the part that a forward scan reads again.
pub fn is_new(work: &Work, id: MessageId) -> bool {
    work.seen.is_none_or(|seen| id > seen)
}

/// Messages that could not be read completely, so their clips are not known.
pub fn doubtful(page: &Page) -> impl Iterator<Item = Option<MessageId>> + '_ {
    let unreadable = page.unreadable.iter().map(|message| message.id);
    let partial = page.messages.iter().filter(|message| message.lacks_parts());
    unreadable.chain(partial.map(|message| Some(message.id)))
}

/// The doubtful messages that are new. `None` stands for one without an ID.
pub fn unreadable(work: &Work, page: &Page) -> Vec<Option<MessageId>> {
    let ids = doubtful(page);
    ids.filter(|id| id.is_none_or(|id| is_new(work, id)))
        .collect()
}

/// Cuts a page after `most` new messages. While a forward scan reads messages again, it
/// requests full pages, which may contain more than it needs.
pub fn trimmed(page: Page, work: &Work, most: Option<u64>) -> Page {
    let (Some(most), Some(_)) = (most, work.seen) else {
        return page;
    };
    let mut new: Vec<MessageId> = ids(&page).filter(|id| is_new(work, *id)).collect();
    new.sort_unstable();
    let rest = usize::try_from(most.saturating_sub(work.listed)).unwrap_or(usize::MAX);
    match new.get(rest).copied() {
        Some(beyond) => only(page, |id| id < beyond),
        None => page,
    }
}

/// Cuts a page before the messages whose clips exceed what one call can save. Returns the
/// page and its clips. The next page starts with the messages that were cut off.
pub fn fitting(page: Page, work: &Work, clips: Vec<Vec<ClipRecord>>) -> (Page, Vec<ClipRecord>) {
    let mut held: Vec<(MessageId, Vec<ClipRecord>)> = page
        .messages
        .iter()
        .map(|message| message.id)
        .zip(clips)
        .collect();
    held.sort_unstable_by_key(|(id, _)| *id);
    let is_upwards = matches!(position(work), Position::After(_));
    if !is_upwards {
        held.reverse();
    }
    let (mut fitting, mut beyond) = (Vec::new(), None);
    for (id, clips) in held {
        if fitting.len() + clips.len() > CLIPS_AT_ONCE {
            beyond = Some(id);
            break;
        }
        fitting.extend(clips);
    }
    match beyond {
        Some(beyond) if is_upwards => (only(page, |id| id < beyond), fitting),
        Some(beyond) => (only(page, |id| id > beyond), fitting),
        None => (page, fitting),
    }
}

/// The rows that are gone: those of messages that were read (`is_read`) whose clips are not
/// among `clips`.
pub fn gone(
    rows: Vec<String>,
    clips: &[ClipRecord],
    is_read: impl Fn(MessageId) -> bool,
) -> Vec<String> {
    let on_page: HashSet<(&str, &str)> = clips
        .iter()
        .map(|record| (record.clip.message_id.as_str(), record.clip.id.as_str()))
        .collect();
    let is_gone = |row: &String| {
        let mut parts = row.splitn(3, ':').skip(1);
        let (Some(message), Some(clip)) = (parts.next(), parts.next()) else {
            return false;
        };
        let message = message.trim_start_matches('0');
        MessageId::parse(message).is_some_and(&is_read) && !on_page.contains(&(message, clip))
    };
    rows.into_iter().filter(is_gone).collect()
}

fn only(mut page: Page, keep: impl Fn(MessageId) -> bool) -> Page {
    page.messages.retain(|message| keep(message.id));
    page.unreadable
        .retain(|message| message.id.is_some_and(&keep));
    page.length = page.messages.len() + page.unreadable.len();
    let (low, high) = (ids(&page).min(), ids(&page).max());
    page.range = low.zip(high);
    page
}

/// Moves a job's position past a page.
pub fn advance(work: &mut Work, page: &Page) {
    let Some((low, high)) = page.range else {
        return;
    };
    work.unreadable += unreadable(work, page).len() as u64;
    work.listed += match work.seen {
        Some(_) => ids(page).filter(|id| is_new(work, *id)).count() as u64,
        None => page.length as u64,
    };
    match position(work) {
        Position::After(_) => work.after = Some(high),
        Position::Before(_) | Position::Newest => work.before = Some(low),
    }
    if work.seen.is_some_and(|seen| high >= seen) {
        work.seen = None;
    }
}

fn ids(page: &Page) -> impl Iterator<Item = MessageId> + '_ {
    let unreadable = page.unreadable.iter().filter_map(|message| message.id);
    page.messages
        .iter()
        .map(|message| message.id)
        .chain(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[u64]) -> Page {
        let range = ids.iter().min().zip(ids.iter().max());
        Page {
            length: ids.len(),
            range: range.map(|(low, high)| (MessageId(*low), MessageId(*high))),
            ..Page::default()
        }
    }

    fn covered(work: &Work, page: &Page, is_last: bool) -> Covered {
        let read = Read {
            page,
            is_last,
            end: None,
            asked_ms: 0,
        };
        read.covered(work)
    }

    #[test]
    fn the_last_page_asks_for_the_rest_only() {
        let work = Work {
            listed: 950,
            ..Work::default()
        };
        assert_eq!(limit(&work, Some(1000)), 50);
        assert_eq!(limit(&work, None), 100);
        let overlapping = Work {
            seen: Some(MessageId(1)),
            ..work
        };
        assert_eq!(limit(&overlapping, Some(1000)), 100);
    }

    #[test]
    fn places_move_by_the_ids_of_a_page_whatever_its_order() {
        let mut work = Work::default();
        advance(&mut work, &page(&[50, 90, 70]));
        assert_eq!(position(&work), Position::Before(MessageId(50)));
        let covered = covered(&work, &page(&[20, 40]), false);
        assert_eq!(
            (covered.above, covered.below, covered.from_start),
            (19, 50, false)
        );
    }

    #[test]
    fn a_page_that_reaches_the_end_of_a_scan_is_cut_there() {
        let down = Work {
            before: Some(MessageId(90)),
            ..Work::default()
        };
        let part = |ids: &[u64]| Page {
            messages: Vec::new(),
            ..page(ids)
        };
        assert!(!within(part(&[60, 80]), &down, Some(MessageId(50))).1);
        assert!(within(part(&[51, 80]), &down, Some(MessageId(50))).1);
        assert!(within(part(&[40, 80]), &down, Some(MessageId(50))).1);
        let up = Work {
            after: Some(MessageId(10)),
            ..Work::default()
        };
        assert!(within(part(&[20, 49]), &up, Some(MessageId(50))).1);
        assert!(!within(part(&[20, 48]), &up, Some(MessageId(50))).1);
        let read = Read {
            page: &page(&[60, 80]),
            is_last: true,
            end: Some(MessageId(50)),
            asked_ms: 0,
        };
        let covered = read.covered(&down);
        assert_eq!((covered.above, covered.from_start), (50, false));
    }

    #[test]
    fn a_short_page_backwards_is_the_start_of_the_channel() {
        let work = Work {
            before: Some(MessageId(50)),
            ..Work::default()
        };
        assert!(covered(&work, &page(&[20]), true).from_start);
        assert!(covered(&work, &page(&[]), true).from_start);
    }
}
