//! Leases as time intervals in which a job was certainly held.

use std::collections::HashMap;

use super::check::{Attempt, Round};
use super::{Event, LEASE};

/// When an attempt was certainly held: from the reply that handed it out to the first
/// report of its outcome, or to the end of its last renewed lease.
pub struct Held {
    pub from: i64,
    pub until: i64,
}

pub fn held(rounds: &[Round]) -> HashMap<Attempt, Held> {
    let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
    let mut held: HashMap<Attempt, Held> = HashMap::new();
    for round in rounds {
        let Some((at, Event::Ticked { claimed, .. })) = &round.answer else {
            continue;
        };
        for attempt in claimed {
            let first = held.entry(attempt.clone()).or_insert(Held {
                from: *at,
                until: round.now + lease,
            });
            first.from = first.from.min(*at);
        }
    }
    for round in rounds {
        let Some((_, Event::Ticked { renewed, .. })) = &round.answer else {
            continue;
        };
        for (attempt, word) in round.renew.iter().zip(renewed) {
            if let Some(held) = held.get_mut(attempt).filter(|_| word != "stale") {
                held.until = held.until.max(round.now + lease);
            }
        }
    }
    for round in rounds {
        for outcome in &round.settle {
            if let Some(held) = held.get_mut(&(outcome.id.clone(), outcome.fence)) {
                held.until = held.until.min(round.sent_at);
            }
        }
    }
    held
}

/// The highest number of jobs held at the same moment.
pub fn most_at_once<'a>(held: impl Iterator<Item = &'a Held>) -> usize {
    let mut moments = Vec::new();
    for held in held.filter(|held| held.from < held.until) {
        moments.push((held.from, true));
        moments.push((held.until, false));
    }
    // An interval that ends at the moment when another begins does not overlap it.
    moments.sort_unstable();
    let (mut now, mut most) = (0usize, 0);
    for (_, begins) in moments {
        now = if begins { now + 1 } else { now - 1 };
        most = most.max(now);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_touches_is_not_at_once() {
        let held = [(0, 5), (5, 9), (6, 7), (8, 8)].map(|(from, until)| Held { from, until });
        assert_eq!(most_at_once(held.iter()), 2);
        assert_eq!(most_at_once(held[..2].iter()), 1);
    }
}
