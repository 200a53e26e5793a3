//! A drainer is killed at every possible point, and another takes over when the leases
//! have expired.

use super::lives::{Death, Life, Site};

/// Far more than the polls or requests of a drain.
const MOST: usize = 400;

/// How many drainers of a scenario are killed in turn.
const ROUNDS: usize = 3;

/// Runs `life` repeatedly and kills the drainer of a round a little later each time,
/// until it finishes before that. Returns how many were killed.
async fn die_everywhere(life: Life, deaths: impl Fn(usize) -> Vec<Vec<Death>>) -> usize {
    let mut site = Site::start().await;
    // Run once, so that the endpoint caches the scripts.
    site.live(life).await;
    let mut sum = 0;
    for round in 0..ROUNDS {
        for n in 0..MOST {
            let mut n_died = 0;
            for deaths in deaths(n) {
                let _say = super::Say(format!("{life:?}, in round {round} {deaths:?}"));
                site.deaths = deaths.into_iter().map(Some).collect();
                site.deaths.resize(site.deaths.len() + round, None);
                site.live(life).await;
                n_died += site.n_died;
            }
            sum += n_died;
            if n_died == 0 {
                break;
            }
            assert!(n + 1 < MOST, "{life:?}: a drain does not end");
        }
    }
    sum
}

async fn of_every_life(deaths: impl Fn(usize) -> Vec<Vec<Death>> + Copy + Send + 'static) -> usize {
    let mut tasks = tokio::task::JoinSet::new();
    for life in Life::ALL {
        tasks.spawn(async move { (life, die_everywhere(life, deaths).await) });
    }
    let mut all = Vec::new();
    while let Some(done) = tasks.join_next().await {
        all.push(done.unwrap());
    }
    let sum: usize = all.iter().map(|(_, n)| n).sum();
    eprintln!("{sum} drainers died: {all:?}");
    assert!(all.iter().all(|(_, n)| *n > 0));
    sum
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drainer_may_die_at_any_await() {
    let deaths = |n: usize| {
        let poll = |at_once| Death::Poll {
            after: n + 1,
            at_once,
        };
        vec![vec![poll(true)], vec![poll(false)]]
    };
    assert!(of_every_life(deaths).await > 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drainer_may_die_at_any_request_of_its_own_or_its_jobs() {
    let deaths = |n: usize| {
        let request = |carried_out| Death::Request { n, carried_out };
        let (before, after) = (request(false), request(true));
        // Also two deaths in a row.
        vec![vec![before], vec![after], vec![after, after]]
    };
    assert!(of_every_life(deaths).await > 150);
}
