//! The kind `probe` of the queue `clip`: looks into the clips of a guild that were found but
//! not looked into yet.
//!
//! Running a job twice is harmless: what was found is stored with its clip, the same result
//! can be stored again, and a clip with a result no longer waits for one. A file that cannot
//! be read costs its own clip the result, and nothing else.
//!
//! | file | contents |
//! |---|---|
//! | `mod` | the run: from batch to batch, and when it continues |
//! | `look` | a look into one clip |
//! | `request` | how scans request looks |

mod look;
mod request;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::jobs::ClipProbe;
use shared::json::to_json;
use shared::probe::{ProbeError, Prober};
use shared::queue::{ActiveJob, Outcome};
use shared::scan::{Probe, ProbeResult};

use super::arguments;
use super::stop::{StopReason, with_jitter};
use super::watch;
use crate::Clients;

pub use request::{Requests, are_settled};

use look::{Look, failed, look};

/// How many clips are read and saved together.
const AT_ONCE: usize = 50;

/// How many files are read at the same time.
const PARALLEL: usize = 5;

/// Rounds of one run. More clips are left to the next run, so that no guild keeps others
/// waiting for long.
const ROUNDS: usize = 20;

/// How often a file is tried whose server is unavailable: over three quarters of an hour.
const MOST_TRIES: u32 = 8;

/// The wait before the second try. It doubles with each try.
const FIRST_WAIT: Duration = Duration::from_secs(30);

/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(900);

/// What a job remembers from run to run.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Work {
    probed: u64,
    failed: u64,
    too_short: u64,
    /// How often rows were tried whose server was unavailable.
    tries: BTreeMap<String, u32>,
}

pub async fn run(clients: Arc<Clients>, job: ActiveJob) -> Outcome {
    let args: ClipProbe = match arguments(&job) {
        Ok(args) => args,
        Err(outcome) => return outcome,
    };
    let stored = job.checkpoint();
    let work = stored.and_then(|text| serde_json::from_str(&text).ok());
    let mut run = Run {
        guild_id: args.guild_id,
        work: work.unwrap_or_default(),
        put_off: HashSet::new(),
        clients,
        job,
    };
    let Some(prober) = run.clients.prober.clone() else {
        return run.done();
    };
    let ended = run.rounds(&prober).await;
    run.job.set_checkpoint(to_json(&run.work));
    match ended {
        Ok(None) => run.done(),
        Ok(Some(after)) => Outcome::Snooze { after },
        Err(StopReason::Unreachable(outage)) => {
            let now = run.clients.clock.now_ms();
            watch::later(outage.until, now).outcome()
        }
        Err(stop) => stop.outcome(),
    }
}

struct Run {
    clients: Arc<Clients>,
    job: ActiveJob,
    guild_id: String,
    work: Work,
    /// Rows that this run does not look at again.
    put_off: HashSet<String>,
}

impl Run {
    /// Looks into one batch of clips after another. Returns how long to wait before the
    /// next run, or `None` if no clip is left.
    async fn rounds(&mut self, prober: &Prober) -> Result<Option<Duration>, StopReason> {
        let policy = self.clients.store.scan_policy(&self.guild_id).await?;
        let now = self.clients.clock.now_ms();
        let token = self.clients.discord.token_mark();
        let paused_until = policy.breaker.pauses(&token, now);
        for _ in 0..ROUNDS {
            let rows = self.rows().await?;
            if rows.is_empty() {
                return Ok(self.wait());
            }
            let (results, stop) = self.look_into(prober, &rows, paused_until).await?;
            let least = policy.settings.min_video_seconds;
            let store = &self.clients.store;
            let saved = store.save_probes(&self.guild_id, least, &results).await?;
            self.work.too_short += saved.too_short;
            for result in &results {
                self.work.tries.remove(&result.row);
                match result.probe.error {
                    None => self.work.probed += 1,
                    Some(_) => self.work.failed += 1,
                }
            }
            if let Some(stop) = stop {
                return Err(stop);
            }
            if results.is_empty() {
                // No server answers. The other files can wait as well.
                return Ok(self.wait());
            }
        }
        Ok(Some(Duration::ZERO))
    }

    /// The next rows to look at.
    async fn rows(&self) -> Result<Vec<String>, StopReason> {
        let limit = AT_ONCE + self.put_off.len();
        let store = &self.clients.store;
        let mut rows = store.pending(&self.guild_id, limit as u64).await?;
        rows.retain(|row| !self.put_off.contains(row));
        rows.truncate(AT_ONCE);
        Ok(rows)
    }

    /// Looks into these clips, a few at a time. Returns what was found, and why the run has
    /// to stop.
    async fn look_into(
        &mut self,
        prober: &Prober,
        rows: &[String],
        paused_until: Option<i64>,
    ) -> Result<(Vec<ProbeResult>, Option<StopReason>), StopReason> {
        let records = self.clients.store.records(rows).await?;
        // A row without a record belongs to a clip that is being removed.
        let gone = rows
            .iter()
            .zip(&records)
            .filter(|(_, record)| record.is_none());
        self.put_off.extend(gone.map(|(row, _)| row.clone()));
        let mut clips = Vec::with_capacity(rows.len());
        for (row, record) in rows.iter().zip(records) {
            clips.extend(record.map(|record| (row.clone(), record.clip)));
        }
        let looks = stream::iter(clips).map(|(row, clip)| {
            let (clients, prober) = (self.clients.clone(), prober.clone());
            async move {
                let look = look(&clients, &prober, &clip, paused_until).await;
                (row, look.unwrap_or_else(Look::Stop))
            }
        });
        let mut looks = std::pin::pin!(looks.buffer_unordered(PARALLEL));
        let (mut results, mut later, mut stop) = (Vec::new(), Vec::new(), None);
        let mut signalled = self.job.clone();
        loop {
            let ended = tokio::select! {
                biased;
                signal = signalled.interrupted() => {
                    stop = Some(watch::interruption(signal));
                    break;
                }
                ended = looks.next() => ended,
            };
            match ended {
                None => break,
                Some((row, Look::Done(probe))) => results.push(result(&row, probe)),
                Some((row, Look::Later)) => later.push(row),
                // Files whose address is still valid are read to the end.
                Some((_, Look::Stop(reason))) => stop = stop.or(Some(reason)),
            }
        }
        for row in later {
            let tries = self.work.tries.entry(row.clone()).or_default();
            *tries += 1;
            self.put_off.insert(row.clone());
            if *tries >= MOST_TRIES {
                results.push(result(&row, failed(ProbeError::Unavailable)));
            }
        }
        Ok((results, stop))
    }

    /// How long files wait whose server was unavailable, or `None` if there are none.
    fn wait(&self) -> Option<Duration> {
        let tries = self.work.tries.values().copied().max()?;
        let wait = FIRST_WAIT * 2_u32.saturating_pow(tries.saturating_sub(1));
        Some(with_jitter(wait.min(LONGEST_WAIT)))
    }

    fn done(&self) -> Outcome {
        let work = &self.work;
        Outcome::Done(json!({
            "clipsProbed": work.probed,
            "clipsFailed": work.failed,
            "clipsTooShort": work.too_short,
        }))
    }
}

fn result(row: &str, probe: Probe) -> ProbeResult {
    let row = row.to_owned();
    ProbeResult { row, probe }
}
