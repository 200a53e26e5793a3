//! The boxes of an MP4 or QuickTime file.

use super::facts::Problem;
use super::view::{Stop, View};

/// How many boxes a walk looks at.
const MOST_BOXES: u32 = 4000;

/// A box: its type, and where its content lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub kind: [u8; 4],
    pub start: u64,
    pub end: u64,
    /// Whether it claims to be longer than the file.
    pub is_cut: bool,
}

/// Reads boxes, and counts them.
pub(super) struct Boxes<'a> {
    pub view: &'a View,
    seen: u32,
}

impl<'a> Boxes<'a> {
    pub fn new(view: &'a View) -> Boxes<'a> {
        Boxes { view, seen: 0 }
    }

    /// The box at `at`, which must end by `limit`. The file's last box may claim to be
    /// longer than the file.
    pub fn read(&mut self, at: u64, limit: u64) -> Result<Part, Stop> {
        self.seen += 1;
        if self.seen > MOST_BOXES {
            return Err(Problem::Damaged.into());
        }
        let size = u64::from(self.view.word(at)?);
        let kind = self.view.bytes(at + 4, 4)?;
        let kind = [kind[0], kind[1], kind[2], kind[3]];
        let (header, size) = match size {
            0 => (8, limit.saturating_sub(at)),
            1 => (16, self.view.number(at + 8, 8)?),
            size => (8, size),
        };
        if size < header {
            return Err(Problem::Damaged.into());
        }
        let end = at.checked_add(size).ok_or(Problem::Damaged)?;
        if end > limit && limit < self.view.total() {
            return Err(Problem::Damaged.into());
        }
        Ok(Part {
            kind,
            start: at + header,
            end: end.min(limit),
            is_cut: end > limit,
        })
    }

    /// Calls `each` for the boxes in `part`.
    pub fn within(
        &mut self,
        part: Part,
        mut each: impl FnMut(&mut Self, Part) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut at = part.start;
        while at + 8 <= part.end {
            let child = self.read(at, part.end)?;
            each(self, child)?;
            at = child.end;
        }
        Ok(())
    }
}
