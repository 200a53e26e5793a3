//! The options of a job: timeouts, expiry, backoff, and what its handler receives.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use shared::config::QueueConfig;
use shared::queue::{Backoff, Error, JobState, NewJob, Outcome, Redriven};

use super::{Bench, config, gated, no, scripted, until_running};

#[tokio::test]
async fn an_attempt_that_takes_too_long_is_stopped_and_tried_again_and_others_go_on() {
    let bench = Bench::start().await;
    let (handler, gate) = gated();
    let slow = NewJob {
        timeout: Some(Duration::from_secs(5)),
        max_attempts: Some(2),
        jitter: false,
        ..bench.job("held")
    };
    bench.queue.enqueue(slow.clone()).await.unwrap();
    let other = bench.enqueue("gated").await;
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 2).await;
    bench.advance(Duration::from_millis(4999));
    assert_eq!(bench.state(&slow.id).await, JobState::Active);
    bench.advance(Duration::from_millis(1));
    while bench.state(&slow.id).await == JobState::Active {
        tokio::task::yield_now().await;
    }
    let job = bench.read(&slow.id).await;
    assert_eq!((job.state, job.attempts_made), (JobState::Delayed, 1));
    assert_eq!(job.errors[0].error_message, "timed out after 5000 ms");
    assert_eq!(bench.state(&other).await, JobState::Active);
    gate.add_permits(1);
    let report = drainer.await.unwrap();
    assert_eq!((report.completed, report.retried), (1, 1));

    // The last attempt: `ended` is called, because the handler did not report an outcome
    // itself.
    bench.advance(Duration::from_secs(5));
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 3).await;
    bench.advance(Duration::from_secs(5));
    assert_eq!(drainer.await.unwrap().failed, 1);
    assert_eq!(bench.state(&slow.id).await, JobState::Failed);
    let ended = handler.ended.lock().unwrap();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].attempt.id, slow.id);
}

#[tokio::test]
async fn a_job_that_did_not_begin_in_time_fails_with_that_reason_and_runs_when_redriven() {
    let bench = Bench::start().await;
    let handler = scripted();
    let job = NewJob {
        expires_ms: Some(bench.clock.now_ms() + 10_000),
        ..bench.job("work")
    };
    let id = job.id.clone();
    bench.queue.enqueue(job).await.unwrap();
    let in_time = NewJob {
        expires_ms: Some(bench.clock.now_ms() + 10_001),
        ..bench.job("work")
    };
    bench.queue.enqueue(in_time.clone()).await.unwrap();
    bench.advance(Duration::from_secs(10));
    let report = bench.drain(&handler).await;
    assert_eq!((report.swept, report.completed), (1, 1), "{report:?}");
    assert_eq!(bench.state(&in_time.id).await, JobState::Completed);
    let failed = bench.read(&id).await;
    assert_eq!((failed.state, failed.attempts_made), (JobState::Failed, 0));
    assert_eq!(
        failed.failed_reason.as_deref(),
        Some("expired before it started")
    );
    {
        let ended = handler.ended.lock().unwrap();
        assert_eq!((ended.len(), ended[0].cancelled), (1, false));
        assert_eq!(ended[0].reason, "expired before it started");
    }
    assert_eq!(bench.queue.redrive(&id).await.unwrap(), Redriven::Done);
    assert_eq!(bench.drain(&handler).await.completed, 1);
    assert_eq!(bench.state(&id).await, JobState::Completed);
}

#[tokio::test]
async fn a_job_that_has_begun_does_not_expire() {
    let bench = Bench::start().await;
    let handler = scripted().on("twice", |job| async move {
        match job.number {
            1 => Outcome::Retry {
                reason: "no".into(),
                after: Some(Duration::from_secs(60)),
            },
            _ => Outcome::Done(json!(1)),
        }
    });
    let job = NewJob {
        expires_ms: Some(bench.clock.now_ms() + 1000),
        ..bench.job("twice")
    };
    bench.queue.enqueue(job.clone()).await.unwrap();
    bench.drain(&handler).await;
    bench.advance(Duration::from_secs(60));
    assert_eq!(bench.drain(&handler).await.completed, 1);
    assert_eq!(bench.state(&job.id).await, JobState::Completed);
}

/// How long a job waits after each attempt except the last.
async fn waits(bench: &Bench, backoff: Backoff, jitter: bool) -> Vec<i64> {
    let handler = scripted().on("fails", |_| async {
        Outcome::Retry {
            reason: "no".into(),
            after: None,
        }
    });
    let job = NewJob {
        backoff,
        jitter,
        max_attempts: Some(5),
        ..bench.job("fails")
    };
    bench.queue.enqueue(job.clone()).await.unwrap();
    let mut waits = Vec::new();
    for _ in 0..4 {
        bench.drain(&handler).await;
        let wait = bench.read(&job.id).await.run_at - bench.clock.now_ms();
        waits.push(wait);
        bench.advance(Duration::from_millis(wait.try_into().unwrap()));
    }
    assert_eq!(bench.drain(&handler).await.failed, 1);
    waits
}

