//! A counted call can be refunded once.

use shared::rate_limiter::Reason;
use upstash_local::{Fault, FaultAction};

use super::{ALGORITHMS, Bench, rule};

/// Uses up the rest of a limit and returns the number of calls.
async fn use_up(bench: &Bench, rule: &shared::rate_limiter::Rule, caller: &str) -> u32 {
    let mut admitted = 0;
    while bench.check(rule, caller).await.admitted {
        admitted += 1;
    }
    admitted
}

#[tokio::test]
async fn a_call_is_taken_back_once_however_often_that_is_asked() {
    let bench = Bench::start().await;
    for (n, algorithm) in ALGORITHMS.into_iter().enumerate() {
        let (rule, caller) = (rule(algorithm, 3, 60), n.to_string());
        let check = bench.limiter.call(&rule, &caller, 1);
        assert!(bench.limiter.check(&bench.redis, &check).await.admitted);
        let refunds = [check.clone(), check.clone(), check.clone()];
        let asked = refunds
            .iter()
            .map(|check| bench.limiter.refund(&bench.redis, check));
        let given = futures_util::future::join_all(asked).await;
        let given = given
            .into_iter()
            .filter(|given| *given.as_ref().unwrap())
            .count();
        assert_eq!(given, 1, "{algorithm:?}");
        assert_eq!(use_up(&bench, &rule, &caller).await, 3, "{algorithm:?}");
        assert!(!bench.limiter.refund(&bench.redis, &check).await.unwrap());
        assert!(!bench.check(&rule, &caller).await.admitted, "{algorithm:?}");
    }
}

#[tokio::test]
async fn a_refused_call_has_nothing_to_give_back() {
    let bench = Bench::start().await;
    for (n, algorithm) in ALGORITHMS.into_iter().enumerate() {
        let (rule, caller) = (rule(algorithm, 3, 60), n.to_string());
        use_up(&bench, &rule, &caller).await;
        for weight in [1, 2, 5] {
            let limiter = bench.other();
            let check = limiter.call(&rule, &caller, weight);
            assert!(!limiter.check(&bench.redis, &check).await.admitted);
            assert!(!limiter.refund(&bench.redis, &check).await.unwrap());
            // A call that was never made, or that this process refused, cannot be
            // refunded either.
            let unasked = limiter.call(&rule, &caller, weight);
            assert!(!limiter.refund(&bench.redis, &unasked).await.unwrap());
            let blocked = limiter.call(&rule, &caller, weight);
            assert_eq!(
                limiter.check(&bench.redis, &blocked).await.reason,
                Reason::Blocked
            );
            assert!(!limiter.refund(&bench.redis, &blocked).await.unwrap());
        }
        assert!(!bench.check(&rule, &caller).await.admitted, "{algorithm:?}");
    }
}

#[tokio::test]
async fn a_call_admitted_while_redis_was_away_has_nothing_to_give_back() {
    let bench = Bench::start().await;
    for (n, algorithm) in ALGORITHMS.into_iter().enumerate() {
        for action in [
            FaultAction::Status(503),
            FaultAction::StatusAfterCommit(503),
        ] {
            let (rule, caller) = (rule(algorithm, 3, 60), format!("{n}{action:?}"));
            bench
                .server
                .faults()
                .add(Fault::new(action).times(u32::MAX));
            let check = bench.limiter.call(&rule, &caller, 1);
            let verdict = bench.limiter.check(&bench.redis, &check).await;
            assert_fields!(verdict, { admitted: true, reason: Reason::Unavailable });
            bench.server.faults().clear();
            assert!(!bench.limiter.refund(&bench.redis, &check).await.unwrap());
            let admitted = use_up(&bench, &rule, &caller).await;
            assert!(admitted <= 3, "{algorithm:?} {action:?}: {admitted}");
        }
    }
}
