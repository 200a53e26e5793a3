//! A database that answers but cannot run commands at the moment.

use std::time::Duration;

use integration::{Options, TestApp};
use serde_json::json;
use shared::config::QueueConfig;
use shared::queue::JobState;
use shared::redis::commands::Strings as _;
use upstash_local::{Failure, Fault, FaultAction};

use super::{Bench, config, gated, until_running};
use crate::scan::{CHANNEL, GUILD, guild_with};

/// Errors that guarantee that nothing was run.
const RAN_NOTHING: [Failure; 6] = [
    Failure::ReadOnly,
    Failure::Loading,
    Failure::MasterDown,
    Failure::TryAgain,
    Failure::ClusterDown,
    Failure::Busy,
];

fn fault(failure: Failure) -> Fault {
    Fault::new(FaultAction::Error(failure))
}

#[tokio::test]
async fn a_route_reports_that_the_database_is_unavailable_and_when_to_retry() {
    let actions = Failure::ALL.map(FaultAction::Error).into_iter();
    let statuses = [408, 425, 500, 502, 503].map(FaultAction::Status);
    for action in actions.chain(statuses) {
        let app = TestApp::start(Options::default()).await;
        // The first request checks the rate limit; reads continue without it.
        app.endpoint.faults().add(Fault::new(action).times(1000));
        let body = json!({ "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string() });
        for reply in [
            app.post("/api/jobs/scan", &body).await,
            app.get("/api/jobs").await,
        ] {
            assert_eq!(
                (reply.status, reply.text("/code")),
                (503, "unavailable"),
                "{action:?}"
            );
            assert!(reply.header("retry-after").is_some());
        }
        app.endpoint.faults().clear();
        assert_eq!(app.post("/api/jobs/scan", &body).await.status, 202);
        app.leaves_unfinished(1);
    }
}

#[tokio::test]
async fn a_call_that_certainly_did_not_run_is_retried_even_if_it_must_run_once() {
    let bench = Bench::start().await;
    let redis = bench.redis();
    for (n, failure) in RAN_NOTHING.into_iter().enumerate() {
        bench.server.faults().add(fault(failure).times(2));
        assert_eq!(
            redis.incr("n").await.unwrap() as usize,
            n + 1,
            "{failure:?}"
        );
    }
    for failure in [Failure::Oom, Failure::Capacity] {
        bench.server.faults().add(fault(failure).times(9));
        let before = bench.server.faults().fired();
        let refused = redis.incr("n").await.unwrap_err();
        assert!(refused.is_unavailable() && !refused.is_outcome_unknown());
        assert_eq!(
            bench.server.faults().fired(),
            before + 1,
            "a full database is asked once"
        );
        bench.server.faults().clear();
    }
    for action in [
        FaultAction::Error(Failure::NoReplicas),
        FaultAction::Status(408),
        FaultAction::Status(425),
    ] {
        bench.server.faults().add(Fault::new(action));
        let refused = redis.incr("n").await.unwrap_err();
        assert!(refused.is_unavailable(), "{action:?}");
        bench.server.faults().add(Fault::new(action));
        assert!(redis.get("n").await.is_ok(), "a read is asked again");
    }
}

#[tokio::test]
async fn a_finished_job_is_reported_when_the_database_is_ready_again() {
    for failure in Failure::ALL {
        let bench = Bench::with(QueueConfig {
            lease: Duration::from_secs(900),
            ..config()
        })
        .await;
        let (handler, gate) = gated();
        let id = bench.enqueue("gated").await;
        let drainer = bench.start_drain(&handler, 900).task;
        until_running(&handler, 1).await;
        // Longer than all retries of one request, and of several rounds.
        bench.server.faults().add(fault(failure).times(60));
        gate.add_permits(1);
        let report = drainer.await.unwrap();
        assert_eq!((report.completed, report.lost), (1, 0), "{failure:?}");
        assert_eq!(bench.state(&id).await, JobState::Completed);
    }
}

#[tokio::test]
async fn a_scan_goes_through_a_failover() {
    let app = TestApp::with_guild(guild_with(300, 10)).await;
    let id = app.scan(CHANNEL, json!({})).await;
    let times = [Failure::ReadOnly, Failure::Loading, Failure::Busy];
    for (n, failure) in times.into_iter().enumerate() {
        app.endpoint
            .faults()
            .add(fault(failure).skip(3 + 4 * n as u32).times(3));
    }
    app.drain().await;
    let job = app.job(&id).await;
    assert_eq!(
        (&job["state"], &job["attemptsMade"]),
        (&json!("completed"), &json!(1))
    );
    assert_eq!(app.channel(CHANNEL).await.total_messages_scanned, 300);
}
