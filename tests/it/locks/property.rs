//! In whatever order holders acquire, pause and return, only one holds the lock, and the
//! protected value never goes back.

use std::time::Duration;

use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use shared::lock::{Held, Locks};
use upstash_local::{Fault, FaultAction};

use super::Bench;

const HOLDERS: usize = 4;

const FAULTS: [FaultAction; 6] = [
    FaultAction::DropBefore,
    FaultAction::DropAfterCommit,
    FaultAction::Status(500),
    FaultAction::StatusAfterCommit(500),
    FaultAction::TruncateBody,
    FaultAction::Duplicate,
];

#[derive(Clone, Debug)]
enum Step {
    Acquire(usize, u64),
    Extend(usize, u64),
    Release(usize),
    /// Writes the protected value without checking the lease, as a holder that was paused
    /// does.
    Write(usize),
    Pass(u64),
    /// A fault for this many of the next requests.
    Fault(usize, u32),
}

fn step() -> impl Strategy<Value = Step> {
    let holder = 0..HOLDERS;
    let lease_ms = 1u64..2000;
    prop_oneof![
        4 => (holder.clone(), lease_ms.clone()).prop_map(|(h, ms)| Step::Acquire(h, ms)),
        2 => (holder.clone(), lease_ms.clone()).prop_map(|(h, ms)| Step::Extend(h, ms)),
        2 => holder.clone().prop_map(Step::Release),
        3 => holder.prop_map(Step::Write),
        3 => lease_ms.prop_map(Step::Pass),
        1 => (0..FAULTS.len(), prop_oneof![3 => Just(1u32), 1 => Just(6)])
            .prop_map(|(fault, times)| Step::Fault(fault, times)),
    ]
}

/// The value that the lock protects. It rejects a fence below the highest one seen.
#[derive(Default)]
struct Protected {
    highest: u64,
    writes: Vec<u64>,
}

impl Protected {
    fn write(&mut self, fence: u64) {
        if fence >= self.highest {
            self.highest = fence;
            self.writes.push(fence);
        }
    }
}

async fn run(bench: &Bench, resource: &str, steps: Vec<Step>) {
    let processes: Vec<Locks> = (0..HOLDERS)
        .map(|_| {
            let redis = crate::limits::client(&bench.server, &bench.clock);
            Locks::new(redis, "trawl:", bench.clock.clone())
        })
        .collect();
    let mut held: Vec<Option<Held>> = (0..HOLDERS).map(|_| None).collect();
    let mut protected = Protected::default();
    let mut last_fence = 0;
    for step in steps {
        match step {
            Step::Acquire(n, ms) => {
                let lease = Duration::from_millis(ms);
                // In a permanent outage this is an error, and nothing is held.
                if let Ok(Some(new)) = processes[n].try_acquire(resource, lease).await {
                    assert!(new.fence() > last_fence);
                    last_fence = new.fence();
                    held[n] = Some(new);
                }
            }
            Step::Extend(n, ms) => {
                if let Some(lock) = &mut held[n] {
                    let _ = lock.extend(Duration::from_millis(ms)).await;
                }
            }
            Step::Release(n) => {
                if let Some(lock) = held[n].take() {
                    let _ = lock.release().await;
                }
            }
            Step::Write(n) => {
                if let Some(lock) = &held[n] {
                    protected.write(lock.fence());
                }
            }
            Step::Pass(ms) => bench.advance(Duration::from_millis(ms)),
            Step::Fault(fault, times) => {
                let fault = Fault::new(FAULTS[fault]).times(times);
                bench.server.faults().add(fault);
            }
        }
        let holders = held.iter().flatten().filter(|lock| !lock.left().is_zero());
        assert!(holders.count() <= 1, "two hold the lock");
    }
    assert!(protected.writes.is_sorted());
    bench.server.faults().clear();
}

#[test]
fn one_holds_the_lock_at_a_time_and_a_paused_holder_writes_nothing_over_a_later_one() {
    let config = Config {
        cases: 40,
        failure_persistence: None,
        ..Config::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let bench = runtime.block_on(Bench::start());
    let n_cases = std::cell::Cell::new(0);
    let steps = proptest::collection::vec(step(), 1..50);
    let case = |steps| {
        n_cases.set(n_cases.get() + 1);
        runtime.block_on(run(&bench, &n_cases.get().to_string(), steps));
        Ok::<(), TestCaseError>(())
    };
    TestRunner::new(config).run(&steps, case).unwrap();
}
