//! How each kind of job runs.
//!
//! | file | contents |
//! |---|---|
//! | `channel/` | the kinds `scan` and `batch`: read a channel page by page |
//! | `guild/` | the kind `guild`: scans a guild by scans of its channels |
//! | `cancel` | the kind `cancel`: cancels the scans of a cancelled guild scan |
//! | `message` | the kind `message`: reads single messages |
//! | `export` | the kind `export`: writes clips into a file |
//! | `probe` | the kind `probe` of the queue `clip`: looks into clips; see `crate::clips` |
//! | `import` | the kind `import`: reads an uploaded file |
//! | `notice` | the kind `notice`: sends a notice to a guild's webhook |
//! | `announce` | what the end of a scan tells the webhook |
//! | `checks` | checks that Discord shows the bot everything |
//! | `stop` | why a run stops, and with which outcome |
//! | `watch` | whether a run has to stop (cancelled, Discord paused), and the common pace |
//! | `reporter` | the events of a run |
//!
//! A new kind is a file with a `run` function, its `mod` line and its line in [`KINDS`].
//! Its arguments are defined in `shared/src/domain/jobs`.

mod announce;
mod cancel;
mod channel;
mod checks;
mod export;
mod guild;
mod import;
mod message;
mod notice;
pub mod probe;
mod reporter;
mod stop;
mod watch;

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use shared::input;
use shared::jobs::{
    CancelScans, ChannelScan, ExportJob, GuildScan, ImportFile, MessageScan, SendNotice,
};
use shared::queue::{ActiveJob, EndedJob, JobError, JobHandler, Outcome};

use crate::Clients;

pub use guild::news;
pub use stop::checked;

/// The function that runs a kind of job.
type Run = fn(Arc<Clients>, ActiveJob) -> BoxFuture<'static, Outcome>;

/// The job kinds and the functions that run them.
const KINDS: &[(&str, Run)] = &[
    (ChannelScan::SCAN, |clients, job| {
        channel::run(clients, job).boxed()
    }),
    (ChannelScan::BATCH, |clients, job| {
        channel::run(clients, job).boxed()
    }),
    (ChannelScan::RESCAN, |clients, job| {
        channel::run(clients, job).boxed()
    }),
    (MessageScan::KIND, |clients, job| {
        message::run(clients, job).boxed()
    }),
    (ExportJob::KIND, |clients, job| {
        export::run(clients, job).boxed()
    }),
    (GuildScan::KIND, |clients, job| {
        guild::run(clients, job).boxed()
    }),
    (CancelScans::KIND, |clients, job| {
        cancel::run(clients, job).boxed()
    }),
    (ImportFile::KIND, |clients, job| {
        import::run(clients, job).boxed()
    }),
    (SendNotice::KIND, |clients, job| {
        notice::run(clients, job).boxed()
    }),
];

/// Finds the function that runs a job.
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
            let (clients, run) = (self.clients.clone(), *run);
            return async move {
                let outcome = run(clients.clone(), job.clone()).await;
                announce::after(&clients, &job, &outcome).await;
                outcome
            }
            .boxed();
        }
        // Another attempt would fail in the same way unless a newer version is deployed.
        // In that case an operator can redrive the job.
        let message = format!("unknown job kind `{}`", job.kind);
        let reason = JobError::reason("unknown_type", &message);
        async { Outcome::Fail { reason } }.boxed()
    }

    fn ended(&self, job: EndedJob) -> BoxFuture<'static, ()> {
        let clients = self.clients.clone();
        async move {
            announce::after_end(&clients, &job).await;
            match job.kind.as_str() {
                GuildScan::KIND => guild::ended(clients, job).await,
                _ => channel::ended(clients, job).await,
            }
        }
        .boxed()
    }
}

/// Parses a job's arguments. If that fails, the reason names the field but not its value.
fn arguments<T: serde::de::DeserializeOwned>(job: &ActiveJob) -> Result<T, Outcome> {
    input::parse_object(job.args()).map_err(|wrong| {
        let message = format!("the job's data is invalid: {}", wrong.listed());
        let reason = JobError::reason("invalid_data", &message);
        Outcome::Fail { reason }
    })
}

#[cfg(test)]
mod tests {
    use shared::jobs::JobKind;

    use super::*;

    #[test]
    fn every_kind_that_can_be_stored_can_be_run() {
        let stored: Vec<&str> = JobKind::all().map(|kind| kind.name).collect();
        let run: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(stored, run);
    }
}
