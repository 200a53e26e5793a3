//! The elements of a WebM or Matroska file.

use super::facts::Problem;
use super::view::{Stop, View};

/// How many elements a walk looks at.
const MOST_ELEMENTS: u32 = 4000;

/// The element that holds media data.
pub(super) const CLUSTER: u32 = 0x1f43_b675;

/// An element: its id, and where its content lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element {
    pub id: u32,
    pub start: u64,
    /// `None` if the element does not say where it ends.
    pub end: Option<u64>,
}

/// Reads elements, and counts them.
pub(super) struct Elements<'a> {
    pub view: &'a View,
    seen: u32,
}

impl<'a> Elements<'a> {
    pub fn new(view: &'a View) -> Elements<'a> {
        Elements { view, seen: 0 }
    }

    /// The element at `at`.
    pub fn read(&mut self, at: u64) -> Result<Element, Stop> {
        self.seen += 1;
        if self.seen > MOST_ELEMENTS {
            return Err(Problem::Damaged.into());
        }
        let first = self.view.number(at, 1)? as u8;
        let n_id = first.leading_zeros() as usize + 1;
        if n_id > 4 {
            return Err(Problem::Damaged.into());
        }
        let id = self.view.number(at, n_id)? as u32;
        let at = at + n_id as u64;
        let first = self.view.number(at, 1)? as u8;
        let n_size = first.leading_zeros() as usize + 1;
        if n_size > 8 {
            return Err(Problem::Damaged.into());
        }
        let marked = self.view.number(at, n_size)?;
        let mask = (1_u64 << (7 * n_size)) - 1;
        let size = marked & mask;
        let start = at + n_size as u64;
        Ok(Element {
            id,
            start,
            end: (size != mask).then(|| start.saturating_add(size)),
        })
    }

    /// Calls `each` for the elements in `element`, until the end of the file at most.
    pub fn within(
        &mut self,
        element: Element,
        mut each: impl FnMut(&mut Self, Element) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let end = element.end.ok_or(Problem::Damaged)?;
        let mut at = element.start;
        while at < end {
            let child = self.read(at)?;
            let child_end = child.end.filter(|child_end| *child_end <= end);
            each(self, child)?;
            at = child_end.ok_or(Problem::Damaged)?;
        }
        Ok(())
    }

    fn size(element: Element) -> Result<usize, Stop> {
        let size = element.end.ok_or(Problem::Damaged)? - element.start;
        usize::try_from(size).map_err(|_| Problem::Damaged.into())
    }

    /// A whole number. An empty element is 0.
    pub fn number(&self, element: Element) -> Result<u64, Stop> {
        match Elements::size(element)? {
            n @ 0..=8 => self.view.number(element.start, n),
            _ => Err(Problem::Damaged.into()),
        }
    }

    pub fn float(&self, element: Element) -> Result<f64, Stop> {
        Ok(match (Elements::size(element)?, self.number(element)?) {
            (4, bits) => f64::from(f32::from_bits(bits as u32)),
            (8, bits) => f64::from_bits(bits),
            _ => 0.0,
        })
    }

    pub fn text(&self, element: Element) -> Result<String, Stop> {
        let n_bytes = Elements::size(element)?.min(64);
        let bytes = self.view.bytes(element.start, n_bytes)?;
        Ok(String::from_utf8_lossy(bytes)
            .trim_end_matches('\0')
            .to_owned())
    }
}
