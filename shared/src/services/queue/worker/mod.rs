//! The worker: claim, run, settle, until the queue is empty or time runs out.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod` | [`Consumer`], which a function starts, and its [`DrainReport`] |
//! | `rounds` | the loop of rounds, and everything that ends a lease |
//! | `tick` | what one round sends and gets |
//! | `claim` | [`Claim`]: one attempt at a job, shared by all who hold it |
//! | `handler` | [`JobHandler`], and what it is given and answers |
//! | `work`, `running` | the tasks that run jobs, and what the worker keeps of them |
//! | `timing` | what is due when: renewals, timeouts, the end of the invocation |
//! | `helpers` | waking further workers |
//!
//! The time of an invocation is divided from its end: no job is claimed in the last
//! 30 s, jobs still running 10 s before the end are asked to hand back their work,
//! and 5 s before the end what is left is given back without costing an attempt.
//! Shorter invocations keep back a quarter, a sixth and a twelfth. Nothing runs on
//! after [`Consumer::drain`] returns.

mod claim;
mod handler;
mod helpers;
mod rounds;
mod running;
mod tick;
mod timing;
mod work;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::clock::Deadline;
use crate::queue::{Error, Queue};
use crate::waker::Wake;

pub use claim::Claim;
pub use handler::{ActiveJob, EndedJob, JobHandler, Outcome, Signal};
pub use tick::Settled;

use rounds::WorkerLoop;

/// What a drain did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DrainReport {
    pub claimed: u32,
    pub completed: u32,
    pub failed: u32,
    pub retried: u32,
    pub snoozed: u32,
    pub cancelled: u32,
    /// Outcomes not accepted, because the lease was lost.
    pub lost: u32,
    /// Jobs this worker's rounds ended unrun: their lease had ended too often, or
    /// they expired before they began.
    pub swept: u32,
    pub forgotten: u32,
    pub rounds: u32,
}

impl DrainReport {
    /// Jobs that are off this worker's hands.
    fn ended(&self) -> u32 {
        self.completed + self.failed + self.retried + self.snoozed + self.cancelled + self.lost
    }

    /// Counts an outcome; true when it was not accepted.
    fn count(&mut self, settled: Settled) -> bool {
        match settled {
            Settled::Completed => self.completed += 1,
            Settled::Failed => self.failed += 1,
            Settled::Cancelled => self.cancelled += 1,
            Settled::Retried => self.retried += 1,
            Settled::Snoozed => self.snoozed += 1,
            Settled::Duplicate | Settled::Lost | Settled::Gone => {
                self.lost += 1;
                return true;
            }
        }
        false
    }
}

/// Drains a queue with a handler.
pub struct Consumer {
    queue: Queue,
    handler: Arc<dyn JobHandler>,
    helpers: Option<Arc<dyn Wake>>,
    last_look: Duration,
}

/// The parts an invocation's time is divided into.
struct Margins {
    pub stop_claiming: Duration,
    pub hand_back: Duration,
    pub give_up: Duration,
}

impl Margins {
    fn of(total: Duration) -> Margins {
        Margins {
            stop_claiming: Duration::from_secs(30).min(total / 4),
            hand_back: Duration::from_secs(10).min(total / 6),
            give_up: Duration::from_secs(5).min(total / 12),
        }
    }
}

impl Consumer {
    pub fn new(queue: Queue, handler: Arc<dyn JobHandler>) -> Consumer {
        Consumer {
            queue,
            handler,
            helpers: None,
            last_look: Duration::ZERO,
        }
    }

    /// Lets it leave only when it has looked for jobs this long after it began, because
    /// the process that woke it wakes no other drainer meanwhile. Without a linger there is no
    /// such look.
    pub fn with_last_look_after(mut self, time: Duration) -> Consumer {
        self.last_look = time;
        self
    }

    /// Lets it wake further drainers, up to
    /// [`QueueConfig::helpers`](crate::config::QueueConfig), when more waits than it
    /// can do in its time. Those must not wake others in turn.
    pub fn with_helpers(mut self, wake: Arc<dyn Wake>) -> Consumer {
        self.helpers = Some(wake);
        self
    }

    /// Claims and runs jobs until none is left, or until `deadline` nears. Outcomes
    /// that could not be reported are reported again until then.
    ///
    /// # Errors
    /// When Redis stays away; jobs claimed meanwhile come back when their lease ends.
    pub async fn drain(&self, deadline: &Deadline) -> Result<DrainReport, Error> {
        WorkerLoop::new(self, deadline).run().await
    }
}
