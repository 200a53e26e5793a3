//! The constants of the storage layout, which the scripts and Rust share.
//!
//! `scripts/layout.lua` describes the keys, the score bands and the fields, and defines the
//! same constants for the scripts. The test below compares the two.

/// The time that scores count from, in unix milliseconds: the beginning of 2024.
pub const EPOCH_MS: i64 = 1_704_067_200_000;

/// The width of a score band: 2^44 milliseconds, which lasts until 2581. The scores of
/// delayed jobs count sixteenths of a millisecond and take four bands.
pub const BAND: i64 = 1 << 44;

/// The scores of one millisecond for a delayed job. The remainder of a score is the job's
/// priority.
pub const DELAYED_STEP: i64 = 16;

/// The member of the index that pauses the queue.
pub const PAUSE: &str = "!";

/// The newest format of a stored job.
pub const SPEC_VERSION: u8 = 2;

/// The events that are counted, in total and by day.
pub const COUNTERS: [&str; 5] = ["completed", "failed", "cancelled", "retried", "stalled"];

/// The number of minutes that have counts. Each minute overwrites the one that many minutes
/// earlier.
pub const MINUTES: i64 = 16;

/// A job fails after this many lost leases, or after as many as it has attempts, if that is
/// more. A snooze or a redrive resets the count.
pub const STALL_LIMIT: u32 = 3;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::lua::FILES;
    use super::super::{JobId, JobState};
    use super::*;
    use crate::clock::Clock;

    /// The text that the Lua file assigns to this local.
    fn lua(file: &str, name: &str) -> &'static str {
        let (_, text) = FILES.iter().find(|(other, _)| *other == file).unwrap();
        let start = format!("local {name} = ");
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(&start));
        let value = lines
            .next()
            .unwrap_or_else(|| panic!("{file}.lua sets no {name}"));
        assert_eq!(lines.next(), None, "{file}.lua sets {name} twice");
        value
    }

    fn number(file: &str, name: &str) -> i64 {
        lua(file, name).parse().unwrap()
    }

    /// The quoted words in a Lua table.
    fn words(table: &'static str) -> Vec<&'static str> {
        table.split('\'').skip(1).step_by(2).collect()
    }

    /// Reads the entries of `{ a = 1, b = 2 }`.
    fn entries(table: &'static str) -> Vec<(&'static str, i64)> {
        let inner = table.trim_start_matches("{ ").trim_end_matches(" }");
        let pairs = inner
            .split(", ")
            .map(|pair| pair.split_once(" = ").unwrap());
        pairs
            .map(|(name, value)| (name, value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_scripts_and_rust_have_the_same_constants() {
        assert_eq!(number("layout", "EPOCH"), EPOCH_MS);
        assert_eq!(number("layout", "PARKED"), BAND);
        assert_eq!(number("layout", "DELAYED_STEP"), DELAYED_STEP);
        assert_eq!(number("layout", "VERSION"), i64::from(SPEC_VERSION));
        assert_eq!(number("layout", "STALL_LIMIT"), i64::from(STALL_LIMIT));
        assert_eq!(number("count", "MINUTES"), MINUTES);
        assert_eq!(words(lua("layout", "PAUSE")), [PAUSE]);
        assert_eq!(words(lua("layout", "COUNTERS")), COUNTERS);
        let id = JobId::new(&Clock::manual(EPOCH_MS));
        assert_eq!(number("audit", "ID_LENGTH"), id.as_str().len() as i64);
    }

    #[test]
    fn the_scripts_and_rust_have_the_same_bands_for_the_same_states() {
        let first = |state: JobState| state.band().0 as i64;
        assert_eq!(number("layout", "DELAYED"), first(JobState::Delayed));
        assert_eq!(number("layout", "ACTIVE"), first(JobState::Active));
        // Waiting jobs, followed by parked ones.
        assert_eq!(JobState::Waiting.band(), (0.0, (2 * BAND - 1) as f64));

        let in_lua: BTreeSet<_> = entries(lua("layout", "FINISHED")).into_iter().collect();
        let finished = JobState::ALL
            .into_iter()
            .filter(|state| state.is_finished());
        let in_rust: BTreeSet<_> = finished
            .map(|state| (state.as_str(), first(state)))
            .collect();
        assert_eq!(in_lua, in_rust);
    }

    #[test]
    fn the_scripts_know_no_state_that_rust_does_not() {
        let known: BTreeSet<&str> = JobState::ALL.map(JobState::as_str).into();
        for (file, text) in FILES {
            // The words that a state is compared with or set to.
            for part in text
                .split("state == '")
                .chain(text.split("state ~= '"))
                .skip(1)
            {
                let word = part.split('\'').next().unwrap();
                let is_code = !word.contains('\n') && word.chars().all(|c| c.is_ascii_lowercase());
                assert!(
                    !is_code || word.is_empty() || known.contains(word),
                    "{file}.lua: {word}"
                );
            }
        }
    }
}
