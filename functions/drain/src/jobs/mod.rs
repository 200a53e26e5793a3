//! The kinds of jobs and how each runs.

mod checks;
mod messages;
mod ownership;
mod page;
mod reporter;
mod save;
mod scan;
mod trouble;
mod waiting;
mod watch;

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use shared::input;
use shared::jobs::{ChannelScan, MessageScan};
use shared::queue::{ActiveJob, EndedJob, JobHandler, Outcome};

use crate::Environment;

/// Finds what runs a job by its kind.
pub struct Handler {
    environment: Arc<Environment>,
}

impl Handler {
    pub fn new(environment: Arc<Environment>) -> Handler {
        Handler { environment }
    }
}

impl JobHandler for Handler {
    fn run(&self, job: ActiveJob) -> BoxFuture<'static, Outcome> {
        let environment = self.environment.clone();
        async move {
            match job.kind.as_str() {
                ChannelScan::SCAN | ChannelScan::BATCH => scan::run(environment, job).await,
                MessageScan::KIND => messages::run(environment, job).await,
                unknown => Outcome::Fail {
                    reason: format!("there is no job of kind `{unknown}`"),
                },
            }
        }
        .boxed()
    }

    fn ended(&self, job: EndedJob) -> BoxFuture<'static, ()> {
        ownership::ended(self.environment.clone(), job).boxed()
    }
}

/// A job's arguments, or its end, which names the field that is wrong and not its value.
fn arguments<T: serde::de::DeserializeOwned>(job: &ActiveJob) -> Result<T, Outcome> {
    input::parse_object(job.args()).map_err(|error| Outcome::Fail {
        reason: format!("the job's data cannot be read: {error}"),
    })
}
