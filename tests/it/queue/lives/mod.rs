//! Scenarios that run under faults and crashes. Each covers a job from enqueueing to
//! retention and must end in the same way, whatever happens.

mod actor;
mod death;
mod site;

use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use shared::queue::{JobId, JobState, NewJob, Redriven, Totals};
use shared::redis::Command;
use shared::redis::commands::streams::Entry;

pub use death::{Death, Late, Way};
pub use site::Site;

/// Large enough to be stored under a separate key.
const LARGE: usize = 6000;

/// How a job must end.
pub struct Expected {
    pub id: JobId,
    pub state: JobState,
    /// Attempts that were started, without lost leases and snoozes.
    pub attempts: i64,
}

/// How a scenario must end: its jobs, and the number of accepted outcomes.
#[derive(Default)]
pub struct Ending {
    pub jobs: Vec<Expected>,
    pub retried: u64,
    /// Failures of jobs that were redriven afterwards.
    pub failed_before: u64,
}

impl Ending {
    pub fn job(mut self, id: &JobId, state: JobState, attempts: i64) -> Ending {
        let id = id.clone();
        self.jobs.push(Expected {
            id,
            state,
            attempts,
        });
        self
    }

    fn totals(&self, stalled: u64) -> Totals {
        let of = |state| self.jobs.iter().filter(|job| job.state == state).count() as u64;
        Totals {
            completed: of(JobState::Completed),
            failed: of(JobState::Failed) + self.failed_before,
            cancelled: of(JobState::Cancelled),
            retried: self.retried,
            stalled,
        }
    }
}

/// A scenario. Each is short, so that a fault can hit every point of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Completes at once after a progress update; the endpoint has cached no script.
    Plain,
    /// Fails once.
    Retried,
    /// Hands back half of its work.
    Snoozed,
    /// A second job with the same unique key arrives, and another one after it ended.
    Unique,
    /// Two jobs of a group that runs one at a time, and one that is not delayed by them.
    Grouped,
    /// Two jobs follow it.
    Chain,
    /// Two jobs, one of which fails, and a third one after both.
    Batch,
    /// Arguments and result are stored under separate keys.
    Large,
    /// Cancelled while it waits.
    Cancelled,
    /// Cancelled while it runs.
    Stopped,
    /// Fails for good, is redriven and completes.
    Redriven,
    /// Delayed, and then moved to an earlier time.
    Changed,
    /// Created by a schedule.
    Recurring,
    /// Taken from a stream.
    Foreign,
}

impl Life {
    pub const ALL: [Life; 14] = [
        Life::Plain,
        Life::Retried,
        Life::Snoozed,
        Life::Unique,
        Life::Grouped,
        Life::Chain,
        Life::Batch,
        Life::Large,
        Life::Cancelled,
        Life::Stopped,
        Life::Redriven,
        Life::Changed,
        Life::Recurring,
        Life::Foreign,
    ];

