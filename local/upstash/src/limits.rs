//! What a request, a key and a script may use.

use std::time::Duration;

/// Limits and the quota. The defaults are those of the pay-as-you-go service.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The longest request body, in bytes. Defaults to 10,000,000.
    pub request_bytes: usize,
    /// The longest key, in bytes. Defaults to 32,768.
    pub key_bytes: usize,
    /// The most billed commands before every request is refused. Defaults to none.
    pub max_commands: Option<u64>,
    /// How long one script may run. Defaults to 5 seconds.
    pub script_time: Duration,
    /// How much memory Lua may hold, in bytes. Defaults to 256 MB.
    pub script_memory_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: 10_000_000,
            key_bytes: 32 * 1024,
            max_commands: None,
            script_time: Duration::from_secs(5),
            script_memory_bytes: 256 * 1024 * 1024,
        }
    }
}

/// The text every request is answered with once the quota is used up.
pub fn quota_text(limit: u64, usage: u64) -> String {
    format!(
        "ERR max requests limit exceeded. Limit: {limit}, Usage: {usage}. See \
         https://upstash.com/docs/redis/troubleshooting/max_requests_limit for details"
    )
}
