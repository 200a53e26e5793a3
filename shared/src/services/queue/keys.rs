//! The keys of a queue.

use super::JobId;

/// The name of the queue for channel scans.
pub const SCAN: &str = "scan";

/// The name of the queue for looking into clips.
pub const CLIP: &str = "clip";

/// The keys of one queue.
#[derive(Clone, Debug)]
pub struct Keys {
    /// ZSET: unfinished jobs. Redis deletes it when it is empty.
    pub index: String,
    /// HASH: the jobs.
    pub records: String,
    /// ZSET: finished jobs.
    pub finished: String,
    /// ZSET: jobs that wait because their group is full.
    pub parked: String,
    /// The queue's name.
    pub queue: String,
    blob: String,
    channel: String,
}

impl Keys {
    /// Builds the keys of `queue` under this key prefix.
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

    /// STRING: a job's arguments, if they are too large for the record.
    pub fn args(&self, id: &JobId) -> String {
        format!("{}:{id}", self.blob)
    }

    /// STRING: the result of the attempt with this fence, if it is too large for the
    /// record.
    pub fn result(&self, id: &JobId, fence: u64) -> String {
        format!("{}:{id}:{fence}", self.blob)
    }

    /// The channel on which an event of a job is published.
    pub(super) fn channel(&self, event: &str) -> String {
        format!("{}:{event}", self.channel)
    }

    /// The key of a blob that a script names by the part after `blob:`.
    pub(super) fn blob(&self, name: &str) -> String {
        format!("{}:{name}", self.blob)
    }
}
