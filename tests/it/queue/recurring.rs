//! Recurring jobs.

use std::time::Duration;

use shared::config::QueueConfig;
use shared::queue::{JobState, Missed, NewJob, Recurring, Schedule, Slots};

use super::{Bench, config, gated, scripted, until_running};

const MINUTE: Duration = Duration::from_secs(60);

/// A job each hour.
fn hourly(bench: &Bench, missed: Missed) -> Recurring {
    Recurring {
        name: "tidy".into(),
        schedule: Schedule::cron("0 * * * *").unwrap(),
        missed,
        job: bench.job("work"),
    }
}

async fn fire(bench: &Bench, recurring: &Recurring, seen: &mut Slots) -> usize {
    bench
        .queue
        .fire(std::slice::from_ref(recurring), seen)
        .await
        .unwrap()
}

/// A schedule that was registered an hour ago.
async fn known(bench: &Bench, recurring: &Recurring) {
    assert_eq!(fire(bench, recurring, &mut Slots::default()).await, 0);
    bench.advance(60 * MINUTE);
}

#[tokio::test]
async fn a_slot_has_one_job_however_many_drainers_look() {
    let bench = Bench::start().await;
    let recurring = hourly(&bench, Missed::Skip);
    known(&bench, &recurring).await;
    let environments: Vec<Slots> = (0..4).map(|_| Slots::default()).collect();
    let mut fired = 0;
    for mut seen in environments {
        let (one, two) = (recurring.clone(), recurring.clone());
        let mut other = Slots::default();
        let (a, b) = tokio::join!(
            fire(&bench, &one, &mut seen),
            fire(&bench, &two, &mut other)
        );
        fired += a + b;
        bench.advance(Duration::from_secs(30));
        bench.drain(&scripted()).await;
    }
    assert_eq!(fired, 1);
    assert_eq!(bench.count(JobState::Completed).await, 1);
}

#[tokio::test]
async fn checking_schedules_costs_nothing_until_the_next_slot() {
    let bench = Bench::start().await;
    let recurring = hourly(&bench, Missed::Skip);
    known(&bench, &recurring).await;
    let mut seen = Slots::default();
    assert_eq!(fire(&bench, &recurring, &mut seen).await, 1);
    bench.server.reset_meter();
    for _ in 0..59 {
        bench.advance(MINUTE);
        assert_eq!(fire(&bench, &recurring, &mut seen).await, 0);
    }
    assert_eq!(bench.server.meter().total, 0);
    bench.advance(MINUTE);
    assert_eq!(fire(&bench, &recurring, &mut seen).await, 1);
}

#[tokio::test]
async fn a_slot_stays_taken_when_its_job_was_forgotten() {
    let bench = Bench::start().await;
    let yearly = Recurring {
        schedule: Schedule::every(Duration::from_secs(365 * 86_400)).unwrap(),
        ..hourly(&bench, Missed::RunOnce)
    };
    let slot = yearly.schedule.slot(bench.clock.now_ms()).unwrap();
    let year_ms = 365 * 86_400_000;
    let until = slot + year_ms - bench.clock.now_ms();
    assert_eq!(
        fire(&bench, &yearly, &mut Slots::default()).await,
        0,
        "a new one, late"
    );
    bench.advance(Duration::from_millis(until.try_into().unwrap()));
    assert_eq!(fire(&bench, &yearly, &mut Slots::default()).await, 1);
    bench.drain(&scripted()).await;
    bench.advance(Duration::from_secs(30 * 86_400));
    assert_eq!(bench.queue.retain().await.unwrap(), 1);
    assert_eq!(fire(&bench, &yearly, &mut Slots::default()).await, 0);
}

#[tokio::test]
async fn missed_slots_have_no_job_or_the_newest_has_one() {
    for (missed, late) in [(Missed::Skip, 0), (Missed::RunOnce, 1)] {
        let bench = Bench::start().await;
        let recurring = hourly(&bench, missed);
        known(&bench, &recurring).await;
        let mut seen = Slots::default();
        assert_eq!(fire(&bench, &recurring, &mut seen).await, 1);
        bench.advance(5 * 60 * MINUTE + 20 * MINUTE);
        assert_eq!(
            fire(&bench, &recurring, &mut seen).await,
            late,
            "{missed:?}"
        );
        assert_eq!(fire(&bench, &recurring, &mut Slots::default()).await, 0);
        bench.advance(40 * MINUTE);
        assert_eq!(
            fire(&bench, &recurring, &mut seen).await,
            1,
            "and on time again"
        );
    }
}

#[tokio::test]
async fn a_schedule_never_seen_before_has_missed_nothing() {
    for missed in [Missed::Skip, Missed::RunOnce] {
        let bench = Bench::start().await;
        bench.advance(20 * MINUTE);
        let recurring = hourly(&bench, missed);
        let mut seen = Slots::default();
        assert_eq!(fire(&bench, &recurring, &mut seen).await, 0);
        assert_eq!(fire(&bench, &recurring, &mut Slots::default()).await, 0);
        bench.advance(40 * MINUTE);
        assert_eq!(fire(&bench, &recurring, &mut seen).await, 1);
    }
}

