//! Where a scan's next page begins, and what a page covers.

use shared::discord::{MessageId, Page, Position};
use shared::jobs::{ChannelScan, Direction};
use shared::scan::{Channel, Covered, Work};

/// The most messages of a page.
pub const LARGEST: u64 = 100;

/// A forward scan reads the last two minutes before its cursor again, since Discord
/// adds link previews to messages after they are posted.
const OVERLAP_MS: i64 = 120_000;

/// Where a scan that has not begun yet begins, by the channel's cursors.
pub fn begin(scan: &ChannelScan, channel: &Channel) -> Work {
    let id = |text: &Option<String>| text.as_deref().and_then(MessageId::parse);
    let (before, after) = (id(&scan.before_message_id), id(&scan.after_message_id));
    let mut work = Work::default();
    match scan.direction() {
        _ if before.is_some() => work.before = before,
        _ if after.is_some() => work.after = after,
        Direction::Backward => work.before = channel.backward_message_id,
        Direction::Forward => {
            if let Some(newest) = channel.forward_message_id {
                let overlap = MessageId::at(newest.created_ms() - OVERLAP_MS);
                work.after = Some(overlap.min(newest));
                work.seen = Some(newest);
            }
        }
    }
    work
}

pub fn position(work: &Work) -> Position {
    match (work.after, work.before) {
        (Some(after), _) => Position::After(after),
        (None, Some(before)) => Position::Before(before),
        (None, None) => Position::Newest,
    }
}

/// How many messages to ask for. What is read again is not counted, so while there
/// is any, the page is a full one.
pub fn limit(work: &Work, most: Option<u64>) -> u64 {
    match most {
        Some(most) if work.seen.is_none() => LARGEST.min(most.saturating_sub(work.listed)),
        _ => LARGEST,
    }
}

/// What a page that was asked for with `limit` covers.
pub fn covered(work: &Work, page: &Page, limit: u64) -> Covered {
    let last = (page.length as u64) < limit;
    let (low, high) = page.range.map_or((0, 0), |(low, high)| (low.0, high.0));
    match position(work) {
        Position::After(after) => Covered {
            above: after.0,
            below: high.max(after.0) + 1,
            range: page.range,
            from_start: after.0 == 0,
        },
        Position::Before(MessageId(below)) => Covered {
            above: if last { 0 } else { low - 1 },
            below,
            range: page.range,
            from_start: last,
        },
        Position::Newest => Covered {
            above: if last { 0 } else { low - 1 },
            below: high + 1,
            range: page.range,
            from_start: last,
        },
    }
}

/// Whether a message is beyond what a forward scan reads again.
pub fn is_new(work: &Work, id: MessageId) -> bool {
    work.seen.is_none_or(|seen| id > seen)
}

/// The new messages of a page that could not be read; `None` is one without an id.
pub fn unreadable(work: &Work, page: &Page) -> Vec<Option<MessageId>> {
    let ids = page.unreadable.iter().map(|message| message.id);
    ids.filter(|id| id.is_none_or(|id| is_new(work, id)))
        .collect()
}

/// A page without the new messages beyond `most`. While a forward scan reads a little
/// again, its pages are full ones and may hold more than is wanted.
pub fn trimmed(mut page: Page, work: &Work, most: Option<u64>) -> Page {
    let (Some(most), Some(_)) = (most, work.seen) else {
        return page;
    };
    let mut new: Vec<MessageId> = ids(&page).filter(|id| is_new(work, *id)).collect();
    new.sort_unstable();
    let rest = usize::try_from(most.saturating_sub(work.listed)).unwrap_or(usize::MAX);
    let Some(beyond) = new.get(rest).copied() else {
        return page;
    };
    page.messages.retain(|message| message.id < beyond);
    page.unreadable
        .retain(|message| message.id.is_some_and(|id| id < beyond));
    page.length = page.messages.len() + page.unreadable.len();
    let (low, high) = (ids(&page).min(), ids(&page).max());
    page.range = low.zip(high);
    page
}

/// Moves a job's place over a page.
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
        let covered = covered(&work, &page(&[20, 40]), 2);
        assert_eq!(
            (covered.above, covered.below, covered.from_start),
            (19, 50, false)
        );
    }

    #[test]
    fn a_short_page_backwards_is_the_start_of_the_channel() {
        let work = Work {
            before: Some(MessageId(50)),
            ..Work::default()
        };
        assert!(covered(&work, &page(&[20]), 100).from_start);
        assert!(covered(&work, &page(&[]), 100).from_start);
    }
}
