//! What each algorithm admits, and what all of them have in common.

use std::time::Duration;

use shared::rate_limiter::{Algorithm, Reason};
use shared::redis::commands::Keys as _;

use super::{ALGORITHMS, Bench, rule};

#[tokio::test]
async fn a_caller_has_the_limit_and_not_one_more() {
    let bench = Bench::start().await;
    for (n, algorithm) in ALGORITHMS.into_iter().enumerate() {
        let (rule, caller) = (rule(algorithm, 3, 60), n.to_string());
        for left in [2, 1, 0] {
            let verdict = bench.check(&rule, &caller).await;
            assert!(verdict.admitted, "{algorithm:?}");
            assert_eq!(
                (verdict.limit, verdict.remaining),
                (3, left),
                "{algorithm:?}"
            );
        }
        let refused = bench.check(&rule, &caller).await;
        assert_fields!(refused, { admitted: false, reason: Reason::Exceeded });
        assert!(bench.check(&rule, "another").await.admitted);
        // It is admitted again at exactly the announced time.
        let wait = refused.reset_at_ms - bench.clock.now_ms();
        assert!((1..=62_000).contains(&wait), "{algorithm:?}: {wait}");
        bench.advance(Duration::from_millis(wait as u64));
        assert!(bench.check(&rule, &caller).await.admitted, "{algorithm:?}");
        bench.advance(Duration::from_secs(600));
    }
}

#[tokio::test]
async fn a_refused_call_consumes_nothing_but_of_a_fixed_window() {
    let bench = Bench::start().await;
    for (n, algorithm) in ALGORITHMS.into_iter().enumerate() {
        let (rule, caller) = (rule(algorithm, 3, 60), n.to_string());
        bench.weigh(&rule, &caller, 2).await;
        for _ in 0..5 {
            assert!(!bench.weigh(&rule, &caller, 2).await.admitted);
        }
        let rest = bench.check(&rule, &caller).await;
        let is_fixed = algorithm == Algorithm::FixedWindow;
        assert_eq!(rest.admitted, !is_fixed, "{algorithm:?}");
    }
}

#[tokio::test]
async fn a_call_heavier_than_the_limit_is_refused_and_says_when_to_retry() {
    let bench = Bench::start().await;
    for algorithm in ALGORITHMS {
        let verdict = bench.weigh(&rule(algorithm, 3, 60), "a", 4).await;
        assert!(!verdict.admitted, "{algorithm:?}");
        assert!(verdict.reset_at_ms > bench.clock.now_ms());
    }
}

#[tokio::test]
async fn looking_counts_nothing() {
    let bench = Bench::start().await;
    for (n, algorithm) in ALGORITHMS.into_iter().enumerate() {
        let (rule, caller) = (rule(algorithm, 3, 60), n.to_string());
        bench.check(&rule, &caller).await;
        for _ in 0..5 {
            let standing = bench.limiter.peek(&bench.redis, &rule, &caller).await;
            assert_eq!(standing.unwrap().remaining, 2, "{algorithm:?}");
        }
    }
}

#[tokio::test]
async fn a_refunded_call_counts_no_more_and_only_once() {
    let bench = Bench::start().await;
    for (n, algorithm) in ALGORITHMS.into_iter().enumerate() {
        let (rule, caller) = (rule(algorithm, 3, 60), n.to_string());
        bench.check(&rule, &caller).await;
        let check = bench.limiter.call(&rule, &caller, 2);
        assert!(bench.limiter.check(&bench.redis, &check).await.admitted);
        assert!(!bench.check(&rule, &caller).await.admitted);
        assert!(bench.limiter.refund(&bench.redis, &check).await.unwrap());
        if algorithm == Algorithm::FixedWindow {
            // Its refused calls counted.
            assert!(bench.check(&rule, &caller).await.admitted);
            continue;
        }
        assert!(!bench.limiter.refund(&bench.redis, &check).await.unwrap());
        let again = bench.weigh(&rule, &caller, 2).await;
        assert_eq!(
            (again.admitted, again.remaining),
            (true, 0),
            "{algorithm:?}"
        );
        assert!(!bench.check(&rule, &caller).await.admitted, "{algorithm:?}");
    }
}

#[tokio::test]
async fn a_refund_of_a_window_that_is_over_gives_nothing() {
    let bench = Bench::start().await;
    for (n, algorithm) in ALGORITHMS.into_iter().take(3).enumerate() {
        let (rule, caller) = (rule(algorithm, 3, 60), n.to_string());
        let check = bench.limiter.call(&rule, &caller, 2);
        bench.limiter.check(&bench.redis, &check).await;
        bench.advance(Duration::from_secs(62));
        bench.weigh(&rule, &caller, 3).await;
        assert!(!bench.limiter.refund(&bench.redis, &check).await.unwrap());
        assert!(!bench.check(&rule, &caller).await.admitted, "{algorithm:?}");
    }
}

#[tokio::test]
async fn a_reset_caller_begins_anew() {
    let bench = Bench::start().await;
    for (n, algorithm) in ALGORITHMS.into_iter().enumerate() {
        let (rule, caller) = (rule(algorithm, 3, 60), n.to_string());
        bench.weigh(&rule, &caller, 3).await;
        assert!(!bench.check(&rule, &caller).await.admitted);
        bench
            .limiter
            .reset(&bench.redis, &rule, &caller)
            .await
            .unwrap();
        assert_eq!(bench.check(&rule, &caller).await.remaining, 2);
    }
}