#[tokio::test]
async fn a_schedule_first_seen_just_after_a_slot_leaves_that_slot_alone() {
    for missed in [Missed::Skip, Missed::RunOnce] {
        let bench = Bench::start().await;
        bench.advance(MINUTE);
        let first = hourly(&bench, missed);
        assert_eq!(fire(&bench, &first, &mut Slots::default()).await, 0);
        bench.advance(59 * MINUTE);
        assert_eq!(fire(&bench, &first, &mut Slots::default()).await, 1);
        // Renamed a minute after its slot ran, and moved to a time that has just passed.
        bench.advance(MINUTE);
        let renamed = Recurring {
            name: "clean".into(),
            ..first.clone()
        };
        assert_eq!(fire(&bench, &renamed, &mut Slots::default()).await, 0);
        bench.advance(6 * MINUTE);
        let moved = Recurring {
            schedule: Schedule::cron("5 * * * *").unwrap(),
            ..first
        };
        assert_eq!(fire(&bench, &moved, &mut Slots::default()).await, 0);
        assert_eq!(fire(&bench, &moved, &mut Slots::default()).await, 0);
        bench.advance(58 * MINUTE);
        assert_eq!(fire(&bench, &moved, &mut Slots::default()).await, 1);
        assert_eq!(fire(&bench, &renamed, &mut Slots::default()).await, 1);
    }
}

#[tokio::test]
async fn a_changed_pattern_goes_on_under_the_same_name() {
    let bench = Bench::start().await;
    let mut recurring = hourly(&bench, Missed::Skip);
    known(&bench, &recurring).await;
    let mut seen = Slots::default();
    assert_eq!(fire(&bench, &recurring, &mut seen).await, 1);
    bench.advance(2 * MINUTE);
    recurring.schedule = Schedule::cron("*/10 * * * *").unwrap();
    assert_eq!(
        fire(&bench, &recurring, &mut Slots::default()).await,
        0,
        "the same slot"
    );
    bench.advance(8 * MINUTE);
    assert_eq!(fire(&bench, &recurring, &mut seen).await, 1);
    // To a schedule whose latest slot is older than the last one that ran.
    recurring.schedule = Schedule::cron("0 0 * * *").unwrap();
    recurring.missed = Missed::RunOnce;
    assert_eq!(fire(&bench, &recurring, &mut seen).await, 0);
}

#[tokio::test]
async fn with_a_unique_key_a_slot_is_skipped_while_the_last_run_goes_on() {
    let bench = Bench::start().await;
    let (handler, gate) = gated();
    let recurring = Recurring {
        job: NewJob {
            unique: Some("tidy".into()),
            ..bench.job("gated")
        },
        ..hourly(&bench, Missed::Skip)
    };
    known(&bench, &recurring).await;
    let mut seen = Slots::default();
    assert_eq!(fire(&bench, &recurring, &mut seen).await, 1);
    let drainer = bench.start_drain(&handler, 9000).task;
    until_running(&handler, 1).await;
    bench.advance(60 * MINUTE);
    assert_eq!(fire(&bench, &recurring, &mut seen).await, 0);
    gate.add_permits(2);
    drainer.await.unwrap();
    bench.advance(60 * MINUTE);
    assert_eq!(fire(&bench, &recurring, &mut seen).await, 1);
}

#[tokio::test]
async fn a_recurring_chain_runs_whole_in_each_slot() {
    let bench = Bench::start().await;
    let recurring = Recurring {
        job: NewJob {
            then: vec![bench.job("work"), bench.job("work")],
            ..bench.job("work")
        },
        ..hourly(&bench, Missed::Skip)
    };
    known(&bench, &recurring).await;
    let mut seen = Slots::default();
    for hour in 1..=3 {
        assert_eq!(fire(&bench, &recurring, &mut seen).await, 1);
        assert_eq!(bench.drain(&scripted()).await.completed, 3, "hour {hour}");
        bench.advance(60 * MINUTE);
    }
}

#[tokio::test]
async fn a_slot_refused_by_a_full_queue_is_tried_again() {
    let bench = Bench::with(QueueConfig {
        backlog: Some(1),
        ..config()
    })
    .await;
    let recurring = hourly(&bench, Missed::Skip);
    known(&bench, &recurring).await;
    let mut seen = Slots::default();
    bench.enqueue("work").await;
    assert_eq!(fire(&bench, &recurring, &mut seen).await, 0);
    bench.drain(&scripted()).await;
    assert_eq!(fire(&bench, &recurring, &mut seen).await, 1);
}

#[tokio::test]
async fn one_call_handles_several_schedules() {
    let bench = Bench::start().await;
    let named = |name: &str| Recurring {
        name: name.into(),
        ..hourly(&bench, Missed::Skip)
    };
    let mut seen = Slots::default();
    let all = [named("a"), named("b"), named("c")];
    assert_eq!(bench.queue.fire(&all, &mut seen).await.unwrap(), 0);
    bench.advance(60 * MINUTE);
    bench.server.reset_meter();
    let fired = bench.queue.fire(&all, &mut seen).await.unwrap();
    let trips: u64 = bench.server.meter().requests.values().sum();
    assert_eq!(
        (fired, trips <= 2),
        (3, true),
        "{trips} with the loading of the script"
    );
}
