//! Measures cold starts and warm invocations of every variant.

use std::time::Duration;

use anyhow::Context as _;
use indicatif::ProgressBar;

use super::bare::{self, Bare, Request};
use super::program::Program;
use super::running::{Running, Start};
use super::share::Share;
use super::site::{Link, Site};
use crate::measure::Percentiles;

/// How many times to measure each thing.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Cold starts of each variant.
    pub runs: usize,
    /// Invocations of one warm process of each variant.
    pub warm: usize,
}

/// A program combined with a link to the database.
pub struct Variant {
    pub program: Program,
    pub link: Link,
    /// Its database requests in one invocation.
    requests: Vec<Request>,
}

/// The results for one variant.
#[derive(Clone, Debug)]
pub struct Measured {
    pub program: Program,
    pub link: Link,
    /// Whether it ran with the share of a processor that comes with 256 MB.
    pub is_limited: bool,
    /// Time to the first request for an event (`init`), from there to the answer
    /// (`first`), and the sum of both.
    pub init: Percentiles,
    pub first: Percentiles,
    pub total: Percentiles,
    /// Median over all runs of the peak memory at the end of the first invocation.
    pub peak_bytes: Option<u64>,
    /// Time of an invocation in a warm process.
    pub warm: Percentiles,
    /// Time of the same database requests on their own, and their number.
    pub bare: Percentiles,
    pub requests: usize,
    /// Peak memory of the warm process.
    pub warm_peak_bytes: Option<u64>,
}

impl Measured {
    /// Median time of a warm invocation minus the median time of its database requests.
    pub fn overhead(&self) -> Duration {
        self.warm.p50.saturating_sub(self.bare.p50)
    }
}

/// Combines each program with every link it supports and prepares the database for it.
///
/// # Errors
/// If a program does not work.
pub async fn variants(site: &Site, programs: &[Program]) -> anyhow::Result<Vec<Variant>> {
    let mut recorded = Vec::new();
    for program in programs {
        site.prepare(program).await?;
        recorded.push(bare::requests(site, program).await?);
    }
    let mut variants = Vec::new();
    for link in Link::ALL {
        for (program, requests) in programs.iter().zip(&recorded) {
            if link.suits(program) {
                variants.push(Variant {
                    program: program.clone(),
                    link,
                    requests: requests.clone(),
                });
            }
        }
    }
    Ok(variants)
}

/// Number of progress bar steps for [`measure`].
pub fn steps(plan: &Plan, variants: &[Variant]) -> usize {
    variants.len() * (plan.runs + 1)
}

/// Measures all `variants`. They take turns at cold starts, so other load on the machine
/// affects all of them alike.
///
/// # Errors
/// If a program fails.
pub async fn measure(
    plan: &Plan,
    site: &Site,
    variants: &[Variant],
    share: Option<&Share>,
    bar: &ProgressBar,
) -> anyhow::Result<Vec<Measured>> {
    let mut cold: Vec<Cold> = variants.iter().map(|_| Cold::default()).collect();
    for _ in 0..plan.runs {
        for (variant, cold) in variants.iter().zip(&mut cold) {
            cold.add(variant.start(site, share).await?).await?;
            bar.inc(1);
        }
    }
    let mut measured = Vec::new();
    for (variant, cold) in variants.iter().zip(cold) {
        let warm = variant.warm(plan, site, share).await;
        measured.push(cold.with(variant, share.is_some(), warm?));
        bar.inc(1);
    }
    Ok(measured)
}

impl Variant {
    async fn start(&self, site: &Site, share: Option<&Share>) -> anyhow::Result<Started> {
        let environment = site.environment(&self.program, self.link, site.url(self.link));
        let running = Running::start(&self.program, environment, share, &site.clock);
        let told = || format!("{} {}", self.program.name, self.link.told());
        let mut running = running.await.with_context(told)?;
        let start = running.first_answer().await.with_context(told)?;
        Ok(Started { running, start })
    }

    async fn warm(&self, plan: &Plan, site: &Site, share: Option<&Share>) -> anyhow::Result<Warm> {
        let bare = Bare::new(site, self.link, &self.requests)?;
        let mut running = self.start(site, share).await?.running;
        // The first request opens the connection, so it is not timed.
        bare.send().await?;
        let mut warm = Warm::default();
        for _ in 0..plan.warm {
            warm.took.push(running.invoke(self.program.event).await?);
            warm.bare.push(bare.send().await?);
        }
        warm.peak_bytes = running.peak_bytes();
        running.stop().await?;
        Ok(warm)
    }
}

struct Started {
    running: Running,
    start: Start,
}

#[derive(Default)]
struct Cold {
    starts: Vec<Start>,
    peaks: Vec<u64>,
}

#[derive(Default)]
struct Warm {
    took: Vec<Duration>,
    bare: Vec<Duration>,
    peak_bytes: Option<u64>,
}

impl Cold {
    async fn add(&mut self, started: Started) -> anyhow::Result<()> {
        self.starts.push(started.start);
        self.peaks.extend(started.running.peak_bytes());
        started.running.stop().await
    }

    fn with(mut self, variant: &Variant, is_limited: bool, warm: Warm) -> Measured {
        let of =
            |time: fn(&Start) -> Duration| Percentiles::of(self.starts.iter().map(time).collect());
        self.peaks.sort_unstable();
        Measured {
            program: variant.program.clone(),
            link: variant.link,
            is_limited,
            init: of(|start| start.init),
            first: of(|start| start.first),
            total: of(|start| start.init + start.first),
            peak_bytes: self.peaks.get(self.peaks.len() / 2).copied(),
            warm: Percentiles::of(warm.took),
            bare: Percentiles::of(warm.bare),
            requests: variant.requests.len(),
            warm_peak_bytes: warm.peak_bytes,
        }
    }
}
