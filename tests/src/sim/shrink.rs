//! Finds a smaller run that fails in the same way.

use super::calls::Limits;
use super::{Failure, Settings, run};

/// Number of other seeds to try for each smaller setting.
const SEEDS: u64 = 8;

/// Removes whatever the failure does not need, and looks for a shorter run.
pub fn shrink(failure: Box<Failure>) -> Box<Failure> {
    let mut best = failure;
    if best.settings.mixed {
        let settings = Settings {
            mixed: false,
            ..best.settings.clone()
        };
        best = shorter(&settings, &best).unwrap_or(best);
    }
    for (limits, newer) in [
        (Limits::default(), true),
        (best.settings.limits.clone(), false),
    ] {
        let settings = Settings {
            limits,
            newer,
            ..best.settings.clone()
        };
        if settings != best.settings {
            best = shorter(&settings, &best).unwrap_or(best);
        }
    }
    for fault in best.settings.faults.enabled().to_vec() {
        let settings = Settings {
            faults: best.settings.faults.without(fault),
            ..best.settings.clone()
        };
        best = shorter(&settings, &best).unwrap_or(best);
    }
    while let Some(found) = shorter(&best.settings.clone(), &best).filter(|f| f.step < best.step) {
        best = found;
    }
    best
}

/// The shortest run among some seeds that breaks the same rule.
fn shorter(settings: &Settings, failure: &Failure) -> Option<Box<Failure>> {
    let steps = failure.step.max(1);
    (0..SEEDS)
        .filter_map(|n| {
            let settings = Settings {
                seed: settings.seed.wrapping_add(n),
                steps,
                ..settings.clone()
            };
            run(&settings).err()
        })
        .filter(|found| found.violation.rule == failure.violation.rule)
        .min_by_key(|found| found.step)
}
