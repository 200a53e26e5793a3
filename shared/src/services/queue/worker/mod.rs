//! The worker: claim, run, settle, until the queue is empty or time runs out.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod` | [`Consumer`], which a function starts |
//! | `report` | [`DrainReport`]: what a drain did |
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
    /// A worker of this queue that runs jobs by this handler.
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
