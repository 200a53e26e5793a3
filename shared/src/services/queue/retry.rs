//! How long a failed attempt waits before the next one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The longest computed wait between two attempts.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The longest wait that a job may list, in milliseconds: a day.
const LONGEST_NAMED_MS: u64 = 24 * 3600 * 1000;

/// The waits between attempts. The default is exponential from 5 s: at most 5, 10, 20, 40,
/// 80, 160, 320, 640 and then 900 seconds. Unless the job disables jitter, each wait is
/// random, so that jobs that failed together do not return together. An exponential wait is
/// between zero and the given time ("full jitter"); a fixed or custom wait is between half
/// of it and all of it. A `Retry-After` from the other side takes precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Backoff {
    /// Doubles the wait each time, up to 15 minutes.
    Exponential {
        /// The first wait, in milliseconds.
        base_ms: u64,
    },
    /// Always waits for the same time.
    Fixed {
        /// The wait, in milliseconds.
        delay_ms: u64,
    },
    /// Waits for each listed time in turn, then always for the last one. Each is at most a
    /// day.
    Custom {
        /// The waits, in milliseconds.
        waits_ms: Vec<u64>,
    },
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff::Exponential { base_ms: 5000 }
    }
}

impl Backoff {
    /// Returns the wait after attempt number `attempt` (from 1) failed. `random` is from 0
    /// to 1; 1 gives the longest wait.
    pub fn delay(&self, attempt: u32, random: f64) -> Duration {
        let random = random.clamp(0.0, 1.0);
        let failed = attempt.saturating_sub(1);
        match self {
            Backoff::Exponential { base_ms } => {
                let most = base_ms.saturating_mul(1u64 << failed.min(63));
                Duration::from_millis(most).min(LONGEST).mul_f64(random)
            }
            Backoff::Fixed { delay_ms } => {
                let wait = Duration::from_millis(*delay_ms).min(LONGEST);
                wait.mul_f64(0.5 + random / 2.0)
            }
            Backoff::Custom { waits_ms } => {
                let named = waits_ms.get(failed as usize).or(waits_ms.last());
                let wait = named.map_or(0, |wait| (*wait).min(LONGEST_NAMED_MS));
                Duration::from_millis(wait).mul_f64(0.5 + random / 2.0)
            }
        }
    }

    pub(super) fn is_valid(&self) -> bool {
        match self {
            Backoff::Exponential { base_ms: wait } | Backoff::Fixed { delay_ms: wait } => {
                *wait <= LONGEST_NAMED_MS
            }
            Backoff::Custom { waits_ms } => {
                (1..=100).contains(&waits_ms.len())
                    && waits_ms.iter().all(|wait| *wait <= LONGEST_NAMED_MS)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_waits_are_those_in_the_documentation() {
        let waits: Vec<u64> = (1..=10)
            .map(|attempt| Backoff::default().delay(attempt, 1.0).as_secs())
            .collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
    }

    #[test]
    fn custom_waits_repeat_the_last_one() {
        let backoff = Backoff::Custom {
            waits_ms: vec![100, 60_000],
        };
        let waits = [1, 2, 3, 1_000_000].map(|attempt| backoff.delay(attempt, 1.0).as_millis());
        assert_eq!(waits, [100, 60_000, 60_000, 60_000]);
        assert_eq!(backoff.delay(2, 0.0), Duration::from_secs(30));
    }

    proptest! {
        #[test]
        fn a_wait_never_exceeds_the_longest(attempt in any::<u32>(), ms in any::<u64>(), random in 0.0..=1.0f64) {
            for backoff in [Backoff::Exponential { base_ms: ms }, Backoff::Fixed { delay_ms: ms }] {
                prop_assert!(backoff.delay(attempt, random) <= LONGEST);
            }
        }
    }
}
