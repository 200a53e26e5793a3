//! Limits for requests, keys and scripts.

use std::time::Duration;

/// The limits and the quota. The defaults are those of Upstash's pay-as-you-go plan.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Maximum length of a request body, in bytes. Defaults to 10,000,000.
    pub request_bytes: usize,
    /// Maximum length of a key, in bytes. Defaults to 32,768.
    pub key_bytes: usize,
    /// Number of billed commands after which every request is refused. Defaults to no
    /// limit.
    pub max_commands: Option<u64>,
    /// Maximum running time of one script. Defaults to 5 seconds.
    pub script_time: Duration,
    /// Maximum memory for Lua, in bytes. Defaults to 256 MB.
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

/// The error text once the quota is used up.
pub fn quota_text(limit: u64, usage: u64) -> String {
    format!(
        "ERR max requests limit exceeded. Limit: {limit}, Usage: {usage}. See \
         https://upstash.com/docs/redis/troubleshooting/max_requests_limit for details"
    )
}
