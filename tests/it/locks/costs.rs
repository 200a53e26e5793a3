//! The cost of a lock in billed commands and round trips.

use super::{Bench, LEASE};

#[tokio::test]
async fn locks_cost_what_the_golden_file_says() {
    let bench = Bench::start().await;
    let mut rows = Vec::new();
    let mut row = |name: &str| {
        let meter = bench.server.meter();
        let trips: u64 = meter.requests.values().sum();
        rows.push(format!(
            "{name}: {} billed, {trips} round trips",
            meter.total
        ));
        bench.server.reset_meter();
    };
    let mut held = bench.take().await.unwrap();
    row("acquire");
    assert!(bench.take().await.is_none());
    row("find it held");
    held.extend(LEASE).await.unwrap();
    row("extend");
    held.release().await.unwrap();
    row("release");
    let deadline = bench.clock.deadline(LEASE);
    let work = bench.locks.with_lock("r", LEASE, &deadline, |_| async {});
    work.await.unwrap();
    row("short work under a lock");
    crate::golden("lock-costs", &rows);
}
