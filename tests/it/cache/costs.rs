//! The cost of the cache in billed commands and round trips.

use shared::cache::{CHANNEL, Entry};

use super::{Bench, Source, guild};

#[tokio::test]
async fn the_cache_costs_what_the_golden_file_says() {
    let bench = Bench::start().await;
    let source = Source::default();
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
    let channel = |id: &str| Entry::<String>::new(&CHANNEL, id).under("1");
    bench.server.reset_meter();

    bench
        .cache
        .get_or_load(&guild("1"), || source.load())
        .await
        .unwrap();
    row("miss");
    bench
        .cache
        .get_or_load(&guild("1"), || source.load())
        .await
        .unwrap();
    row("hit");
    bench
        .cache
        .get_or_load(&channel("1"), || source.load())
        .await
        .unwrap();
    row("miss under a parent");
    bench
        .cache
        .get_or_load(&channel("1"), || source.load())
        .await
        .unwrap();
    row("hit under a parent");
    bench.advance(std::time::Duration::from_secs(301));
    bench
        .cache
        .get_or_load(&guild("1"), || source.load())
        .await
        .unwrap();
    row("refresh of a stale value");
    bench
        .cache
        .get_or_load(&guild("2"), || source.fail())
        .await
        .unwrap_err();
    row("miss whose loading fails");
    let batch = bench
        .cache
        .get_many((0..50).map(|n| channel(&n.to_string())).collect());
    let batch = batch.await.unwrap();
    row("read 50");
    let values: Vec<_> = batch
        .missing()
        .into_iter()
        .map(|n| (n, Some(n.to_string())))
        .collect();
    bench.cache.set_many(&batch, &values).await.unwrap();
    row("store 49");
    bench.cache.invalidate(&guild("1")).await.unwrap();
    row("invalidate one");
    bench.cache.invalidate_guild("1").await.unwrap();
    row("invalidate a guild with 50 channels");
    crate::golden("cache-costs", &rows);
}