#[tokio::test]
async fn without_jitter_the_waits_are_those_of_the_backoff() {
    let bench = Bench::start().await;
    let exponential = Backoff::Exponential { base_ms: 1500 };
    assert_eq!(
        waits(&bench, exponential, false).await,
        [1500, 3000, 6000, 12_000]
    );
    let fixed = Backoff::Fixed { delay_ms: 250 };
    assert_eq!(waits(&bench, fixed, false).await, [250; 4]);
    let custom = Backoff::Custom {
        waits_ms: vec![7, 80_000],
    };
    assert_eq!(
        waits(&bench, custom, false).await,
        [7, 80_000, 80_000, 80_000]
    );
}

#[tokio::test]
async fn jitter_never_lengthens_a_wait_and_never_halves_a_requested_one() {
    let bench = Bench::start().await;
    for wait in waits(&bench, Backoff::Exponential { base_ms: 1000 }, true).await {
        assert!((0..=8000).contains(&wait), "{wait}");
    }
    for wait in waits(&bench, Backoff::Fixed { delay_ms: 1000 }, true).await {
        assert!((500..=1000).contains(&wait), "{wait}");
    }
}

#[tokio::test]
async fn a_wait_requested_by_the_other_side_overrides_the_backoff() {
    let bench = Bench::start().await;
    let handler = scripted().on("limited", |_| async {
        Outcome::Retry {
            reason: "429".into(),
            after: Some(Duration::from_secs(3600)),
        }
    });
    let job = NewJob {
        backoff: Backoff::Fixed { delay_ms: 1 },
        ..bench.job("limited")
    };
    bench.queue.enqueue(job.clone()).await.unwrap();
    bench.drain(&handler).await;
    let run_at = bench.read(&job.id).await.run_at;
    assert_eq!(run_at - bench.clock.now_ms(), 3_600_000);
}

#[tokio::test]
async fn a_failure_that_another_attempt_would_repeat_ends_the_job_at_once() {
    let bench = Bench::start().await;
    let id = bench.enqueue("never").await;
    assert_eq!(bench.drain(&scripted()).await.failed, 1);
    let job = bench.read(&id).await;
    assert_eq!((job.state, job.attempts_made), (JobState::Failed, 1));
}

#[tokio::test]
async fn a_job_keeps_its_last_five_errors_of_at_most_a_kilobyte() {
    let bench = Bench::start().await;
    let handler = scripted().on("wordy", |job| async move {
        Outcome::Retry {
            reason: format!("{} {}", job.number, "é".repeat(5000)),
            after: Some(Duration::ZERO),
        }
    });
    let job = NewJob {
        max_attempts: Some(8),
        ..bench.job("wordy")
    };
    bench.queue.enqueue(job.clone()).await.unwrap();
    for _ in 0..8 {
        bench.drain(&handler).await;
        bench.advance(Duration::from_millis(1));
    }
    let job = bench.read(&job.id).await;
    assert_eq!(job.state, JobState::Failed);
    let attempts: Vec<i64> = job.errors.iter().map(|error| error.attempt).collect();
    assert_eq!(attempts, [4, 5, 6, 7, 8]);
    assert!(
        job.errors
            .iter()
            .all(|e| e.error_message.len() <= 1024 && e.error_message.ends_with('…'))
    );
}

#[tokio::test]
async fn a_handler_is_told_its_fence_its_number_and_the_time_left() {
    let bench = Bench::start().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = seen.clone();
    let handler = scripted().on("asks", move |job| {
        let left = job.time_left().as_secs();
        let note = (job.fence(), job.number, job.is_last_attempt(), left);
        notes.lock().unwrap().push((note, job.checkpoint()));
        job.set_checkpoint(format!("{}", job.fence()));
        async move {
            match job.fence() {
                1 => Outcome::Snooze {
                    after: Duration::ZERO,
                },
                2 => Outcome::Retry {
                    reason: "no".into(),
                    after: Some(Duration::ZERO),
                },
                _ => no(),
            }
        }
    });
    let job = NewJob {
        max_attempts: Some(2),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        ..bench.job("asks")
    };
    let limited = NewJob {
        timeout: Some(Duration::from_secs(30)),
        max_attempts: Some(1),
        ..bench.job("asks")
    };
    bench.queue.enqueue(job).await.unwrap();
    for _ in 0..3 {
        bench.drain(&handler).await;
        bench.advance(Duration::from_millis(1));
    }
    // 900 s minus the 10 s in which work is handed back.
    let one = |text: &str| Some(text.to_owned());
    assert_eq!(
        std::mem::take(&mut *seen.lock().unwrap()),
        [
            ((1, 1, false, 890), None),
            ((2, 1, false, 890), one("1")),
            ((3, 2, true, 890), one("2")),
        ]
    );
    bench.queue.enqueue(limited).await.unwrap();
    bench.drain(&handler).await;
    assert_eq!(seen.lock().unwrap()[0], ((1, 1, true, 30), None));
}

