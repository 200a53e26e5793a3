//! The cost of a rate limit check in billed commands and round trips.

use std::time::Duration;

use shared::rate_limiter::Algorithm;
use shared::redis::Pipeline;
use shared::redis::commands::strings::get;

use super::{ALGORITHMS, Bench, rule};

#[tokio::test]
async fn checks_cost_what_the_golden_file_says() {
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
    for algorithm in ALGORITHMS {
        let rule = rule(algorithm, 3, 60);
        let name = match algorithm {
            Algorithm::FixedWindow => "fixed window",
            Algorithm::SlidingWindow => "sliding window",
            Algorithm::SlidingLog => "sliding log",
            Algorithm::TokenBucket { .. } => "token bucket",
        };
        // Its scripts are cached before anything is counted.
        let check = bench.limiter.call(&rule, "known", 1);
        bench.limiter.check(&bench.redis, &check).await;
        bench.limiter.refund(&bench.redis, &check).await.unwrap();
        bench.server.reset_meter();

        bench.check(&rule, name).await;
        row(&format!("{name}, the first call"));
        bench.check(&rule, name).await;
        row(&format!("{name}, another"));
        bench.weigh(&rule, name, 3).await;
        row(&format!("{name}, refused"));
        let look = bench.limiter.peek(&bench.redis, &rule, name).await;
        look.unwrap();
        row(&format!("{name}, a look"));
        let check = bench.limiter.call(&rule, "refunded", 1);
        bench.limiter.check(&bench.redis, &check).await;
        bench.server.reset_meter();
        bench.limiter.refund(&bench.redis, &check).await.unwrap();
        row(&format!("{name}, a refund"));
        bench
            .limiter
            .reset(&bench.redis, &rule, name)
            .await
            .unwrap();
        row(&format!("{name}, a reset"));

        let mut pipeline = Pipeline::new();
        let check = bench.limiter.call(&rule, "read", 1);
        let slot = bench.limiter.add_check(&mut pipeline, &check);
        let read = pipeline.add(get("something"));
        let mut replies = pipeline.send(&*bench.redis).await.unwrap();
        assert!(
            bench
                .limiter
                .read_check(&mut replies, &check, slot)
                .admitted
        );
        assert_eq!(replies.take(read).unwrap(), None);
        row(&format!("{name}, with a read"));
        bench
            .limiter
            .set_limit(&bench.redis, "test", Some(9))
            .await
            .unwrap();
        bench.server.reset_meter();
        bench.check(&rule, "dynamic").await;
        row(&format!("{name}, under a changed limit"));
        bench
            .limiter
            .set_limit(&bench.redis, "test", None)
            .await
            .unwrap();
    }
    bench.server.reset_meter();
    let minute = Duration::from_secs(60);
    bench
        .limiter
        .deny(&bench.redis, "bad", minute)
        .await
        .unwrap();
    row("deny a caller");
    bench
        .check(&rule(Algorithm::SlidingWindow, 3, 60), "bad")
        .await;
    row("sliding window, a denied caller");
    crate::golden("limit-costs", &rows);
}
