//! The cost of counters and flags in billed commands and round trips.

use std::time::Duration;

use shared::counters::Period;
use shared::flags::{Flags, Rule};
use shared::redis::Pipeline;
use shared::redis::commands::hashes::hget;

use super::Bench;
use crate::Costs;

#[tokio::test]
async fn counts_cost_what_the_golden_file_says() {
    let bench = Bench::start().await;
    // Makes the endpoint cache the script.
    bench.counters.add("known", 1).await.unwrap();
    let mut costs = Costs::of(&bench.server);
    bench.counters.add("hits", 1).await.unwrap();
    costs.row("count, the first of its day");
    bench.counters.add("hits", 1).await.unwrap();
    costs.row("count another in the same minute");
    bench.advance(Duration::from_secs(60));
    bench.counters.add("hits", 1).await.unwrap();
    costs.row("count, the first of its minute");
    bench.advance(Duration::from_secs(3600));
    bench.counters.add("hits", 1).await.unwrap();
    costs.row("count, the first of its hour");
    for name in ["count with the work it is of", "the same once more"] {
        let mut pipeline = Pipeline::new();
        pipeline.add(hget("work", "field"));
        bench.counters.add_to(&mut pipeline, "hits", 1, "token");
        pipeline.send(&*bench.redis).await.unwrap();
        costs.row(name);
    }
    bench.counters.add("hits", 0).await.unwrap();
    costs.row("count nothing");
    for (period, n) in [
        (Period::Minute, 60),
        (Period::Minute, 180),
        (Period::Hour, 24),
        (Period::Hour, 192),
        (Period::Day, 30),
        (Period::Day, 400),
    ] {
        bench.counters.last("hits", period, n).await.unwrap();
        costs.row(&format!("read {n} by the {}", period.name()));
    }
    crate::golden("counter-costs", &costs.rows);
}

#[tokio::test]
async fn switches_cost_what_the_golden_file_says() {
    let bench = Bench::start().await;
    let (flags, redis) = (Flags::new("trawl:"), &bench.redis);
    let mut costs = Costs::of(&bench.server);
    flags.set(redis, "a", &Rule::ON).await.unwrap();
    costs.row("set one");
    flags.get(redis, "a").await.unwrap();
    costs.row("read one");
    flags.all(redis).await.unwrap();
    costs.row("read all");
    let mut pipeline = Pipeline::new();
    flags.add_read(&mut pipeline, &["a", "b", "c"]);
    pipeline.add(hget("work", "field"));
    pipeline.send(&**redis).await.unwrap();
    costs.row("read three with the work they are for");
    flags.remove(redis, "a").await.unwrap();
    costs.row("remove one");
    crate::golden("flag-costs", &costs.rows);
}
