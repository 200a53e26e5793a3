//! The job kind `export`: writes the clips of a guild into a file, part by part.
//!
//! A run that is repeated writes its parts again, under names of its own; see
//! `shared/src/domain/export`. Nothing else is written, so a second run is harmless. A run
//! ends after a number of pages and queues itself again, so that a long export neither
//! outlives its invocation nor keeps others waiting.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::export::{EXPORT_LIFE, ExportParts, Part, PartWriter};
use shared::jobs::{ExportJob, ExportResult};
use shared::json::to_json;
use shared::link;
use shared::queue::{ActiveJob, Outcome, Queue, Signal};
use shared::redis::commands::hashes::hget;
use shared::redis::{Error, Pipeline};
use shared::scan::{ClipCursor, ClipQuery, ScanProgress};

use super::arguments;
use super::stop::StopReason;
use crate::Clients;

/// Clips per page.
const PAGE: u64 = 250;

/// Pages per run.
const PAGES: u64 = 40;

/// Size from which a part is written at the end of a page, in bytes.
const WORTH_A_PART: usize = 400_000;

/// The position of a job.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Work {
    file: ExportParts,
    /// Where the next page begins; `None` before the first.
    cursor: Option<String>,
}

struct Run {
    clients: Arc<Clients>,
    job: ActiveJob,
    export: ExportJob,
    writer: PartWriter,
    /// What is written.
    file: ExportParts,
}

pub async fn run(clients: Arc<Clients>, job: ActiveJob) -> Outcome {
    let export: ExportJob = match arguments(&job) {
        Ok(export) => export,
        Err(outcome) => return outcome,
    };
    let stored = job.checkpoint();
    let work: Work = stored
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let work = match is_too_old(&work, clients.clock.now_ms()) {
        // The first parts would expire before anybody can read the last ones.
        true => Work::default(),
        false => work,
    };
    let file = work.file.clone();
    let mut run = Run {
        writer: PartWriter::new(export.format, file.parts, file.clips),
        clients,
        job,
        export,
        file,
    };
    match run.pages(work).await {
        Ok(outcome) => outcome,
        Err(stop) => stop.outcome(),
    }
}

fn is_too_old(work: &Work, now: i64) -> bool {
    let half = EXPORT_LIFE.as_millis() as i64 / 2;
    work.file.expires_at().is_some_and(|at| at - now < half)
}

impl Run {
    async fn pages(&mut self, mut work: Work) -> Result<Outcome, StopReason> {
        for n in 0.. {
            let signal = self.job.signal();
            if signal == Signal::Cancel {
                return Ok(Outcome::Cancelled);
            }
            if n == PAGES || signal == Signal::HandBack {
                let rest = self.writer.flush();
                self.write(rest).await?;
                self.remember(&mut work);
                let after = std::time::Duration::ZERO;
                return Ok(Outcome::Snooze { after });
            }
            let (clips, next) = self.page(work.cursor.as_deref()).await?;
            let now = self.clients.clock.now_ms();
            for mut clip in clips {
                link::drop_expired(&mut clip, now);
                let full = self.writer.add(&json!(clip));
                self.write(full).await?;
            }
            let Some(next) = next else { break };
            work.cursor = Some(next.to_string());
            if self.writer.pending() >= WORTH_A_PART {
                let part = self.writer.flush();
                self.write(part).await?;
                self.remember(&mut work);
            }
        }
        let last = self.writer.finish();
        self.write(last).await?;
        let now = self.clients.clock.now_ms();
        let life = EXPORT_LIFE.as_millis() as i64;
        let result = ExportResult {
            expires_at: self.file.expires_at().unwrap_or(now + life),
            file: self.file.clone(),
        };
        Ok(Outcome::Done(json!(result)))
    }

    async fn page(
        &self,
        cursor: Option<&str>,
    ) -> Result<(Vec<shared::scan::Clip>, Option<ClipCursor>), Error> {
        let query = ClipQuery {
            filter: self.export.filter.clone(),
            cursor: cursor.and_then(ClipCursor::parse),
            limit: PAGE,
        };
        let store = &self.clients.store;
        store.list_clips(&self.export.guild_id, &query).await
    }

    /// Writes a part and the progress, and checks whether the job was cancelled.
    async fn write(&mut self, part: Option<Part>) -> Result<(), StopReason> {
        let Some(part) = part else { return Ok(()) };
        let (now, fence) = (self.clients.clock.now_ms(), self.job.fence());
        let bytes = part.text.len() as u64;
        let n = self.file.add(fence, bytes, part.clips, now);
        let (id, queue) = (&self.job.attempt.id, &self.clients.queue);
        let progress = ScanProgress {
            current: self.file.clips,
            total: None,
            percent: None,
            clips_found: self.file.clips,
            reached_start: None,
            updated_at: now,
        };
        let mut pipeline = Pipeline::new();
        let exports = &self.clients.exports;
        exports.add_write(&mut pipeline, id.as_str(), fence, n, &part.text);
        queue.add_progress(&mut pipeline, id, &to_json(&progress));
        let state = queue.state_field(id);
        let state = pipeline.add(hget(&state.key, &state.field));
        let mut replies = pipeline.send(&*self.clients.redis).await?;
        match replies.take(state)? {
            Some(text) if Queue::is_cancelled(&text) => Err(StopReason::Cancelled),
            _ => Ok(()),
        }
    }

    /// Remembers what is written, for a run that continues. Called when nothing waits to be
    /// written.
    fn remember(&self, work: &mut Work) {
        work.file = self.file.clone();
        self.job.set_checkpoint(to_json(work));
    }
}
