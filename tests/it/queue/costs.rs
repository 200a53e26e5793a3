//! The cost of each state transition in billed commands and round trips.

use std::time::Duration;

use integration::Scripted;
use shared::queue::Outcome;

use super::Bench;
use crate::Costs;

#[tokio::test]
async fn transitions_cost_what_the_golden_file_says() {
    let bench = Bench::start().await;
    let handler = Scripted::default()
        .on("bad", |_| async {
            Outcome::Retry {
                reason: "no".into(),
                after: Some(Duration::from_secs(1)),
            }
        })
        .on("never", |_| async {
            Outcome::Fail {
                reason: "no".into(),
            }
        })
        .on("later", |_| async {
            Outcome::Snooze {
                after: Duration::from_secs(1),
            }
        });
    let unique = || {
        let mut job = bench.job("work");
        job.unique = Some("k".into());
        job
    };
    // All scripts are cached and retention has run before anything is counted.
    bench.queue.enqueue(unique()).await.unwrap();
    bench.drain(&handler).await;
    let known = bench.enqueue("work").await;
    bench.queue.cancel(&known).await.unwrap();
    bench.queue.redrive(&known).await.unwrap();
    bench.drain(&handler).await;
    bench.queue.purge(&known).await.unwrap();
    let mut costs = Costs::of(&bench.server);

    let id = bench.enqueue("work").await;
    costs.row("enqueue");
    bench.queue.job(&id).await.unwrap();
    costs.row("read a job");
    bench.drain(&handler).await;
    costs.row("claim, settle and look, a lone job");
    bench
        .queue
        .enqueue_many((0..100).map(|_| bench.job("work")).collect())
        .await
        .unwrap();
    costs.row("enqueue 100");
    bench.drain(&handler).await;
    costs.row("drain 100 by five");
    bench.queue.enqueue(unique()).await.unwrap();
    costs.row("enqueue with a unique key");
    bench.queue.enqueue(unique()).await.unwrap();
    costs.row("enqueue a duplicate by its unique key");
    bench.drain(&handler).await;
    costs.row("claim, settle and look, a lone job with a unique key");
    let job = bench.job("work");
    bench.queue.enqueue(job.clone()).await.unwrap();
    bench.server.reset_meter();
    bench.queue.enqueue(job).await.unwrap();
    costs.row("enqueue a duplicate by its id");
    bench.drain(&handler).await;
    bench.server.reset_meter();

    bench.enqueue("bad").await;
    bench.server.reset_meter();
    bench.drain(&handler).await;
    costs.row("claim, retry and look");
    bench.advance(Duration::from_secs(1));
    bench.drain(&handler).await;
    costs.row("claim a delayed job, retry and look");
    bench.advance(Duration::from_secs(1));
    bench.drain(&handler).await;
    costs.row("claim a delayed job, fail for good and look");
    let failed = bench.enqueue("never").await;
    bench.server.reset_meter();
    bench.drain(&handler).await;
    costs.row("claim, fail for good and look");
    bench.queue.redrive(&failed).await.unwrap();
    costs.row("redrive");
    bench.drain(&handler).await;
    costs.row("claim a redriven job, fail and look");
    bench.queue.purge(&failed).await.unwrap();
    costs.row("purge");
    let later = bench.enqueue("later").await;
    bench.server.reset_meter();
    bench.drain(&handler).await;
    costs.row("claim, snooze and look");
    bench.queue.cancel(&later).await.unwrap();
    costs.row("cancel a waiting job");
    for kind in ["work", "bad", "never", "later", "work"] {
        bench.enqueue(kind).await;
    }
    bench.server.reset_meter();
    bench.drain(&handler).await;
    costs.row("claim five, settle each another way and look");
    bench.queue.counts().await.unwrap();
    costs.row("count jobs by state");
    bench.advance(Duration::from_secs(3600));
    bench.drain(&handler).await;
    bench.server.reset_meter();
    bench.drain(&handler).await;
    costs.row("look at an empty queue, with sweep");
    let mut late = bench.job("work");
    late.run_at_ms = Some(bench.clock.now_ms() + 3_600_000);
    bench.queue.enqueue(late).await.unwrap();
    costs.row("enqueue for later");
    bench.drain(&handler).await;
    costs.row("look at a queue of delayed jobs, with sweep");
    bench.queue.retain().await.unwrap();
    costs.row("retention, nothing to forget");
    bench.advance(Duration::from_secs(9 * 24 * 3600));
    bench.queue.retain().await.unwrap();
    costs.row("retention, forgetting all");
    crate::golden("queue-costs", &costs.rows);
}
