//! Job events, published with PUBLISH for programs that subscribe to them. Off by default,
//! because each event is a billed command. Delivery is best effort; the records are
//! authoritative.
//!
//! | channel | published when |
//! |---|---|
//! | `job:created` | the job was stored |
//! | `job:processing` | a drainer claimed the job |
//! | `job:completed` | the job completed |
//! | `job:failed` | the job failed for good |
//!
//! The message is `{"queue": …, "jobId": …}`. The channel starts with the key prefix.

use serde_json::json;

use super::{Enqueued, JobId, Queue};
use crate::redis::{Command, Pipeline};
use crate::telemetry;

impl Queue {
    /// Publishes an event for each new job.
    pub(super) async fn publish_created(&self, stored: &[Enqueued]) {
        let created = stored.iter().filter_map(|stored| match stored {
            Enqueued::New(id) => Some(("created", id)),
            Enqueued::Duplicate { .. } | Enqueued::Debounced(_) => None,
        });
        self.publish(created).await;
    }

    pub(super) async fn publish(&self, events: impl Iterator<Item = (&'static str, &JobId)>) {
        if !self.config.events {
            return;
        }
        let mut pipeline = Pipeline::new();
        let mut n_events = 0;
        for (event, id) in events {
            let message = json!({ "queue": self.keys.queue, "jobId": id }).to_string();
            let channel = self.keys.channel(event);
            let publish: Command<u64> = Command::once("PUBLISH").arg(channel).arg(message);
            pipeline.add(publish);
            n_events += 1;
        }
        if n_events == 0 {
            return;
        }
        if let Err(error) = pipeline.send(&*self.redis).await {
            let error = telemetry::chain(&error);
            tracing::warn!(error, n_events, "events were not published");
        }
    }
}
