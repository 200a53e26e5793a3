//! Percentiles of measured times.

use std::time::Duration;

/// The median and the slow end of a set of times.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Percentiles {
    pub p50: Duration,
    pub p90: Duration,
    pub p99: Duration,
}

impl Percentiles {
    /// Computes the percentiles of `times` in any order. Without times, all are zero.
    pub fn of(mut times: Vec<Duration>) -> Percentiles {
        times.sort_unstable();
        Percentiles {
            p50: percentile(&times, 50),
            p90: percentile(&times, 90),
            p99: percentile(&times, 99),
        }
    }
}

/// The smallest of the sorted `times` that at least `percent` percent do not exceed.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    let rank = (times.len() * percent).div_ceil(100);
    times
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: impl Iterator<Item = u64>) -> (u128, u128) {
        let found = Percentiles::of(times.map(Duration::from_millis).collect());
        (found.p50.as_millis(), found.p99.as_millis())
    }

    #[test]
    fn a_percentile_is_the_smallest_time_that_so_many_do_not_exceed() {
        assert_eq!(of((1..=100).rev()), (50, 99));
        assert_eq!(of(1..=1000), (500, 990));
        assert_eq!(of(1..=3), (2, 3));
    }

    #[test]
    fn one_time_is_every_percentile_and_none_is_zero() {
        assert_eq!(of(std::iter::once(7)), (7, 7));
        assert_eq!(of(std::iter::empty()), (0, 0));
    }
}
