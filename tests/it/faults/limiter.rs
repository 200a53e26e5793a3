//! No caller is admitted more often than the rule allows, and none is locked out.

use std::time::Duration;

use shared::rate_limiter::{Algorithm, RateLimiter, Reason, Rule};

use super::{Struck, at_every_request};
use crate::limits::{ALGORITHMS, Bench, rule};

const LIMIT: u32 = 3;

/// Calls from two processes, none of which is admitted without an answer from Redis.
async fn calls(bench: &Bench, processes: &[RateLimiter; 2], rule: &Rule) -> u32 {
    let mut n_admitted = 0;
    for n in 0..5 {
        let limiter = &processes[n % 2];
        let check = limiter.call(rule, "a", 1);
        let verdict = limiter.check(&bench.redis, &check).await;
        assert!(!verdict.admitted || verdict.reason == Reason::Counted);
        n_admitted += u32::from(verdict.admitted);
    }
    n_admitted
}

/// With or without cached scripts. Without them, each process sends one more request.
async fn begin(known: bool, rule: &Rule) -> (Bench, [RateLimiter; 2]) {
    let bench = Bench::start().await;
    if known {
        let check = bench.limiter.call(rule, "known", 1);
        bench.limiter.check(&bench.redis, &check).await;
        bench.limiter.refund(&bench.redis, &check).await.unwrap();
    }
    let processes = [bench.other(), bench.other()];
    (bench, processes)
}

async fn never_more_than_its_definition(algorithm: Algorithm, known: bool) {
    at_every_request(async |struck| {
        let rule = rule(algorithm, LIMIT, 60).or_refuse();
        let (bench, processes) = begin(known, &rule).await;
        let redis = &bench.redis;
        struck.arm(&bench.server);
        let first = processes[0].call(&rule, "a", 1);
        let is_admitted = processes[0].check(redis, &first).await.admitted;
        let mut n_admitted = u32::from(is_admitted) + calls(&bench, &processes, &rule).await;
        assert!(n_admitted <= LIMIT, "{n_admitted} {rule:?}");
        // A fault that is retried successfully costs at most one place.
        assert!(!struck.passes() || n_admitted + 1 >= LIMIT, "{n_admitted}");
        // Refunded at most once, whatever the reply. If it was sent twice, the second
        // reply may say that there was nothing left to refund.
        let refunded = processes[0].refund(redis, &first).await;
        n_admitted += calls(&bench, &processes, &rule).await;
        assert!(n_admitted <= LIMIT + 1, "{n_admitted} {refunded:?}");
        let fired = bench.server.faults().fired();
        Struck::disarm(&bench.server);
        bench.advance(Duration::from_secs(63));
        let later = bench.check(&rule, "a").await;
        assert!(later.admitted, "{later:?}");
        fired
    })
    .await;
}

#[tokio::test]
async fn a_fixed_window_admits_no_more_than_its_definition() {
    never_more_than_its_definition(Algorithm::FixedWindow, true).await;
}

#[tokio::test]
async fn a_sliding_window_admits_no_more_than_its_definition() {
    for known in [true, false] {
        never_more_than_its_definition(Algorithm::SlidingWindow, known).await;
    }
}

#[tokio::test]
async fn a_sliding_log_admits_no_more_than_its_definition() {
    for known in [true, false] {
        never_more_than_its_definition(Algorithm::SlidingLog, known).await;
    }
}

#[tokio::test]
async fn a_token_bucket_admits_no_more_than_its_definition() {
    for known in [true, false] {
        never_more_than_its_definition(Algorithm::TokenBucket { burst: LIMIT }, known).await;
    }
}

#[tokio::test]
async fn a_changed_limit_a_denial_and_a_reset_hold_once_they_were_answered() {
    for algorithm in ALGORITHMS.into_iter().skip(1) {
        at_every_request(async |struck| {
            let rule = rule(algorithm, LIMIT, 60).or_refuse();
            let (bench, _) = begin(true, &rule).await;
            let (limiter, redis) = (&bench.limiter, &bench.redis);
            bench.check(&rule, "full").await;
            struck.arm(&bench.server);
            let limited = limiter.set_limit(redis, "test", Some(1)).await;
            let minute = Duration::from_secs(60);
            let denied = limiter.deny(redis, "denied", minute).await;
            let standing = limiter.peek(redis, &rule, "full").await;
            let fired = bench.server.faults().fired();
            Struck::disarm(&bench.server);
            for outcome in [&limited, &denied] {
                assert!(outcome.is_ok() || !struck.passes(), "{outcome:?}");
            }
            if let Ok(standing) = standing {
                let most = if limited.is_ok() { 1 } else { LIMIT };
                assert!(standing.remaining < most, "{standing:?}");
            }
            if limited.is_ok() {
                assert!(!bench.check(&rule, "full").await.admitted);
                limiter.reset(redis, &rule, "full").await.unwrap();
                assert!(bench.check(&rule, "full").await.admitted);
            }
            if denied.is_ok() {
                let verdict = bench.check(&rule, "denied").await;
                assert_eq!(verdict.reason, Reason::Denied);
            }
            fired
        })
        .await;
    }
}

#[tokio::test]
async fn a_reset_that_was_answered_leaves_nothing_counted() {
    for algorithm in ALGORITHMS {
        at_every_request(async |struck| {
            let rule = rule(algorithm, LIMIT, 60).or_refuse();
            let (bench, processes) = begin(true, &rule).await;
            assert_eq!(calls(&bench, &processes, &rule).await, LIMIT);
            struck.arm(&bench.server);
            let reset = bench.limiter.reset(&bench.redis, &rule, "a").await;
            let fired = bench.server.faults().fired();
            Struck::disarm(&bench.server);
            assert!(reset.is_ok() || !struck.passes(), "{reset:?}");
            let processes = [bench.other(), bench.other()];
            let n_admitted = calls(&bench, &processes, &rule).await;
            assert!(n_admitted <= LIMIT);
            assert!(reset.is_err() || n_admitted == LIMIT, "{n_admitted}");
            fired
        })
        .await;
    }
}
