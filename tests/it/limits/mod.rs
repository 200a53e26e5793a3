//! Rate limits.

mod algorithms;
mod clocks;
mod costs;
mod faults;
mod property;
mod refunds;
mod routes;

use std::time::Duration;

use integration::{START_MS, start_endpoint};
use shared::clock::Clock;
use shared::config::{Provider, RedisConfig};
use shared::rate_limiter::{Algorithm, RateLimiter, Rule, Verdict};
use shared::redis::Redis;

/// The commands that the rate limit adds to an admitted request.
pub const CHECK: u64 = 3;

pub const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::FixedWindow,
    Algorithm::SlidingWindow,
    Algorithm::SlidingLog,
    Algorithm::TokenBucket { burst: 3 },
];

/// A limiter with its own endpoint and clock.
pub struct Bench {
    pub server: upstash_local::Server,
    pub clock: Clock,
    pub redis: Redis,
    pub limiter: RateLimiter,
}

impl Bench {
    pub async fn start() -> Bench {
        let server = start_endpoint().await;
        let clock = Clock::manual(START_MS);
        let redis = client(&server, &clock);
        Bench {
            limiter: RateLimiter::new("trawl:", clock.clone()),
            server,
            clock,
            redis,
        }
    }

    pub fn advance(&self, by: Duration) {
        self.server.clock().advance(by);
        self.clock.advance(by);
    }

    /// Another process, which shares only the database.
    pub fn other(&self) -> RateLimiter {
        RateLimiter::new("trawl:", self.clock.clone())
    }

    pub async fn check(&self, rule: &Rule, caller: &str) -> Verdict {
        self.weigh(rule, caller, 1).await
    }

    /// Asks as a new process each time, so that no cached block answers.
    pub async fn weigh(&self, rule: &Rule, caller: &str, weight: u32) -> Verdict {
        let limiter = self.other();
        let check = limiter.call(rule, caller, weight);
        limiter.check(&self.redis, &check).await
    }
}

/// A separate client, as another process has.
pub fn client(server: &upstash_local::Server, clock: &Clock) -> Redis {
    let config = RedisConfig {
        provider: Provider::Local,
        url: server.url(),
        token: server.token().into(),
        key_prefix: "trawl:".to_owned(),
        ca_file: None,
    };
    shared::redis::connect(&config, clock).unwrap()
}

pub fn rule(algorithm: Algorithm, limit: u32, seconds: u64) -> Rule {
    Rule::new("test", limit, Duration::from_secs(seconds)).by(algorithm)
}
