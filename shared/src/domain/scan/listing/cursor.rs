//! Where a page ended.

use std::fmt;

/// The longest cursor, in bytes.
const LONGEST: usize = 160;

/// The place of the last row of a page, in the form of the index that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipCursor(String);

impl ClipCursor {
    pub(super) fn new(place: String) -> ClipCursor {
        ClipCursor(place)
    }

    /// Parses a cursor that a listing returned.
    pub fn parse(text: &str) -> Option<ClipCursor> {
        let is_part =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let n_parts = text.split(':').count();
        let is_cursor = (1..=LONGEST).contains(&text.len())
            && (3..=4).contains(&n_parts)
            && text.split(':').all(is_part);
        is_cursor.then(|| ClipCursor(text.to_owned()))
    }

    /// The number and the row of a cursor that begins with a number.
    pub(super) fn numbered<T: std::str::FromStr>(&self) -> Option<(T, &str)> {
        let (number, rest) = self.0.split_once(':')?;
        Some((number.parse().ok()?, rest))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClipCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_what_it_writes_and_nothing_else() {
        for text in [
            "1795219200000:1200000000000000001:00001200000000000002:e0a1",
            "00001200000000000002:1200000000000000001:7",
        ] {
            assert_eq!(ClipCursor::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "5", "5:a", "x::b:c", "5:a:b:c:d", "5:a:b:*", "5:a:b;"] {
            assert_eq!(ClipCursor::parse(text), None, "{text}");
        }
    }
}
