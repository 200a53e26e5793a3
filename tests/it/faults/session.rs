//! A revoked session stays revoked, other sessions continue, and no user has too many.

use integration::START_MS;
use shared::clock::Clock;
use shared::redis::commands::Keys as _;
use shared::session::{LOGIN, Sessions, Token};

use super::{Struck, at_every_request};

struct Bench {
    server: upstash_local::Server,
    redis: shared::redis::Redis,
    sessions: Sessions,
}

impl Bench {
    async fn start() -> Bench {
        let server = integration::start_endpoint().await;
        let clock = Clock::manual(START_MS);
        let redis = crate::limits::client(&server, &clock);
        Bench {
            sessions: Sessions::new(redis.clone(), "trawl:", clock),
            server,
            redis,
        }
    }

    async fn begin(&self) -> Option<Token> {
        let created = self.sessions.create(&LOGIN, "u", 1).await;
        created.ok().map(|(token, _)| token)
    }

    /// Whether a session is still valid, as far as that can be determined.
    async fn goes_on(&self, token: &Token) -> Option<bool> {
        let session = self.sessions.touch::<u32>(&LOGIN, token).await;
        session.ok().map(|session| session.is_some())
    }
}

#[tokio::test]
async fn what_was_revoked_stays_revoked_and_nothing_else_is() {
    at_every_request(async |struck| {
        let bench = Bench::start().await;
        let ours = bench.begin().await.unwrap();
        struck.arm(&bench.server);
        let theirs = bench.begin().await;
        assert!(theirs.is_some() || !struck.passes());
        let before = bench.goes_on(&ours).await;
        assert_ne!(before, Some(false));
        let revoked = bench.sessions.revoke(&LOGIN, &ours, "u").await;
        assert!(revoked.is_ok() || !struck.passes(), "{revoked:?}");
        let after = bench.goes_on(&ours).await;
        let fired = bench.server.faults().fired();
        Struck::disarm(&bench.server);
        if revoked.is_ok() {
            assert_ne!(after, Some(true));
            assert_eq!(bench.goes_on(&ours).await, Some(false));
        }
        if let Some(theirs) = &theirs {
            assert_eq!(bench.goes_on(theirs).await, Some(true));
        }
        // The retry succeeds.
        bench.sessions.revoke(&LOGIN, &ours, "u").await.unwrap();
        assert_eq!(bench.goes_on(&ours).await, Some(false));
        fired
    })
    .await;
}

#[tokio::test]
async fn all_sessions_of_a_user_are_revoked_together() {
    at_every_request(async |struck| {
        let bench = Bench::start().await;
        let mut tokens = Vec::new();
        for _ in 0..3 {
            tokens.push(bench.begin().await.unwrap());
        }
        struck.arm(&bench.server);
        let revoked = bench.sessions.revoke_all("u").await;
        assert!(revoked.is_ok() || !struck.passes(), "{revoked:?}");
        let fired = bench.server.faults().fired();
        Struck::disarm(&bench.server);
        if revoked.is_err() {
            // The remaining sessions are still recorded and are revoked now.
            bench.sessions.revoke_all("u").await.unwrap();
        }
        for token in &tokens {
            assert_eq!(bench.goes_on(token).await, Some(false));
        }
        let next = bench.begin().await.unwrap();
        assert_eq!(bench.goes_on(&next).await, Some(true));
        fired
    })
    .await;
}

#[tokio::test]
async fn a_session_start_without_a_reply_leaves_only_keys_that_expire() {
    at_every_request(async |struck| {
        let bench = Bench::start().await;
        struck.arm(&bench.server);
        let token = bench.begin().await;
        let fired = bench.server.faults().fired();
        Struck::disarm(&bench.server);
        let (_, keys) = bench.redis.scan("0", "trawl:*", 100).await.unwrap();
        // The session and the user's set of sessions, or only the set if the operation
        // was cut short.
        assert!(keys.len() <= 2, "{keys:?}");
        for key in &keys {
            assert!(bench.redis.pttl(key).await.unwrap() > 0, "{key}");
        }
        if let Some(token) = token {
            assert_eq!(bench.goes_on(&token).await, Some(true));
        }
        fired
    })
    .await;
}
