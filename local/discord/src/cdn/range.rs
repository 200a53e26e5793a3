//! Parses the `Range` header. Only a single range is supported; for several ranges the
//! whole file is sent, which the standard allows.

use std::ops::Range;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Whole,
    Part(Range<u64>),
    Impossible,
}

pub(super) fn wanted(header: Option<&str>, total: u64) -> Wanted {
    let bounds = header
        .and_then(|header| header.strip_prefix("bytes="))
        .filter(|ranges| !ranges.contains(','))
        .and_then(|range| range.trim().split_once('-'));
    let (first, last) = match bounds {
        Some((first, last)) => (first.parse::<u64>().ok(), last.parse::<u64>().ok()),
        None => return Wanted::Whole,
    };
    match (first, last) {
        (Some(first), Some(last)) if last < first => Wanted::Whole,
        (Some(first), _) if first >= total => Wanted::Impossible,
        (Some(first), last) => {
            let end = last.map_or(total, |last| last.saturating_add(1).min(total));
            Wanted::Part(first..end)
        }
        (None, Some(0)) => Wanted::Impossible,
        (None, Some(n_last)) => Wanted::Part(total.saturating_sub(n_last)..total),
        (None, None) => Wanted::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_at_the_end_of_the_file() {
        assert_eq!(wanted(Some("bytes=0-9"), 100), Wanted::Part(0..10));
        assert_eq!(wanted(Some("bytes=90-"), 100), Wanted::Part(90..100));
        assert_eq!(wanted(Some("bytes=90-500"), 100), Wanted::Part(90..100));
        assert_eq!(wanted(Some("bytes=-10"), 100), Wanted::Part(90..100));
        assert_eq!(wanted(Some("bytes=-500"), 100), Wanted::Part(0..100));
    }

    #[test]
    fn a_range_behind_the_end_is_impossible_and_nonsense_is_ignored() {
        assert_eq!(wanted(Some("bytes=100-"), 100), Wanted::Impossible);
        assert_eq!(wanted(Some("bytes=-0"), 100), Wanted::Impossible);
        assert_eq!(wanted(Some("bytes=9-3"), 100), Wanted::Whole);
        assert_eq!(wanted(Some("lines=1-2"), 100), Wanted::Whole);
        assert_eq!(wanted(Some("bytes=0-1,5-6"), 100), Wanted::Whole);
        assert_eq!(wanted(None, 100), Wanted::Whole);
    }
}
