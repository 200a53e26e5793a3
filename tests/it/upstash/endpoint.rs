//! Embedded servers for tests: their clock stands still.

use upstash_local::{Clock, Options};

pub use super::conformance::{Endpoint, Target};

pub const START_MS: i64 = 1_800_000_000_000;

impl Endpoint {
    /// As the conformance cases get it.
    pub async fn embedded() -> Self {
        Self::open(&Target::Embedded, Options::default()).await
    }

    /// In memory, with a clock that stands still at [`START_MS`].
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        let clock = match options.clock.is_manual() {
            true => options.clock.clone(),
            false => Clock::manual(START_MS),
        };
        Self::open(&Target::Embedded, Options { clock, ..options }).await
    }
}
