//! No two callers hold a lock at once, a lost reply does not lock its owner out, and what
//! a lock protects never goes back.

use std::time::Duration;

use shared::lock::{Error, Held, Locks};

use super::{Struck, at_every_request};
use crate::locks::{Bench, LEASE};

/// The number of holders, as far as the callers know.
fn n_holders(held: &[&Option<Held>]) -> usize {
    let holders = held.iter().filter_map(|held| held.as_ref());
    holders.filter(|held| !held.left().is_zero()).count()
}

#[tokio::test]
async fn two_never_hold_a_lock_and_its_owner_is_not_kept_out() {
    at_every_request(async |struck| {
        let bench = Bench::start().await;
        let other = Locks::new(
            crate::limits::client(&bench.server, &bench.clock),
            "trawl:",
            bench.clock.clone(),
        );
        struck.arm(&bench.server);
        let mut ours = bench.locks.try_acquire("r", LEASE).await.ok().flatten();
        assert!(ours.is_some() || !struck.passes());
        let theirs = other.try_acquire("r", LEASE).await.ok().flatten();
        assert!(n_holders(&[&ours, &theirs]) <= 1);
        bench.advance(LEASE / 2);
        if let Some(held) = &mut ours {
            let extended = held.extend(LEASE).await;
            assert!(extended.is_ok() || !struck.passes());
        }
        bench.advance(LEASE * 3 / 4);
        // Fails if the lock was extended, and succeeds if it was not.
        let late = other.try_acquire("r", LEASE).await.ok().flatten();
        assert!(n_holders(&[&ours, &theirs, &late]) <= 1);
        let mut highest = [&ours, &theirs, &late]
            .iter()
            .filter_map(|held| held.as_ref().map(Held::fence))
            .max()
            .unwrap_or(0);
        for held in [ours, theirs, late].into_iter().flatten() {
            let _ = held.release().await;
        }
        let fired = bench.server.faults().fired();
        Struck::disarm(&bench.server);
        // Once the lease is over at the latest, the next caller gets the lock with a
        // higher fence.
        bench.advance(LEASE);
        for locks in [&other, &bench.locks] {
            let next = locks.try_acquire("r", LEASE).await.unwrap().unwrap();
            assert!(next.fence() > highest);
            highest = next.fence();
            assert!(next.release().await.unwrap());
        }
        fired
    })
    .await;
}

#[tokio::test]
async fn work_under_a_lock_runs_once_and_alone_or_not_at_all() {
    at_every_request(async |struck| {
        let bench = Bench::start().await;
        struck.arm(&bench.server);
        let at_once = bench.clock.deadline(Duration::ZERO);
        let ran = std::sync::Mutex::new(Vec::new());
        let noted = &ran;
        let note = |fence: u64| async move { noted.lock().unwrap().push(fence) };
        let mut outcomes = Vec::new();
        for _ in 0..2 {
            let done = bench.locks.with_lock("r", LEASE, &at_once, note).await;
            outcomes.push(done);
        }
        let fired = bench.server.faults().fired();
        Struck::disarm(&bench.server);
        let ran = ran.into_inner().unwrap();
        let n_done = outcomes.iter().filter(|done| done.is_ok()).count();
        assert_eq!(ran.len(), n_done, "{outcomes:?}");
        assert!(ran.is_sorted_by(|a, b| a < b), "{ran:?}");
        // The second release may return what the first one could not.
        let first_ok = outcomes[0].is_ok() || !struck.passes();
        let second_ok = matches!(&outcomes[1], Ok(()) | Err(Error::Held { .. }));
        assert!(first_ok && (second_ok || !struck.passes()), "{outcomes:?}");
        fired
    })
    .await;
}
