//! A walk through a file's headers.

use std::ops::Range;

use super::facts::{Facts, Problem};
use super::view::{Stop, View};
use super::{ebml, iso};

/// How much is read at once if the walk asks for less.
const BLOCK: u64 = 16 * 1024;

/// How much of a file a walk may read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The number of reads.
    pub reads: u32,
    /// The number of bytes, in all reads together.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            reads: 8,
            bytes: 1024 * 1024,
        }
    }
}

/// What a walk wants next.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// Give it these bytes, with [`Walk::give`]. The end may lie behind the file's.
    Read(Range<u64>),
    /// It is over. What the facts leave out is not known.
    Done(Facts),
    /// It is over, and nothing is known.
    Failed(Problem),
}

/// A walk through the headers of one file.
///
/// ```
/// # use shared::media::{Limits, Next, Problem, Walk};
/// let file = b"not a video";
/// let mut walk = Walk::new(Limits::default());
/// let result = loop {
///     match walk.next() {
///         Next::Read(range) => {
///             let end = range.end.min(file.len() as u64) as usize;
///             let bytes = &file[range.start as usize..end];
///             walk.give(range.start, bytes, file.len() as u64);
///         }
///         other => break other,
///     }
/// };
/// assert_eq!(result, Next::Failed(Problem::Unsupported));
/// ```
#[derive(Debug)]
pub struct Walk {
    view: View,
    limits: Limits,
    reads: u32,
    bytes: u64,
    /// Whether the file can be read from its beginning only.
    is_closed: bool,
}

impl Walk {
    /// Starts a walk.
    pub fn new(limits: Limits) -> Walk {
        Walk {
            view: View::default(),
            limits,
            reads: 0,
            bytes: 0,
            is_closed: false,
        }
    }

    /// What to do next.
    #[allow(
        clippy::should_implement_trait,
        reason = "an iterator would suggest that it goes on without what it asked for"
    )]
    pub fn next(&mut self) -> Next {
        if self.reads == 0 {
            return Next::Read(0..BLOCK.min(self.limits.bytes));
        }
        let mut facts = Facts::default();
        let problem = match look(&self.view, &mut facts) {
            Ok(()) => return Next::Done(facts),
            Err(Stop::Need(range)) => match self.affordable(range) {
                Some(range) => return Next::Read(range),
                None => Problem::TooLarge,
            },
            Err(Stop::Problem(problem)) => problem,
        };
        // A damaged end does not make what came before it wrong.
        match facts.is_something() {
            true => Next::Done(facts),
            false => Next::Failed(problem),
        }
    }

    /// Gives bytes of the file, which begin at `at`. `total` is the size of the file.
    pub fn give(&mut self, at: u64, bytes: &[u8], total: u64) {
        self.reads += 1;
        self.bytes += bytes.len() as u64;
        self.view.add(at, bytes, total);
    }

    /// How many bytes may still be read.
    pub fn bytes_left(&self) -> u64 {
        self.limits.bytes.saturating_sub(self.bytes)
    }

    /// Says that no further range can be read. The walk ends with what it has.
    pub fn close(&mut self) {
        self.is_closed = true;
    }

    /// The range to read, if the limits allow it.
    fn affordable(&self, range: Range<u64>) -> Option<Range<u64>> {
        let wanted = range.end - range.start;
        let may_read = !self.is_closed && self.reads < self.limits.reads;
        if !may_read || wanted > self.bytes_left() {
            return None;
        }
        let n_bytes = wanted.max(BLOCK).min(self.bytes_left());
        let end = range.start.saturating_add(n_bytes);
        Some(range.start..end.min(self.view.total()))
    }
}

/// Collects facts until none is missing, or the walk stops.
fn look(view: &View, facts: &mut Facts) -> Result<(), Stop> {
    if view.total() < 12 {
        return Err(Problem::Unsupported.into());
    }
    let begin = view.bytes(0, 8)?;
    match begin {
        [0x1a, 0x45, 0xdf, 0xa3, ..] => ebml::look(view, facts),
        _ if iso::is_beginning(begin) => iso::look(view, facts),
        _ => Err(Problem::Unsupported.into()),
    }
}
