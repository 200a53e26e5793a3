//! The effect of a wrong clock on all other callers.

use std::time::Duration;

use shared::clock::Clock;
use shared::rate_limiter::{Algorithm, RateLimiter, Rule};

use super::{ALGORITHMS, Bench, client, rule};

const SCRIPTED: [Algorithm; 3] = [
    Algorithm::SlidingWindow,
    Algorithm::SlidingLog,
    Algorithm::TokenBucket { burst: 10 },
];

/// A process whose clock stays `ahead_ms` ahead of the bench's clock.
struct Process<'a> {
    bench: &'a Bench,
    clock: Clock,
    ahead_ms: i64,
}

impl Process<'_> {
    async fn admits(&self, rule: &Rule, caller: &str) -> bool {
        self.clock.set(self.bench.clock.now_ms() + self.ahead_ms);
        let limiter = RateLimiter::new("trawl:", self.clock.clone());
        let redis = client(&self.bench.server, &self.clock);
        let check = limiter.call(rule, caller, 1);
        limiter.check(&redis, &check).await.admitted
    }
}

fn process(bench: &Bench, ahead_ms: i64) -> Process<'_> {
    let clock = Clock::manual(0);
    Process {
        bench,
        clock,
        ahead_ms,
    }
}

#[tokio::test]
async fn a_call_from_a_clock_far_ahead_locks_nobody_out() {
    let bench = Bench::start().await;
    for (n, algorithm) in SCRIPTED.into_iter().enumerate() {
        for ahead_secs in [65, 200, 3600, 400 * 86_400] {
            let (rule, caller) = (rule(algorithm, 10, 60), format!("{n}-{ahead_secs}"));
            let wrong = process(&bench, ahead_secs * 1000);
            assert!(wrong.admits(&rule, &caller).await);
            // Six calls per minute; ten are allowed.
            for call in 0..30 {
                let verdict = bench.check(&rule, &caller).await;
                assert!(
                    verdict.admitted,
                    "{algorithm:?} {ahead_secs} s, call {call}"
                );
                bench.advance(Duration::from_secs(10));
            }
        }
    }
}

#[tokio::test]
async fn a_clock_less_than_a_window_ahead_affects_one_window() {
    let bench = Bench::start().await;
    for (n, algorithm) in SCRIPTED.into_iter().enumerate() {
        for ahead_secs in [1, 30, 59, 60] {
            let (rule, caller) = (rule(algorithm, 10, 60), format!("{n}-{ahead_secs}"));
            let wrong = process(&bench, ahead_secs * 1000);
            while wrong.admits(&rule, &caller).await {}
            let mut refused = 0;
            for _ in 0..60 {
                refused += u64::from(!bench.check(&rule, &caller).await.admitted);
                bench.advance(Duration::from_secs(10));
            }
            // The rest of its own window and at most one call more.
            assert!(refused <= 13, "{algorithm:?} {ahead_secs} s: {refused}");
        }
    }
}

#[tokio::test]
async fn two_clocks_far_apart_do_not_admit_more_by_taking_turns() {
    let bench = Bench::start().await;
    for (n, algorithm) in SCRIPTED.into_iter().enumerate() {
        for ahead_secs in [64, 90, 130, 3600] {
            let (rule, caller) = (rule(algorithm, 10, 60), format!("{n}-{ahead_secs}"));
            let wrong = process(&bench, ahead_secs * 1000);
            assert!(bench.check(&rule, &caller).await.admitted);
            let mut admitted = 1;
            for _ in 0..40 {
                admitted += u64::from(wrong.admits(&rule, &caller).await);
                admitted += u64::from(bench.check(&rule, &caller).await.admitted);
            }
            assert_eq!(admitted, 10, "{algorithm:?} {ahead_secs} s");
        }
    }
}

#[tokio::test]
async fn two_clocks_about_a_window_apart_admit_a_bounded_number() {
    let bench = Bench::start().await;
    for (n, algorithm) in SCRIPTED.into_iter().enumerate() {
        for ahead_ms in (55_000..=66_000).step_by(500) {
            let (rule, caller) = (rule(algorithm, 10, 60), format!("{n}-{ahead_ms}"));
            let wrong = process(&bench, ahead_ms);
            let mut admitted = 0;
            for _ in 0..5 {
                for _ in 0..12 {
                    admitted += u32::from(wrong.admits(&rule, &caller).await);
                    admitted += u32::from(bench.check(&rule, &caller).await.admitted);
                }
                bench.advance(Duration::from_secs(3));
            }
            // The limit of each clock, and one call for each change between them.
            assert!(admitted <= 30, "{algorithm:?} {ahead_ms} ms: {admitted}");
        }
    }
}

#[tokio::test]
async fn a_process_whose_clock_was_ahead_is_right_again_as_soon_as_its_clock_is() {
    let bench = Bench::start().await;
    let right = bench.clock.now_ms();
    for (n, algorithm) in ALGORITHMS.into_iter().enumerate() {
        let (rule, caller) = (rule(algorithm, 2, 60), n.to_string());
        let ask = async || {
            let check = bench.limiter.call(&rule, &caller, 1);
            bench.limiter.check(&bench.redis, &check).await
        };
        bench.clock.set(right + 7_200_000);
        while ask().await.admitted {}
        bench.clock.set(right);
        let verdict = ask().await;
        assert!(verdict.admitted, "{algorithm:?} {verdict:?}");
        let seen = bench.limiter.last_seen(&rule, &caller);
        assert!(
            seen.reset_at_ms <= right + 120_000,
            "{algorithm:?} {seen:?}"
        );
    }
}

#[tokio::test]
async fn an_empty_bucket_says_so() {
    let bench = Bench::start().await;
    for burst in [0, 5] {
        let rule = rule(Algorithm::TokenBucket { burst }, 0, 60);
        let refused = bench.check(&rule, "a").await;
        let standing = bench.limiter.peek(&bench.redis, &rule, "a").await.unwrap();
        for verdict in [refused.clone(), standing] {
            assert_eq!(verdict.remaining, 0, "{burst}");
            assert!(
                verdict.reset_at_ms >= bench.clock.now_ms(),
                "{burst} {verdict:?}"
            );
        }
        assert!(!refused.admitted);
    }
}
