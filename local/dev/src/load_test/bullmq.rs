//! Runs the same work on BullMQ, in Node, over a real Redis.
//!
//! The Node program prints its results as JSON.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use indicatif::ProgressBar;
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::measure::{Package, install, missing};

use super::work::{Fate, MAX_ATTEMPTS, RETRY_WAIT, arguments};

const PACKAGE: Package = Package {
    name: "BullMQ",
    files: &[
        ("package.json", include_str!("../../bullmq/package.json")),
        (
            "package-lock.json",
            include_str!("../../bullmq/package-lock.json"),
        ),
        ("bench.mjs", include_str!("../../bullmq/bench.mjs")),
    ],
};

/// An installed copy of BullMQ.
pub struct BullMq {
    folder: PathBuf,
}

/// BullMQ's results.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BullMqMeasured {
    pub version: String,
    pub node: String,
    pub enqueue: BullMqPhase,
    pub drain: BullMqPhase,
    /// Failed attempts.
    pub failures: u64,
    pub completed: u64,
    /// Jobs that were in any other state at the end.
    pub left: u64,
    /// Time until the reply that a job is completed, which also returns the next job.
    p50_ms: f64,
    p99_ms: f64,
    cpu_ms: f64,
    /// Peak memory of the Node process.
    pub node_bytes: u64,
    /// How much the memory use of Redis grew from before the first job.
    pub redis_bytes: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct BullMqPhase {
    ms: f64,
    pub commands: u64,
}

impl BullMqPhase {
    pub fn took(&self) -> Duration {
        Duration::from_secs_f64(self.ms.max(0.0) / 1000.0)
    }
}

impl BullMqMeasured {
    pub fn p50(&self) -> Duration {
        Duration::from_secs_f64(self.p50_ms.max(0.0) / 1000.0)
    }

    pub fn p99(&self) -> Duration {
        Duration::from_secs_f64(self.p99_ms.max(0.0) / 1000.0)
    }

    pub fn cpu(&self) -> Duration {
        Duration::from_secs_f64(self.cpu_ms.max(0.0) / 1000.0)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Said {
    Done(u64),
    Result(BullMqMeasured),
}

impl BullMq {
    /// Installs BullMQ if it is not installed yet.
    ///
    /// # Errors
    /// If Node or npm is missing, or the packages cannot be downloaded.
    pub async fn install() -> anyhow::Result<BullMq> {
        let folder = install(&PACKAGE, "bullmq").await;
        let folder = folder.context("--bullmq needs BullMQ, which cannot be installed")?;
        Ok(BullMq { folder })
    }

    /// Runs the work on the Redis at `url` and removes every key afterwards.
    ///
    /// # Errors
    /// If the program fails or does not complete every job.
    pub async fn run(
        &self,
        url: &str,
        fates: &[Fate],
        concurrency: usize,
        bar: &ProgressBar,
    ) -> anyhow::Result<BullMqMeasured> {
        self.write_jobs(fates)?;
        let prefix = format!("load-test-{}", ulid::Ulid::generate());
        let mut child = Command::new("node")
            .current_dir(&self.folder)
            .kill_on_drop(true)
            .args(["bench.mjs", url, "jobs.jsonl"])
            .args([&concurrency.to_string(), &prefix])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| missing(error, "node"))?;
        let out = child.stdout.take().context("node has no output")?;
        let mut lines = BufReader::new(out).lines();
        let mut measured = None;
        while let Some(line) = lines.next_line().await? {
            match serde_json::from_str(&line) {
                Ok(Said::Done(done)) => bar.set_position(done),
                Ok(Said::Result(result)) => measured = Some(result),
                Err(_) => bail!("BullMQ's program wrote: {line}"),
            }
        }
        let status = child.wait().await?;
        let measured = measured.with_context(|| format!("BullMQ's program ended: {status}"))?;
        if measured.completed != fates.len() as u64 || measured.left != 0 {
            bail!("BullMQ completed only {} jobs", measured.completed);
        }
        let failing = fates.iter().filter(|fate| fate.fails).count() as u64;
        if measured.failures != failing {
            bail!(
                "{} attempts failed on BullMQ, expected {failing}",
                measured.failures
            );
        }
        Ok(measured)
    }

    fn write_jobs(&self, fates: &[Fate]) -> anyhow::Result<()> {
        let path = self.folder.join("jobs.jsonl");
        let file = std::fs::File::create(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        let mut file = std::io::BufWriter::new(file);
        for (n, fate) in fates.iter().enumerate() {
            let line = json!({
                "priority": fate.priority,
                "fails": fate.fails,
                "attempts": MAX_ATTEMPTS,
                "backoffMs": RETRY_WAIT.as_millis() as u64,
                "args": arguments(n),
            });
            writeln!(file, "{line}")?;
        }
        Ok(file.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_says_is_read() {
        let done: Said = serde_json::from_str(r#"{"done":500}"#).unwrap();
        assert!(matches!(done, Said::Done(500)));
        let text = r#"{"result":{"version":"6.7.0","node":"v20.1.0",
            "enqueue":{"ms":100.5,"commands":50},"drain":{"ms":2000,"commands":1375},
            "failures":2,"completed":50,"left":0,"p50Ms":0.4,"p99Ms":5.9,"cpuMs":1071.4,
            "nodeBytes":119222272,"redisBytes":-8}}"#;
        let Said::Result(result) = serde_json::from_str(text).unwrap() else {
            panic!("not a result");
        };
        assert_eq!(result.drain.took(), Duration::from_secs(2));
        assert_eq!(result.p50(), Duration::from_micros(400));
        assert_eq!((result.drain.commands, result.completed), (1375, 50));
    }

    #[test]
    fn the_versions_are_exact_and_the_same_in_both_files() {
        let [package, lock] = [PACKAGE.files[0].1, PACKAGE.files[1].1]
            .map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
        let wanted = package["dependencies"].as_object().unwrap();
        for (name, version) in wanted {
            let locked = &lock["packages"][format!("node_modules/{name}")]["version"];
            assert_eq!(locked, version, "{name}");
        }
    }
}
