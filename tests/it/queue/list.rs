//! Listing jobs, and the events about them.

use std::time::Duration;

use shared::config::QueueConfig;
use shared::queue::{Cursor, JobState, NewJob};

use super::{Bench, config, scripted};

fn trips(bench: &Bench) -> u64 {
    bench.server.meter().requests.values().sum()
}

fn published(bench: &Bench) -> u64 {
    bench
        .server
        .meter()
        .commands
        .get("publish")
        .copied()
        .unwrap_or(0)
}

#[tokio::test]
async fn pages_of_any_size_show_each_job_once_in_its_order_in_one_trip_each() {
    let bench = Bench::start().await;
    // Several jobs with the same score, and some with different ones.
    for priority in [5, 5, 1, 9, 5] {
        let jobs = (0..7).map(|_| NewJob {
            priority,
            ..bench.job("work")
        });
        bench.queue.enqueue_many(jobs.collect()).await.unwrap();
        bench.advance(Duration::from_millis(1));
    }
    let (all, _) = bench
        .queue
        .list(Some(JobState::Waiting), None, 100)
        .await
        .unwrap();
    assert_eq!(all.len(), 35);
    let priorities: Vec<u8> = all.iter().map(|job| job.priority).collect();
    assert!(priorities.is_sorted());
    for limit in [1, 3, 7, 35, 36] {
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let before = trips(&bench);
            let (page, next) = bench
                .queue
                .list(Some(JobState::Waiting), cursor, limit)
                .await
                .unwrap();
            assert_eq!(trips(&bench) - before, 1);
            assert!(page.len() as u64 <= limit);
            seen.extend(page.into_iter().map(|job| job.id));
            let Some(next) = next else { break };
            // The cursor as a client sends it back.
            cursor = Some(Cursor::parse(&next.to_string()).unwrap());
        }
        let ids: Vec<_> = all.iter().map(|job| job.id.clone()).collect();
        assert_eq!(seen, ids, "{limit} a page");
    }
}

#[tokio::test]
async fn each_state_lists_only_its_jobs() {
    let bench = Bench::start().await;
    for kind in ["work", "never", "cancelled", "bad"] {
        bench.enqueue(kind).await;
    }
    bench.drain(&scripted()).await;
    bench.enqueue("work").await;
    for (state, kind) in [
        (JobState::Waiting, Some("work")),
        (JobState::Delayed, Some("bad")),
        (JobState::Active, None),
        (JobState::Completed, Some("work")),
        (JobState::Failed, Some("never")),
        (JobState::Cancelled, Some("cancelled")),
    ] {
        let (jobs, next) = bench.queue.list(Some(state), None, 10).await.unwrap();
        let kinds: Vec<&str> = jobs.iter().map(|job| job.kind.as_str()).collect();
        assert_eq!(kinds, kind.into_iter().collect::<Vec<_>>(), "{state:?}");
        assert!(jobs.iter().all(|job| job.state == state));
        assert!(next.is_none());
    }
}

#[tokio::test]
async fn a_page_goes_on_where_it_ended_although_jobs_have_gone_meanwhile() {
    let bench = Bench::start().await;
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(bench.enqueue("work").await);
        bench.advance(Duration::from_millis(1));
    }
    let (_, next) = bench
        .queue
        .list(Some(JobState::Waiting), None, 3)
        .await
        .unwrap();
    for id in &ids[..2] {
        bench.queue.cancel(id).await.unwrap();
    }
    let (page, _) = bench
        .queue
        .list(Some(JobState::Waiting), next, 3)
        .await
        .unwrap();
    let page: Vec<_> = page.into_iter().map(|job| job.id).collect();
    assert_eq!(page, ids[3..]);
}

#[tokio::test]
async fn each_change_of_a_job_is_published_when_that_is_on() {
    let bench = Bench::with(QueueConfig {
        events: true,
        ..config()
    })
    .await;
    let unique = || NewJob {
        unique: Some("k".into()),
        ..bench.job("work")
    };
    bench.queue.enqueue(unique()).await.unwrap();
    assert_eq!(published(&bench), 1);
    bench.queue.enqueue(unique()).await.unwrap();
    assert_eq!(published(&bench), 1, "a duplicate is not created");
    let jobs = ["never", "bad", "later", "cancelled"].map(|kind| bench.job(kind));
    bench.queue.enqueue_many(jobs.to_vec()).await.unwrap();
    assert_eq!(published(&bench), 5);
    bench.drain(&scripted()).await;
    // Five started, one completed, and one failed for good.
    assert_eq!(published(&bench), 5 + 5 + 2);
    let expired = NewJob {
        expires_ms: Some(bench.clock.now_ms() + 1),
        ..bench.job("work")
    };
    bench.queue.enqueue(expired).await.unwrap();
    bench.queue.pause().await.unwrap();
    bench.queue.resume().await.unwrap();
    bench.advance(Duration::from_millis(1));
    bench.drain(&scripted()).await;
    assert_eq!(published(&bench), 12 + 2, "created, and failed unrun");
}

#[tokio::test]
async fn a_failed_publish_harms_no_job() {
    let bench = Bench::with(QueueConfig {
        events: true,
        ..config()
    })
    .await;
    let fault = upstash_local::Fault::new(upstash_local::FaultAction::Status(500));
    bench
        .server
        .faults()
        .add(fault.matching("PUBLISH").times(100));
    let id = bench.enqueue("work").await;
    bench.drain(&scripted()).await;
    assert_eq!(bench.state(&id).await, JobState::Completed);
    assert!(bench.server.faults().fired() > 0);
}

#[tokio::test]
async fn nothing_is_published_when_that_is_off() {
    let bench = Bench::start().await;
    for kind in ["work", "never"] {
        bench.enqueue(kind).await;
    }
    bench.drain(&scripted()).await;
    assert_eq!(published(&bench), 0);
}
