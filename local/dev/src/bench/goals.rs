//! The performance goals, and whether this run met them.

use std::time::Duration;

use serde::Serialize;

use super::program::Side;
use super::run::Measured;

/// The largest fraction of Node's cold start time, and of its memory, that a function may
/// use.
const TIME_SHARE: f64 = 0.1;
const MEMORY_SHARE: f64 = 0.125;

/// The median overhead a warm request may have beyond its Redis requests.
const OVERHEAD: Duration = Duration::from_micros(500);

/// A goal.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Goal {
    pub goal: String,
    pub is_kept: bool,
    /// The result closest to the limit and which function it belongs to, or why there is
    /// none.
    pub nearest: String,
    /// Every function that misses the goal, with its result.
    pub broken_by: Vec<String>,
}

/// Evaluates all goals. Size goals apply to x86-64 only; time and memory are relative to
/// Node.
pub fn goals(measured: &[Measured]) -> Vec<Goal> {
    let time = |m: &Measured| Some(m.total.p50.as_secs_f64());
    let memory = |m: &Measured| m.peak_bytes.map(|bytes| bytes as f64);
    let mut goals = vec![
        against_node(
            "cold start at most a tenth of Node's",
            measured,
            TIME_SHARE,
            time,
        ),
        against_node(
            "peak memory at most an eighth of Node's",
            measured,
            MEMORY_SHARE,
            memory,
        ),
        overhead(measured),
    ];
    if cfg!(target_arch = "x86_64") {
        goals.push(sizes(measured));
    }
    goals
}

/// One result: its printed form, how close it is to the limit and whether it exceeds it.
struct Judged {
    told: String,
    /// The fraction of the limit that is used up.
    used: f64,
    is_broken: bool,
}

fn goal(name: &str, judged: Vec<Judged>) -> Goal {
    let nearest = judged.iter().max_by(|a, b| a.used.total_cmp(&b.used));
    Goal {
        goal: name.to_owned(),
        is_kept: nearest.is_some() && judged.iter().all(|one| !one.is_broken),
        nearest: nearest.map_or("nothing was measured".to_owned(), |one| one.told.clone()),
        broken_by: judged
            .iter()
            .filter(|one| one.is_broken)
            .map(|one| one.told.clone())
            .collect(),
    }
}

fn against_node(
    name: &str,
    measured: &[Measured],
    allowed: f64,
    number: fn(&Measured) -> Option<f64>,
) -> Goal {
    let mut judged = Vec::new();
    for ours in measured.iter().filter(|m| is_function(m)) {
        let Some(node) = node_of(measured, ours) else {
            return Goal {
                goal: name.to_owned(),
                is_kept: false,
                nearest: "Node was not measured".to_owned(),
                broken_by: Vec::new(),
            };
        };
        if let (Some(own), Some(theirs)) = (number(ours), number(node)) {
            let share = own / theirs;
            judged.push(Judged {
                told: format!("{} 1/{:.1}", of(ours), 1.0 / share),
                used: share / allowed,
                is_broken: share > allowed,
            });
        }
    }
    goal(name, judged)
}

/// Covers requests only, because a drain has no caller. Runs with a limited share of a
/// processor are left out: there, an overhead mostly measures the wait for the next
/// share.
fn overhead(measured: &[Measured]) -> Goal {
    let requests = measured.iter().filter(|m| match m.program.side {
        Side::Function(case) => case.is_route() && !m.is_limited,
        Side::Node | Side::Python => false,
    });
    let judged = requests.map(|m| Judged {
        told: format!("{} {:.2} ms", of(m), m.overhead().as_secs_f64() * 1000.0),
        used: m.overhead().as_secs_f64() / OVERHEAD.as_secs_f64(),
        is_broken: m.overhead() >= OVERHEAD,
    });
    let name = "warm request under 0.5 ms beyond Redis";
    goal(name, judged.collect())
}

fn sizes(measured: &[Measured]) -> Goal {
    let mut judged: Vec<Judged> = Vec::new();
    for one in measured {
        if let (Side::Function(case), Some(bytes)) = (one.program.side, one.program.size_bytes) {
            let told = format!("{} {:.2} MB", case.name, bytes as f64 / 1e6);
            if judged.iter().all(|one| one.told != told) {
                judged.push(Judged {
                    told,
                    used: bytes as f64 / case.largest_bytes as f64,
                    is_broken: bytes >= case.largest_bytes,
                });
            }
        }
    }
    let name = "binaries under 7 MB, enqueue 9, drain 10";
    goal(name, judged)
}

/// Node's result under the same conditions.
pub fn node_of<'a>(measured: &'a [Measured], ours: &Measured) -> Option<&'a Measured> {
    measured.iter().find(|m| {
        matches!(m.program.side, Side::Node)
            && m.link == ours.link.of_others()
            && m.is_limited == ours.is_limited
    })
}

fn is_function(measured: &Measured) -> bool {
    matches!(measured.program.side, Side::Function(_))
}

/// The function and the conditions it ran under.
fn of(measured: &Measured) -> String {
    let limited = match measured.is_limited {
        true => ", 256 MB",
        false => "",
    };
    format!(
        "{} {}{limited}",
        measured.program.name,
        measured.link.told()
    )
}

#[cfg(test)]
mod tests {
    use super::super::report::samples::{function, node};
    use super::*;

    #[test]
    fn a_run_that_keeps_everything_names_what_is_nearest() {
        let goals = goals(&[function("health", 8, 6), node(100, 64)]);
        assert!(goals.iter().all(|goal| goal.is_kept), "{goals:?}");
        assert_eq!(goals[0].nearest, "health without TLS 1/12.5");
        assert_eq!(goals[1].nearest, "health without TLS 1/10.7");
        assert_eq!(goals[2].nearest, "health without TLS 0.25 ms");
    }

    #[test]
    fn whoever_breaks_a_promise_is_named() {
        let slow = function("jobs", 11, 6);
        let mut large = function("clips", 5, 9);
        large.program.size_bytes = Some(7_000_000);
        large.warm.p50 = large.bare.p50 + OVERHEAD;
        let goals = goals(&[slow, large, node(100, 64)]);
        assert!(goals.iter().all(|goal| !goal.is_kept), "{goals:?}");
        assert_eq!(goals[0].broken_by, ["jobs without TLS 1/9.1"]);
        assert_eq!(goals[1].broken_by, ["clips without TLS 1/7.1"]);
        assert_eq!(goals[2].broken_by, ["clips without TLS 0.50 ms"]);
        if let Some(sizes) = goals.get(3) {
            assert_eq!(sizes.broken_by, ["clips 7.00 MB"]);
        }
    }

    #[test]
    fn without_node_nothing_is_known_to_be_kept() {
        let goals = goals(&[function("health", 8, 6)]);
        assert_eq!((goals[0].is_kept, goals[1].is_kept), (false, false));
        assert_eq!(goals[0].nearest, "Node was not measured");
    }
}
