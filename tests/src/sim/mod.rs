//! Simulates the queue's own scripts under every conceivable fault in virtual time.
//!
//! A run consists of steps by drainers, producers and an operator. They send what the
//! shipped client sends, through a network that loses, delays and duplicates requests, to
//! the deployed scripts. After each call the whole queue is read and checked: the changes
//! to each job (`moves`), the reply (`answers`) and the invariants (`history`). At the
//! end the faults stop and all jobs must end. The same seed gives the same run.

mod answers;
mod calls;
mod drainer;
mod expect;
mod faults;
mod history;
mod invariants;
mod judge;
mod known;
mod mistakes;
mod moves;
mod operator;
mod producer;
mod recovery;
mod report;
mod shrink;
mod sources;
mod state;
mod steps;
mod world;

pub use faults::{Fault, Faults};
pub use history::Violation;
pub use mistakes::{MISTAKES, overlooked};
pub use report::Report;
pub use shrink::shrink;

use calls::{Limits, Pace};
use steps::Actors;
use world::World;

/// The parameters of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub seed: u64,
    pub steps: u64,
    pub faults: Faults,
    /// Whether half of the actors use the scripts of the previous release.
    pub mixed: bool,
    /// Whether to use features that the previous release does not know.
    pub newer: bool,
    pub limits: Limits,
    /// Mistakes to insert into the shipped scripts.
    pub patches: Vec<Patch>,
}

/// A piece of a script and its replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    pub from: &'static str,
    pub to: &'static str,
}

impl Patch {
    pub const fn new(from: &'static str, to: &'static str) -> Patch {
        Patch { from, to }
    }
}

impl Settings {
    /// All faults. The seed determines the kind of queue.
    pub fn of(seed: u64, steps: u64) -> Settings {
        let (group_limit, active_limit, rate) = match seed % 8 {
            2 => (Some(2), None, false),
            6 => (Some(1), Some(6), true),
            3 => (None, Some(5), false),
            7 => (None, None, true),
            _ => (None, None, false),
        };
        let pace = Pace {
            interval: 700.0,
            burst: 4,
        };
        Settings {
            seed,
            steps,
            faults: Faults::all(),
            mixed: seed % 4 == 1,
            newer: seed % 4 != 1,
            patches: Vec::new(),
            limits: Limits {
                active_limit,
                group_limit,
                rate: rate.then_some(pace),
            },
        }
    }
}

/// A broken invariant and how the run reached it.
#[derive(Debug)]
pub struct Failure {
    pub settings: Settings,
    pub violation: Violation,
    pub step: u64,
    /// The last steps.
    pub trail: Vec<String>,
}

/// Runs a simulation.
///
/// # Errors
/// The first broken invariant.
pub fn run(settings: &Settings) -> Result<Report, Box<Failure>> {
    run_traced(settings, false, &mut |_| {})
}

/// Like [`run`], but calls `progress` with the growing report.
///
/// # Errors
/// As for [`run`].
pub fn run_with(
    settings: &Settings,
    progress: &mut dyn FnMut(&Report),
) -> Result<Report, Box<Failure>> {
    run_traced(settings, false, progress)
}

fn run_traced(
    settings: &Settings,
    keeps_trail: bool,
    progress: &mut dyn FnMut(&Report),
) -> Result<Report, Box<Failure>> {
    let mut world = World::new(settings, keeps_trail);
    let mut actors = Actors::new(&mut world, settings.mixed);
    let mut outcome = Ok(());
    while outcome.is_ok() && world.step < settings.steps {
        outcome = actors.step(&mut world);
        if world.step.is_multiple_of(1000) {
            progress(&Report::of(&world, &actors));
        }
    }
    let outcome = outcome.and_then(|()| actors.quiesce(&mut world));
    match outcome {
        Ok(()) => Ok(Report::of(&world, &actors)),
        // Run it again, this time recording the steps.
        Err(_) if !keeps_trail => run_traced(settings, true, &mut |_| {}),
        Err(violation) => Err(Box::new(Failure {
            settings: settings.clone(),
            violation,
            step: world.step,
            trail: world.trail(),
        })),
    }
}
