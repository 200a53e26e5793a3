//! How long a failed attempt waits for the next.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The longest wait between two attempts.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Waits between attempts. The default, exponential from 5 s, waits at most
/// 5, 10, 20, 40, 80, 160, 320, 640 and then 900 seconds; the actual wait is random
/// from nothing to that ("full jitter"), so that jobs that failed together do not
/// come back together. A `Retry-After` told by the other side wins over it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Backoff {
    Exponential { base_ms: u64 },
    Fixed { delay_ms: u64 },
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff::Exponential { base_ms: 5000 }
    }
}

impl Backoff {
    /// The wait after attempt number `attempt` (from 1) failed; `random` is from 0
    /// to 1.
    pub fn delay(&self, attempt: u32, random: f64) -> Duration {
        match self {
            Backoff::Fixed { delay_ms } => Duration::from_millis(*delay_ms).min(LONGEST),
            Backoff::Exponential { base_ms } => {
                let doublings = attempt.saturating_sub(1).min(63);
                let most = base_ms.saturating_mul(1u64 << doublings);
                Duration::from_millis(most)
                    .min(LONGEST)
                    .mul_f64(random.clamp(0.0, 1.0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_waits_are_those_written_down() {
        let waits: Vec<u64> = (1..=10)
            .map(|attempt| Backoff::default().delay(attempt, 1.0).as_secs())
            .collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
    }

    proptest! {
        #[test]
        fn a_wait_never_exceeds_the_longest(attempt in any::<u32>(), base_ms in any::<u64>(), random in 0.0..=1.0f64) {
            let wait = Backoff::Exponential { base_ms }.delay(attempt, random);
            prop_assert!(wait <= LONGEST);
        }
    }
}
