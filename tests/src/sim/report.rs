//! The statistics of a run, which can be printed and added up.

use std::collections::BTreeMap;
use std::fmt;

use super::faults::Fault;
use super::moves::{MOVES, Move};
use super::steps::Actors;
use super::world::World;
use super::{Failure, Settings};

/// Counts of one or several runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub steps: u64,
    pub calls: u64,
    pub billed: u64,
    pub moves: BTreeMap<Move, u64>,
    pub fired: BTreeMap<Fault, u64>,
    /// Jobs that a script failed with and that a later call repaired.
    pub healed: u64,
    /// Jobs that were started after a rollback while another drainer still trusted its
    /// lease.
    pub overlaps: u64,
}

impl Report {
    pub(super) fn of(world: &World, actors: &Actors) -> Report {
        Report {
            steps: world.step,
            calls: world.n_calls,
            billed: world.n_billed,
            moves: world.history.moves.clone(),
            fired: world.faults.fired.clone(),
            healed: world.history.n_healed,
            overlaps: actors.n_overlaps,
        }
    }

    /// Adds another run's counts to these.
    pub fn add(&mut self, other: &Report) {
        self.steps += other.steps;
        self.calls += other.calls;
        self.billed += other.billed;
        self.healed += other.healed;
        self.overlaps += other.overlaps;
        for (moved, n) in &other.moves {
            *self.moves.entry(moved).or_default() += n;
        }
        for (fault, n) in &other.fired {
            *self.fired.entry(*fault).or_default() += n;
        }
    }

    /// Faults and changes that never occurred, so the run did not test them.
    pub fn missing(&self) -> Vec<String> {
        let faults = Fault::ALL
            .iter()
            .filter(|fault| !self.fired.contains_key(fault));
        let moves = MOVES
            .iter()
            .filter(|moved| !self.moves.contains_key(**moved));
        faults
            .map(|fault| format!("{fault:?}"))
            .chain(moves.map(|moved| (*moved).to_owned()))
            .collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} steps, {} calls, {} billed",
            self.steps, self.calls, self.billed
        )?;
        writeln!(f, "transitions")?;
        for (moved, n) in &self.moves {
            writeln!(f, "  {moved:<32} {n:>10}")?;
        }
        writeln!(f, "faults")?;
        for (fault, n) in &self.fired {
            writeln!(f, "  {:<32} {n:>10}", format!("{fault:?}"))?;
        }
        writeln!(
            f,
            "healed {}, overlapping runs {}",
            self.healed, self.overlaps
        )?;
        write!(f, "lost 0, done twice 0")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings {
            seed,
            steps,
            faults,
            mixed,
            newer,
            limits,
            ..
        } = &self.settings;
        for line in &self.trail {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "{}: {}", self.violation.rule, self.violation.text)?;
        write!(
            f,
            "at step {} of {steps}, seed {seed}, mixed {mixed}, newer {newer}, {limits:?}, faults {:?}",
            self.step,
            faults.enabled()
        )
    }
}
