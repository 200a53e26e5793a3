//! Telling of a scan.

use serde_json::{Value, json};
use shared::counters::CLIPS;
use shared::progress::{Event, EventType};
use shared::queue::Attempt;
use shared::redis::{HashField, Pipeline, Slot};
use shared::scan::{Clip, ScanProgress, ScanStatus};

use crate::Environment;

/// Numbers the events of one attempt.
pub struct Reporter {
    attempt: Attempt,
    place: u64,
}

impl Reporter {
    pub fn new(attempt: Attempt) -> Reporter {
        Reporter { attempt, place: 0 }
    }

    /// Whether nothing was told yet.
    pub fn is_first(&self) -> bool {
        self.place == 0
    }

    /// For the last word on an attempt that others numbered: beyond all of its own.
    pub fn after(attempt: Attempt) -> Reporter {
        let place = 1_000_000;
        Reporter { attempt, place }
    }

    /// Adds the status; the first and the last also set when the events expire.
    pub fn add_status(
        &mut self,
        env: &Environment,
        pipeline: &mut Pipeline,
        status: ScanStatus,
        detail: Value,
    ) {
        let first = self.is_first();
        let mut data = json!({ "status": status });
        if let (Some(data), Some(detail)) = (data.as_object_mut(), detail.as_object()) {
            data.extend(detail.clone());
        }
        self.add(env, pipeline, EventType::Status, data);
        if first || !matches!(status, ScanStatus::Running | ScanStatus::Pending) {
            env.progress.add_expiry(pipeline, self.attempt.id.as_str());
        }
    }

    /// Adds how far the scan is; answers the job's newest progress, for the script that
    /// saves what it is of.
    pub fn add_progress(
        &mut self,
        env: &Environment,
        pipeline: &mut Pipeline,
        progress: &ScanProgress,
    ) -> HashField {
        let data = json!({
            "status": ScanStatus::Running,
            "progress": { "current": progress.current, "total": progress.total, "percent": progress.percent },
            "clipsFound": progress.clips_found,
        });
        self.add(env, pipeline, EventType::Progress, data);
        let text = serde_json::to_string(progress).unwrap_or_default();
        env.queue.progress(&self.attempt.id, &text)
    }

    /// Adds the clips of a page, if it has any.
    pub fn add_clips(&mut self, env: &Environment, pipeline: &mut Pipeline, clips: &[Clip]) {
        if !clips.is_empty() {
            self.add(env, pipeline, EventType::Clip, json!({ "clips": clips }));
        }
    }

    /// Counts the clips a job found, at its end: once a job, however often that is told.
    pub fn add_count(&self, env: &Environment, pipeline: &mut Pipeline, n_clips: u64) {
        let token = self.attempt.id.as_str();
        env.counters.add_to(pipeline, CLIPS, n_clips, token);
    }

    /// Adds something worth knowing.
    pub fn add_log(&mut self, env: &Environment, pipeline: &mut Pipeline, data: Value) {
        self.add(env, pipeline, EventType::Log, data);
    }

    /// An event refused by the stream was sent twice, or the attempt is superseded,
    /// which the script in the same pipeline tells: its reply is not looked at.
    fn add(
        &mut self,
        env: &Environment,
        pipeline: &mut Pipeline,
        kind: EventType,
        data: Value,
    ) -> Slot<String> {
        let event = Event {
            fence: self.attempt.fence,
            place: self.place,
            kind,
            data,
            timestamp: env.clock.now_ms(),
        };
        self.place += 1;
        env.progress
            .add_event(pipeline, self.attempt.id.as_str(), &event)
    }
}
