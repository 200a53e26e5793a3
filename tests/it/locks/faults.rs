//! How a lock handles failures between it and Redis.

use std::time::Duration;

use upstash_local::{Fault, FaultAction};

use super::{Bench, LEASE};

const ALL: [FaultAction; 8] = [
    FaultAction::DropBefore,
    FaultAction::Status(500),
    FaultAction::Status(429),
    FaultAction::NotJson(503),
    FaultAction::DropAfterCommit,
    FaultAction::StatusAfterCommit(500),
    FaultAction::TruncateBody,
    FaultAction::Duplicate,
];

#[tokio::test]
async fn a_lost_reply_does_not_lock_the_owner_out() {
    for action in ALL {
        let bench = Bench::start().await;
        bench.server.faults().add(Fault::new(action));
        let held = bench.take().await.expect("the lock is free");
        assert!(bench.take().await.is_none(), "{action:?}");
        let fence = held.fence();
        assert!(held.release().await.unwrap(), "{action:?}");
        assert!(bench.take().await.unwrap().fence() > fence, "{action:?}");
    }
}

#[tokio::test]
async fn a_lease_is_extended_and_a_lock_given_back_through_any_failure() {
    for action in ALL {
        let bench = Bench::start().await;
        let mut held = bench.take().await.unwrap();
        bench.server.faults().add(Fault::new(action));
        assert!(held.extend(LEASE).await.unwrap(), "{action:?}");
        bench.server.faults().add(Fault::new(action));
        // If it was sent twice, it may report that nothing was held; now nothing is.
        held.release().await.unwrap();
        assert!(bench.take().await.is_some(), "{action:?}");
    }
}

#[tokio::test]
async fn a_lease_that_may_have_been_shortened_counts_as_shortened() {
    let bench = Bench::start().await;
    let mut held = bench.take().await.unwrap();
    let lost = Fault::new(FaultAction::DropAfterCommit).times(6);
    bench.server.faults().add(lost);
    let short = Duration::from_millis(1);
    assert!(held.extend(short).await.is_err());
    assert!(held.left() <= short);
    bench.server.faults().clear();
    bench.advance(short);
    // Another holder gets it, and the first one knows that this is possible.
    assert!(bench.take().await.is_some());
    assert!(held.left().is_zero());
}

#[tokio::test]
async fn an_acquisition_whose_every_reply_was_lost_holds_nothing() {
    let bench = Bench::start().await;
    let lost = Fault::new(FaultAction::DropAfterCommit).times(4);
    bench.server.faults().add(lost);
    assert!(bench.locks.try_acquire("r", LEASE).await.is_err());
    // The lock was released by a holder that could not know it.
    assert!(bench.take().await.is_some());
}

#[tokio::test]
async fn an_acquisition_that_could_not_be_given_back_ends_with_its_lease() {
    let bench = Bench::start().await;
    let lost = Fault::new(FaultAction::DropAfterCommit)
        .matching("set")
        .times(4);
    let away = Fault::new(FaultAction::DropBefore)
        .matching("delex")
        .times(4);
    bench.server.faults().add(lost);
    bench.server.faults().add(away);
    assert!(bench.locks.try_acquire("r", LEASE).await.is_err());
    assert!(bench.take().await.is_none());
    bench.advance(LEASE);
    assert!(bench.take().await.is_some());
}

#[tokio::test]
async fn a_lease_that_could_not_be_extended_is_what_it_was() {
    let bench = Bench::start().await;
    let mut held = bench.take().await.unwrap();
    bench.advance(Duration::from_secs(10));
    bench
        .server
        .faults()
        .add(Fault::new(FaultAction::Status(500)).times(99));
    assert!(held.extend(LEASE).await.is_err());
    assert_eq!(held.left(), LEASE - Duration::from_secs(10));
}
