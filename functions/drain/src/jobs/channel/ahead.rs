//! Pages that were read and are not saved yet.
//!
//! One script call saves several pages: each call has a fixed price, and pages follow each
//! other within a second. A crash loses the pages that were not saved, and the next attempt
//! reads them again.

use std::collections::HashSet;

use shared::discord::{MessageId, Page};
use shared::scan::{CLIPS_AT_ONCE, Channel, ClipRecord, Covered, Stretch, Work};

use super::page;

/// Maximum number of pages that are saved at once.
pub const PAGES_AT_ONCE: u64 = 2;

/// What is to be saved.
pub struct Ahead {
    /// The record as it will be.
    pub channel: Channel,
    /// The position of the job as it will be.
    pub work: Work,
    pub clips: Vec<ClipRecord>,
    /// The ranges that were read, as few as possible.
    pub stretches: Vec<Stretch>,
    /// Whether a part of them may have been read before.
    pub may_have_rows: bool,
    /// Messages that exist but could not be read. Their rows are kept.
    pub doubtful: HashSet<MessageId>,
    /// What the last page covered, for the percentage.
    pub range: Option<(MessageId, MessageId)>,
    /// How many pages.
    pub pages: u64,
}

impl Ahead {
    pub fn new(channel: Channel, work: Work) -> Ahead {
        Ahead {
            channel,
            work,
            clips: Vec::new(),
            stretches: Vec::new(),
            may_have_rows: false,
            doubtful: HashSet::new(),
            range: None,
            pages: 0,
        }
    }

    /// Whether the clips of another page fit into the same call.
    pub fn has_room(&self, clips: usize) -> bool {
        self.clips.len() + clips <= CLIPS_AT_ONCE
    }

    /// Adds what a page covers. Call it before the position moves.
    pub fn cover(&mut self, covered: &Covered, stretch: Option<Stretch>) {
        // Computed before the cursors move; afterwards every range would count as read.
        self.may_have_rows |=
            stretch.is_some_and(|stretch| self.channel.knows_of(stretch.low, stretch.high));
        if !self.channel.cover(covered) {
            self.channel.strays = true;
        }
        let Some(stretch) = stretch else {
            return;
        };
        match self.stretches.last_mut() {
            Some(last) if touch(*last, stretch) => {
                last.low = last.low.min(stretch.low);
                last.high = last.high.max(stretch.high);
            }
            _ => self.stretches.push(stretch),
        }
    }

    /// Moves the position past a page and takes its clips.
    pub fn advance(&mut self, found: &Page, clips: Vec<ClipRecord>) {
        let before = self.work.listed;
        page::advance(&mut self.work, found);
        self.channel.total_messages_scanned += self.work.listed - before;
        self.doubtful.extend(page::doubtful(found).flatten());
        self.clips.extend(clips);
        self.range = found.range;
        self.pages += 1;
    }

    /// The rows among these that are not on the pages any more.
    pub fn stale(&self, rows: Vec<String>) -> Vec<String> {
        page::gone(rows, &self.clips, |message| {
            !self.doubtful.contains(&message)
        })
    }
}

fn touch(a: Stretch, b: Stretch) -> bool {
    a.low.0 <= b.high.0.saturating_add(1) && b.low.0 <= a.high.0.saturating_add(1)
}
