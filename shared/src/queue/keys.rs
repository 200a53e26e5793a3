//! The keys of a queue.

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
}

impl Keys {
    pub fn new(prefix: &str, queue: &str) -> Keys {
        let key = |part: &str| format!("{prefix}jobs:{queue}:{part}");
        Keys {
            index: key("index"),
            records: key("records"),
            finished: key("finished"),
        }
    }
}
