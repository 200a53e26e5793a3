//! The worker: it claims, runs and settles jobs until the queue is empty or time runs out.
//!
//! | file | content |
//! |---|---|
//! | `mod` | [`Consumer`], which a function starts |
//! | `report` | [`DrainReport`]: what a drain did |
//! | `rounds` | the loop of rounds, and everything that ends a lease |
//! | `tick` | what one round sends and receives |
//! | `claim` | [`Claim`]: one attempt at a job |
//! | `handler` | [`JobHandler`], and its interface to the worker |
//! | `work`, `running` | the tasks that run jobs, and the worker's entries for them |
//! | `timing` | when things are due: renewals, timeouts, the end of the invocation |
//! | `helpers` | waking further workers |
//!
//! The end of an invocation has three steps. No job is claimed in the last 30 s. Jobs that
//! still run 10 s before the end are asked to hand back their work. Jobs that are left 5 s
//! before the end are given back without costing an attempt. In shorter invocations the
//! steps begin at a quarter, a sixth and a twelfth before the end. Nothing keeps running
//! after [`Consumer::drain`] returns.

mod claim;
mod handler;
mod helpers;
mod report;
mod rounds;
mod running;
mod tick;
mod timing;
mod work;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Deadline;
use crate::queue::{Error, Queue};
use crate::waker::Wake;

pub use claim::Claim;
pub use handler::{ActiveJob, EndedJob, JobHandler, Outcome, Signal};
pub use report::DrainReport;
pub use tick::Settled;

use rounds::{Setup, WorkerLoop};

/// Drains a queue with a handler.
pub struct Consumer {
    queue: Queue,
    handler: Arc<dyn JobHandler>,
    helpers: Option<Arc<dyn Wake>>,
    last_look: Duration,
}

impl Consumer {
    /// Creates a worker that runs the jobs of `queue` with `handler`.
    pub fn new(queue: Queue, handler: Arc<dyn JobHandler>) -> Consumer {
        Consumer {
            queue,
            handler,
            helpers: None,
            last_look: Duration::ZERO,
        }
    }

    /// Makes the worker stay until it has looked for jobs at least this long after it
    /// began, because the process that woke it wakes no other drainer in that time. Without
    /// a linger, the worker does not stay for this look.
    pub fn with_last_look_after(mut self, time: Duration) -> Consumer {
        self.last_look = time;
        self
    }

    /// Allows the worker to wake up to [`QueueConfig::helpers`](crate::config::QueueConfig)
    /// further drainers if it cannot finish the waiting jobs in its time. Those drainers
    /// must not wake others.
    pub fn with_helpers(mut self, wake: Arc<dyn Wake>) -> Consumer {
        self.helpers = Some(wake);
        self
    }

    /// Claims and runs jobs until none is left or `deadline` is near. Outcomes that could
    /// not be reported are reported again until then.
    ///
    /// # Errors
    /// Redis stayed unavailable. Jobs that were claimed come back when their leases end.
    pub async fn drain(&self, deadline: &Deadline) -> Result<DrainReport, Error> {
        let setup = Setup {
            queue: &self.queue,
            handler: self.handler.clone(),
            deadline,
            helpers: self.helpers.as_deref(),
            last_look: self.last_look,
        };
        WorkerLoop::new(setup).run().await
    }
}
