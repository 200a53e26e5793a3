//! The databases that the runs use.

use std::path::PathBuf;

use anyhow::Context as _;

use super::run::{Measured, Plan, run};
use crate::measure::{Endpoint, Target, bar};

/// The databases that the runs use.
pub struct Places {
    pub targets: Vec<(&'static str, Target)>,
    /// Path of the endpoint binary.
    pub program: Option<PathBuf>,
}

impl Places {
    pub async fn run(&self, name: &str, target: &Target, plan: &Plan) -> anyhow::Result<Measured> {
        let endpoint = Endpoint::start(target, self.program.as_deref()).await?;
        let title = format!("{name}, {} at once", plan.concurrency);
        let bar = bar(plan.work.jobs, &title)?;
        let measured = run(plan, &endpoint, bar.clone()).await;
        bar.finish_and_clear();
        endpoint.stop().await;
        measured.with_context(|| format!("on the target {name}"))
    }
}

/// Borrows the runs for a table.
pub fn named<'a>(measured: &'a [(&'a str, Measured)]) -> Vec<(&'a str, &'a Measured)> {
    measured.iter().map(|(name, m)| (*name, m)).collect()
}
