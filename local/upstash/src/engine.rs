//! What stands behind the HTTP front: jobs in, replies out.
//!
//! Today there is one engine, the embedded one. A second one, in front of a real
//! server, would be another variant with the same two operations.

use tokio::sync::oneshot;

use crate::embedded::{EngineThread, Message};
use crate::reply::Reply;

/// A command and its arguments.
pub type Command = Vec<Vec<u8>>;

/// Commands that arrived in one request.
#[derive(Debug, Clone)]
pub struct Job {
    /// The database of the token.
    pub db: usize,
    pub commands: Vec<Command>,
    /// All or nothing when refused, and nothing in between when run.
    pub atomic: bool,
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// One reply for each command.
    Ran(Vec<Reply>),
    /// A transaction that was refused whole; nothing has run.
    Discarded(String),
}

/// The engine has ended, because it panicked or its file failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the engine has stopped")]
pub struct EngineStopped;

pub enum Engine {
    Embedded(EngineThread),
}

impl Engine {
    /// Runs a job; it is committed when this returns.
    ///
    /// # Errors
    ///
    /// [`EngineStopped`] when nobody can tell whether it ran.
    pub async fn run(&self, job: Job) -> Result<Answer, EngineStopped> {
        match self {
            Self::Embedded(thread) => {
                let (reply, answer) = oneshot::channel();
                thread.send(Message::Run(job, reply))?;
                answer.await.map_err(|_| EngineStopped)
            }
        }
    }

    /// Finishes what was accepted, compacts, and lets go of the file.
    pub async fn stop(&self) -> Result<(), EngineStopped> {
        match self {
            Self::Embedded(thread) => {
                let (reply, stopped) = oneshot::channel();
                thread.send(Message::Stop(reply))?;
                stopped.await.map_err(|_| EngineStopped)
            }
        }
    }
}
