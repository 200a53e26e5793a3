//! Applies every fault of the network and the database to every request in the life of a
//! job.

use std::time::Duration;

use upstash_local::{Fault, FaultAction};

use super::Say;
use super::lives::{Late, Life, Site};
use crate::faults::{KINDS, OUTAGE};

/// Pairs of faults at random positions for each scenario. `FAULT_PAIRS` sets another
/// number and `FAULT_SEED` another seed.
const PAIRS: u64 = 25;

/// Statistics of a scenario.
#[derive(Default, Debug)]
struct Done {
    positions: u32,
    runs: u32,
    /// Runs with one request less, for example because two outcomes were sent together.
    missed: u32,
    fired: u64,
}

/// Runs `life` with these faults. If it panics, the message names them.
async fn strike(site: &mut Site, life: Life, faults: Vec<Fault>) -> u64 {
    let before = site.server.faults().fired();
    for fault in &faults {
        site.server.faults().add(fault.clone());
    }
    let _say = Say(format!("{life:?} under {faults:?}"));
    site.live(life).await;
    assert_eq!(site.n_lost, 0, "an outcome was refused");
    // The second of two claims got the reply, so nobody knows of the first.
    let is_seen = |fault: &Fault| fault.times == 1 && fault.action != FaultAction::Duplicate;
    if faults.len() == 1 && faults.iter().all(is_seen) {
        assert_eq!(site.n_stalled, 0, "a lease was left to end");
    }
    site.server.faults().fired() - before
}

/// The number of requests that the scenario itself sends.
async fn count(site: &mut Site, life: Life) -> u32 {
    // An endless fault without effect counts the requests it sees.
    let nothing = Fault::new(FaultAction::Delay(Duration::ZERO)).times(u32::MAX);
    u32::try_from(strike(site, life, vec![nothing]).await).unwrap()
}

async fn strike_every_request(life: Life) -> Done {
    let mut site = Site::start().await;
    // Run once, so that the endpoint caches the scripts.
    site.live(life).await;
    let positions = count(&mut site, life).await;
    let mut done = Done {
        positions,
        ..Done::default()
    };
    for skip in 0..positions {
        for kind in KINDS {
            for times in [1, OUTAGE] {
                // An outage of this kind is no different from that of a similar one.
                if times > 1 && !lasts(kind) {
                    continue;
                }
                let fault = Fault::new(kind).skip(skip).times(times);
                let fired = strike(&mut site, life, vec![fault]).await;
                done.missed += u32::from(fired == 0);
                done.runs += 1;
                done.fired += fired;
            }
        }
    }
    done
}

fn lasts(kind: FaultAction) -> bool {
    matches!(
        kind,
        FaultAction::DropAfterCommit | FaultAction::QuotaExceeded
    )
}

/// Runs `task` for every scenario concurrently.
async fn for_every_life<R>(task: impl Fn(Life) -> R) -> Done
where
    R: Future<Output = Done> + Send + 'static,
{
    let mut tasks = tokio::task::JoinSet::new();
    for life in Life::ALL {
        tasks.spawn(task(life));
    }
    let mut sum = Done::default();
    while let Some(done) = tasks.join_next().await {
        let done = done.unwrap();
        sum.positions += done.positions;
        sum.runs += done.runs;
        sum.missed += done.missed;
        sum.fired += done.fired;
    }
    sum
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_at_any_request_changes_no_ending() {
    let done = for_every_life(strike_every_request).await;
    eprintln!("single faults: {done:?}");
    assert!(
        done.positions > 100 && done.missed * 20 < done.runs,
        "{done:?}"
    );
}

/// Two faults, each as long as an outage at most, the second at any point after the
/// first.
fn pair(random: &mut fastrand::Rng, positions: u32) -> Vec<Fault> {
    let mut fault = |skip: u32| {
        let kind = KINDS[random.usize(..KINDS.len())];
        let times = if lasts(kind) {
            random.u32(1..=OUTAGE)
        } else {
            1
        };
        Fault::new(kind).skip(skip).times(times)
    };
    let first = fault(0);
    let second = fault(0);
    let at = random.u32(..positions);
    let then = random.u32(..positions.max(2) / 2);
    vec![first.skip(at), second.skip(then)]
}

async fn strike_in_pairs(life: Life) -> Done {
    let number = |name: &str, default| {
        let text = std::env::var(name).ok();
        text.map_or(default, |text| text.parse::<u64>().unwrap())
    };
    let (pairs, seed) = (number("FAULT_PAIRS", PAIRS), number("FAULT_SEED", 1));
    let mut random = fastrand::Rng::with_seed(seed ^ ((life as u64) << 32));
    let mut site = Site::start().await;
    site.may_leave_blobs = true;
    site.live(life).await;
    let positions = count(&mut site, life).await;
    let mut done = Done {
        positions,
        ..Done::default()
    };
    for n in 0..pairs {
        let _say = Say(format!("{life:?}, FAULT_SEED={seed}, pair {n}"));
        let faults = pair(&mut random, positions);
        done.fired += strike(&mut site, life, faults).await;
        done.runs += 1;
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_faults_anywhere_change_no_ending() {
    let done = for_every_life(strike_in_pairs).await;
    eprintln!("pairs of faults: {done:?}");
    let runs = u64::from(done.runs);
    assert!(
        done.fired * 10 > runs * 15,
        "both strike as a rule: {done:?}"
    );
}

/// Every request of the scenario arrives again, after one or three more, or after all
/// others.
async fn come_late(life: Life) -> Done {
    let mut site = Site::start().await;
    site.live(life).await;
    site.live(life).await;
    let mut done = Done {
        positions: u32::try_from(site.n_sent).unwrap(),
        ..Done::default()
    };
    // A duplicate that arrives after the original job has ended becomes a job of its own.
    if life == Life::Unique {
        return done;
    }
    for n in 0..site.n_sent {
        for after in [1, 3, usize::MAX / 2] {
            let late = Late { n, after };
            let _say = Say(format!("{life:?} with {late:?}"));
            site.late = Some(late);
            site.live(life).await;
            done.runs += 1;
        }
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_given_up_and_asked_again_may_arrive_late() {
    let done = for_every_life(come_late).await;
    eprintln!("late requests: {done:?}");
    assert!(done.runs > 200, "{done:?}");
}
