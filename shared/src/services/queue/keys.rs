//! The keys of a queue.

use super::JobId;

/// The queue of channel scans.
pub const SCAN: &str = "scan";

/// The names under which one queue is stored.
#[derive(Clone, Debug)]
pub struct Keys {
    /// ZSET: unfinished jobs; it does not exist while there are none.
    pub index: String,
    /// HASH: the jobs.
    pub records: String,
    /// ZSET: finished jobs.
    pub finished: String,
    /// ZSET: jobs that wait for room in their group.
    pub parked: String,
    /// The queue's name.
    pub queue: String,
    blob: String,
    channel: String,
}

impl Keys {
    /// The keys of `queue` under this key prefix.
    pub fn new(prefix: &str, queue: &str) -> Keys {
        let key = |part: &str| format!("{prefix}jobs:{queue}:{part}");
        Keys {
            index: key("index"),
            records: key("records"),
            finished: key("finished"),
            parked: key("parked"),
            queue: queue.to_owned(),
            blob: key("blob"),
            channel: format!("{prefix}job"),
        }
    }

    /// STRING: arguments too large for the record.
    pub fn args(&self, id: &JobId) -> String {
        format!("{}:{id}", self.blob)
    }

    /// STRING: a result too large for the record, of the attempt with this fence.
    pub fn result(&self, id: &JobId, fence: u64) -> String {
        format!("{}:{id}:{fence}", self.blob)
    }

    /// Where an event of a job is published.
    pub(super) fn channel(&self, event: &str) -> String {
        format!("{}:{event}", self.channel)
    }

    /// The key a script names by what stands behind `blob:`.
    pub(super) fn blob(&self, name: &str) -> String {
        format!("{}:{name}", self.blob)
    }
}
