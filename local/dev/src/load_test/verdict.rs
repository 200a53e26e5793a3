//! Verifies the result of a run: nothing lost, nothing accepted twice.

use anyhow::{Context as _, bail};
use shared::queue::{JobId, JobState, Queue};
use shared::redis::Redis;
use shared::redis::commands::Hashes as _;

/// Jobs read per call.
const PAGE: u64 = 500;

/// What the database reports after a correct run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Completed jobs, each read back with its own result.
    pub completed: u64,
    /// Failed attempts.
    pub retried: u64,
    /// Leases that expired because their drainer was killed.
    pub stalled: u64,
}

/// Reads back every job. `ids[n]` is the ID of job number `n`.
///
/// The database counts a completion when it accepts one. So if every job is completed and
/// the count equals the number of jobs, each was accepted exactly once.
///
/// # Errors
/// If a job was lost or accepted twice.
pub async fn verify(queue: &Queue, redis: &Redis, ids: &[JobId]) -> anyhow::Result<Verdict> {
    for (state, n) in queue.counts().await? {
        let expected = match state {
            JobState::Completed => ids.len() as u64,
            _ => 0,
        };
        if n != expected {
            bail!("{n} jobs are {}, expected {expected}", state.as_str());
        }
    }
    let seen = read_back(queue, ids).await?;
    if let Some(n) = seen.iter().position(|seen| !seen) {
        bail!("job {} is lost", ids[n]);
    }
    let names = ["#completed", "#retried", "#stalled"];
    let counters = redis.hmget(&queue.keys().records, &names).await?;
    let counter = |n: usize| -> anyhow::Result<u64> {
        let text = counters.get(n).and_then(Option::as_deref).unwrap_or("0");
        text.parse()
            .with_context(|| format!("{} is {text}", names[n]))
    };
    let verdict = Verdict {
        completed: counter(0)?,
        retried: counter(1)?,
        stalled: counter(2)?,
    };
    if verdict.completed != ids.len() as u64 {
        bail!(
            "{} completions were accepted for {} jobs",
            verdict.completed,
            ids.len()
        );
    }
    Ok(verdict)
}

/// Marks the jobs that are completed with their own result.
async fn read_back(queue: &Queue, ids: &[JobId]) -> anyhow::Result<Vec<bool>> {
    let mut seen = vec![false; ids.len()];
    let mut cursor = None;
    loop {
        let (jobs, next) = queue.list(Some(JobState::Completed), cursor, PAGE).await?;
        for job in jobs {
            let result = job
                .returnvalue
                .as_ref()
                .and_then(|value| value["n"].as_u64());
            let n = result.and_then(|n| usize::try_from(n).ok());
            let n = n.filter(|n| ids.get(*n) == Some(&job.id));
            let n = n.with_context(|| format!("job {} has the result of another job", job.id))?;
            if std::mem::replace(&mut seen[n], true) {
                bail!("job {} is listed twice", job.id);
            }
        }
        match next {
            Some(next) => cursor = Some(next),
            None => return Ok(seen),
        }
    }
}
