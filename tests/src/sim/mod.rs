//! The queue's own scripts under every fault that can be thought of, in virtual time.
//!
//! A run is a number of steps: of drainers, producers and an operator, who send what
//! the shipped client sends, through a network that loses, delays and doubles, to the
//! scripts that are deployed. After each call the whole queue is read and held against
//! what may have become of it (`moves`), what had to be answered (`answers`) and
//! the invariants (`history`). At the end the faults cease and everything must come
//! to its end. The same seed gives the same run.

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

/// What a run is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub seed: u64,
    pub steps: u64,
    pub faults: Faults,
    /// Whether half of the actors have the scripts of the release before.
    pub mixed: bool,
    /// Whether features are used that the release before does not know.
    pub newer: bool,
    pub limits: Limits,
    /// Mistakes put into the shipped scripts, to be found.
    pub patches: Vec<Patch>,
}

/// A piece of a script and what stands in its place.
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
    /// Every fault; by the seed, another kind of queue.
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

/// A broken invariant and how the run came to it.
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

/// As [`run`]; `progress` is called with the report as it grows.
///
/// # Errors
/// As [`run`].
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
        // The same once more, to print the steps that led to it.
        Err(_) if !keeps_trail => run_traced(settings, true, &mut |_| {}),
        Err(violation) => Err(Box::new(Failure {
            settings: settings.clone(),
            violation,
            step: world.step,
            trail: world.trail(),
        })),
    }
}
