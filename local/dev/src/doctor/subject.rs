//! The database under test.

use shared::clock::Clock;
use shared::redis::Redis;

/// The database under test. Every key of a run starts with a prefix that no other run
/// uses.
pub(crate) struct Subject {
    pub redis: Redis,
    pub prefix: String,
    pub clock: Clock,
}
