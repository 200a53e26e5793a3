//! Processes of their own in real time, killed at random while the network fails.

use std::time::Duration;

use integration::history::crowd::Plan;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drainers_killed_at_random_keep_every_promise() {
    let plan = Plan {
        program: env!("CARGO_BIN_EXE_crowd").into(),
        time: Duration::from_secs(2),
        seed: fastrand::u64(..),
    };
    let report = plan.run().await.unwrap();
    eprintln!("{report:?}");
    assert!(report.broken.is_empty(), "{report:#?}");
    assert!(report.drainers_killed > 1 && report.faults_fired > 5);
    assert!(report.acknowledged > 40, "{report:?}");
}
