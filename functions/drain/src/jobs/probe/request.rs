//! How scans request looks into the clips that they save.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use shared::jobs::ClipProbe;
use shared::probe::ProbeError;
use shared::queue::{Enqueued, Error as QueueError, JobId};
use shared::scan::{ClipRecord, ProbeState};
use shared::telemetry;

use crate::Clients;
use crate::jobs::stop::StopReason;

/// Requests of a run for looks into the clips that it saves.
#[derive(Default)]
pub struct Requests {
    /// The clips that are collected until then have their job.
    until: i64,
}

impl Requests {
    /// Stores the job that looks into these clips, unless their files are not looked into.
    /// Called before the clips are saved, so that a crash in between leaves no clip without
    /// a job. Clips found within a quarter of a minute share one.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn make(
        &mut self,
        clients: &Clients,
        guild_id: &str,
        clips: &[ClipRecord],
    ) -> Result<(), StopReason> {
        let now = clients.clock.now_ms();
        let mut clips = clips.iter();
        let is_needed = clips.any(|record| record.clip.probe == ProbeState::Pending);
        if !is_needed || now < self.until || clients.prober.is_none() {
            return Ok(());
        }
        let guild_id = guild_id.to_owned();
        let id = JobId::new(&clients.clock);
        let mut due = now;
        let stored = match (ClipProbe { guild_id }).into_job(id, now) {
            Ok(job) => {
                due = job.run_at_ms.unwrap_or(now);
                clients.clips.enqueue(job).await
            }
            Err(error) => Err(error),
        };
        match stored {
            // Only a new job has to be run by somebody.
            Ok(Enqueued::New(_)) => {
                clients.clip_due.store(due, Ordering::Relaxed);
                clients.clip_stored.notify_one();
            }
            Ok(_) => {}
            Err(QueueError::Redis(error)) => return Err(error.into()),
            Err(error) => {
                let error = telemetry::chain(&error);
                tracing::warn!(error, "clips cannot be looked into");
            }
        }
        self.until = ClipProbe::collected_until(now);
        Ok(())
    }
}

/// Whether the files of these clips are looked into already, as far as they are at all.
/// `known` has rows that are stored. One command, but none if a clip is not among them.
///
/// # Errors
/// If Redis cannot be reached.
pub async fn are_settled(
    clients: &Clients,
    clips: &[ClipRecord],
    known: &HashSet<String>,
) -> Result<bool, StopReason> {
    let (store, keys) = (&clients.store, clients.store.keys());
    let pending = clips.iter().map(|record| &record.clip);
    let pending = pending.filter(|clip| clip.probe == ProbeState::Pending);
    let rows: Vec<String> = pending
        .map(|clip| keys.row(&clip.channel_id, &clip.message_id, &clip.id))
        .collect();
    if rows.is_empty() || rows.iter().any(|row| !known.contains(row)) {
        return Ok(rows.is_empty());
    }
    let records = store.records(&rows).await?;
    let mut clips = records.iter().map(|record| record.as_ref());
    Ok(clips.all(|record| {
        record.is_some_and(|record| match record.clip.probe {
            ProbeState::Pending => false,
            ProbeState::Ok => true,
            // Saving such a clip again has its file looked into again.
            ProbeState::Failed => !record
                .clip
                .probe_error
                .as_deref()
                .is_some_and(ProbeError::is_passing),
        })
    }))
}
