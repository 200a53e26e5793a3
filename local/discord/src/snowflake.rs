//! Discord's IDs: milliseconds since 2015 in the upper 42 bits.

/// 2015-01-01T00:00:00Z, Discord's epoch.
pub const EPOCH_MS: i64 = 1_420_070_400_000;

/// The smallest id of a moment. Moments before 2015 give 0.
///
/// ```
/// assert_eq!(discord_local::snowflake::at_ms(1_704_067_200_000), 1_191_168_914_227_200_000);
/// ```
pub const fn at_ms(unix_ms: i64) -> u64 {
    if unix_ms <= EPOCH_MS {
        return 0;
    }
    ((unix_ms - EPOCH_MS) as u64) << 22
}

/// The time at which an ID was created, in Unix milliseconds.
pub const fn ms_of(id: u64) -> i64 {
    (id >> 22) as i64 + EPOCH_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_example_id_gives_its_moment() {
        assert_eq!(ms_of(175_928_847_299_117_063), 1_462_015_105_796);
    }

    #[test]
    fn an_id_made_from_a_moment_gives_it_back() {
        assert_eq!(at_ms(1_767_225_600_000), 1_456_074_443_980_800_000);
        assert_eq!(ms_of(at_ms(1_767_225_600_000)), 1_767_225_600_000);
        assert_eq!(at_ms(0), 0);
    }
}
