//! The events of a scan, for clients that follow it.
//!
//! Events are collected here and sent by the code that saves their subject, in the same
//! script that saves a page. An event therefore never announces more than is stored.

use serde_json::{Value, json};
use shared::progress::{Event, EventType};
use shared::queue::{Attempt, JobError};
use shared::redis::{HashField, Pipeline, RawCommand};
use shared::scan::{ScanProgress, ScanStatus};

use crate::Clients;

/// Placeholder for the number of clips found, which the script that saves a page fills
/// in.
pub const FOUND: &str = "@found";

/// More events than an attempt can have: a hundred pages with a few events each.
const BEYOND_ALL: u64 = 1_000_000;

/// Why something failed, as the data of an event has it.
pub fn failure(reason: &str) -> Value {
    let (code, message) = JobError::parts(reason);
    json!({ "errorCode": code, "errorMessage": message })
}

/// Numbers the events of one attempt and keeps those not sent yet.
pub struct Reporter {
    attempt: Attempt,
    place: u64,
    unsent: Vec<(Event, String)>,
    /// Whether the expiry of the events is to be set.
    expires: bool,
}

impl Reporter {
    pub fn new(attempt: Attempt) -> Reporter {
        Reporter {
            attempt,
            place: 0,
            unsent: Vec::new(),
            expires: false,
        }
    }

    /// Whether there has been no event yet.
    pub fn is_first(&self) -> bool {
        self.place == 0
    }

    /// For the last event after an attempt died. Nobody knows how many events that
    /// attempt sent, and a stream accepts only IDs above its last one. The numbering
    /// therefore starts above anything an attempt can reach; a lower ID would be refused,
    /// and clients would wait for ever.
    pub fn after(attempt: Attempt) -> Reporter {
        Reporter {
            place: BEYOND_ALL,
            ..Reporter::new(attempt)
        }
    }

    /// Takes the events added since the last call, as commands for the script that saves
    /// their subject: one for all events, and one for their expiry if it is to be set.
    pub fn take(&mut self, clients: &Clients) -> Vec<RawCommand> {
        let (scan, unsent) = (self.attempt.id.as_str(), std::mem::take(&mut self.unsent));
        let mut commands = Vec::new();
        if !unsent.is_empty() {
            commands.push(clients.progress.events(scan, &unsent).raw);
        }
        if std::mem::take(&mut self.expires) {
            commands.push(clients.progress.expiry(scan).raw);
        }
        commands
    }

    /// Adds the same events to a pipeline, to be sent regardless of anything else.
    pub fn add_to(&mut self, clients: &Clients, pipeline: &mut Pipeline) {
        for command in self.take(clients) {
            pipeline.add_raw(command);
        }
    }

    /// Adds a status event. The first and the last one also set the expiry of the events.
    pub fn add_status(&mut self, clients: &Clients, status: ScanStatus, detail: Value) {
        let first = self.is_first();
        let mut data = json!({ "status": status });
        if let (Some(data), Some(detail)) = (data.as_object_mut(), detail.as_object()) {
            data.extend(detail.clone());
        }
        self.add(clients, EventType::Status, &data.to_string());
        if first || !matches!(status, ScanStatus::Running | ScanStatus::Pending) {
            self.expires = true;
        }
    }

    /// Adds a progress event. Returns the job's new progress, for the script that saves
    /// its subject.
    pub fn add_progress(&mut self, clients: &Clients, progress: &ScanProgress) -> HashField {
        let data = json!({
            "status": ScanStatus::Running,
            "progress": { "current": progress.current, "total": progress.total, "percent": progress.percent },
            "clipsFound": FOUND,
        });
        self.add(clients, EventType::Progress, &data.to_string());
        let mut stored = json!(progress);
        stored["clipsFound"] = FOUND.into();
        clients
            .queue
            .progress(&self.attempt.id, &stored.to_string())
    }

    /// Adds a progress event whose numbers are known. Returns the job's new progress.
    pub fn add_numbers(&mut self, clients: &Clients, progress: &ScanProgress) -> String {
        let first = self.is_first();
        let data = json!({
            "status": ScanStatus::Running,
            "progress": { "current": progress.current, "total": progress.total, "percent": progress.percent },
            "clipsFound": progress.clips_found,
        });
        self.add(clients, EventType::Progress, &data.to_string());
        if first {
            self.expires = true;
        }
        json!(progress).to_string()
    }

    /// Adds an event for removed clips, if there are any. Only the script that saves the
    /// page knows.
    pub fn add_removed(&mut self, clients: &Clients) {
        self.add(clients, EventType::Removed, "@removed");
    }

    /// Adds an event for new clips, likewise.
    pub fn add_clips(&mut self, clients: &Clients) {
        self.add(clients, EventType::Clip, "@clips");
    }

    /// Adds a log event.
    pub fn add_log(&mut self, clients: &Clients, data: &Value) {
        self.add(clients, EventType::Log, &data.to_string());
    }

    /// Adds an event. The stream refuses an event that was already sent, and the script
    /// refuses one of a superseded attempt, so the reply is ignored.
    fn add(&mut self, clients: &Clients, kind: EventType, data: &str) {
        let event = Event {
            fence: self.attempt.fence,
            place: self.place,
            kind,
            data: Value::Null,
            timestamp: clients.clock.now_ms(),
        };
        self.place += 1;
        self.unsent.push((event, data.to_owned()));
    }
}
