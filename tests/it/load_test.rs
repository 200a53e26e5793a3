//! A small load test with the code of `dev load-test`, in one process.

use std::time::Duration;

use dev::load_test::{Endpoint, Plan, Work, run};
use indicatif::ProgressBar;

const JOBS: usize = 500;

fn plan(drainers: usize) -> Plan {
    Plan {
        work: Work {
            jobs: JOBS,
            failing: 0.05,
            crashing: 0.05,
            seed: 1,
        },
        concurrency: 5,
        drainers,
        // The leases of killed drainers expire in real time.
        lease: Duration::from_millis(600),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_failures_and_deaths_nothing_is_lost_or_accepted_twice_for_at_most_5_billed_a_job() {
    let endpoint = Endpoint::here().await.unwrap();
    let plan = plan(1);
    let measured = run(&plan, &endpoint, ProgressBar::hidden()).await.unwrap();
    endpoint.stop().await;

    let verdict = measured.verdict;
    let fates = plan.work.fates(plan.concurrency);
    let failing = fates.iter().filter(|fate| fate.fails).count() as u64;
    assert_eq!(verdict.completed, JOBS as u64);
    assert_eq!(verdict.retried, failing);
    assert!(measured.drained.deaths > 0 && verdict.stalled > 0);
    assert_eq!(measured.forgotten, 0, "fewer than are kept");
    let billed = (measured.enqueue.billed + measured.drain.billed) as f64 / JOBS as f64;
    assert!(billed <= 5.0, "{billed} billed commands a job");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_drainers_that_die_share_the_work_and_lose_nothing() {
    let endpoint = Endpoint::here().await.unwrap();
    let measured = run(&plan(3), &endpoint, ProgressBar::hidden())
        .await
        .unwrap();
    assert_eq!(measured.verdict.completed, JOBS as u64);
    assert!(measured.drained.deaths > 0);
    let meter = endpoint.meter().await.unwrap();
    assert!(meter.billed > measured.drain.billed + measured.enqueue.billed);
    endpoint.stop().await;
}
