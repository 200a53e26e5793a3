//! The time that every request to the scripts carries, and whether this clock can be
//! trusted.
//!
//! Scripts do not read a clock themselves, because a replay must do what the first call
//! did.

use super::scripts::Moment;
use super::{Error, Queue};

/// The head start of one priority level over the next when priority is strict. It exceeds
/// every time that a score can hold, and nine times this value still fits into one band
/// beside the time.
const STRICT_AGING_MS: u64 = 1_700_000_000_000;

impl Queue {
    /// Returns an error if this clock is known to be wrong, so that no wrong time is
    /// written.
    pub(super) fn check_clock(&self) -> Result<(), Error> {
        let (Some(most), Some(ahead_ms)) = (self.config.clock_skew, self.redis.clock_skew_ms())
        else {
            return Ok(());
        };
        if u128::from(ahead_ms.unsigned_abs()) > most.as_millis() {
            return Err(Error::ClockSkew { ahead_ms });
        }
        Ok(())
    }

    pub(super) fn moment(&self, now: i64) -> Moment {
        Moment {
            now,
            day: day(now),
            aging: match self.config.aging.as_millis() {
                0 => STRICT_AGING_MS,
                aging => u64::try_from(aging).unwrap_or(u64::MAX),
            },
        }
    }
}

/// The UTC day of a time in the counters' format, such as `20261121`.
pub(super) fn day(now_ms: i64) -> String {
    let days = now_ms.div_euclid(86_400_000);
    // This is Howard Hinnant's `civil_from_days`.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_named_by_the_calendar() {
        assert_eq!(day(0), "19700101");
        assert_eq!(day(1_709_164_800_000), "20240229");
        assert_eq!(day(1_795_219_199_999), "20261120");
        assert_eq!(day(1_795_219_200_000), "20261121");
    }
}
