//! What a check works with.

use shared::clock::Clock;
use shared::redis::Redis;

/// The database that is checked. All keys of a run begin with a prefix no other run has.
pub(crate) struct Subject {
    pub redis: Redis,
    pub prefix: String,
    pub clock: Clock,
}
