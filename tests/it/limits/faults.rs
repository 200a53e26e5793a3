//! How a rate limit check handles failures between it and Redis.

use shared::rate_limiter::{Algorithm, Reason, Rule};
use upstash_local::{Fault, FaultAction};

use super::{ALGORITHMS, Bench, rule};

const AFTER_COMMIT: [FaultAction; 4] = [
    FaultAction::DropAfterCommit,
    FaultAction::StatusAfterCommit(500),
    FaultAction::TruncateBody,
    FaultAction::Duplicate,
];

const BEFORE: [FaultAction; 4] = [
    FaultAction::DropBefore,
    FaultAction::Status(500),
    FaultAction::Status(429),
    FaultAction::NotJson(503),
];

#[tokio::test]
async fn a_call_whose_reply_was_lost_is_asked_about_again_and_counts_once() {
    let bench = Bench::start().await;
    for (n, algorithm) in ALGORITHMS.into_iter().enumerate().skip(1) {
        for action in AFTER_COMMIT.into_iter().chain(BEFORE) {
            let (rule, caller) = (rule(algorithm, 3, 60), format!("{n}{action:?}"));
            // The script is cached, so that the fault hits the check itself.
            bench.check(&rule, "known").await;
            bench.server.faults().add(Fault::new(action));
            let verdict = bench.check(&rule, &caller).await;
            assert_eq!(
                (verdict.reason, verdict.remaining),
                (Reason::Counted, 2),
                "{algorithm:?} {action:?}"
            );
            bench
                .limiter
                .reset(&bench.redis, &rule, "known")
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn a_refund_whose_reply_was_lost_is_given_once() {
    let bench = Bench::start().await;
    for (n, algorithm) in ALGORITHMS.into_iter().enumerate().skip(1) {
        for action in AFTER_COMMIT {
            let (rule, caller) = (rule(algorithm, 3, 60), format!("{n}{action:?}"));
            let check = bench.limiter.call(&rule, &caller, 1);
            for known in [true, false] {
                let check = if known {
                    bench.limiter.call(&rule, "known", 1)
                } else {
                    bench.weigh(&rule, &caller, 2).await;
                    check.clone()
                };
                bench.limiter.check(&bench.redis, &check).await;
                if !known {
                    bench.server.faults().add(Fault::new(action));
                }
                bench.limiter.refund(&bench.redis, &check).await.unwrap();
            }
            let verdict = bench.check(&rule, &caller).await;
            assert_eq!(
                (verdict.admitted, verdict.remaining),
                (true, 0),
                "{algorithm:?} {action:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_check_of_a_fixed_window_is_never_sent_twice() {
    let bench = Bench::start().await;
    let rule = rule(Algorithm::FixedWindow, 3, 60);
    for action in [
        FaultAction::DropAfterCommit,
        FaultAction::StatusAfterCommit(500),
    ] {
        let caller = format!("{action:?}");
        bench.server.faults().add(Fault::new(action));
        let lost = bench.check(&rule, &caller).await;
        assert_fields!(lost, { admitted: true, reason: Reason::Unavailable });
        // The call whose reply was lost was counted once.
        assert_eq!(bench.check(&rule, &caller).await.remaining, 1);
    }
}

#[tokio::test]
async fn the_rule_decides_while_redis_is_unavailable_and_the_verdict_says_so() {
    let bench = Bench::start().await;
    for algorithm in ALGORITHMS {
        for action in BEFORE {
            let open = rule(algorithm, 3, 60);
            let closed: Rule = open.clone().or_refuse();
            for (rule, admits) in [(open, true), (closed, false)] {
                bench.server.faults().add(Fault::new(action).times(99));
                let verdict = bench.check(&rule, "a").await;
                assert_eq!(
                    (verdict.admitted, verdict.reason),
                    (admits, Reason::Unavailable),
                    "{algorithm:?} {action:?}"
                );
                bench.server.faults().clear();
            }
        }
    }
}

#[tokio::test]
async fn a_malformed_limiter_state_is_discarded() {
    use shared::redis::commands::Hashes as _;
    let bench = Bench::start().await;
    let fields = [("a", "b")];
    let key = "trawl:ratelimit:test:a";
    bench.redis.hset(key, &fields).await.unwrap();
    for algorithm in ALGORITHMS.into_iter().skip(1) {
        // MGET returns nil for a value of another type, and SET replaces it.
        let verdict = bench.check(&rule(algorithm, 3, 60), "a").await;
        assert!(verdict.admitted, "{algorithm:?}: {verdict:?}");
    }
}
