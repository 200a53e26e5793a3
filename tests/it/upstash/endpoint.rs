//! Embedded servers with a manual clock for tests.

use upstash_local::{Clock, Options};

use super::conformance;
pub use super::conformance::{Endpoint, Target};

pub const START_MS: i64 = 1_800_000_000_000;

/// Checks a conformance case on the embedded engine.
pub async fn check(name: &str) {
    let (_, case) = conformance::all()
        .find(|(_, case)| case.name == name)
        .unwrap();
    assert_eq!(case.obstacle(&Target::Embedded), None);
    let endpoint = Endpoint::open(&Target::Embedded, Options::default()).await;
    (case.run)(&endpoint).await;
    endpoint.close().await;
}

/// On a shared database, the cases leave nothing behind and touch nothing else.
#[tokio::test]
async fn the_cases_keep_to_their_keys_where_others_use_the_database() {
    let theirs = Endpoint::start().await;
    theirs.run(serde_json::json!(["SET", "a", "mine"])).await;
    let target = Target::Service {
        url: theirs.url().to_owned(),
        token: theirs.token().to_owned(),
    };
    for (_, case) in conformance::all().filter(|(_, case)| case.obstacle(&target).is_none()) {
        let endpoint = Endpoint::open(&target, Options::default()).await;
        (case.run)(&endpoint).await;
        endpoint.close().await;
    }
    assert_eq!(
        theirs.run(serde_json::json!(["KEYS", "*"])).await,
        serde_json::json!(["a"])
    );
    assert_eq!(theirs.run(serde_json::json!(["GET", "a"])).await, "mine");
}

impl Endpoint {
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
