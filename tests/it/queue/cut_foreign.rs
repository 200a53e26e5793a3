//! Jobs from a stream whose script fails half-way.

use std::time::Duration;

use serde_json::json;
use shared::queue::{JobId, JobState, NewJob};
use shared::redis::commands::Streams as _;
use shared::redis::commands::streams::{Entry, Trim};

use super::cut::run_cut_on;
use super::cut_options::{MOST, enqueue, total};
use super::{Bench, scripted};

#[tokio::test]
async fn a_foreign_job_whose_script_was_cut_is_taken_over_once_by_the_next_look() {
    for writes in 0..MOST {
        let bench = Bench::start().await;
        let stream = "trawl:foreign";
        let fields = [("type", "work")];
        let entry = bench
            .redis()
            .xadd(stream, "*", Trim::No, &fields)
            .await
            .unwrap();
        let id = shared::queue::foreign_id(
            stream,
            &Entry {
                id: entry.clone(),
                fields: vec![("type".to_owned(), "work".to_owned())],
            },
        );
        let job = NewJob {
            id: id.clone(),
            ..bench.job("work")
        };
        let args = enqueue(&bench, &job, json!({ "entry": entry, "stream": true }));
        run_cut_on(&bench, "enqueue", writes, &[stream], &args).await;
        bench.advance(Duration::from_secs(60));
        let read = |_: &_, id| {
            Ok(NewJob {
                id,
                ..bench.job("work")
            })
        };
        bench.queue.ingest(stream, &read).await.unwrap();
        assert_eq!(
            bench.drain(&scripted()).await.completed,
            1,
            "cut after {writes}"
        );
        assert_eq!(bench.state(&id).await, JobState::Completed);
        assert_eq!(total(&bench).await, 1);
    }
}

#[tokio::test]
async fn an_entry_that_is_no_job_is_listed_as_failed_though_its_script_was_cut() {
    for writes in 0..MOST {
        let bench = Bench::start().await;
        let stream = "trawl:foreign";
        let fields = [("nonsense", "1")];
        let entry = bench
            .redis()
            .xadd(stream, "*", Trim::No, &fields)
            .await
            .unwrap();
        let job = bench.job("work");
        let fields = json!({ "entry": entry, "stream": true, "refused": "it has no type" });
        let args = enqueue(&bench, &job, fields);
        for cut in [writes, MOST] {
            run_cut_on(&bench, "enqueue", cut, &[stream], &args).await;
            bench.advance(Duration::from_secs(60));
        }
        let (failed, _) = bench
            .queue
            .list(Some(JobState::Failed), None, 10)
            .await
            .unwrap();
        let ids: Vec<&JobId> = failed.iter().map(|job| &job.id).collect();
        assert_eq!(ids, [&job.id], "cut after {writes}");
        assert_eq!(bench.queue.stats().await.unwrap().lifetime.failed, 1);
        assert_eq!(total(&bench).await, 1);
    }
}
