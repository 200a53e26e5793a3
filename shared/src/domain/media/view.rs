//! The bytes of a file that were read so far.

use std::ops::Range;

use super::facts::Problem;

/// Why a walk stopped.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// These bytes were not read yet.
    Need(Range<u64>),
    /// It will not get further with more bytes.
    Problem(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Stop {
        Stop::Problem(problem)
    }
}

/// Parts of a file.
#[derive(Debug, Default)]
pub(super) struct View {
    /// The size of the file, once it is known.
    total: Option<u64>,
    /// The parts by their place. They neither overlap nor touch.
    parts: Vec<(u64, Vec<u8>)>,
}

impl View {
    /// The size of the file. It is known after the first read.
    pub fn total(&self) -> u64 {
        self.total.unwrap_or(u64::MAX)
    }

    /// Adds a part. Where it overlaps a part that is known, the known bytes stay.
    pub fn add(&mut self, at: u64, bytes: &[u8], total: u64) {
        self.total = Some(total);
        let (mut at, mut bytes) = (at, bytes.to_vec());
        let mut apart = Vec::with_capacity(self.parts.len() + 1);
        for (start, known) in self.parts.drain(..) {
            let (end, known_end) = (at + bytes.len() as u64, start + known.len() as u64);
            if start > end || at > known_end {
                apart.push((start, known));
                continue;
            }
            let before = usize::try_from(start.saturating_sub(at)).unwrap_or(usize::MAX);
            let mut joined = bytes[..before.min(bytes.len())].to_vec();
            joined.extend_from_slice(&known);
            if end > known_end {
                let from = bytes.len() - (end - known_end) as usize;
                joined.extend_from_slice(&bytes[from..]);
            }
            (at, bytes) = (at.min(start), joined);
        }
        apart.push((at, bytes));
        apart.sort_by_key(|(at, _)| *at);
        self.parts = apart;
    }

    /// `n` bytes from `at` on.
    pub fn bytes(&self, at: u64, n: usize) -> Result<&[u8], Stop> {
        let end = at.checked_add(n as u64).ok_or(Problem::Damaged)?;
        if end > self.total() {
            return Err(Problem::Incomplete.into());
        }
        let part = self
            .parts
            .iter()
            .find(|(start, bytes)| *start <= at && end <= start + bytes.len() as u64);
        match part {
            Some((start, bytes)) => {
                let from = (at - start) as usize;
                Ok(&bytes[from..from + n])
            }
            None => Err(Stop::Need(at..end)),
        }
    }

    /// An unsigned number of `n` bytes, 8 at most, big-endian.
    pub fn number(&self, at: u64, n: usize) -> Result<u64, Stop> {
        let bytes = self.bytes(at, n)?;
        Ok(bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A number of 4 bytes.
    pub fn word(&self, at: u64) -> Result<u32, Stop> {
        Ok(self.number(at, 4)? as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_where_they_touch_or_overlap() {
        let file: Vec<u8> = (0..100).collect();
        let mut view = View::default();
        for part in [50..60, 0..10, 10..20, 55..70, 15..52] {
            view.add(part.start as u64, &file[part], 100);
        }
        assert_eq!(view.parts.len(), 1);
        assert_eq!(view.bytes(0, 70).unwrap(), &file[..70]);
        assert_eq!(view.bytes(69, 2), Err(Stop::Need(69..71)));
        assert_eq!(view.bytes(99, 2), Err(Problem::Incomplete.into()));
        assert_eq!(view.bytes(u64::MAX, 2), Err(Problem::Damaged.into()));
    }

    #[test]
    fn a_part_inside_a_known_one_changes_nothing() {
        let mut view = View::default();
        view.add(0, &[1; 20], 100);
        view.add(5, &[2; 5], 100);
        assert_eq!(view.bytes(0, 20).unwrap(), [1; 20]);
    }
}