#[tokio::test]
async fn invalid_job_options_are_refused_and_nothing_is_stored() {
    let bench = Bench::start().await;
    let now = bench.clock.now_ms();
    let year_ms = 366 * 86_400_000;
    type Change = fn(&mut NewJob, i64);
    let bad: [(&str, Change); 12] = [
        ("type", |job, _| job.kind = "x".repeat(129)),
        ("priority", |job, _| job.priority = 0),
        ("maxAttempts", |job, _| job.max_attempts = Some(0)),
        ("runAt", |job, _| job.run_at_ms = Some(-1)),
        ("runAt", |job, year| job.run_at_ms = Some(year + 1)),
        ("unique", |job, _| job.unique = Some(String::new())),
        ("group", |job, _| job.group = Some("x".repeat(129))),
        ("timeout", |job, _| job.timeout = Some(Duration::MAX)),
        ("timeout", |job, _| job.timeout = Some(Duration::ZERO)),
        ("backoff", |job, _| {
            job.backoff = Backoff::Exponential { base_ms: u64::MAX }
        }),
        ("backoff", |job, _| {
            job.backoff = Backoff::Custom {
                waits_ms: vec![0; 101],
            }
        }),
        ("expires", |job, year| {
            job.run_at_ms = Some(year);
            job.expires_ms = Some(year);
        }),
    ];
    for (word, change) in bad {
        let mut job = bench.job("work");
        change(&mut job, now + year_ms);
        let error = bench.queue.enqueue_many(vec![bench.job("work"), job]).await;
        let Err(Error::Invalid(text)) = error else {
            panic!("{word}: {error:?}");
        };
        assert!(text.starts_with(&format!("{word}:")), "{word}: {text}");
    }
    assert!(bench.queue.enqueue_many(vec![]).await.is_err());
    let many = (0..101).map(|_| bench.job("work")).collect();
    assert!(bench.queue.enqueue_many(many).await.is_err());
    assert_eq!(bench.count(JobState::Waiting).await, 0);

    let furthest = NewJob {
        run_at_ms: Some(now + year_ms),
        ..bench.job("work")
    };
    bench.queue.enqueue(furthest.clone()).await.unwrap();
    assert_eq!(bench.state(&furthest.id).await, JobState::Delayed);
}

#[tokio::test]
async fn any_text_is_kept_to_the_byte_in_type_keys_and_arguments() {
    let bench = Bench::start().await;
    let strange = "a|b\n\u{1F600}\\\"'%s{}[]/\u{7f}é";
    let job = NewJob {
        args: serde_json::to_string(
            &json!({ "a": strange, "b": [], "c": {}, "d": 9_007_199_254_740_993_u64 }),
        )
        .unwrap(),
        group: Some("gr%a{}é".into()),
        unique: Some("u:p%|".into()),
        ..bench.job(strange)
    };
    bench.queue.enqueue(job.clone()).await.unwrap();
    bench.queue.change(&job.id, Some(2), None).await.unwrap();
    let stored = bench.read(&job.id).await;
    assert_eq!(
        (stored.kind.as_str(), stored.data.get()),
        (strange, job.args.as_str())
    );
    assert_eq!(bench.drain(&scripted()).await.completed, 1);
    assert_eq!(bench.read(&job.id).await.data.get(), job.args);
}

#[tokio::test]
async fn a_job_that_names_no_limit_of_attempts_has_that_of_the_setting() {
    let bench = Bench::with(QueueConfig {
        max_attempts: 2,
        ..config()
    })
    .await;
    let own = NewJob {
        max_attempts: Some(1),
        ..bench.job("bad")
    };
    bench.queue.enqueue(own.clone()).await.unwrap();
    let job = bench.enqueue("bad").await;
    let handler = scripted();
    bench.drain(&handler).await;
    assert_eq!(bench.state(&own.id).await, JobState::Failed);
    assert_eq!(bench.state(&job).await, JobState::Delayed);
    bench.advance(Duration::from_secs(5));
    bench.drain(&handler).await;
    let job = bench.read(&job).await;
    assert_eq!((job.state, job.max_attempts), (JobState::Failed, 2));
}
