//! Redriving failed jobs.

use std::time::Duration;

use shared::queue::{Cancelled, JobId, JobState, NewJob, Purged, Redriven};

use super::{Bench, scripted};

#[tokio::test]
async fn a_failed_and_a_cancelled_job_run_again_from_their_first_attempt() {
    let bench = Bench::start().await;
    let handler = scripted();
    let failed = NewJob {
        max_attempts: Some(2),
        ..bench.job("bad")
    };
    bench.queue.enqueue(failed.clone()).await.unwrap();
    let cancelled = bench.enqueue("work").await;
    bench.queue.cancel(&cancelled).await.unwrap();
    for _ in 0..2 {
        bench.drain(&handler).await;
        bench.advance(Duration::from_secs(1));
    }
    let ids = [failed.id.clone(), cancelled.clone()];
    assert_eq!(
        bench.queue.redrive_many(&ids).await.unwrap(),
        [Redriven::Done; 2]
    );
    assert_eq!(
        (
            bench.count(JobState::Waiting).await,
            bench.count(JobState::Failed).await
        ),
        (2, 0)
    );
    let job = bench.read(&failed.id).await;
    assert_eq!(
        (job.attempts_made, job.errors.len()),
        (0, 2),
        "its errors are kept"
    );
    assert_eq!(bench.drain(&handler).await.completed, 1);
    let job = bench.read(&failed.id).await;
    assert_eq!((job.attempts_made, job.fence), (1, 3));
}

#[tokio::test]
async fn redrive_says_why_a_job_was_not_redriven() {
    let bench = Bench::start().await;
    let done = bench.enqueue("work").await;
    let purged = bench.enqueue("never").await;
    bench.drain(&scripted()).await;
    assert_eq!(bench.queue.purge(&purged).await.unwrap(), Purged::Done);
    let delayed = bench.enqueue("bad").await;
    bench.drain(&scripted()).await;
    let ids = [done, purged, delayed, JobId::new(&bench.clock)];
    assert_eq!(
        bench.queue.redrive_many(&ids).await.unwrap(),
        [
            Redriven::NotFailed(JobState::Completed),
            Redriven::Unknown,
            Redriven::NotFailed(JobState::Waiting),
            Redriven::Unknown,
        ]
    );
    assert_eq!(bench.queue.redrive_many(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn a_job_whose_unique_key_is_taken_stays_failed_until_it_is_free() {
    let bench = Bench::start().await;
    let handler = scripted();
    let unique = |kind| NewJob {
        unique: Some("k".into()),
        ..bench.job(kind)
    };
    let old = unique("never");
    bench.queue.enqueue(old.clone()).await.unwrap();
    bench.drain(&handler).await;
    let new = unique("never");
    bench.queue.enqueue(new.clone()).await.unwrap();
    assert_eq!(
        bench.queue.redrive(&old.id).await.unwrap(),
        Redriven::UniqueTaken
    );
    assert_eq!(bench.queue.redrive_all().await.unwrap(), 0);
    bench.drain(&handler).await;
    // If both are in one call, the first one gets the key.
    let ids = [old.id.clone(), new.id.clone()];
    let redriven = bench.queue.redrive_many(&ids).await.unwrap();
    assert_eq!(redriven, [Redriven::Done, Redriven::UniqueTaken]);
    assert!(
        bench
            .queue
            .enqueue(unique("work"))
            .await
            .unwrap()
            .is_duplicate()
    );
}

#[tokio::test]
async fn a_job_cancelled_after_its_redrive_is_not_taken_for_redriven() {
    let bench = Bench::start().await;
    let id = bench.enqueue("work").await;
    for _ in 0..2 {
        assert_eq!(bench.queue.cancel(&id).await.unwrap(), Cancelled::Done);
        assert_eq!(bench.queue.redrive(&id).await.unwrap(), Redriven::Done);
        assert_eq!(bench.state(&id).await, JobState::Waiting);
    }
    assert_eq!(bench.drain(&scripted()).await.completed, 1);
    assert_eq!(
        bench
            .queue
            .counts()
            .await
            .unwrap()
            .iter()
            .map(|(_, n)| n)
            .sum::<u64>(),
        1
    );
}

#[tokio::test]
async fn all_failed_jobs_are_redriven_and_it_ends_although_they_fail_again() {
    let bench = Bench::start().await;
    let handler = scripted();
    for _ in 0..3 {
        let jobs = (0..100).map(|_| bench.job("never")).collect();
        bench.queue.enqueue_many(jobs).await.unwrap();
    }
    let kept = bench.enqueue("work").await;
    bench.queue.cancel(&kept).await.unwrap();
    assert_eq!(bench.drain(&handler).await.failed, 300);
    // The drainer fails them one by one, each a little later.
    bench.advance(Duration::from_secs(1));
    let (redriven, ()) = tokio::join!(bench.queue.redrive_all(), async {
        for _ in 0..40 {
            bench.advance(Duration::from_millis(1));
            bench.drain(&handler).await;
        }
    });
    assert_eq!(redriven.unwrap(), 300);
    bench.drain(&handler).await;
    assert_eq!(handler.ran().len(), 600);
    assert_eq!(bench.count(JobState::Failed).await, 300);
    assert_eq!(
        bench.state(&kept).await,
        JobState::Cancelled,
        "nobody asked for it"
    );
    assert_eq!(bench.queue.stats().await.unwrap().lifetime.failed, 600);
}

#[tokio::test]
async fn a_redriven_job_is_not_forgotten_with_the_failed_ones() {
    let bench = Bench::start().await;
    let id = bench.enqueue("never").await;
    bench.drain(&scripted()).await;
    bench.advance(Duration::from_secs(8 * 24 * 3600));
    bench.queue.redrive(&id).await.unwrap();
    assert_eq!(bench.queue.retain().await.unwrap(), 0);
    assert_eq!(bench.queue.purge(&id).await.unwrap(), Purged::Unfinished);
    assert_eq!(bench.state(&id).await, JobState::Waiting);
}