    async fn live(self, site: &mut Site) -> Ending {
        use JobState::{Cancelled, Completed, Failed};
        let ending = Ending::default();
        match self {
            Life::Plain => {
                // On a shared server, this would remove everyone's scripts.
                if integration::clock_moves_keys() {
                    let flush = Command::<String>::safe("SCRIPT").arg("FLUSH");
                    site.unharmed(site.ask(flush)).await;
                }
                let id = site.enqueue(site.job("work")).await;
                site.drain().await;
                ending.job(&id, Completed, 1)
            }
            Life::Retried => {
                let id = site.enqueue(site.job("flaky")).await;
                site.drain().await;
                let retried = 1;
                Ending { retried, ..ending }.job(&id, Completed, 2)
            }
            Life::Snoozed => {
                let id = site.enqueue(site.job("long")).await;
                site.drain().await;
                ending.job(&id, Completed, 1)
            }
            Life::Unique => {
                let unique = || NewJob {
                    unique: Some("k".to_owned()),
                    ..site.job("work")
                };
                let first = site.enqueue(unique()).await;
                let twin = unique();
                let stored = site.insist(|| site.queue.enqueue(twin.clone())).await;
                assert_eq!((stored.is_duplicate(), stored.id()), (true, &first));
                let later = unique();
                site.drain().await;
                let later = site.enqueue(later).await;
                site.drain().await;
                ending.job(&first, Completed, 1).job(&later, Completed, 1)
            }
            Life::Grouped => {
                let grouped = || NewJob {
                    group: Some("g".to_owned()),
                    ..site.job("grouped")
                };
                let jobs = vec![grouped(), grouped(), site.job("work")];
                let ids: Vec<JobId> = jobs.iter().map(|job| job.id.clone()).collect();
                site.insist(|| site.queue.enqueue_many(jobs.clone())).await;
                site.drain().await;
                ids.iter().fold(ending, |e, id| e.job(id, Completed, 1))
            }
            Life::Chain => {
                let then = vec![site.job("flaky"), site.job("work")];
                let (second, third) = (then[0].id.clone(), then[1].id.clone());
                let first = site
                    .enqueue(NewJob {
                        then,
                        ..site.job("work")
                    })
                    .await;
                site.drain().await;
                let retried = 1;
                Ending { retried, ..ending }
                    .job(&first, Completed, 1)
                    .job(&second, Completed, 2)
                    .job(&third, Completed, 1)
            }
            Life::Batch => {
                let jobs = vec![site.job("work"), site.job("bad")];
                let (good, bad) = (jobs[0].id.clone(), jobs[1].id.clone());
                let last = site.job("work");
                site.insist(|| site.queue.enqueue_batch(jobs.clone(), last.clone()))
                    .await;
                site.drain().await;
                ending
                    .job(&good, Completed, 1)
                    .job(&bad, Failed, 1)
                    .job(&last.id, Completed, 1)
            }
            Life::Large => {
                let mut job = site.job("large");
                job.args = json!("x".repeat(LARGE)).to_string();
                let id = site.enqueue(job).await;
                site.drain().await;
                ending.job(&id, Completed, 1)
            }
            Life::Cancelled => {
                let mut job = site.job("work");
                job.args = json!("x".repeat(LARGE)).to_string();
                let id = site.enqueue(job).await;
                let cancelled = site.insist(|| site.queue.cancel(&id)).await;
                assert_eq!(cancelled, shared::queue::Cancelled::Done);
                site.drain().await;
                ending.job(&id, Cancelled, 0)
            }
            Life::Stopped => {
                let id = site.enqueue(site.job("stopped")).await;
                site.drain().await;
                ending.job(&id, Cancelled, 1)
            }
            Life::Redriven => {
                let mut job = site.job("bad");
                job.args = json!("x".repeat(LARGE)).to_string();
                let id = site.enqueue(job).await;
                site.drain().await;
                site.actor.mended.store(true, Ordering::SeqCst);
                let redriven = site.insist(|| site.queue.redrive(&id)).await;
                // When it is sent again later, the answer is the outcome of the first
                // time.
                let is_done = |redriven| match redriven {
                    Redriven::Done => true,
                    other => other == Redriven::NotFailed(JobState::Waiting),
                };
                assert!(is_done(redriven), "{redriven:?}");
                site.drain().await;
                let failed_before = 1;
                Ending {
                    failed_before,
                    ..ending
                }
                .job(&id, Completed, 1)
            }
            Life::Changed => {
                let now = site.clock.now_ms();
                let mut job = site.job("work");
                job.run_at_ms = Some(now + 86_400_000);
                let id = site.enqueue(job).await;
                let change = || site.queue.change(&id, Some(1), Some(now));
                let changed = site.insist(change).await;
                assert_eq!(changed, shared::queue::Changed::Done);
                site.drain().await;
                ending.job(&id, Completed, 1)
            }
            Life::Recurring => {
                let recurring = [shared::queue::Recurring {
                    name: "nightly".to_owned(),
                    schedule: shared::queue::Schedule::every(Duration::from_secs(86_400)).unwrap(),
                    missed: shared::queue::Missed::RunOnce,
                    job: site.job("work"),
                }];
                // The schedule is already registered.
                site.insist(|| async {
                    let mut seen = shared::queue::Slots::default();
                    site.queue.fire(&recurring, &mut seen).await
                })
                .await;
                // Into the first seconds of a slot. No drain may take longer than that
                // slot.
                let day = 86_400_000;
                let rest = day - site.clock.now_ms().rem_euclid(day);
                site.advance(Duration::from_millis(rest as u64));
                let slot = recurring[0].schedule.slot(site.clock.now_ms()).unwrap();
                for _ in 0..2 {
                    // Two environments, neither of which has seen a slot yet.
                    let seen = Mutex::new(Some(shared::queue::Slots::default()));
                    site.insist(|| async {
                        let mut slots = seen.lock().unwrap().take().unwrap_or_default();
                        let fired = site.queue.fire(&recurring, &mut slots).await;
                        *seen.lock().unwrap() = Some(slots);
                        fired
                    })
                    .await;
                }
                site.drain().await;
                ending.job(&JobId::derived(slot, "nightly"), Completed, 1)
            }
            Life::Foreign => {
                let stream = format!("{}:in", site.queue.keys().index);
                let add = Command::<String>::once("XADD").arg(&stream).arg("5-1");
                site.unharmed(site.ask(add.args(["type", "work"]))).await;
                site.insist(|| {
                    site.queue.ingest(&stream, &|_, id| {
                        NewJob::new(id, "work", &()).map_err(|error| error.to_string())
                    })
                })
                .await;
                site.drain().await;
                let entry = Entry {
                    id: "5-1".to_owned(),
                    fields: vec![("type".to_owned(), "work".to_owned())],
                };
                let id = shared::queue::foreign_id(&stream, &entry);
                ending.job(&id, Completed, 1)
            }
        }
    }
}
