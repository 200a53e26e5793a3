//! The cost of idempotency in billed commands and round trips.

use integration::{Options, TestApp};

use super::{Bench, message, post, reply};

#[tokio::test]
async fn idempotency_costs_what_the_golden_file_says() {
    let mut rows = Vec::new();
    let mut row = |name: &str, server: &upstash_local::Server| {
        let meter = server.meter();
        let trips: u64 = meter.requests.values().sum();
        rows.push(format!(
            "{name}: {} billed, {trips} round trips",
            meter.total
        ));
        server.reset_meter();
    };
    let bench = Bench::start().await;
    let pending = bench.pending("x");
    bench.begin(&pending).await;
    row("begin", &bench.server);
    bench.begin(&bench.pending("x")).await;
    row("begin what is in progress", &bench.server);
    bench
        .service
        .complete(&bench.redis, &pending, &reply("1"))
        .await
        .unwrap();
    row("complete", &bench.server);
    bench.begin(&bench.pending("x")).await;
    row("begin what is done", &bench.server);
    bench.service.give_up(&bench.redis, &pending).await.unwrap();
    row("give up", &bench.server);

    let app = TestApp::start(Options::default()).await;
    post(&app, "known", &message(0)).await;
    app.post("/api/jobs", &message(9)).await;
    app.endpoint.reset_meter();
    app.post("/api/jobs", &message(1)).await;
    row("POST /api/jobs without a key", &app.endpoint);
    post(&app, "k", &message(2)).await;
    row("POST /api/jobs with a key", &app.endpoint);
    post(&app, "k", &message(2)).await;
    row("POST /api/jobs once more", &app.endpoint);
    crate::golden("idempotency-costs", &rows);
    app.leaves_unfinished(4);
}
