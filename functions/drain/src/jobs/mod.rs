//! How each kind of job runs.
//!
//! | file | what is in it |
//! |---|---|
//! | `channel/` | the kinds `scan` and `batch`: page after page of a channel |
//! | `message` | the kind `message`: single messages |
//! | `checks` | whether what Discord shows is all there is |
//! | `stop` | why a run stops, and with which outcome |
//! | `watch` | whether a run is to stop: cancelled, Discord left alone, the common pace |
//! | `reporter` | the events of a run |
//!
//! A new kind is a file with a `run`, its `mod` line and its line in [`KINDS`]. What it is
//! asked is in `shared/src/domain/jobs`.

mod channel;
mod checks;
mod message;
mod reporter;
mod stop;
mod watch;

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use shared::input;
use shared::jobs::{ChannelScan, MessageScan};
use shared::queue::{ActiveJob, EndedJob, JobHandler, Outcome};

use crate::Clients;

/// What runs a job of a kind.
type Run = fn(Arc<Clients>, ActiveJob) -> BoxFuture<'static, Outcome>;

/// The kinds, each with what runs it.
const KINDS: &[(&str, Run)] = &[
    (ChannelScan::SCAN, |clients, job| {
        channel::run(clients, job).boxed()
    }),
    (ChannelScan::BATCH, |clients, job| {
        channel::run(clients, job).boxed()
    }),
    (MessageScan::KIND, |clients, job| {
        message::run(clients, job).boxed()
    }),
];

/// Finds what runs a job by its kind.
pub struct Handler {
    clients: Arc<Clients>,
}

impl Handler {
    pub fn new(clients: Arc<Clients>) -> Handler {
        Handler { clients }
    }
}

impl JobHandler for Handler {
    fn run(&self, job: ActiveJob) -> BoxFuture<'static, Outcome> {
        if let Some((_, run)) = KINDS.iter().find(|(kind, _)| *kind == job.kind) {
            return run(self.clients.clone(), job);
        }
        // Another attempt would fail alike, unless a newer version is deployed meanwhile:
        // then an operator redrives it.
        let reason = format!("there is no job of kind `{}`", job.kind);
        async { Outcome::Fail { reason } }.boxed()
    }

    fn ended(&self, job: EndedJob) -> BoxFuture<'static, ()> {
        channel::ended(self.clients.clone(), job).boxed()
    }
}

/// A job's arguments, or its end, which names the field that is wrong and not its value.
fn arguments<T: serde::de::DeserializeOwned>(job: &ActiveJob) -> Result<T, Outcome> {
    input::parse_object(job.args()).map_err(|error| Outcome::Fail {
        reason: format!("the job's data cannot be read: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_that_can_be_stored_can_be_run() {
        let stored: Vec<&str> = shared::jobs::KINDS.iter().map(|kind| kind.name).collect();
        let run: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(stored, run);
    }
}
