//! The events of a scan, for those who follow it.
//!
//! They are gathered here and sent by the code that saves what they are about: in the same script
//! that saves a page, so that no event says more than is stored.

use serde_json::{Value, json};
use shared::progress::{Event, EventType};
use shared::queue::Attempt;
use shared::redis::{HashField, Pipeline, RawCommand};
use shared::scan::{ScanProgress, ScanStatus};

use crate::Clients;

/// What stands for the clips found, until the script that saves a page knows them.
pub const FOUND: &str = "@found";

/// More events than an attempt has: a hundred pages with a few each.
const BEYOND_ALL: u64 = 1_000_000;

/// Numbers the events of one attempt, and keeps those that are not sent yet.
pub struct Reporter {
    attempt: Attempt,
    place: u64,
    unsent: Vec<RawCommand>,
}

impl Reporter {
    pub fn new(attempt: Attempt) -> Reporter {
        Reporter {
            attempt,
            place: 0,
            unsent: Vec::new(),
        }
    }

    /// Whether there was no event yet.
    pub fn is_first(&self) -> bool {
        self.place == 0
    }

    /// For the last event of an attempt that died: its own events have numbers nobody here
    /// knows. A stream takes only ids above its last, so this one begins beyond all an
    /// attempt can have; below them it would be refused, and followers would wait for ever.
    pub fn after(attempt: Attempt) -> Reporter {
        Reporter {
            place: BEYOND_ALL,
            ..Reporter::new(attempt)
        }
    }

    /// What was added since the last time, for the script that saves what it is of.
    pub fn take(&mut self) -> Vec<RawCommand> {
        std::mem::take(&mut self.unsent)
    }

    /// Adds the same to a pipeline, to be sent whatever else happens.
    pub fn add_to(&mut self, pipeline: &mut Pipeline) {
        for command in self.take() {
            pipeline.add_raw(command);
        }
    }

    /// Adds the status; the first and the last also set when the events expire.
    pub fn add_status(&mut self, clients: &Clients, status: ScanStatus, detail: Value) {
        let first = self.is_first();
        let mut data = json!({ "status": status });
        if let (Some(data), Some(detail)) = (data.as_object_mut(), detail.as_object()) {
            data.extend(detail.clone());
        }
        self.add(clients, EventType::Status, &data.to_string());
        if first || !matches!(status, ScanStatus::Running | ScanStatus::Pending) {
            let expiry = clients.progress.expiry(self.attempt.id.as_str());
            self.unsent.push(expiry.raw);
        }
    }

    /// Adds how far the scan is; answers the job's newest progress, for the script that
    /// saves what it is of.
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

    /// Adds the clips of a page that are new and those that are gone, if there are any:
    /// only the script that saves the page knows.
    pub fn add_clips(&mut self, clients: &Clients) {
        self.add(clients, EventType::Removed, "@removed");
        self.add(clients, EventType::Clip, "@clips");
    }

    /// Adds something worth knowing.
    pub fn add_log(&mut self, clients: &Clients, data: &Value) {
        self.add(clients, EventType::Log, &data.to_string());
    }

    /// Adds an event. The stream refuses one that was sent twice, and one of an attempt
    /// that is superseded: the script that sends it knows that better, so the reply is not
    /// looked at.
    fn add(&mut self, clients: &Clients, kind: EventType, data: &str) {
        let event = Event {
            fence: self.attempt.fence,
            place: self.place,
            kind,
            data: Value::Null,
            timestamp: clients.clock.now_ms(),
        };
        self.place += 1;
        let command = clients
            .progress
            .event(self.attempt.id.as_str(), &event, data);
        self.unsent.push(command.raw);
    }
}