#[tokio::test]
async fn a_limit_is_changed_for_all_processes_while_they_run() {
    let bench = Bench::start().await;
    for (n, algorithm) in ALGORITHMS.into_iter().enumerate().skip(1) {
        let (rule, caller) = (rule(algorithm, 3, 60), n.to_string());
        bench.weigh(&rule, &caller, 3).await;
        let limiter = bench.other();
        limiter
            .set_limit(&bench.redis, "test", Some(6))
            .await
            .unwrap();
        if let Algorithm::TokenBucket { .. } = algorithm {
            // The bucket stays empty but is refilled twice as fast.
            assert!(!bench.check(&rule, &caller).await.admitted);
            bench.advance(Duration::from_secs(10));
        }
        let verdict = bench.check(&rule, &caller).await;
        assert_eq!(
            (verdict.admitted, verdict.limit),
            (true, 6),
            "{algorithm:?}"
        );
        limiter
            .set_limit(&bench.redis, "test", Some(1))
            .await
            .unwrap();
        assert!(!bench.check(&rule, &caller).await.admitted);
        limiter
            .set_limit(&bench.redis, "test", Some(0))
            .await
            .unwrap();
        assert!(!bench.check(&rule, "new").await.admitted, "{algorithm:?}");
        limiter.set_limit(&bench.redis, "test", None).await.unwrap();
        assert_eq!(bench.check(&rule, &format!("{n}b")).await.limit, 3);
    }
}

#[tokio::test]
async fn a_denied_caller_is_refused_until_that_ends() {
    let bench = Bench::start().await;
    for algorithm in ALGORITHMS.into_iter().skip(1) {
        let rule = rule(algorithm, 3, 60);
        let minute = Duration::from_secs(60);
        bench
            .limiter
            .deny(&bench.redis, "bad", minute)
            .await
            .unwrap();
        let refused = bench.check(&rule, "bad").await;
        assert_fields!(refused, { admitted: false, reason: Reason::Denied });
        assert_eq!(refused.reset_at_ms, bench.clock.now_ms() + 60_000);
        assert!(bench.check(&rule, "good").await.admitted);
        bench.advance(minute);
        assert!(bench.check(&rule, "bad").await.admitted, "{algorithm:?}");
        bench
            .limiter
            .deny(&bench.redis, "bad", minute)
            .await
            .unwrap();
        bench
            .limiter
            .deny(&bench.redis, "bad", Duration::ZERO)
            .await
            .unwrap();
        assert!(bench.check(&rule, "bad").await.admitted);
        bench.advance(minute * 10);
    }
}

#[tokio::test]
async fn a_caller_refused_here_is_not_asked_about_again_until_it_may_be_admitted() {
    let bench = Bench::start().await;
    let rule = rule(Algorithm::SlidingWindow, 1, 3);
    let ask = async || {
        let check = bench.limiter.call(&rule, "a", 1);
        bench.limiter.check(&bench.redis, &check).await
    };
    ask().await;
    let refused = ask().await;
    assert_eq!(refused.reason, Reason::Exceeded);
    bench.server.reset_meter();
    let blocked = ask().await;
    assert_fields!(blocked, { admitted: false, reason: Reason::Blocked });
    assert_eq!(blocked.reset_at_ms, refused.reset_at_ms);
    assert_eq!(bench.server.meter().total, 0);
    bench.advance(Duration::from_millis(
        (refused.reset_at_ms - bench.clock.now_ms()) as u64,
    ));
    assert!(ask().await.admitted);
}

#[tokio::test]
async fn what_a_limiter_keeps_expires_with_what_it_counts() {
    let bench = Bench::start().await;
    for (n, algorithm) in ALGORITHMS.into_iter().enumerate() {
        let caller = n.to_string();
        bench.check(&rule(algorithm, 3, 60), &caller).await;
        let pattern = format!("trawl:ratelimit:test:{caller}*");
        let (_, keys) = bench.redis.scan("0", &pattern, 100).await.unwrap();
        assert_eq!(keys.len(), 1, "{algorithm:?}");
        let ttl_ms = bench.redis.pttl(&keys[0]).await.unwrap();
        assert!((1..=64_000).contains(&ttl_ms), "{algorithm:?}: {ttl_ms}");
    }
}

#[tokio::test]
async fn what_another_algorithm_left_is_forgotten() {
    let bench = Bench::start().await;
    for algorithm in ALGORITHMS.into_iter().skip(1).cycle().take(6) {
        let verdict = bench.check(&rule(algorithm, 3, 60), "a").await;
        assert_fields!(verdict, { admitted: true, remaining: 2 });
    }
    let wider = bench
        .check(&rule(Algorithm::SlidingWindow, 3, 600), "a")
        .await;
    assert_eq!(wider.remaining, 2);
}

#[tokio::test]
async fn an_action_may_have_any_name() {
    let bench = Bench::start().await;
    let minute = Duration::from_secs(60);
    for action in ["limit", "deny", "a:b", "a"] {
        let rule = shared::rate_limiter::Rule::new(action, 3, minute);
        for caller in ["test", "b:test", "limit"] {
            for left in [2, 1, 0] {
                let verdict = bench.check(&rule, caller).await;
                assert_eq!(
                    (verdict.admitted, verdict.remaining),
                    (true, left),
                    "{action} {caller}"
                );
            }
            assert!(!bench.check(&rule, caller).await.admitted);
        }
    }
    // None of these is a rule for `test`, and none refuses anyone.
    let verdict = bench
        .check(&rule(Algorithm::SlidingWindow, 3, 60), "test")
        .await;
    assert_fields!(verdict, { admitted: true, limit: 3 });
}
