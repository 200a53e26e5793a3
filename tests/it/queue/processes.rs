//! Separate processes in real time that are killed at random while the network fails.

use std::time::Duration;

use integration::history::crowd::Plan;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_keeps_its_guarantees_when_drainers_are_killed_at_random() {
    // On a busy machine, some runs may see no kills or faults.
    let (mut killed, mut faults, mut acknowledged) = (0, 0, 0);
    for _ in 0..5 {
        let plan = Plan {
            program: env!("CARGO_BIN_EXE_crowd").into(),
            time: Duration::from_secs(2),
            seed: fastrand::u64(..),
        };
        let report = plan.run().await.unwrap();
        eprintln!("{report:?}");
        assert!(report.broken.is_empty(), "{report:#?}");
        killed += report.drainers_killed;
        faults += report.faults_fired;
        acknowledged += report.acknowledged;
        if killed > 1 && faults > 5 && acknowledged > 40 {
            return;
        }
    }
    panic!("{killed} killed, {faults} faults, {acknowledged} jobs");
}
